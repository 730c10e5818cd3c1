begin
	return query
		select n from banter_shards.workspace_numbers(p_at => null, p_from => p_from, p_limit => p_limit) n
		order by n
		limit p_limit;
end;
