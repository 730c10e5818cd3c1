-- Lock order: exchange_begin's, from the rate window on; an exchange is not waited for.
create or replace function banter.talk_stop(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_conversation text, p_message text, p_good boolean, p_lock_ms integer)
returns table (
	outcome text, body text, limit_max integer, limit_remaining integer, limit_reset bigint, retry_after integer,
	running boolean, exchanges text[])
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	-- Lost in a crash, a stop is asked for again.
	v_had boolean := set_config('lock_timeout', p_lock_ms::text, true) is not null
		and set_config('synchronous_commit', 'off', true) is not null;
	v record := banter_data.talk_holder(
		p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => p_kind, p_chatbot => p_chatbot,
		p_session => p_session, p_origin => p_origin, p_token => p_token, p_user => p_user, p_expires => p_expires,
		p_signature => p_signature, p_does => 'writes', p_good => p_good,
		p_conversation => coalesce(p_conversation, ''));
begin
	outcome := coalesce(v.outcome, 'found');
	limit_max := v.limit_max;
	limit_remaining := v.limit_remaining;
	limit_reset := v.limit_reset;
	retry_after := v.retry_after;
	if outcome = 'found' then
		exchanges := array(
			select e.exchange
			from banter_data.conversation_still(
				p_workspace => p_workspace, p_conversation => p_conversation, p_visitors => v.visitors) c
			join banter_data.exchange e on e.conversation = c.conversation and e.workspace = c.workspace
			where case when p_message is null then e.ended_at is null else e.answer_id = p_message end);
		select json_build_object('messages', s.messages), s.running into body, running
		from banter_data.exchanges_stop(p_workspace => p_workspace, p_exchanges => exchanges) s;
		-- What became another's meanwhile was theirs when they asked: it ends all the same.
		perform from banter_data.conversation_still(
			p_workspace => p_workspace, p_conversation => p_conversation, p_visitors => v.visitors);
		if not found then
			outcome := 'conversation_not_found';
			body := null;
			running := null;
			exchanges := null;
		end if;
	end if;
	return next;
end
$$;

comment on function banter.talk_stop(
	bigint, bytea, text, text, text, text, bytea, text, bigint, bytea, text, text, boolean, integer) is
	'Asks that what runs in a conversation end, or the answer of that id alone. found, with what became of each by now, as JSON, whether one still runs (talk_stopped then says more) and which exchanges they are; or why not: as messages_read, bad_request where what was sent is not p_good. The locks are waited for no longer than p_lock_ms, one by one.';
