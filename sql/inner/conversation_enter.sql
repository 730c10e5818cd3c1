create or replace function banter_data.conversation_enter(
	p_workspace bigint, p_chatbot text, p_conversation text, p_new_conversation text, p_session text,
	out conversation text, out "position" bigint, out started_at timestamptz)
language plpgsql
as $$
#variable_conflict use_column
begin
	if p_conversation is not null then
		-- The chatbot is hidden from the index of its conversations, which would be read for this one.
		update banter_data.conversation c
		set next_position = c.next_position + 1, last_at = clock_timestamp()
		where c.workspace = p_workspace and c.conversation = p_conversation and c.chatbot || '' = p_chatbot
		returning c.conversation, c.next_position - 1, c.last_at into conversation, position, started_at;
	else
		-- Two first messages of a session: one makes it, the other waits and takes the next position.
		insert into banter_data.conversation as c
			(workspace, conversation, chatbot, session, next_position)
		values (p_workspace, p_new_conversation, p_chatbot, p_session, 2)
		on conflict (workspace, chatbot, session) do update
			set next_position = c.next_position + 1, last_at = clock_timestamp()
		returning c.conversation, c.next_position - 1, c.last_at into conversation, position, started_at;
	end if;
end
$$;

comment on function banter_data.conversation_enter(bigint, text, text, text, text) is
	'Finds or makes the conversation, locks it and takes its next position, from that moment on; null: that chatbot has none of this id.';
