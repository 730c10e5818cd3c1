-- The slot is the old place's to drop: who drops it from here must not be in a transaction.
create or replace function banter_data.move_unsubscribe()
returns void
language plpgsql
as $$
begin
	if banter_data.move_subscription() is not null then
		alter subscription banter_move disable;
		alter subscription banter_move set (slot_name = none);
		drop subscription banter_move;
	end if;
end
$$;

comment on function banter_data.move_unsubscribe() is 'Has nothing to do with the old place any more.';
