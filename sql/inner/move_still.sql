-- A session that asks and then stands still is given up, and its locks with it. What autovacuum is at is broken off: it
-- would be waited for else, and it begins again.
create or replace function banter_data.move_still()
returns boolean
language plpgsql
as $$
begin
	perform set_config('lock_timeout', '300ms', true), set_config('deadlock_timeout', '50ms', true),
		set_config('idle_in_transaction_session_timeout', '1500ms', true);
	execute 'lock table ' || array_to_string(banter_data.move_tables(), ', ') || ' in share row exclusive mode';
	return true;
exception
	when lock_not_available or deadlock_detected then
		return false;
end
$$;

comment on function banter_data.move_still() is
	'Nothing is written until the transaction ends; false: who writes now takes too long.';
