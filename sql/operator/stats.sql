-- The application's clock made the ids and the database's the times: a day between them is room enough.
--
-- By server an exchange counts for each that was asked; how it ended, its tokens and its times, for the one that was
-- asked last.
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
	v_since_id text; -- made once, not for each row
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
	v_since_id := banter_data.id_at(v_since - interval '1 day');
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
	with used as (
		-- Without the texts: it is sorted, and they would be sorted with it.
		select e.exchange, case when s.last then e.state end as state, s.again,
			case when p_by = 'server' then not s.last
				else exists (select from banter_data.servers_tried(e.tries) t where t.server <> e.server) end as moved,
			e.tokens_in, e.tokens_cached, e.tokens_out, e.price, e.first_ms, e.total_ms,
			case p_by
				when 'day' then to_char(e.started_at at time zone 'UTC', 'YYYY-MM-DD')
				when 'chatbot' then c.name
				when 'model' then coalesce(e.model, '(the server''s)')
				when 'server' then coalesce(s.server, '(unknown)')
				when 'workspace' then w.name
				else coalesce(e.error, '(unknown)')
			end as called,
			case p_by
				when 'chatbot' then e.workspace || ' ' || e.chatbot
				when 'workspace' then e.workspace::text
			end as apart,
			case when p_by = 'chatbot' then w.name end as customer,
			greatest(d.exchanges * 100 / d.most_exchanges, d.credits * 100 / d.most_credits)::integer as visitors,
			case when s.last then f.thumb end as thumb
		from banter_data.workspace w
		join banter_data.exchange e on e.workspace = w.workspace
			and e.exchange >= v_since_id
		join banter_data.chatbot c on c.workspace = e.workspace and c.chatbot = e.chatbot
		left join banter_data.visitor_day d on p_by = 'chatbot' and d.workspace = e.workspace and d.chatbot = e.chatbot
			and d.day = (clock_timestamp() at time zone 'UTC')::date
		left join banter_data.feedback f on f.workspace = e.workspace and f.exchange = e.exchange
		cross join lateral (
			select e.server, true as last, e.requests > 1 + coalesce((
				select sum(t.times) from banter_data.servers_tried(e.tries) t
				where p_by = 'server' and t.server <> e.server), 0) as again
			union all
			select t.server, false, t.times > 1
			from banter_data.servers_tried(e.tries) t
			where p_by = 'server' and t.server <> e.server and t.times > 0) s
		where e.started_at >= v_since and e.state <> 'replaced'
			and (v_workspace is null or e.workspace = v_workspace)
			and (v_chatbot is null or e.chatbot = v_chatbot)
			and (p_by <> 'error' or e.state in ('failed', 'lost'))
		union all
		-- Days on which nothing happened are days too.
		select null, null, null, null, null, null, null, null, null, null, to_char(v_first + d, 'YYYY-MM-DD'), null, null,
			null, null
		from generate_series(0, p_days - 1) d
		where p_by = 'day'
	)
	-- Many customers' chatbots are called Support: then as --chatbot takes it, WORKSPACE/CHATBOT.
	select case when u.customer is not null and count(*) over (partition by u.called) > 1
			then u.customer || '/' else '' end || u.called,
		count(u.exchange),
		count(*) filter (where u.state = 'done'),
		count(*) filter (where u.state = 'left'),
		count(*) filter (where u.state in ('failed', 'lost')),
		count(*) filter (where u.state = 'running'),
		count(*) filter (where u.again),
		count(*) filter (where u.moved),
		coalesce(sum(u.tokens_in) filter (where u.state is not null), 0)::bigint,
		coalesce(sum(u.tokens_cached) filter (where u.state is not null), 0)::bigint,
		-- Of those whose server says how many; some count what was kept beside tokens_in.
		round(100.0 * sum(least(u.tokens_cached, u.tokens_in)) filter (where u.state is not null
				and u.tokens_cached is not null)
			/ nullif(sum(u.tokens_in) filter (where u.state is not null and u.tokens_cached is not null), 0))::integer,
		coalesce(sum(u.tokens_out) filter (where u.state is not null), 0)::bigint,
		coalesce(sum(u.price) filter (where u.state in ('done', 'left')), 0)::bigint,
		percentile_disc(0.5) within group (order by u.first_ms) filter (where u.state is not null),
		percentile_disc(0.95) within group (order by u.first_ms) filter (where u.state is not null),
		percentile_disc(0.5) within group (order by u.total_ms) filter (where u.state is not null),
		max(u.visitors),
		count(*) filter (where u.thumb = 'up'),
		count(*) filter (where u.thumb = 'down')
	from used u
	group by u.called, u.apart, u.customer
	order by case when p_by = 'day' then u.called end, count(u.exchange) desc, u.called;
end
$$;

comment on function banter.stats(text, integer, text, text) is
	'For the operator. Use of the last p_days UTC days (today is one) by day, chatbot, model, server, workspace or error, of all or of one workspace or chatbot: exchanges, how they ended, for how many a model was asked more than once, how many moved on to another server, tokens, how many of those sent the servers had kept from earlier requests, also in percent (null: none of them said), credits charged, milliseconds to the first token (median, 95th percentile) and in all (median), by chatbot, of what its visitors may begin today, the percentage they have used (null: they have no cap, or were not there), and the thumbs that answers got.';
