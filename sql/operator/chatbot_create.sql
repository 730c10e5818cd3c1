create or replace function banter.chatbot_create(
	p_workspace bigint, p_chatbot text, p_name text, p_system_prompt text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	insert into banter_data.chatbot (workspace, chatbot, name, system_prompt)
	values (p_workspace, p_chatbot, p_name, coalesce(p_system_prompt, ''))
	on conflict (workspace, chatbot) do nothing;
	return found;
end
$$;

comment on function banter.chatbot_create(bigint, text, text, text) is
	'For the operator. Makes a chatbot; false: it was there, nothing is changed.';
