-- An id is nobody's choice and is one conversation's; workspaces are few, so each is asked by its index.
create or replace function banter_data.conversation_named(p_conversation text, out workspace bigint)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
	select c.workspace into workspace
	from banter_data.workspace w
	cross join lateral (
		select x.workspace from banter_data.conversation x
		where x.workspace = w.workspace and x.conversation = p_conversation
		offset 0) c
	limit 1;
	if workspace is null then
		raise exception 'there is no conversation "%"; see banterctl conversation list', p_conversation;
	end if;
end
$$;

comment on function banter_data.conversation_named(text) is
	'The workspace that conversation is of; an error if there is none of that id.';
