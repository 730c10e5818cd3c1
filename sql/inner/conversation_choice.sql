create or replace function banter_data.conversation_choice(
	p_conversations text, p_chatbot text, p_metadata text, p_age text, p_retention boolean,
	p_visitor text, p_user text,
	out workspace bigint, out chatbot text, out conversations text[], out member text, out value text,
	out before timestamptz, out visitors text[])
language plpgsql
stable
as $$
#variable_conflict use_column
begin
	if num_nonnulls(p_conversations, p_chatbot, p_age, p_visitor) = 0 and p_retention is not true then
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
	if num_nonnulls(p_visitor, p_user) > 0 then
		select coalesce(min(x.workspace), conversation_choice.workspace), coalesce(array_agg(x.visitor), '{}') into workspace, visitors
		from banter_data.visitor x
		where (p_visitor is null or x.visitor = p_visitor) and (p_user is null or x.user_id = p_user)
			and (p_chatbot is null or x.workspace = conversation_choice.workspace and x.chatbot = conversation_choice.chatbot);
	end if;
end
$$;

comment on function banter_data.conversation_choice(text, text, text, text, boolean, text, text) is
	'What an operator said of conversations to erase, as conversation_chosen wants it.';
