-- The latest exchange is found by its place, however many there are.
create or replace function banter_data.conversation_leave(
	p_workspace bigint, p_conversation text, p_made boolean)
returns void
language plpgsql
as $$
begin
	if p_made then
		delete from banter_data.conversation c
		where c.workspace = p_workspace and c.conversation = p_conversation;
		return;
	end if;
	update banter_data.conversation c
	set next_position = c.next_position - 1,
		last_at = coalesce((
			select e.started_at from banter_data.exchange e
			where e.workspace = p_workspace and e.conversation = p_conversation
			order by e.position desc, e.attempt desc
			limit 1), c.created_at)
	where c.workspace = p_workspace and c.conversation = p_conversation;
end
$$;

comment on function banter_data.conversation_leave(bigint, text, boolean) is
	'Takes back, in the same transaction, what exchange_begin made or took of a conversation: a refused request leaves no trace.';
