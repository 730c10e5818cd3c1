-- The same of many, and what they cost grows with how many workspaces they are: a pool asks after all that it runs each second.
create or replace function banter_shards.partitions_of(p_workspaces bigint[])
returns table (workspace bigint, partition integer)
language sql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
	select w.workspace, coalesce(p.partition, (w.workspace & (r.partitions - 1))::integer)
	from (select distinct unnest(p_workspaces) as workspace) w
	cross join banter_data.router r
	left join banter_data.placed p on p.workspace = w.workspace
$$;

comment on function banter_shards.partitions_of(bigint[]) is 'Of each of these workspaces the partition, as partition_of() has it.';
