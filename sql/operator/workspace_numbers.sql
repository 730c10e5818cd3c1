create or replace function banter.workspace_numbers(p_from bigint, p_limit integer)
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return query
		select w.workspace
		from banter_data.workspace w
		where p_from is null or w.workspace >= p_from
		order by w.workspace
		limit p_limit;
end
$$;

comment on function banter.workspace_numbers(bigint, integer) is
	'For the operator. The next workspaces from that one on (null: from the first), at most p_limit (null: all), in their order.';
