create or replace function banter_data.move_attend(p_partition integer)
returns boolean
language sql
as $$
	select set_config('idle_in_transaction_session_timeout', '0', true) is not null
		and pg_try_advisory_xact_lock(226839, p_partition)
$$;

comment on function banter_data.move_attend(integer) is
	'Whoever moves a partition keeps a transaction open in which this was called; false: another one does.';
