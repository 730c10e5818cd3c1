-- One that is locked is being used or erased just now: to wait for it here, where its exchange is locked, would be to
-- wait for who waits for us. What is not moved now is moved the next time.
create or replace function banter_data.history_cut(p_workspace bigint, p_conversation text, p_from bigint)
returns void
language sql
as $$
	update banter_data.conversation c
	set history_from = p_from
	from (
		select t.conversation
		from banter_data.conversation t
		where t.workspace = p_workspace and t.conversation = p_conversation and t.history_from < p_from
		for no key update skip locked) t
	where c.workspace = p_workspace and c.conversation = t.conversation
$$;

comment on function banter_data.history_cut(bigint, text, bigint) is
	'Has models see a conversation from a position on, never from an earlier one than so far.';
