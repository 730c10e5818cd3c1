-- What is null does not count; p_retention: those that their chatbot keeps no longer.
create or replace function banter_data.conversation_chosen(
	p_workspace bigint, p_chatbot text, p_conversations text[], p_session text, p_member text,
	p_value text, p_before timestamptz, p_retention boolean,
	p_visitors text[], p_after_workspace bigint, p_after_conversation text, p_limit integer)
returns table (workspace bigint, conversation text, before timestamptz)
language sql
stable
as $$
	select c.workspace, c.conversation, k.before
	from banter_data.conversation c
	join banter_data.chatbot b on b.workspace = c.workspace and b.chatbot = c.chatbot
	cross join lateral (
		select case when p_retention then clock_timestamp() - make_interval(days => b.retention_days)
			else coalesce(p_before, 'infinity') end as before) k
	where (p_workspace is null or c.workspace = p_workspace)
		and (p_chatbot is null or c.chatbot = p_chatbot)
		and (p_conversations is null or c.conversation = any (p_conversations))
		and (p_session is null or c.session = p_session)
		and (p_visitors is null or c.visitor = any (p_visitors))
		and c.last_at < k.before
		and (p_after_conversation is null
			or (c.workspace, c.conversation) > (p_after_workspace, p_after_conversation))
		and (p_member is null or exists (
			select from banter_data.exchange e
			cross join lateral json_each(e.metadata) m
			where e.workspace = c.workspace and e.conversation = c.conversation
				and m.key = p_member and m.value #>> '{}' = p_value
				and json_typeof(m.value) in ('string', 'number')))
	order by c.workspace, c.conversation
	limit p_limit
$$;

comment on function banter_data.conversation_chosen(
	bigint, text, text[], text, text, text, timestamptz, boolean, text[], bigint, text, integer) is
	'The next conversations behind a place that are to be erased, and the time their last question must lie before.';
