create or replace function banter_data.move_subscribe(p_source text, p_slot text)
returns void
language plpgsql
as $$
begin
	if banter_data.move_subscription() is not null then
		alter subscription banter_move enable;
	else
		execute format('create subscription banter_move connection %L publication banter_move'
			' with (create_slot = false, slot_name = %L)', p_source, p_slot);
	end if;
end
$$;

comment on function banter_data.move_subscribe(text, text) is
	'Copies all that is at that address and follows its changes, or goes on with it.';
