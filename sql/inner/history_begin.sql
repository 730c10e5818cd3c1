-- Its beginning stays as long as all behind it fits: what model servers keep is the beginning of a prompt. Where it does
-- not fit it moves at once to about half of what does, which leaves room to grow again. In nearly all cases nothing is
-- written, and what may be sent is looked through once, without its texts.
create or replace function banter_data.history_begin(
	p_workspace bigint, p_conversation text, p_position bigint, p_started_at timestamptz,
	p_max_messages integer, p_max_chars integer)
returns bigint
language plpgsql
as $$
declare
	v_most constant integer := p_max_messages / 2;
	v_from bigint;
	v_count bigint;
	v_chars bigint;
begin
	if v_most is null or v_most < 1 then
		return p_position;
	end if;
	-- A question that lies before the beginning, and is answered in its place, has a history of its own.
	select b.place, h.count, h.chars into v_from, v_count, v_chars
	from banter_data.conversation c
	cross join lateral (
		select case when c.history_from <= p_position then c.history_from else 0 end as place) b
	cross join lateral (
		select count(*), sum(e.chars) as chars
		from (
			select coalesce(x.chars, char_length(x.question) + char_length(x.answer)) as chars
			from banter_data.exchange x
			where x.workspace = p_workspace and x.conversation = p_conversation
				and x.position >= b.place and x.position < p_position
				and x.state in ('done', 'left') and (x.ended_at <= p_started_at or x.replaces is not null)
			order by x.position desc
			limit v_most + 1) e) h
	where c.workspace = p_workspace and c.conversation = p_conversation;
	if v_count <= v_most and (v_chars <= p_max_chars) is not false then
		return v_from;
	end if;

	-- The last exchange stays where it fits, though it be more than half.
	select min(h.position) into v_from
	from (
		select e.position, row_number() over last as n, sum(e.chars) over last as total,
			sum(e.chars) over () > p_max_chars as long
		from (
			select x.position, coalesce(x.chars, char_length(x.question) + char_length(x.answer)) as chars
			from banter_data.exchange x
			where x.workspace = p_workspace and x.conversation = p_conversation
				and x.position >= v_from and x.position < p_position
				and x.state in ('done', 'left') and (x.ended_at <= p_started_at or x.replaces is not null)
			order by x.position desc
			limit v_most) e
		window last as (order by e.position desc)) h
	where (h.total <= p_max_chars) is not false
		and (h.n = 1 or ((h.n <= v_most / 2 or v_count <= v_most) and (not h.long or h.total <= p_max_chars / 2) is not false));
	if v_from is null then -- the last one alone is too long
		return p_position;
	end if;
	perform banter_data.history_cut(
		p_workspace => p_workspace, p_conversation => p_conversation, p_from => v_from);
	return v_from;
end
$$;

comment on function banter_data.history_begin(bigint, text, bigint, timestamptz, integer, integer) is
	'The position from which on a model sees a conversation, for the exchange at p_position: where it was, or, where what had ended since then by p_started_at does not fit, a later one, for all that follow too.';
