-- Lock order: exchange_begin's; an exchange that has ended is never locked before a window.
create or replace function banter.talk_feedback(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_conversation text, p_message text, p_thumb text, p_text text, p_good boolean, p_lock_ms integer)
returns table (
	outcome text, body text, limit_max integer, limit_remaining integer, limit_reset bigint, retry_after integer)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v_had boolean := set_config('lock_timeout', p_lock_ms::text, true) is not null;
	v_exchange text;
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
		select x.exchange into v_exchange
		from banter_data.exchange x
		where x.conversation = p_conversation and x.workspace = p_workspace and x.answer_id = p_message
			and x.ended_at is not null and x.state <> 'replaced'
		for key share; -- who erases it waits, or was there before us
		if not found then
			outcome := 'conversation_not_found';
		elsif num_nonnulls(p_thumb, p_text) = 0 then
			delete from banter_data.feedback f where f.workspace = p_workspace and f.exchange = v_exchange;
		else
			insert into banter_data.feedback as f (workspace, exchange, thumb, text)
			values (p_workspace, v_exchange, p_thumb, p_text)
			on conflict (workspace, exchange) do update
				set thumb = excluded.thumb, text = excluded.text, at = excluded.at;
		end if;
	end if;
	return next;
end
$$;

comment on function banter.talk_feedback(
	bigint, bytea, text, text, text, text, bytea, text, bigint, bytea, text, text, text, text, boolean, integer) is
	'Keeps what a reader thinks of an answer that has ended, in place of what was said of it before; both null: nothing any more. found, or why not: as messages_read, conversation_not_found also without such an answer. p_good: thumb and text are such. The locks are waited for no longer than p_lock_ms, one by one.';
