-- What is in a database that becomes a partition stays where it is.
create or replace function banter_data.workspaces_place()
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_twice bigint;
	v_count bigint;
begin
	create temp table seen (workspace bigint, partition integer) on commit drop;
	insert into pg_temp.seen
	select n, p
	from banter_shards.partitions(null) p
	cross join lateral banter_shards.workspace_numbers(p_at => p, p_from => null, p_limit => null) n;
	select s.workspace into v_twice from pg_temp.seen s group by 1 having count(*) > 1 limit 1;
	if found then
		raise exception 'workspace % is in more than one partition', v_twice;
	end if;
	insert into banter_data.placed (workspace, partition)
	select s.workspace, s.partition
	from pg_temp.seen s
	where banter_shards.partition_of(s.workspace) <> s.partition
	on conflict on constraint placed_pkey do update set partition = excluded.partition;
	get diagnostics v_count = row_count;
	drop table pg_temp.seen;
	return v_count;
end
$$;

comment on function banter_data.workspaces_place() is
	'Remembers which workspaces are not in the partition that their number says; how many of them were not known.';
