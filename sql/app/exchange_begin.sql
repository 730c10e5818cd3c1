-- Everything that is decided and written before the model is asked, in one statement of the application's.
--
-- Lock order, here and in exchange_end: the workspace's beginnings (advisory, shared) -> request (advisory) ->
-- exchange -> open exchanges (advisory, where they are capped) -> rate window -> conversation -> lapsed exchanges
-- (skipping locked ones) -> workspace. The workspace comes last, it is what most wait for.
--
-- Refusals are rows, and what comes before them writes nothing but the rate count, or is taken back. A
-- lapsed run found under the idempotency key is only locked at first: lease_release gives it up.
create or replace function banter.exchange_begin(
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
	servers text, reasoning text, "position" bigint)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v_had boolean;
	v_key record;
	v_run record;
	v_rate record;
	v_place record;
	v_conversation text;
	v_position bigint;
	v_attempt integer := 0;
	v_replaces text;
	v_price integer := 0;
	v_erased boolean;
	v_started_at timestamptz;
begin
	-- What a crash of the machine can take back here is a run that died with it. By set_config, since a
	-- SET clause of the function would end before the commit.
	-- The same request sent again, or another with its idempotency key, waits here until it has committed. The
	-- lock that all share is for removal_begin, which waits until none of us is under way.
	-- No lock is waited for longer than the application waits for us: what it has given up, and answered with
	-- 503, must not begin behind its back.
	v_had := set_config('lock_timeout', p_lock_ms::text, true) is null;
	v_had := set_config('synchronous_commit', 'off', true) is null;
	v_had := pg_advisory_xact_lock_shared(hashtextextended('exchanges begin', p_workspace)) is null;
	v_had := pg_advisory_xact_lock(hashtextextended(
		coalesce(encode(p_key_hash, 'hex') || ' ' || p_idempotency_key, p_exchange), p_workspace)) is null;

	select k.api_key, k.last_used_at, w.credits is not null as metered, w.max_open, w.max_open_per_key,
		c.chatbot, c.model, c.system_prompt, c.temperature, c.max_tokens, c.price,
		c.rate_limit, c.rate_window, c.history_messages, c.history_chars, c.servers, c.reasoning,
		coalesce(s.stream, p_stream, c.stream) as stream,
		s.exchange as sent, s.conversation, s.position, s.started_at, s.state, s.answer_id, s.answer
	into v_key
	from banter_data.api_key k
	join banter_data.workspace w on w.workspace = k.workspace and w.active
	left join banter_data.chatbot c on c.workspace = k.workspace and c.active
		and c.chatbot = case k.kind when 'widget' then k.chatbot else p_chatbot end
	left join banter_data.exchange s on s.workspace = k.workspace and s.exchange = p_exchange
		and s.api_key = k.api_key
	where k.workspace + 0 = p_workspace and k.hash = p_key_hash and k.kind = p_kind
		and k.active and k.revoked_at is null;
	if not found or (p_kind = 'widget' and v_key.chatbot is null) then
		outcome := 'unauthorized';
		return next;
		return;
	end if;
	if p_message is null then
		outcome := 'bad_request';
		return next;
		return;
	end if;
	stream := v_key.stream;

	-- Has it been decided before?
	if v_key.sent is not null then
		v_conversation := v_key.conversation;
		v_position := v_key.position;
		v_started_at := v_key.started_at;
		message_id := v_key.answer_id;
		if v_key.state = 'running' then
			outcome := 'started';
		elsif v_key.state = 'done' then
			outcome := 'replay';
			content := v_key.answer;
		else -- it ended while its reply was lost: a new request may run anew
			outcome := 'in_progress';
			retry_after := 1;
		end if;
	elsif p_idempotency_key is not null then
		v_run := banter_data.idempotency_judge(
			p_workspace => p_workspace, p_api_key => v_key.api_key, p_key => p_idempotency_key,
			p_body_hash => p_body_hash,
			p_chatbot => case p_kind when 'widget' then v_key.chatbot else p_chatbot end);
		v_conversation := v_run.conversation;
		if v_run.verdict in ('replay', 'in_progress', 'key_reused') then
			outcome := v_run.verdict;
			message_id := v_run.answer_id;
			content := v_run.answer;
			retry_after := v_run.retry_after;
		elsif v_run.verdict = 'in_place' then
			v_position := v_run.position;
			v_attempt := v_run.attempt;
			v_replaces := v_run.replaces;
		end if;
	end if;

	if coalesce(outcome, 'replay') = 'replay' and v_key.chatbot is null then
		outcome := 'chatbot_not_found';
		return next;
		return;
	end if;

	-- A place before a count: who finds none has not used up the chatbot's window.
	if outcome is null and not banter_data.open_judge(
		p_workspace => p_workspace, p_api_key => v_key.api_key,
		p_max_open => coalesce(v_key.max_open, nullif(p_max_open, 0)),
		p_max_open_per_key => coalesce(v_key.max_open_per_key, nullif(p_max_open_per_key, 0)))
	then
		outcome := 'full';
		retry_after := 1;
	end if;

	-- What has been decided before only looks at the window, what is new counts.
	if p_kind = 'workspace' and v_key.rate_limit is not null then
		v_rate := banter_data.rate_judge(
			p_workspace => p_workspace, p_chatbot => v_key.chatbot, p_limit => v_key.rate_limit,
			p_seconds => v_key.rate_window, p_count => outcome is null);
		limit_max := v_key.rate_limit;
		limit_remaining := v_rate.remaining;
		limit_reset := v_rate.reset;
		if outcome is null and not v_rate.allowed then
			outcome := 'limited';
			retry_after := v_rate.retry_after;
		end if;
	end if;
	if outcome in ('replay', 'in_progress', 'key_reused', 'full', 'limited') then
		conversation := v_conversation;
		return next;
		return;
	end if;

	if outcome is null then
		if v_replaces is not null then
			update banter_data.conversation c
			set last_at = clock_timestamp()
			where c.workspace = p_workspace and c.conversation = v_conversation
			returning c.last_at into v_started_at;
			v_erased := not found;
		else
			v_place := banter_data.conversation_enter(
				p_workspace => p_workspace, p_chatbot => v_key.chatbot,
				p_conversation => coalesce(v_conversation, case p_kind when 'workspace' then p_conversation end),
				p_new_conversation => p_new_conversation,
				p_session => case p_kind when 'widget' then p_session end);
			v_erased := v_place.conversation is null and v_conversation is not null;
			v_conversation := v_place.conversation;
			v_position := v_place.position;
			v_started_at := v_place.started_at;
			if v_conversation is null and not v_erased then
				outcome := 'conversation_not_found';
				return next;
				return;
			end if;
			v_price := case when v_key.metered then v_key.price else 0 end;
		end if;

		-- What its idempotency key led to went this moment: the next try finds nothing, and runs.
		if v_erased then
			outcome := 'in_progress';
			retry_after := 1;
			return next;
			return;
		end if;

		v_had := banter_data.lease_release(p_workspace) is null;
		if v_price > 0 and not banter_data.credit_take(p_workspace, p_exchange, v_price) then
			-- While we waited for its row it may have become unlimited.
			select 0 into v_price from banter_data.workspace w where w.workspace = p_workspace and w.credits is null;
		end if;
		if v_price is null then
			perform banter_data.conversation_leave(
				p_workspace, v_conversation, v_conversation = p_new_conversation);
			outcome := 'no_credit';
			return next;
			return;
		end if;

		if banter_data.locks_late(p_lock_ms) then
			raise exception 'the locks were had too late' using errcode = 'lock_not_available';
		end if;
		insert into banter_data.exchange (
			workspace, exchange, conversation, chatbot, api_key, position, attempt, replaces,
			started_at, lease_until, price, answer_id, request_id, model, stream, question, metadata, chars)
		values (
			p_workspace, p_exchange, v_conversation, v_key.chatbot, v_key.api_key, v_position,
			v_attempt, v_replaces, v_started_at, clock_timestamp() + make_interval(secs => p_lease_seconds),
			v_price, p_answer_id, p_request_id, v_key.model, v_key.stream, p_message, p_metadata,
			char_length(p_message));

		if p_idempotency_key is not null then
			insert into banter_data.idempotency as i (
				workspace, api_key, key, body_hash, chatbot, exchange)
			values (
				p_workspace, v_key.api_key, p_idempotency_key, p_body_hash, v_key.chatbot, p_exchange)
			on conflict (workspace, api_key, key) do update
				set body_hash = excluded.body_hash, chatbot = excluded.chatbot,
					exchange = excluded.exchange, created_at = excluded.created_at;
		end if;
		if v_key.last_used_at is null or v_key.last_used_at < now() - interval '1 minute' then
			perform banter_data.key_touch(p_workspace, v_key.api_key);
		end if;
		outcome := 'started';
		message_id := p_answer_id;
	end if;

	conversation := v_conversation;
	model := v_key.model;
	system_prompt := coalesce(v_key.system_prompt, '');
	temperature := v_key.temperature;
	max_tokens := v_key.max_tokens;
	servers := array_to_string(v_key.servers, ',');
	reasoning := v_key.reasoning;
	position := v_position;
	return next;

	-- A first message has none, however often it is sent.
	if v_position = 1 then
		return;
	end if;
	-- The beginning is found by what is seen inside: as much as here, or more, so that the limits hold for what is sent.
	return query
		select t.role, null::text, null::text, null::integer, null::integer, null::bigint, null::integer,
			null::text, null::text, null::double precision, null::integer, null::boolean, t.content,
			null::text, null::text, e.position
		from banter_data.exchange e
		cross join lateral (values (1, 'user', e.question), (2, 'assistant', e.answer)) t (n, role, content)
		where e.workspace = p_workspace and e.conversation = v_conversation
			and e.position >= (select banter_data.history_begin(
				p_workspace => p_workspace, p_conversation => v_conversation, p_position => v_position,
				p_started_at => v_started_at,
				p_max_messages => least(p_max_messages, v_key.history_messages),
				p_max_chars => least(p_max_chars, v_key.history_chars)))
			and e.position < v_position
			and e.state in ('done', 'left') and e.ended_at <= v_started_at
		order by e.position, t.n;
end
$$;

comment on function banter.exchange_begin(
	bigint, bytea, text, text, text, text, text, text, text, text, json, boolean, text, bytea,
	integer, integer, integer, text, integer, integer, integer) is
	'Starts an exchange, or says why not: one row with the outcome and, when it is started, the history after it, oldest first, its role as the outcome. `position`: an exchange''s place in the conversation. `servers` has commas between; null: only the default one. Sent again with the same p_exchange it answers the same. p_max_open and p_max_open_per_key (0 or null: no cap) hold where the workspace has none of its own; the locks are waited for no longer than p_lock_ms, one by one and together.';
