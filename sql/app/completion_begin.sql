-- Whether the key is good exchange_begin decides: what is found here without one leads to nothing.
create or replace function banter.completion_begin(
	p_workspace bigint, p_key_hash bytea, p_model text, p_named text, p_system text,
	p_exchange text, p_answer_id text, p_new_conversation text, p_message text,
	p_stream boolean, p_idempotency_key text, p_body_hash bytea,
	p_lease_seconds integer, p_max_messages integer, p_max_chars integer, p_request_id text,
	p_max_open integer, p_max_open_per_key integer, p_lock_ms integer)
returns table (
	outcome text, conversation text, message_id text, limit_max integer, limit_remaining integer,
	limit_reset bigint, retry_after integer, model text, system_prompt text,
	temperature double precision, max_tokens integer, stream boolean, answer text,
	servers text, reasoning text, "position" bigint, question text, chatbot text, percent integer,
	history_messages integer, history_chars integer)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v banter_data.chatbot;
begin
	select * into v
	from banter_data.chatbot c
	where c.workspace = p_workspace and c.chatbot = banter_data.chatbot_called(p_workspace, p_model) and c.active;
	return query
		select b.outcome, b.conversation, b.message_id, b.limit_max, b.limit_remaining, b.limit_reset, b.retry_after, b.model,
			case when v.client_system then concat_ws(E'\n\n', nullif(b.system_prompt, ''), p_system) else b.system_prompt end,
			b.temperature, b.max_tokens, b.stream, b.answer, b.servers, b.reasoning, b.position, b.question, v.chatbot,
			null::integer, v.history_messages, v.history_chars
		from banter.exchange_begin(
			p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => 'workspace', p_chatbot => v.chatbot,
			p_exchange => p_exchange, p_answer_id => p_answer_id, p_conversation => null,
			p_new_conversation => p_new_conversation, p_session => p_named, p_message => p_message,
			p_metadata => null, p_stream => p_stream, p_idempotency_key => p_idempotency_key, p_body_hash => p_body_hash,
			p_lease_seconds => p_lease_seconds, p_max_messages => p_max_messages, p_max_chars => p_max_chars,
			p_request_id => p_request_id, p_max_open => p_max_open, p_max_open_per_key => p_max_open_per_key,
			p_lock_ms => p_lock_ms) b;
end
$$;

comment on function banter.completion_begin(
	bigint, bytea, text, text, text, text, text, text, text, boolean, text, bytea,
	integer, integer, integer, text, integer, integer, integer) is
	'exchange_begin() for a client of OpenAI''s protocol, with a workspace key: p_model is a chatbot''s id, else its name where no other has it; p_named what the client calls its conversation, null: it keeps its own, and a new one begins; p_system what follows the chatbot''s system prompt, where the chatbot lets it. history_messages and history_chars: the chatbot''s own, for a history that the client keeps.';
