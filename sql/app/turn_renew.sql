create or replace function banter.turn_renew(p_workspace bigint, p_exchange text, p_lease_seconds integer)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	-- Lost in a crash, a renewal is lost together with the worker it was for.
	perform set_config('synchronous_commit', 'off', true);
	update banter_data.exchange e
	set lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
	where e.workspace = p_workspace and e.exchange = p_exchange and e.state = 'running';
	return found;
end
$$;

comment on function banter.turn_renew(bigint, text, integer) is
	'Makes a running exchange''s lease last that long from now; false: it runs no more.';
