create or replace function banter.workspace_question(p_workspace text)
returns table (workspace_id text, question text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return query
		select s.workspace_id, format('revoke workspace "%s" with %s and %s? all of them get 401 until active=yes',
			s.name, banter_data.counted(s.chatbots, 'chatbot'), banter_data.counted(s.keys, 'key'))
		from banter.workspace_show(p_workspace) s;
end
$$;

comment on function banter.workspace_question(text) is 'For the operator. What to ask before a workspace is revoked.';
