create or replace function banter_data.conversation_still(p_workspace bigint, p_conversation text, p_visitors text[])
returns table (workspace bigint, conversation text)
language sql
stable
as $$
	select c.workspace, c.conversation
	from banter_data.conversation c
	where c.workspace = p_workspace and c.conversation = p_conversation
		and (p_visitors is null or c.visitor = any (p_visitors))
$$;

comment on function banter_data.conversation_still(bigint, text, text[]) is
	'A conversation that was judged or found before, where it has not been erased since, nor become another visitor''s than these (null: whosever it is). In the statement that reads what is in it, or behind that.';
