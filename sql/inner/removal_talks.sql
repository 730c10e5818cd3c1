-- Rests on its being shut: what runs was begun before. Lock order: see exchange_begin (exchange -> conversation -> workspace);
-- what has ended is locked behind its conversation, as conversation_remove does it, so that nobody goes the other way.
create or replace function banter_data.removal_talks(
	p_workspace bigint, p_chatbot text, p_after text, p_limit integer, out removed bigint, out next text)
language plpgsql
as $$
declare
	v_running jsonb;
	v_run record;
	v_conversations text[];
	v_exchanges text[];
	v_count bigint;
begin
	select jsonb_agg(to_jsonb(l)) into v_running
	from (
		select e.exchange, e.price
		from banter_data.exchange e
		where e.workspace = p_workspace and e.ended_at is null and (p_chatbot is null or e.chatbot = p_chatbot)
		order by e.exchange
		for update) l;
	for v_run in
		select r.exchange, r.price from jsonb_to_recordset(v_running) r (exchange text, price integer)
	loop
		perform banter_data.credit_return(p_workspace, v_run.exchange, v_run.price);
	end loop;
	delete from banter_data.exchange e
	using jsonb_to_recordset(v_running) r (exchange text)
	where e.workspace = p_workspace and e.exchange = r.exchange;
	get diagnostics removed = row_count;
	if removed > 0 then
		next := coalesce(p_after, '');
		return;
	end if;

	select array_agg(l.conversation) into v_conversations
	from (
		select c.conversation
		from banter_data.conversation c
		where c.workspace = p_workspace and (p_chatbot is null or c.chatbot = p_chatbot)
			and c.conversation > coalesce(p_after, '')
		order by c.conversation
		limit greatest(p_limit / 10, 1)
		for update) l;
	-- First which, then those: in one statement a planner that knows nothing of the table may look for them once a row.
	-- Nor may it look for a conversation's by all of the workspace's.
	v_exchanges := array(
		select x.exchange
		from unnest(v_conversations) k (conversation)
		cross join lateral (
			select y.exchange from banter_data.exchange y
			where y.workspace + 0 = p_workspace and y.conversation = k.conversation
			limit p_limit) x
		limit p_limit);
	delete from banter_data.exchange e
	where e.workspace = p_workspace and e.exchange = any (v_exchanges);
	get diagnostics removed = row_count;
	if removed = p_limit then -- there may be more of them
		next := coalesce(p_after, '');
		return;
	end if;

	delete from banter_data.conversation c
	where c.workspace = p_workspace and c.conversation = any (v_conversations);
	get diagnostics v_count = row_count;
	removed := removed + v_count;
	next := v_conversations[cardinality(v_conversations)];
end
$$;

comment on function banter_data.removal_talks(bigint, text, text, integer) is
	'Deletes some of what was said in a workspace (chatbot null) or to a chatbot that is shut, behind a place: how many rows, and where to go on; null: it has come to the end.';
