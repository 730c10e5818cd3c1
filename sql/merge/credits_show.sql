declare
	v constant record := banter_data.place(p_workspace => p_workspace, p_chatbot => null, p_key => null);
begin
	return query
		select c.* from banter_shards.credits_show(p_at => v.at, p_workspace => v.workspace) c
		order by c.workspace, c.workspace_id::bigint;
end;
