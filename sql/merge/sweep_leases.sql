-- One partition after the other, in their order: where one goes on, its workspace says which it is.
declare
	v_from constant integer := coalesce(banter_shards.partition_of(p_after), 0);
	v_at integer;
begin
	for v_at in select p from banter_shards.partitions(null) p where p >= v_from order by p loop
		select s.workspace, s.lost into workspace, lost
		from banter_shards.sweep_leases(p_at => v_at, p_after => case when v_at = v_from then p_after end) s;
		exit when workspace is not null;
	end loop;
	return next;
end;
