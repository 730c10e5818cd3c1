begin
	return query
		select l.* from banter_shards.workspace_list(p_at => null) l
		order by l.name, l.created_at, l.workspace_id::bigint;
end;
