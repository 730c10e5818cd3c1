-- A workspace's number is chance: its last bits spread as well as any hash of it, and are the same in every release of
-- PostgreSQL. Keys carry it, and every function that a key comes to is given it: nothing is looked up in a partition.
--
-- Whoever may run a function may ask where.
create or replace function banter_shards.partition_of(p_workspace bigint)
returns integer
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_partition integer;
begin
	select p.partition into v_partition from banter_data.placed p where p.workspace = p_workspace;
	return coalesce(v_partition, (
		select (p_workspace & (r.partitions - 1))::integer from banter_data.router r));
end
$$;

comment on function banter_shards.partition_of(bigint) is 'The partition that a workspace is in, or will be.';
