-- The application's clock made the ids and the database's the times: a day between them is room enough.
--
-- By server an exchange counts for each that was asked; how it ended, its tokens and its times, for the one that was
-- asked last.
create or replace function banter.stats_parts(p_by text, p_since timestamptz, p_workspace bigint, p_chatbot text)
returns table (
	called text, apart text, customer text, exchanges bigint, done bigint, "left" bigint, failed bigint, running bigint,
	asked_again bigint, moved bigint, tokens_in bigint, tokens_cached bigint, told_cached bigint, told_in bigint,
	tokens_out bigint, credits bigint, first_ms integer[], total_ms integer[], visitors_percent integer,
	thumbs_up bigint, thumbs_down bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_since_id constant text := banter_data.id_at(p_since - interval '1 day'); -- made once, not for each row
begin
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
		where e.started_at >= p_since and e.state <> 'replaced'
			and (p_workspace is null or e.workspace = p_workspace)
			and (p_chatbot is null or e.chatbot = p_chatbot)
			and (p_by <> 'error' or e.state in ('failed', 'lost'))
	)
	select u.called, u.apart, u.customer,
		count(u.exchange),
		count(*) filter (where u.state = 'done'),
		count(*) filter (where u.state = 'left'),
		count(*) filter (where u.state in ('failed', 'lost')),
		count(*) filter (where u.state = 'running'),
		count(*) filter (where u.again),
		count(*) filter (where u.moved),
		sum(u.tokens_in) filter (where u.state is not null),
		sum(u.tokens_cached) filter (where u.state is not null),
		sum(least(u.tokens_cached, u.tokens_in)) filter (where u.state is not null and u.tokens_cached is not null),
		sum(u.tokens_in) filter (where u.state is not null and u.tokens_cached is not null),
		sum(u.tokens_out) filter (where u.state is not null),
		sum(u.price) filter (where u.state in ('done', 'left')),
		array_agg(u.first_ms) filter (where u.state is not null and u.first_ms is not null),
		array_agg(u.total_ms) filter (where u.state is not null and u.total_ms is not null),
		max(u.visitors),
		count(*) filter (where u.thumb = 'up'),
		count(*) filter (where u.thumb = 'down')
	from used u
	group by u.called, u.apart, u.customer;
end
$$;

comment on function banter.stats_parts(text, timestamptz, bigint, text) is
	'For the operator. What stats() puts together, of one database: what of it adds up, and the times themselves.';
