-- banter: on a router too
create or replace function banter.key_place(p_chatbot text, p_workspace text)
returns table (workspace bigint, chatbot text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	if p_chatbot is not null then
		return query select n.workspace, n.chatbot from banter_data.chatbot_named(p_chatbot) n;
	else
		return query select banter_data.workspace_named(p_workspace), null::text;
	end if;
end
$$;

comment on function banter.key_place(text, text) is
	'For the operator. What a new key will be of: that chatbot, or (null) that workspace; a key carries its workspace''s number.';
