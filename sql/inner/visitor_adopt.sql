-- Where a signed-in user has a conversation of the same name already, the adopted one loses its own.
create or replace function banter_data.visitor_adopt(p_workspace bigint, p_from text, p_to text)
returns void
language sql
as $$
	update banter_data.conversation c
	set visitor = p_to, thread = case when not exists (
		select from banter_data.conversation o
		where o.workspace + 0 = p_workspace and o.visitor = p_to and o.thread = c.thread) then c.thread end
	where c.workspace + 0 = p_workspace and c.visitor = p_from
$$;

comment on function banter_data.visitor_adopt(bigint, text, text) is
	'Makes one visitor''s conversations another''s: who held them by a token has signed in.';
