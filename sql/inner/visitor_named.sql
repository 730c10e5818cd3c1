create or replace function banter_data.visitor_named(p_workspace bigint, p_chatbot text, p_hash bytea)
returns text
language sql
stable
as $$
	select x.visitor from banter_data.visitor x
	where x.workspace + 0 = p_workspace and x.hash = p_hash and x.chatbot || '' = p_chatbot
$$;

comment on function banter_data.visitor_named(bigint, text, bytea) is 'The visitor of that hash; null: none.';
