begin
	return query select * from banter_shards.conversations_called(p_at => null, p_conversations => p_conversations);
end;
