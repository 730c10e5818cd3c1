-- The publication before the slot: what is decoded from the slot on looks for it.
create or replace function banter_data.move_publish()
returns void
language plpgsql
as $$
begin
	if not exists (select from pg_catalog.pg_publication p where p.pubname = 'banter_move') then
		execute 'create publication banter_move for table ' || array_to_string(banter_data.move_tables(), ', ');
	end if;
end
$$;

comment on function banter_data.move_publish() is 'This database''s changes can be followed.';
