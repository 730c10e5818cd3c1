-- No lease is given for longer than a day (BANTER_LEASE): one that ends later than that was given before the
-- clock was set back, and would keep what a dead worker left for as long.
create or replace function banter_data.lease_ended(p_lease_until timestamptz, p_now timestamptz)
returns boolean
language sql
immutable
as $$ select p_lease_until <= p_now or p_lease_until > p_now + interval '25 hours' $$;

comment on function banter_data.lease_ended(timestamptz, timestamptz) is
	'Whether a running exchange''s worker counts as dead at that time.';
