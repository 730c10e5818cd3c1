-- lock_timeout bounds each wait; together they may have taken longer than the application waits for us.
create or replace function banter_data.locks_in_time()
returns void
language plpgsql
as $$
declare
	v_most constant interval := current_setting('lock_timeout');
begin
	if v_most > interval '0' and clock_timestamp() > statement_timestamp() + v_most then
		raise exception 'the locks were had too late' using errcode = 'lock_not_available';
	end if;
end
$$;

comment on function banter_data.locks_in_time() is
	'Gives up, as lock_timeout does, where the statement has run for longer than that by now: what the application has given up must not take effect behind its back.';
