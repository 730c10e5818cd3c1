-- In loops, so that each step reads no more than it returns: the caller comes back with the last row's place.
create or replace function banter.conversation_export(
	p_format text, p_workspace text, p_chatbot text, p_conversation text, p_running boolean,
	p_after_workspace bigint, p_after_conversation text, p_after_position bigint, p_after_attempt integer,
	p_limit integer)
returns table (
	workspace bigint, conversation text, "position" bigint, attempt integer, head text, body text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_workspace bigint;
	v_chatbot text;
	v_conversation banter_data.conversation;
	v_exchange banter_data.exchange;
	v_rows integer := 0;
	v_same boolean;
begin
	if p_format not in ('jsonl', 'markdown') then
		raise exception 'conversations are exported as jsonl or markdown, not as "%"', p_format;
	end if;
	if p_conversation is not null then
		v_workspace := banter_data.conversation_named(p_conversation);
	elsif p_chatbot is not null then
		select n.workspace, n.chatbot into v_workspace, v_chatbot from banter_data.chatbot_named(p_chatbot) n;
	elsif p_workspace is not null then
		v_workspace := banter_data.workspace_named(p_workspace);
	end if;

	for v_conversation in
		select c.* from banter_data.conversation c
		where (v_workspace is null or c.workspace = v_workspace)
			and (v_chatbot is null or c.chatbot = v_chatbot)
			and (p_conversation is null or c.conversation = p_conversation)
			and (c.workspace, c.conversation)
				>= (coalesce(p_after_workspace, -9223372036854775808), coalesce(p_after_conversation, ''))
		order by c.workspace, c.conversation
		limit p_limit + 1
	loop
		select c.name into head
		from banter_data.chatbot c
		where c.workspace = v_conversation.workspace and c.chatbot = v_conversation.chatbot;
		head := banter_data.conversation_head(p_format, v_conversation, head);
		workspace := v_conversation.workspace;
		conversation := v_conversation.conversation;
		v_same := workspace = p_after_workspace and conversation = p_after_conversation;
		position := 0;
		attempt := 0;
		for v_exchange in
			select e.* from banter_data.exchange e
			where e.workspace = v_conversation.workspace and e.conversation = v_conversation.conversation
				and (e.position, e.attempt) > (
					case when v_same then p_after_position else 0 end,
					case when v_same then p_after_attempt else 0 end)
				and (p_running or e.state <> 'running')
			order by e.position, e.attempt
			limit p_limit - v_rows
		loop
			position := v_exchange.position;
			attempt := v_exchange.attempt;
			body := banter_data.conversation_body(p_format, v_exchange);
			return next;
			v_rows := v_rows + 1;
		end loop;
		if position = 0 and v_same is not true then
			body := null;
			return next;
			v_rows := v_rows + 1;
		end if;
		exit when v_rows >= p_limit;
	end loop;
end
$$;

comment on function banter.conversation_export(
	text, text, text, text, boolean, bigint, text, bigint, integer, integer) is
	'For the operator. The next rows of an export behind a place in it: each with its conversation''s head, and one exchange (null: the conversation has none).';
