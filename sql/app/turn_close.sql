-- Kept for workers of the release before exchange_end(): as turn_start().
create or replace function banter.turn_close(
	p_workspace bigint, p_exchange text, p_state text, p_answer text, p_finish_reason text,
	p_tokens_in integer, p_tokens_out integer, p_error text, p_first_ms integer, p_total_ms integer,
	p_server text, p_requests integer, p_tries text, p_lock_ms integer)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return banter.exchange_end(
		p_workspace => p_workspace, p_exchange => p_exchange, p_state => p_state, p_answer => p_answer,
		p_finish_reason => p_finish_reason, p_tokens_in => p_tokens_in, p_tokens_out => p_tokens_out,
		p_error => p_error, p_first_ms => p_first_ms, p_total_ms => p_total_ms,
		p_server => p_server, p_requests => p_requests, p_tries => p_tries, p_lock_ms => p_lock_ms);
end
$$;

comment on function banter.turn_close(
	bigint, text, text, text, text, integer, integer, text, integer, integer, text, integer, text, integer) is
	'exchange_end() for workers of the release before it.';
