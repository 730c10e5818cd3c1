create or replace function banter.chatbots_called(p_name text, p_of bigint)
returns table (workspace bigint, chatbot text, by_id boolean, created_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
begin
	return query
		select c.workspace, c.chatbot, c.chatbot = p_name, c.created_at
		from banter_data.chatbot c
		where (p_of is null or c.workspace = p_of) and (c.chatbot = p_name or c.name = p_name);
end
$$;

comment on function banter.chatbots_called(text, bigint) is
	'For the operator. The chatbots that a person may mean, of all or of one workspace: those of that id, and those of that name.';
