create or replace function banter_data.move_unpublish()
returns void
language plpgsql
as $$
begin
	perform pg_terminate_backend(s.active_pid, 10000)
	from pg_catalog.pg_replication_slots s
	where s.slot_name = banter_data.move_slot() and s.active_pid is not null;
	perform pg_drop_replication_slot(s.slot_name)
	from pg_catalog.pg_replication_slots s
	where s.slot_name = banter_data.move_slot();
	drop publication if exists banter_move;
end
$$;

comment on function banter_data.move_unpublish() is 'Nobody follows this database''s changes any more, and no WAL is kept for it.';
