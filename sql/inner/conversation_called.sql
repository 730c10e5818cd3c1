create or replace function banter_data.conversation_called(
	p_workspace bigint, p_kind text, p_visitors text[], p_chatbot text, p_called text, out conversation text)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
	-- A user's own goes before what their token still holds.
	conversation := coalesce((
		select c.conversation
		from banter_data.conversation c
		where c.visitor = any (p_visitors) and c.workspace = p_workspace and c.thread = p_called
		order by array_position(p_visitors, c.visitor)
		limit 1), (
		select c.conversation
		from banter_data.conversation c
		where c.workspace = p_workspace and c.chatbot = p_chatbot
			and c.session = case p_kind when 'widget' then p_called when 'workspace' then '/' || p_called end));
end
$$;

comment on function banter_data.conversation_called(bigint, text, text[], text, text) is
	'Which conversation a client means by the name that it has for it: one of these visitors'', or, with a key of that kind, one of the chatbot''s; null: none.';
