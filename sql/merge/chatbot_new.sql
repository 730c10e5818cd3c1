-- Its id is new, and nobody's yet.
declare
	v constant record := banter_data.place(p_workspace => p_workspace, p_chatbot => null, p_key => null);
begin
	return query
		select banter_shards.chatbot_new(
			p_at => v.at, p_workspace => v.workspace, p_chatbot => p_chatbot, p_name => p_name, p_changes => p_changes);
end;
