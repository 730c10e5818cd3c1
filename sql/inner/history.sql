-- The running sum only grows, so what is over the limit is everything from the first that does not fit.
create or replace function banter_data.history(
	p_workspace bigint, p_conversation text, p_position bigint, p_started_at timestamptz,
	p_max_messages integer, p_max_chars integer)
returns table (role text, content text)
language sql
stable
as $$
	select t.role, t.content
	from (
		select e.position, e.question, e.answer,
			sum(e.chars) over (order by e.position desc) as total
		from (
			select x.position, x.chars, x.question, x.answer
			from banter_data.exchange x
			where x.workspace = p_workspace and x.conversation = p_conversation
				and x.position < p_position
				and x.state in ('done', 'left') and x.ended_at <= p_started_at
			order by x.position desc
			limit p_max_messages / 2) e) h
	cross join lateral (values (1, 'user', h.question), (2, 'assistant', h.answer)) t (n, role, content)
	where p_max_chars is null or h.total <= p_max_chars
	order by h.position, t.n
$$;

comment on function banter_data.history(bigint, text, bigint, timestamptz, integer, integer) is
	'The last exchanges of a conversation before a position that had ended by then, whole, as many as fit, oldest first.';
