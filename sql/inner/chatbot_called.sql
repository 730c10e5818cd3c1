create or replace function banter_data.chatbot_called(p_workspace bigint, p_called text, out chatbot text)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
	select c.chatbot into chatbot
	from banter_data.chatbot c
	where c.workspace = p_workspace and c.chatbot = p_called and c.active;
	if chatbot is null and (
		select count(*) from banter_data.chatbot c where c.workspace = p_workspace and c.name = p_called and c.active) = 1
	then
		select c.chatbot into chatbot
		from banter_data.chatbot c
		where c.workspace = p_workspace and c.name = p_called and c.active;
	end if;
end
$$;

comment on function banter_data.chatbot_called(bigint, text) is
	'Which active chatbot of a workspace a client means: the one of that id, else the only one of that name; null: none.';
