-- Everything of a conversation hangs on it by foreign keys, but for the credits that what runs in it reserved.
--
-- Lock order: see exchange_begin (exchange -> conversation -> workspace). The exchanges that run are locked before
-- their conversation, and once more behind it, for those that began meanwhile; then nobody can begin or end one.
create or replace function banter_data.conversation_remove(
	p_workspaces bigint[], p_conversations text[], p_before timestamptz[],
	out conversations bigint, out exchanges bigint)
language plpgsql
as $$
#variable_conflict use_column
declare
	v_workspaces bigint[];
	v_conversations text[];
	v_running jsonb;
	v_run record;
begin
	perform banter_data.conversation_stop(p_workspaces, p_conversations);
	-- Who went on meanwhile stays, where its age is what it was chosen for.
	select array_agg(l.workspace), array_agg(l.conversation) into v_workspaces, v_conversations
	from (
		select c.workspace, c.conversation
		from banter_data.conversation c
		join unnest(p_workspaces, p_conversations, p_before) k (workspace, conversation, before)
			on k.workspace = c.workspace and k.conversation = c.conversation
		where c.last_at < k.before
		order by c.workspace, c.conversation
		for update of c) l;
	v_running := banter_data.conversation_stop(v_workspaces, v_conversations);

	-- The workspace before what hangs on its exchanges, as exchange_begin has it.
	for v_run in
		select r.workspace, r.exchange, r.price
		from jsonb_to_recordset(v_running) r (workspace bigint, exchange text, price integer)
		order by r.workspace, r.exchange
	loop
		perform banter_data.credit_return(v_run.workspace, v_run.exchange, v_run.price);
	end loop;

	select count(*) into exchanges
	from unnest(v_workspaces, v_conversations) k (workspace, conversation)
	join banter_data.exchange e on e.workspace = k.workspace and e.conversation = k.conversation;
	delete from banter_data.conversation c
	using unnest(v_workspaces, v_conversations) k (workspace, conversation)
	where c.workspace = k.workspace and c.conversation = k.conversation;
	get diagnostics conversations = row_count;
end
$$;

comment on function banter_data.conversation_remove(bigint[], text[], timestamptz[]) is
	'Deletes these conversations with all that is in them, unless their last question is not before that time; what running exchanges reserved is given back.';
