-- banter: on a router too
create or replace function banter_data.conversation_named(p_conversation text, out workspace bigint)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
	select c.workspace into workspace
	from banter.conversations_called(array[p_conversation]) c
	limit 1;
	if workspace is null then
		raise exception 'there is no conversation "%"; see banterctl conversation list', p_conversation;
	end if;
end
$$;

comment on function banter_data.conversation_named(text) is
	'The workspace that conversation is of; an error if there is none of that id.';
