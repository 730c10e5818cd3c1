create or replace function banter_data.lock_timeout_ms()
returns integer
language sql
stable
as $$ select (extract(epoch from current_setting('lock_timeout')::interval) * 1000)::integer $$;

comment on function banter_data.lock_timeout_ms() is 'lock_timeout in milliseconds; 0: none is set.';
