-- The last ids of each workspace, by its primary key: no index of the times is needed.
create or replace function banter.tail(p_limit integer, p_chatbot text, p_since timestamptz)
returns table (
	started_at text, state text, chatbot text, model text, stream boolean, first_ms integer,
	total_ms integer, tokens_in integer, tokens_cached integer, tokens_out integer, error text, server text, requests integer,
	tries text, finish_reason text, request_id text, exchange text, ended timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_workspace bigint;
	v_chatbot text;
	-- The application's clock made the ids and the database's the times: a day between them is room enough.
	v_from constant text collate "C" := coalesce(banter_data.id_at(p_since - interval '1 day'), '');
begin
	if p_chatbot is not null then
		select c.workspace, c.chatbot into v_workspace, v_chatbot
		from banter_data.chatbot_named(p_chatbot) c;
	end if;

	return query
	with latest as (
		select e.*
		from banter_data.workspace w
		cross join lateral (
			(select * from banter_data.exchange x
			where x.workspace = w.workspace and x.exchange >= v_from and x.ended_at is not null
				and (v_chatbot is null or x.chatbot = v_chatbot)
				and (p_since is null or x.ended_at >= p_since)
			order by x.exchange desc
			limit p_limit)
			union all
			(select * from banter_data.exchange x
			where x.workspace = w.workspace and x.ended_at is null and p_since is null
				and (v_chatbot is null or x.chatbot = v_chatbot))) e
		where v_workspace is null or w.workspace = v_workspace
	), shown as (
		(select * from latest l where l.ended_at is not null and (p_since is null or l.ended_at >= p_since)
		order by l.ended_at desc limit p_limit)
		union all
		select * from latest l where l.ended_at is null
	)
	select banter_data.stamp(s.started_at), s.state, c.name, s.model, s.stream, s.first_ms,
		coalesce(s.total_ms, case when s.ended_at is null
			then (extract(epoch from clock_timestamp() - s.started_at) * 1000)::integer end),
		s.tokens_in, s.tokens_cached, s.tokens_out, s.error, s.server, s.requests::integer, s.tries, s.finish_reason,
		s.request_id, s.exchange, s.ended_at
	from shown s
	join banter_data.chatbot c on c.workspace = s.workspace and c.chatbot = s.chatbot
	order by s.ended_at nulls last, s.started_at;
end
$$;

comment on function banter.tail(integer, text, timestamptz) is
	'For the operator. The exchanges that ended last, and those that run, without their texts; with p_since only those that ended since then.';
