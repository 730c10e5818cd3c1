begin
	return query
		select * from banter_shards.chatbots_called(
			p_at => case when p_of is not null then banter_shards.partition_of(p_of) end, p_name => p_name, p_of => p_of);
end;
