-- Which answer may be heard by whom. What becomes of it talk_answer says.
create or replace function banter.talk_stream(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_conversation text, p_named text, p_message text, p_good boolean)
returns table (
	outcome text, body text, limit_max integer, limit_remaining integer, limit_reset bigint, retry_after integer,
	exchange text, conversation text, message_id text, state text, answer text, finish_reason text,
	tokens_in integer, tokens_out integer)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v record := banter_data.talk_holder(
		p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => p_kind,
		p_chatbot => case when p_named is null then p_chatbot else banter_data.chatbot_called(p_workspace, p_chatbot) end,
		p_session => p_session, p_origin => p_origin, p_token => p_token, p_user => p_user, p_expires => p_expires,
		p_signature => p_signature, p_does => 'listens', p_good => p_good,
		p_conversation => case when p_named is null then coalesce(p_conversation, '') end);
	v_conversation text := p_conversation;
begin
	outcome := coalesce(v.outcome, 'found');
	if outcome = 'found' then
		if p_named is not null then
			v_conversation := banter_data.conversation_called(
				p_workspace => p_workspace, p_kind => p_kind, p_visitors => v.visitors, p_chatbot => v.chatbot,
				p_called => p_named);
		end if;
		select a.exchange, a.conversation, a.message_id, a.state, a.answer, a.finish_reason, a.tokens_in, a.tokens_out
		into exchange, conversation, message_id, state, answer, finish_reason, tokens_in, tokens_out
		from banter_data.conversation_still(
			p_workspace => p_workspace, p_conversation => v_conversation, p_visitors => v.visitors) c
		left join banter.talk_answer(
			p_workspace => c.workspace, p_conversation => c.conversation, p_message => p_message) a on true;
		if not found and p_named is null or exchange is null and p_message is not null then
			outcome := 'conversation_not_found';
		end if;
	end if;
	return next;
end
$$;

comment on function banter.talk_stream(
	bigint, bytea, text, text, text, text, bytea, text, bigint, bytea, text, text, text, boolean) is
	'What is to be heard of a conversation, which is named by its id or (p_named) as its client calls it, with a workspace key by the chatbot''s id or name: as talk_answer, exchange null where nothing runs. found, or why not: as messages_read, bad_request where what was sent is not p_good. Counts in no window.';
