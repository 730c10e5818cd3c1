create or replace function banter.sweep_keys(p_limit integer)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_count bigint;
begin
	with l as materialized (
		select x.workspace, x.api_key, x.key
		from banter_data.idempotency x
		where x.created_at <= clock_timestamp() - interval '24 hours'
		limit p_limit
		for update skip locked)
	delete from banter_data.idempotency i
	using l
	where i.workspace = l.workspace and i.api_key = l.api_key and i.key = l.key;
	get diagnostics v_count = row_count;
	return v_count;
end
$$;

comment on function banter.sweep_keys(integer) is
	'For the operator. Forgets some of the idempotency keys that count no more; how many: fewer than p_limit, there are no more.';
