create or replace function banter.health()
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$ select true $$;

comment on function banter.health() is 'True: the database answers and the application may execute.';
