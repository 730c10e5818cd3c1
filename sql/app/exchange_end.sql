-- Lock order: see exchange_begin (exchange -> the one it replaces -> workspace). No lock is waited for longer than
-- the application waits for us: what it has answered with an error must not be stored behind its back.
create or replace function banter.exchange_end(
	p_workspace bigint, p_exchange text, p_state text, p_answer text, p_finish_reason text,
	p_tokens_in integer, p_tokens_out integer, p_error text, p_first_ms integer, p_total_ms integer,
	p_server text, p_requests integer, p_tries text, p_lock_ms integer,
	p_tokens_cached integer default null, p_history_from bigint default null)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
	v_had boolean;
	v_state text := p_state;
	v_was text;
	v_replaces text;
	v_left integer;
	v_replaced boolean; -- the one whose place it takes has made room
begin
	-- Nearly always done, with text.
	if (p_state = 'done' and p_answer <> '') is not true then
		if p_state is null or p_state not in ('done', 'left', 'failed') then
			raise exception 'an exchange cannot end as "%"', p_state
				using errcode = 'invalid_parameter_value';
		end if;
		if p_state = 'done' and p_answer = '' then
			raise exception 'an exchange cannot be done without an answer' using errcode = 'check_violation';
		end if;
		if p_state = 'left' and coalesce(p_answer, '') = '' then
			v_state := 'failed';
		end if;
	end if;

	-- What is told as stored must be. A failure promises nothing, and it may give credits back: its
	-- workspace's row must not stay locked while a disk, or a standby, is waited for.
	v_had := set_config('lock_timeout', p_lock_ms::text, true) is not null
		and case
			when v_state = 'failed' then set_config('synchronous_commit', 'off', true)
			when current_setting('synchronous_commit') not in ('on', 'remote_apply') then
				set_config('synchronous_commit', 'on', true)
		end is not null;

	-- All of it in one update: at a row's second one in a transaction PostgreSQL looks at its foreign keys
	-- again, and would wait here for a conversation that is being erased, while the eraser waits for us.
	loop
		update banter_data.exchange e
		set state = v_state, price = coalesce(v_left, e.price), ended_at = clock_timestamp(), answer = p_answer,
			chars = coalesce(e.chars, char_length(e.question)) + coalesce(char_length(p_answer), 0),
			finish_reason = p_finish_reason, tokens_in = p_tokens_in, tokens_out = p_tokens_out,
			error = p_error, first_ms = p_first_ms, total_ms = p_total_ms,
			server = p_server, requests = p_requests, tries = p_tries, tokens_cached = p_tokens_cached
		where e.workspace = p_workspace and e.exchange = p_exchange and e.state = 'running'
			and (e.replaces is null or v_state = 'failed' or v_replaced);
		exit when found;

		-- Nearly never: one that has ended before, or takes the place of a left one and takes over its charge.
		select e.state, e.replaces into v_was, v_replaces
		from banter_data.exchange e
		where e.workspace = p_workspace and e.exchange = p_exchange
		for no key update;
		if v_was is distinct from 'running' then
			return case when v_was = v_state then 'already' else 'gone' end;
		end if;
		update banter_data.exchange e
		set state = 'replaced'
		where e.workspace = p_workspace and e.exchange = v_replaces and e.state = 'left'
		returning e.price into v_left;
		v_replaced := true;
	end loop;

	if v_state = 'failed' or p_history_from is not null or banter_data.locks_late(p_lock_ms) then
		if v_state = 'failed' then
			perform banter_data.credit_return(p_workspace, p_exchange, e.price)
			from banter_data.exchange e
			where e.workspace = p_workspace and e.exchange = p_exchange;
		elsif p_history_from is not null then
			perform banter_data.history_cut(
				p_workspace => p_workspace, p_conversation => e.conversation, p_from => p_history_from)
			from banter_data.exchange e
			where e.workspace = p_workspace and e.exchange = p_exchange;
		end if;
		if banter_data.locks_late(p_lock_ms) then
			raise exception 'the locks were had too late' using errcode = 'lock_not_available';
		end if;
	end if;
	return 'stored';
end
$$;

comment on function banter.exchange_end(
	bigint, text, text, text, text, integer, integer, text, integer, integer, text, integer, text, integer, integer, bigint) is
	'Ends a running exchange as done, left or failed: stored; already: it had ended so; gone: unknown, erased, given up when its lease ended, or ended otherwise. p_server: asked last; p_requests: of the model, in all; p_tries: why it moved; p_history_from: where the history began for the model, where less of it was asked with (null: it was not). The locks are waited for no longer than p_lock_ms (0: for ever), one by one and together.';
