create or replace function banter_data.visitor_enter(
	p_workspace bigint, p_visitor text, p_chatbot text, p_hash bytea, p_user text, out visitor text)
language plpgsql
as $$
#variable_conflict use_column
begin
	loop
		visitor := banter_data.visitor_named(p_workspace => p_workspace, p_chatbot => p_chatbot, p_hash => p_hash);
		exit when visitor is not null;
		insert into banter_data.visitor as x (workspace, visitor, chatbot, hash, user_id)
		values (p_workspace, p_visitor, p_chatbot, p_hash, p_user)
		on conflict do nothing;
	end loop;
end
$$;

comment on function banter_data.visitor_enter(bigint, text, text, bytea, text) is
	'The visitor of that hash, made under this id if there is none.';
