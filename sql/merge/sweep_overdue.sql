begin
	return query
		select sum(d.lapsed)::bigint, sum(d.old_keys)::bigint from banter_shards.sweep_overdue(p_at => null) d;
end;
