-- A session that waits hears of it before it is let go: the change is told when the transaction commits, and then its locks
-- are released.
create or replace function banter_data.move_switch(p_partition integer)
returns void
language plpgsql
as $$
declare
	v_target text;
begin
	update banter_data.moving v set switched = true where v.partition = p_partition returning v.target into strict v_target;
	execute format('alter server banter options (set p%s %L)', p_partition, v_target);
end
$$;

comment on function banter_data.move_switch(integer) is 'From this transaction''s end on the partition is where it moved to.';
