-- By the primary key alone, whatever is known of the tables.
create or replace function banter.stops(p_workspaces bigint[], p_exchanges text[])
returns table (workspace bigint, exchange text)
language sql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
	select e.workspace, e.exchange
	from unnest(p_workspaces, p_exchanges) r (workspace, exchange)
	join banter_data.exchange e on e.workspace = r.workspace and e.exchange = r.exchange
	where e.stopped_at is not null and e.ended_at is null
$$;

comment on function banter.stops(bigint[], text[]) is
	'Of these exchanges, which run on one host, those that somebody wants to end and that have not ended. The one function that looks at several workspaces at once: asked of several databases, each answers of those that it has.';
