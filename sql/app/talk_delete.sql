-- Lock order: exchange_begin's.
create or replace function banter.talk_delete(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_conversation text, p_lock_ms integer)
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
	v record := banter_data.talk_holder(
		p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => p_kind, p_chatbot => p_chatbot,
		p_session => p_session, p_origin => p_origin, p_token => p_token, p_user => p_user, p_expires => p_expires,
		p_signature => p_signature, p_does => 'erases', p_good => true,
		p_conversation => coalesce(p_conversation, ''));
begin
	outcome := coalesce(v.outcome, 'found');
	limit_max := v.limit_max;
	limit_remaining := v.limit_remaining;
	limit_reset := v.limit_reset;
	retry_after := v.retry_after;
	if outcome = 'found' then
		-- Locked in conversation_remove's order, since it may become another's this moment, or go.
		perform banter_data.conversation_stop(array[p_workspace], array[p_conversation]);
		perform from banter_data.conversation c
		where c.workspace = p_workspace and c.conversation = p_conversation
			and (v.visitors is null or c.visitor = any (v.visitors))
		for update;
		outcome := case when found then 'found' else 'conversation_not_found' end;
	end if;
	if outcome = 'found' then
		perform banter_data.conversation_remove(
			array[p_workspace], array[p_conversation], array['infinity'::timestamptz]);
	end if;
	return next;
end
$$;

comment on function banter.talk_delete(
	bigint, bytea, text, text, text, text, bytea, text, bigint, bytea, text, integer) is
	'Erases a conversation, a visitor''s own or a workspace key''s, with all that is in it; what runs in it ends as one that failed. found, or why not: as messages_read, forbidden to a widget key too. The locks are waited for no longer than p_lock_ms, one by one.';
