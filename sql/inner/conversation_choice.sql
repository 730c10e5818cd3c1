create or replace function banter_data.conversation_choice(
	p_conversations text, p_chatbot text, p_metadata text, p_age text, p_retention boolean,
	out workspace bigint, out chatbot text, out conversations text[], out member text, out value text,
	out before timestamptz)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
	if num_nonnulls(p_conversations, p_chatbot, p_age) = 0 and p_retention is not true then
		raise exception 'nothing says which conversations';
	end if;
	if p_chatbot is not null then
		select n.workspace, n.chatbot into workspace, chatbot from banter_data.chatbot_named(p_chatbot) n;
	end if;
	conversations := case p_conversations when '' then array[''] else string_to_array(p_conversations, E'\n') end;
	if p_metadata is not null then
		member := split_part(p_metadata, '=', 1);
		value := substr(p_metadata, char_length(member) + 2);
	end if;
	before := banter_data.ago(p_age);
end
$$;

comment on function banter_data.conversation_choice(text, text, text, text, boolean) is
	'What an operator said of conversations to erase, as conversation_chosen wants it.';
