-- Where one partition alone is asked, it harms its own alone. Else nobody waits long for one that says nothing.
declare
	v_all constant integer[] := array(select distinct w.partition from banter_shards.partitions_of(p_workspaces) w);
begin
	if cardinality(v_all) = 1 then
		return query
			select s.workspace, s.exchange
			from banter_shards.stops(p_at => v_all[1], p_workspaces => p_workspaces, p_exchanges => p_exchanges) s;
	else
		return query select s.workspace, s.exchange from banter_shards.stops_of(p_workspaces, p_exchanges) s;
	end if;
end;
