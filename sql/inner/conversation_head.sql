-- A time is kept as exactly as it was. The workspace is a text: it has more digits than many readers of JSON keep.
create or replace function banter_data.conversation_head(p_format text, p_conversation banter_data.conversation, p_name text)
returns text
language plpgsql
stable
as $$
begin
	if p_format = 'jsonl' then
		return (
			select left(row_to_json(h)::text, -1) || ',"exchanges":['
			from (
				select 1 as version, p_conversation.workspace::text as workspace, p_conversation.chatbot,
					p_name as chatbot_name, p_conversation.conversation, p_conversation.session,
					p_conversation.next_position,
					banter_data.conversation_time(p_conversation.created_at) as created_at,
					banter_data.conversation_time(p_conversation.last_at) as last_at) h);
	end if;
	return format(E'# Conversation %s\n\n- chatbot: %s (%s)\n%s- created: %s\n- last question: %s\n',
		p_conversation.conversation, regexp_replace(p_name, '[\r\n]', ' ', 'g'), p_conversation.chatbot,
		E'- session: ' || p_conversation.session || E'\n',
		banter_data.stamp(p_conversation.created_at), banter_data.stamp(p_conversation.last_at));
end
$$;

comment on function banter_data.conversation_head(text, banter_data.conversation, text) is
	'What stands before a conversation''s exchanges in an export: jsonl or markdown.';
