-- banter: on a router too
-- Bumped together with the migrations.
create or replace function banter.schema_version()
returns integer
language sql
immutable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$ select 7 $$;

comment on function banter.schema_version() is 'Version of the schema these functions belong to; the program compares it at its start.';
