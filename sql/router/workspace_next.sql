create or replace function banter_data.workspace_next(p_from bigint)
returns bigint
language sql
stable
as $$
	select min(n) from banter_shards.workspace_numbers(p_at => null, p_from => p_from, p_limit => 1) n
$$;

comment on function banter_data.workspace_next(bigint) is 'The next workspace of all partitions from that one on; null: there is none.';
