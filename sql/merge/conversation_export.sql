-- A workspace at a time, in the order of their numbers, as on one database.
declare
	v record;
	v_next bigint;
	v_rows integer := 0;
	v_some integer;
begin
	if p_conversation is not null then
		select banter_shards.partition_of(banter_data.conversation_named(p_conversation)) as at, null as workspace, null as chatbot
		into v;
	else
		v := banter_data.place(
			p_workspace => case when p_chatbot is null then p_workspace end, p_chatbot => p_chatbot, p_key => null);
	end if;
	if v.at is null then
		v_next := banter_data.workspace_next(p_after_workspace);
	end if;
	while v.at is not null or v_next is not null loop
		return query
			select * from banter_shards.conversation_export(
				p_at => coalesce(v.at, banter_shards.partition_of(v_next)), p_format => p_format,
				p_workspace => coalesce(v.workspace, v_next::text), p_chatbot => v.chatbot,
				p_conversation => p_conversation, p_running => p_running,
				p_after_workspace => case when v.at is not null or p_after_workspace = v_next then p_after_workspace end,
				p_after_conversation => case when v.at is not null or p_after_workspace = v_next then p_after_conversation end,
				p_after_position => case when v.at is not null or p_after_workspace = v_next then p_after_position end,
				p_after_attempt => case when v.at is not null or p_after_workspace = v_next then p_after_attempt end,
				p_limit => p_limit - v_rows);
		get diagnostics v_some = row_count;
		v_rows := v_rows + v_some;
		exit when v.at is not null or v_rows >= p_limit or v_next = 9223372036854775807;
		v_next := banter_data.workspace_next(v_next + 1);
	end loop;
end;
