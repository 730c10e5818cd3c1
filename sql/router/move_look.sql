-- While the row is held by who switches, this waits for what becomes of it.
create or replace function banter_data.move_look(p_partition integer, p_target text)
returns table (address text, source text, target text, switched boolean)
language plpgsql
as $$
#variable_conflict use_column
begin
	select v.source, v.target, v.switched into source, target, switched
	from banter_data.moving v
	where v.partition = p_partition
	for update;
	select m.address into address from banter_data.map() m where m.partition = p_partition;
	if address is null then
		raise exception 'there is no partition %', p_partition;
	elsif exists (select from banter_data.map() m where m.partition <> p_partition and m.address = p_target)
		or exists (select from banter_data.moving v where v.partition <> p_partition and p_target in (v.target, v.source))
	then
		raise exception 'another partition is at %, or moves to or from it', p_target;
	end if;
	return next;
end
$$;

comment on function banter_data.move_look(integer, text) is
	'Where a partition is, and its move, if it is moving. An address that it is to move to (null: none) is no other''s.';
