begin
	return query
		select sum(n)::bigint
		from banter_shards.tenant_remove(
			p_at => null, p_workspace => p_workspace, p_name => p_name, p_chatbot_name => p_chatbot_name) n;
end;
