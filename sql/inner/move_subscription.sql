create or replace function banter_data.move_subscription()
returns oid
language sql
stable
as $$
	select s.oid
	from pg_catalog.pg_subscription s
	join pg_catalog.pg_database d on d.oid = s.subdbid
	where s.subname = 'banter_move' and d.datname = current_database()
$$;

comment on function banter_data.move_subscription() is
	'The subscription by which this database follows the one that its partition moves from; null: there is none. Their catalog is of the whole server.';
