create or replace function banter.sweep_overdue(out lapsed bigint, out old_keys bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
begin
	select count(*) into lapsed
	from banter_data.exchange e
	where e.ended_at is null and e.lease_until < clock_timestamp() - interval '10 minutes';
	select count(*) into old_keys
	from banter_data.idempotency i
	where i.created_at < clock_timestamp() - interval '25 hours';
end
$$;

comment on function banter.sweep_overdue() is
	'For the operator. What would not be there if a sweep ran every day: exchanges of workers that died ten minutes ago, and idempotency keys that are older than a day.';
