create or replace function banter_shards.clock_of(p_at integer)
returns setof timestamptz
language plproxy
as $$
	cluster 'banter';
	run on p_at;
	select clock_timestamp();
$$;

comment on function banter_shards.clock_of(integer) is 'What time it is at a partition.';
