-- Visitors that are to be erased go too, once no conversation of theirs is left; they begin nothing meanwhile.
--
-- Lock order: the workspace's beginnings -> conversation_remove's.
create or replace function banter.conversation_erase(
	p_conversations text, p_chatbot text, p_session text, p_metadata text, p_age text, p_retention boolean,
	p_after_workspace bigint, p_after_conversation text, p_limit integer,
	p_visitor text default null, p_user text default null,
	out conversations bigint, out exchanges bigint, out next_workspace bigint, out next_conversation text)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_choice constant record := banter_data.conversation_choice(
		p_conversations => p_conversations, p_chatbot => p_chatbot, p_metadata => p_metadata,
		p_age => p_age, p_retention => p_retention, p_visitor => p_visitor, p_user => p_user);
	v_workspaces bigint[];
	v_conversations text[];
	v_before timestamptz[];
begin
	if v_choice.visitors <> '{}' then
		perform banter_data.beginnings_hold(v_choice.workspace);
	end if;
	select array_agg(c.workspace), array_agg(c.conversation), array_agg(c.before)
	into v_workspaces, v_conversations, v_before
	from banter_data.conversation_chosen(
		p_workspace => v_choice.workspace, p_chatbot => v_choice.chatbot,
		p_conversations => v_choice.conversations, p_session => p_session, p_member => v_choice.member,
		p_value => v_choice.value, p_before => v_choice.before, p_retention => p_retention,
		p_visitors => v_choice.visitors, p_after_workspace => p_after_workspace, p_after_conversation => p_after_conversation, p_limit => p_limit) c;

	select r.conversations, r.exchanges into conversations, exchanges
	from banter_data.conversation_remove(v_workspaces, v_conversations, v_before) r;
	if cardinality(v_conversations) = p_limit then
		next_workspace := v_workspaces[p_limit];
		next_conversation := v_conversations[p_limit];
	else
		delete from banter_data.visitor x
		where x.workspace = v_choice.workspace and x.visitor = any (v_choice.visitors);
	end if;
end
$$;

comment on function banter.conversation_erase(text, text, text, text, text, boolean, bigint, text, integer, text, text) is
	'For the operator. Erases the next of the conversations that conversation_erase_count counts: how many, and where to go on; null: there are no more.';
