-- Calls under way are waited for, and new ones wait behind us: so neither takes longer than an instant, and whoever asked
-- and then stands still is given up.
create or replace function banter_data.move_hold(p_partition integer)
returns boolean
language plpgsql
as $$
begin
	perform set_config('lock_timeout', '300ms', true), set_config('idle_in_transaction_session_timeout', '1500ms', true);
	perform from banter_data.moving v where v.partition = p_partition and not v.switched for update;
	if not found then
		raise exception 'partition % is not moving any more', p_partition;
	end if;
	perform pg_advisory_xact_lock(226838, p_partition);
	perform pg_advisory_xact_lock(226838, -1);
	return true;
exception
	when lock_not_available then
		return false;
end
$$;

comment on function banter_data.move_hold(integer) is
	'Holds all calls that may write to that partition until the transaction ends; false: one that is under way takes too long.';
