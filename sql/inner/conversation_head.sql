-- A time is kept as exactly as it was. The workspace is a text: it has more digits than many readers of JSON keep.
create or replace function banter_data.conversation_head(p_format text, p_conversation banter_data.conversation, p_name text)
returns text
language plpgsql
stable
as $$
declare
	v_user text;
begin
	select x.user_id into v_user
	from banter_data.visitor x
	where x.workspace = p_conversation.workspace and x.visitor = p_conversation.visitor;
	if p_format = 'jsonl' then
		return (
			select left(row_to_json(h)::text, -1) || ',"exchanges":['
			from (
				select 1 as version, p_conversation.workspace::text as workspace, p_conversation.chatbot,
					p_name as chatbot_name, p_conversation.conversation, p_conversation.session,
					p_conversation.visitor, p_conversation.thread, v_user as user_id, p_conversation.next_position,
					banter_data.conversation_time(p_conversation.created_at) as created_at,
					banter_data.conversation_time(p_conversation.last_at) as last_at) h);
	end if;
	return format(E'# Conversation %s\n\n- chatbot: %s (%s)\n%s%s%s%s- created: %s\n- last question: %s\n',
		p_conversation.conversation, regexp_replace(p_name, '[\r\n]', ' ', 'g'), p_conversation.chatbot,
		E'- session: ' || p_conversation.session || E'\n',
		E'- visitor: ' || p_conversation.visitor || E'\n',
		E'- user: ' || v_user || E'\n',
		E'- called: ' || p_conversation.thread || E'\n',
		banter_data.stamp(p_conversation.created_at), banter_data.stamp(p_conversation.last_at));
end
$$;

comment on function banter_data.conversation_head(text, banter_data.conversation, text) is
	'What stands before a conversation''s exchanges in an export: jsonl or markdown.';
