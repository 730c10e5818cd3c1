-- A workspace at a time, in the order of their numbers, as on one database.
declare
	v constant record := banter_data.place(p_workspace => null, p_chatbot => p_chatbot, p_key => null);
	v_next constant bigint := case when v.at is null then banter_data.workspace_next(p_workspace) else p_workspace end;
begin
	if v.at is null and v_next is null then
		return; -- there are no more
	end if;
	return query
		select * from banter_shards.conversation_search(
			p_at => coalesce(v.at, banter_shards.partition_of(v_next)), p_text => p_text, p_chatbot => v.chatbot,
			p_workspace => v_next, p_exchange => case when p_workspace = v_next then p_exchange end, p_limit => p_limit);
end;
