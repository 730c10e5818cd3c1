create or replace function banter_data.move_slot()
returns text
language sql
stable
as $$
	select 'banter_move_' || d.oid from pg_catalog.pg_database d where d.datname = current_database()
$$;

comment on function banter_data.move_slot() is 'The replication slot''s name: slots are of a whole server.';
