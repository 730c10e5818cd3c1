-- Each partition is asked for what it has. Where one is away, the others are asked one by one: it harms its own alone.
declare
	v_at integer;
begin
	return query
		select s.workspace, s.exchange from banter_shards.stops_of(p_workspaces, p_exchanges) s;
exception
	when others then
		for v_at in select distinct banter_shards.partition_of(w) from unnest(p_workspaces) w loop
			begin
				return query
					select s.workspace, s.exchange
					from banter_shards.stops(
						p_at => v_at, p_workspaces => p_workspaces, p_exchanges => p_exchanges) s;
			exception
				when others then
					null;
			end;
		end loop;
end;
