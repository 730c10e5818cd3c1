-- Kept for workers of the release before exchange_begin(), which run on beside this schema while they are replaced: see
-- README.md for how long.
create or replace function banter.turn_start(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_exchange text,
	p_answer_id text, p_conversation text, p_new_conversation text, p_session text, p_message text,
	p_metadata json, p_stream boolean, p_idempotency_key text, p_body_hash bytea,
	p_lease_seconds integer, p_max_messages integer, p_max_chars integer, p_request_id text,
	p_max_open integer default null, p_max_open_per_key integer default null,
	p_lock_ms integer default 2000)
returns table (
	outcome text, conversation text, message_id text, limit_max integer, limit_remaining integer,
	limit_reset bigint, retry_after integer, model text, system_prompt text,
	temperature double precision, max_tokens integer, stream boolean, content text,
	servers text, reasoning text)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return query
		select t.outcome, b.conversation, b.message_id, b.limit_max, b.limit_remaining, b.limit_reset, b.retry_after,
			b.model, b.system_prompt, b.temperature, b.max_tokens, b.stream, t.content, b.servers, b.reasoning
		from banter.exchange_begin(
			p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => p_kind, p_chatbot => p_chatbot,
			p_exchange => p_exchange, p_answer_id => p_answer_id, p_conversation => p_conversation,
			p_new_conversation => p_new_conversation, p_session => p_session, p_message => p_message,
			p_metadata => p_metadata, p_stream => p_stream, p_idempotency_key => p_idempotency_key,
			p_body_hash => p_body_hash, p_lease_seconds => p_lease_seconds, p_max_messages => p_max_messages,
			p_max_chars => p_max_chars, p_request_id => p_request_id, p_max_open => p_max_open,
			p_max_open_per_key => p_max_open_per_key, p_lock_ms => p_lock_ms) b
		cross join lateral (
			select b.outcome, b.answer where b.outcome <> 'history'
			union all select 'user', b.question where b.outcome = 'history'
			union all select 'assistant', b.answer where b.outcome = 'history') t (outcome, content);
end
$$;

comment on function banter.turn_start(
	bigint, bytea, text, text, text, text, text, text, text, text, json, boolean, text, bytea,
	integer, integer, integer, text, integer, integer, integer) is
	'exchange_begin() for workers of the release before it, which take two rows for an exchange of the history.';
