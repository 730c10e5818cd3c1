declare
	v constant record := banter_data.place(p_workspace => null, p_chatbot => p_chatbot, p_key => null);
begin
	return query
		with latest as (
			select t.* from banter_shards.tail(p_at => v.at, p_limit => p_limit, p_chatbot => v.chatbot, p_since => p_since) t),
		shown as (
			(select * from latest l where l.ended is not null order by l.ended desc limit p_limit)
			union all
			select * from latest l where l.ended is null)
		select s.* from shown s
		order by s.ended nulls last, s.started_at;
end;
