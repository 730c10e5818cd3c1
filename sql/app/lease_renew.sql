create or replace function banter.lease_renew(
	p_workspace bigint, p_exchange text, p_lease_seconds integer, p_lock_ms integer)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
begin
	-- The application begins a late one anew, on another connection: this one must not wait on for ever.
	-- Lost in a crash, a renewal is lost together with the worker it was for.
	perform set_config('lock_timeout', p_lock_ms::text, true), set_config('synchronous_commit', 'off', true);
	update banter_data.exchange e
	set lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
	where e.workspace = p_workspace and e.exchange = p_exchange and e.state = 'running';
	return found;
end
$$;

comment on function banter.lease_renew(bigint, text, integer, integer) is
	'Makes a running exchange''s lease last that long from now; false: it runs no more. A lock is waited for no longer than p_lock_ms (0: for ever).';
