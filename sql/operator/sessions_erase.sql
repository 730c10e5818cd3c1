create or replace function banter.sessions_erase(p_workspace bigint, p_session text)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_conversations constant text[] := array(
		select c.conversation
		from banter_data.conversation c
		where c.workspace = p_workspace and starts_with(c.session, p_session)
		limit 1000);
begin
	return (
		select r.conversations
		from banter_data.conversation_remove(
			array_fill(p_workspace, array[cardinality(v_conversations)]), v_conversations,
			array_fill(timestamptz 'infinity', array[cardinality(v_conversations)])) r);
end
$$;

comment on function banter.sessions_erase(bigint, text) is
	'For the operator. Erases what was said in sessions that begin so, of a workspace that stays; how many conversations.';
