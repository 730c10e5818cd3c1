-- A workspace at a time: what is given back to one must not stay locked while another is waited for.
create or replace function banter.sweep_leases(p_after bigint, out workspace bigint, out lost bigint)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_now constant timestamptz := clock_timestamp();
begin
	select e.workspace into workspace
	from banter_data.exchange e
	where e.ended_at is null and banter_data.lease_ended(e.lease_until, v_now) and (p_after is null or e.workspace > p_after)
	order by e.workspace
	limit 1;
	if not found then
		return;
	end if;
	-- Those that others have in hand are theirs; those that we have stay until they are given up.
	select count(*) into lost
	from (
		select from banter_data.exchange e
		where e.workspace = sweep_leases.workspace and e.ended_at is null
			and banter_data.lease_ended(e.lease_until, v_now)
		order by e.lease_until
		for update skip locked) l;
	perform banter_data.lease_release(workspace);
end
$$;

comment on function banter.sweep_leases(bigint) is
	'For the operator. Gives up what dead workers left running in the next workspace behind that one: which workspace, and how many; null: there is none.';
