create or replace function banter.conversation_erase_count(
	p_conversations text, p_chatbot text, p_session text, p_metadata text, p_age text, p_retention boolean,
	p_visitor text default null, p_user text default null,
	out conversations bigint, out exchanges bigint, out running bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_choice constant record := banter_data.conversation_choice(
		p_conversations => p_conversations, p_chatbot => p_chatbot, p_metadata => p_metadata,
		p_age => p_age, p_retention => p_retention, p_visitor => p_visitor, p_user => p_user);
begin
	perform banter_data.conversation_named(u.conversation)
	from unnest(v_choice.conversations) u (conversation);
	select count(distinct (c.workspace, c.conversation)), count(e.exchange),
		count(e.exchange) filter (where e.ended_at is null)
	into conversations, exchanges, running
	from banter_data.conversation_chosen(
		p_workspace => v_choice.workspace, p_chatbot => v_choice.chatbot,
		p_conversations => v_choice.conversations, p_session => p_session, p_member => v_choice.member,
		p_value => v_choice.value, p_before => v_choice.before, p_retention => p_retention,
		p_visitors => v_choice.visitors, p_after_workspace => null, p_after_conversation => null, p_limit => null) c
	left join banter_data.exchange e on e.workspace = c.workspace and e.conversation = c.conversation;
end
$$;

comment on function banter.conversation_erase_count(text, text, text, text, text, boolean, text, text) is
	'For the operator. How many conversations would be erased: those of these ids (a line each), of a chatbot and a session, of a visitor, of a signed-in user, with a NAME=VALUE in their metadata, older than an age, or kept longer than their chatbot''s retention; what is null does not count.';
