-- Those that run are counted, not kept count of: what a dead worker leaves stops counting when its lease ends.
-- The lock is taken only where there is a cap. It makes the count exact: who comes next waits until this
-- request's exchange is committed, and sees it.
create or replace function banter_data.open_judge(
	p_workspace bigint, p_api_key text, p_max_open integer, p_max_open_per_key integer)
returns boolean
language plpgsql
as $$
declare
	v_now timestamptz;
	v_open bigint;
	v_open_of_key bigint;
begin
	if p_max_open is null and p_max_open_per_key is null then
		return true;
	end if;
	perform pg_advisory_xact_lock(hashtextextended('open exchanges', p_workspace));
	v_now := clock_timestamp();
	-- In the order of the index of those that run, as lease_release.
	select count(*), count(*) filter (where r.api_key = p_api_key)
	into v_open, v_open_of_key
	from (
		select e.api_key, e.lease_until from banter_data.exchange e
		where e.workspace = p_workspace and e.ended_at is null
		order by e.lease_until
		offset 0) r
	where not banter_data.lease_ended(r.lease_until, v_now);
	return coalesce(v_open < p_max_open, true) and coalesce(v_open_of_key < p_max_open_per_key, true);
end
$$;

comment on function banter_data.open_judge(bigint, text, integer, integer) is
	'Whether the workspace and the key may have one more exchange open; null: no cap. Until the transaction ends nobody else is judged.';
