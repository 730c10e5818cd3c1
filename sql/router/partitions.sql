create or replace function banter_shards.partitions(p_at integer)
returns setof integer
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	if p_at is not null then
		return next p_at;
	else
		return query select generate_series(0, r.partitions - 1) from banter_data.router r;
	end if;
end
$$;

comment on function banter_shards.partitions(integer) is 'That partition; null: all of them.';
