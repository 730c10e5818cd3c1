create or replace function banter_data.move_attended(p_partition integer)
returns boolean
language sql
stable
as $$
	select exists (
		select from pg_catalog.pg_locks l
		join pg_catalog.pg_database d on d.oid = l.database
		where d.datname = current_database() and l.locktype = 'advisory' and l.objsubid = 2
			and l.classid = 226839 and l.objid = p_partition and l.granted)
$$;

comment on function banter_data.move_attended(integer) is 'Whether somebody is moving that partition right now.';
