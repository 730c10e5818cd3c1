create or replace function banter_data.move_begin(p_partition integer, p_target text)
returns void
language sql
as $$
	insert into banter_data.moving (partition, source, target)
	select m.partition, m.address, p_target
	from banter_data.map() m
	where m.partition = p_partition
$$;

comment on function banter_data.move_begin(integer, text) is
	'Remembers that a partition is moving to that address. From then on what is in the database there is ours.';
