-- Where its chatbot is, or the one that is named. What is not one's record at all, any partition says.
declare
	v constant record := banter_data.place(p_workspace => null, p_chatbot => p_chatbot, p_key => null);
	v_at integer := v.at;
	v_id text;
begin
	begin
		v_at := coalesce(v_at, banter_shards.partition_of((p_record::json ->> 'workspace')::bigint));
		v_id := p_record::json ->> 'conversation';
	exception
		when data_exception or statement_too_complex then
			null;
	end;
	v_at := coalesce(v_at, 0);
	select i.outcome, i.why into outcome, why
	from banter_shards.conversations_called(p_at => null, p_conversations => array[v_id]) c
	cross join lateral (
		select 'refused' as outcome, 'it is here already, with another chatbot' as why) i
	where banter_shards.partition_of(c.workspace) <> v_at
	limit 1;
	if found then
		return next;
	else
		return query select * from banter_shards.conversation_import(p_at => v_at, p_record => p_record, p_chatbot => v.chatbot);
	end if;
end;
