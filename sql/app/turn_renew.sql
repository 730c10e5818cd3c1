-- Kept for workers of the release before lease_renew(): as turn_finish().
create or replace function banter.turn_renew(p_workspace bigint, p_exchange text, p_lease_seconds integer)
returns boolean
language sql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
	select banter.lease_renew(
		p_workspace => p_workspace, p_exchange => p_exchange, p_lease_seconds => p_lease_seconds,
		p_lock_ms => banter_data.lock_timeout_ms())
$$;

comment on function banter.turn_renew(bigint, text, integer) is
	'lease_renew() for workers of the release before it; lock_timeout, as the caller has set it, bounds its waiting.';
