-- Kept for workers of the release before turn_close(): as turn_begin().
create or replace function banter.turn_end(
	p_workspace bigint, p_exchange text, p_state text, p_answer text, p_finish_reason text,
	p_tokens_in integer, p_tokens_out integer, p_error text, p_first_ms integer, p_total_ms integer,
	p_lock_ms integer)
returns text
language sql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
	select banter.turn_close(
		p_workspace => p_workspace, p_exchange => p_exchange, p_state => p_state, p_answer => p_answer,
		p_finish_reason => p_finish_reason, p_tokens_in => p_tokens_in, p_tokens_out => p_tokens_out,
		p_error => p_error, p_first_ms => p_first_ms, p_total_ms => p_total_ms,
		p_server => null, p_requests => null, p_tries => null, p_lock_ms => p_lock_ms)
$$;

comment on function banter.turn_end(
	bigint, text, text, text, text, integer, integer, text, integer, integer, integer) is
	'turn_close() for workers of the release before it.';
