declare
	v constant record := banter_data.place(p_workspace => p_workspace, p_chatbot => null, p_key => null);
begin
	return query
		select l.* from banter_shards.key_list(p_at => v.at, p_workspace => v.workspace) l
		order by l.workspace, l.workspace_id::bigint, l.created_at, l.key_id collate "C";
end;
