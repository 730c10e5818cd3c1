create or replace function banter_shards.stops_of(p_workspaces bigint[], p_exchanges text[])
returns table (workspace bigint, exchange text)
language plproxy
as $$
	cluster 'banter';
	split p_workspaces, p_exchanges;
	run on banter_shards.partition_of(p_workspaces);
	target banter.stops;
$$;

comment on function banter_shards.stops_of(bigint[], text[]) is 'banter.stops() of each partition that has some of these exchanges, all at once.';
