-- lock_timeout bounds each wait; together they may have taken longer than the application waits for us. Written so that
-- its caller's plan takes it in.
create or replace function banter_data.locks_late(p_lock_ms integer)
returns boolean
language sql
volatile
as $$ select p_lock_ms > 0 and clock_timestamp() > statement_timestamp() + p_lock_ms * interval '1 millisecond' $$;

comment on function banter_data.locks_late(integer) is
	'Whether the statement has run for longer than p_lock_ms by now (0: for ever): then it gives up, as lock_timeout does. What the application has given up must not take effect behind its back.';
