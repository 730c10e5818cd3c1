-- One partition after the other, in their order: where one goes on, its place says which it is.
declare
	v constant record := banter_data.place(p_workspace => null, p_chatbot => p_chatbot, p_key => null);
	v_from constant integer := coalesce(v.at, banter_shards.partition_of(p_after_workspace), 0);
	v_at integer;
	v_some record;
begin
	conversations := 0;
	exchanges := 0;
	for v_at in select p from banter_shards.partitions(v.at) p where p >= v_from order by p loop
		select * into v_some
		from banter_shards.conversation_erase(
			p_at => v_at, p_conversations => p_conversations, p_chatbot => v.chatbot, p_session => p_session,
			p_metadata => p_metadata, p_age => p_age, p_retention => p_retention,
			p_after_workspace => case when v_at = v_from then p_after_workspace end,
			p_after_conversation => case when v_at = v_from then p_after_conversation end,
			p_limit => p_limit, p_visitor => p_visitor, p_user => p_user);
		conversations := conversations + v_some.conversations;
		exchanges := exchanges + v_some.exchanges;
		next_workspace := v_some.next_workspace;
		next_conversation := v_some.next_conversation;
		exit when next_workspace is not null;
	end loop;
	return next;
end;
