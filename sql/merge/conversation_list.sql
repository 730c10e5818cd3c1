-- Each gives its latest: among them are the latest of all. What one alone gives is in its order, finer than a second.
declare
	v constant record := banter_data.place(p_workspace => null, p_chatbot => p_chatbot, p_key => null);
begin
	if v.at is not null then
		return query
			select * from banter_shards.conversation_list(
				p_at => v.at, p_chatbot => v.chatbot, p_session => p_session, p_since => p_since, p_limit => p_limit,
				p_visitor => p_visitor, p_user => p_user);
	else
		return query
			select l.* from banter_shards.conversation_list(
				p_at => null, p_chatbot => null, p_session => p_session, p_since => p_since, p_limit => p_limit,
				p_visitor => p_visitor, p_user => p_user) l
			order by l.last_at desc, l.conversation collate "C" desc
			limit p_limit;
	end if;
end;
