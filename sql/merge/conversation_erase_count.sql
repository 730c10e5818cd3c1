-- By their ids, each partition is asked for those that it has; one that nobody has is refused.
declare
	v constant record := banter_data.place(p_workspace => null, p_chatbot => p_chatbot, p_key => null);
	v_ids constant text[] := case p_conversations when '' then array[''] else string_to_array(p_conversations, E'\n') end;
	v_at integer;
	v_here text;
	v_some record;
begin
	conversations := 0;
	exchanges := 0;
	running := 0;
	if v.at is null and v_ids is not null then
		perform banter_data.conversation_named(i)
		from unnest(v_ids) i
		where i not in (select c.conversation from banter.conversations_called(v_ids) c);
	end if;
	for v_at in select p from banter_shards.partitions(v.at) p loop
		v_here := p_conversations;
		if v.at is null and v_ids is not null then
			select string_agg(c.conversation, E'\n') into v_here
			from banter_shards.conversations_called(p_at => v_at, p_conversations => v_ids) c;
			continue when v_here is null;
		end if;
		select * into v_some
		from banter_shards.conversation_erase_count(
			p_at => v_at, p_conversations => v_here, p_chatbot => v.chatbot, p_session => p_session, p_metadata => p_metadata,
			p_age => p_age, p_retention => p_retention, p_visitor => p_visitor, p_user => p_user);
		conversations := conversations + v_some.conversations;
		exchanges := exchanges + v_some.exchanges;
		running := running + v_some.running;
	end loop;
	return next;
end;
