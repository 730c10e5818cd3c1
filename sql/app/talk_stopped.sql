create or replace function banter.talk_stopped(p_workspace bigint, p_exchanges text[], p_lock_ms integer)
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
begin
	perform set_config('lock_timeout', p_lock_ms::text, true), set_config('synchronous_commit', 'off', true);
	select 'found', json_build_object('messages', s.messages), s.running, p_exchanges
	into outcome, body, running, exchanges
	from banter_data.exchanges_stop(p_workspace => p_workspace, p_exchanges => p_exchanges) s;
	return next;
end
$$;

comment on function banter.talk_stopped(bigint, text[], integer) is
	'What became of the exchanges that talk_stop named, in the same form; those that it could not mark are marked.';
