-- banter: on a router too
-- What stats_parts has of each database, put together.
create or replace function banter.stats(p_by text, p_days integer, p_workspace text, p_chatbot text)
returns table (
	name text, exchanges bigint, done bigint, "left" bigint, failed bigint, running bigint,
	asked_again bigint, moved bigint, tokens_in bigint, tokens_cached bigint, cached_percent integer,
	tokens_out bigint, credits bigint, first_ms_half integer, first_ms_most integer, total_ms_half integer,
	visitors_percent integer, thumbs_up bigint, thumbs_down bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_first date;
	v_since timestamptz;
	v_asked bigint;
	v_workspace bigint;
	v_chatbot text;
begin
	if p_by not in ('day', 'chatbot', 'model', 'server', 'workspace', 'error') then
		raise exception 'statistics are by day, chatbot, model, server, workspace or error, not by "%"', p_by;
	end if;
	if p_days < 1 or p_days > 3660 then
		raise exception 'statistics are of 1 to 3660 days';
	end if;
	v_first := (clock_timestamp() at time zone 'UTC')::date - (p_days - 1);
	v_since := v_first::timestamp at time zone 'UTC';
	if p_workspace is not null then
		v_asked := banter_data.workspace_named(p_workspace);
		v_workspace := v_asked;
	end if;
	if p_chatbot is not null then
		select c.workspace, c.chatbot into v_workspace, v_chatbot
		from banter_data.chatbot_named(p_chatbot) c;
		if v_workspace <> v_asked then
			raise exception 'chatbot "%" is not of workspace "%"', p_chatbot, p_workspace;
		end if;
	end if;

	return query
	with parts as (
		select p.* from banter.stats_parts(
			p_by => p_by, p_since => v_since, p_workspace => v_workspace, p_chatbot => v_chatbot) p),
	sums as (
		select u.called, u.apart, u.customer, sum(u.exchanges) as exchanges, sum(u.done) as done, sum(u.left) as left,
			sum(u.failed) as failed, sum(u.running) as running, sum(u.asked_again) as asked_again, sum(u.moved) as moved,
			sum(u.tokens_in) as tokens_in, sum(u.tokens_cached) as tokens_cached, sum(u.told_cached) as told_cached,
			sum(u.told_in) as told_in, sum(u.tokens_out) as tokens_out, sum(u.credits) as credits,
			max(u.visitors_percent) as visitors_percent, sum(u.thumbs_up) as thumbs_up, sum(u.thumbs_down) as thumbs_down
		from parts u
		group by u.called, u.apart, u.customer),
	firsts as (
		select u.called, u.apart, u.customer, percentile_disc(array[0.5, 0.95]) within group (order by t.ms) as ms
		from parts u
		cross join lateral unnest(u.first_ms) t (ms)
		group by u.called, u.apart, u.customer),
	totals as (
		select u.called, u.apart, u.customer, percentile_disc(0.5) within group (order by t.ms) as ms
		from parts u
		cross join lateral unnest(u.total_ms) t (ms)
		group by u.called, u.apart, u.customer),
	-- Days on which nothing happened are days too.
	groups as (
		select s.called, s.apart, s.customer from sums s
		union
		select to_char(v_first + d, 'YYYY-MM-DD'), null, null from generate_series(0, p_days - 1) d where p_by = 'day')
	-- Many customers' chatbots are called Support: then as --chatbot takes it, WORKSPACE/CHATBOT.
	select case when g.customer is not null and count(*) over (partition by g.called) > 1
			then g.customer || '/' else '' end || g.called,
		coalesce(s.exchanges, 0)::bigint, coalesce(s.done, 0)::bigint, coalesce(s.left, 0)::bigint,
		coalesce(s.failed, 0)::bigint, coalesce(s.running, 0)::bigint, coalesce(s.asked_again, 0)::bigint,
		coalesce(s.moved, 0)::bigint, coalesce(s.tokens_in, 0)::bigint, coalesce(s.tokens_cached, 0)::bigint,
		-- Of those whose server says how many; some count what was kept beside tokens_in.
		round(100.0 * s.told_cached / nullif(s.told_in, 0))::integer,
		coalesce(s.tokens_out, 0)::bigint, coalesce(s.credits, 0)::bigint,
		f.ms[1], f.ms[2], t.ms, s.visitors_percent, coalesce(s.thumbs_up, 0)::bigint, coalesce(s.thumbs_down, 0)::bigint
	from groups g
	left join sums s on s.called = g.called and coalesce(s.apart, '') = coalesce(g.apart, '')
		and coalesce(s.customer, '') = coalesce(g.customer, '')
	left join firsts f on f.called = g.called and coalesce(f.apart, '') = coalesce(g.apart, '')
		and coalesce(f.customer, '') = coalesce(g.customer, '')
	left join totals t on t.called = g.called and coalesce(t.apart, '') = coalesce(g.apart, '')
		and coalesce(t.customer, '') = coalesce(g.customer, '')
	order by case when p_by = 'day' then g.called end, coalesce(s.exchanges, 0) desc, g.called;
end
$$;

comment on function banter.stats(text, integer, text, text) is
	'For the operator. Use of the last p_days UTC days (today is one) by day, chatbot, model, server, workspace or error, of all or of one workspace or chatbot: exchanges, how they ended, for how many a model was asked more than once, how many moved on to another server, tokens, how many of those sent the servers had kept from earlier requests, also in percent (null: none of them said), credits charged, milliseconds to the first token (median, 95th percentile) and in all (median), by chatbot, of what its visitors may begin today, the percentage they have used (null: they have no cap, or were not there), and the thumbs that answers got.';
