-- A standby (in recovery) makes every transaction read-only, like default_transaction_read_only.
create or replace function banter.health()
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$ select current_setting('transaction_read_only') = 'off' $$;

comment on function banter.health() is 'True: the database answers, the application may execute, and an exchange could be written; false: the database, or the role, is read-only.';
