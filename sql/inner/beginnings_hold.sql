-- In short tries, as removal_begin: behind us all requests of the workspace wait.
create or replace function banter_data.beginnings_hold(p_workspace bigint)
returns void
language plpgsql
as $$
declare
	v_timeout constant text := current_setting('lock_timeout');
begin
	for v_try in 1..100 loop
		begin
			perform set_config('lock_timeout', '200', true);
			perform pg_advisory_xact_lock(hashtextextended('exchanges begin', p_workspace));
			perform set_config('lock_timeout', v_timeout, true);
			return;
		exception
			when lock_not_available then
				null;
		end;
		perform pg_sleep(0.1);
	end loop;
	raise exception 'workspace % is in use all the time; try again', p_workspace;
end
$$;

comment on function banter_data.beginnings_hold(bigint) is
	'Until the transaction ends no exchange begins in the workspace, and those that had begun to have committed.';
