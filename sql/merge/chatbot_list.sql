declare
	v constant record := banter_data.place(p_workspace => p_workspace, p_chatbot => null, p_key => null);
begin
	return query
		select l.* from banter_shards.chatbot_list(p_at => v.at, p_workspace => v.workspace) l
		order by l.workspace, l.workspace_id::bigint, l.name, l.created_at, l.chatbot_id collate "C";
end;
