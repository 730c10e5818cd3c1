create or replace function banter.chatbot_question(p_chatbot text)
returns table (chatbot_id text, question text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return query
		select s.workspace_id || '/' || s.chatbot_id,
			format('revoke chatbot "%s" of workspace "%s"? nobody can ask it until active=yes', s.name, s.workspace)
		from banter.chatbot_show(p_chatbot) s;
end
$$;

comment on function banter.chatbot_question(text) is 'For the operator. What to ask before a chatbot is revoked.';
