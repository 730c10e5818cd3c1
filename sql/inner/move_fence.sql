create or replace function banter_data.move_fence(p_target text)
returns void
language plpgsql
as $$
declare
	v_table text;
begin
	foreach v_table in array banter_data.move_tables() loop
		execute format('create or replace trigger moved before insert or update or delete or truncate on %s'
			' for each statement execute function banter_data.moved(%L)', v_table, p_target);
	end loop;
end
$$;

comment on function banter_data.move_fence(text) is
	'From this transaction''s end on nothing is written here, also by who waits to write: the partition is elsewhere. What was there can be read.';
