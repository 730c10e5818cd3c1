create or replace function banter_data.move_tables()
returns text[]
language sql
stable
as $$
	select array_agg(format('banter_data.%I', c.relname) order by c.relname)
	from pg_catalog.pg_class c
	where c.relnamespace = 'banter_data'::regnamespace and c.relkind = 'r' and c.relname <> 'migration'
$$;

comment on function banter_data.move_tables() is
	'The tables that move with a partition: all but that of the schema''s own history, which each database has.';
