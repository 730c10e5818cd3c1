-- One partition after the other, until there is as much as one step may take.
declare
	v_at integer;
	v_count bigint := 0;
begin
	for v_at in select p from banter_shards.partitions(null) p loop
		v_count := v_count + (select s from banter_shards.sweep_keys(p_at => v_at, p_limit => (p_limit - v_count)::integer) s);
		exit when v_count >= p_limit;
	end loop;
	return next v_count;
end;
