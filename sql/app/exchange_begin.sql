-- Everything that is decided and written before the model is asked, in one statement of the application's.
--
-- Lock order, here and in exchange_end: the workspace's beginnings (advisory, shared) -> request (advisory) ->
-- exchange -> open exchanges (advisory, where they are capped) -> rate window -> conversation -> lapsed exchanges
-- (skipping locked ones) -> workspace. The workspace comes last, it is what most wait for.
--
-- Refusals are rows, and what comes before them writes nothing but the rate count, or is taken back. A
-- lapsed run found under the idempotency key is only locked at first: lease_release gives it up.
--
-- What nearly every exchange passes is four statements and few expressions: each of both is begun anew every time.
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
	temperature double precision, max_tokens integer, stream boolean, answer text,
	servers text, reasoning text, "position" bigint, question text)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v_had boolean;
	v_api_key text;
	v_chatbot text;
	v_sent boolean;
	v_max_open integer;
	v_max_open_per_key integer;
	v_rate_limit integer;
	v_rate_window integer;
	v_rate record;
	v_run record;
	v_goes_on text; -- with which conversation; null: with the session's, or a new one
	v_led boolean; -- to that one, by the idempotency key
	v_attempt integer;
	v_replaces text;
	v_price integer;
	v_release boolean;
	v_touch boolean;
	v_started_at timestamptz;
	v_messages integer;
	v_chars integer;
	v_from bigint; -- where the history begins
	v_past bigint;
begin
	-- What a crash of the machine can take back here is a run that died with it. By set_config, since a
	-- SET clause of the function would end before the commit.
	-- The same request sent again, or another with its idempotency key, waits here until it has committed. The
	-- lock that all share is for removal_begin, which waits until none of us is under way.
	-- No lock is waited for longer than the application waits for us: what it has given up, and answered with
	-- 503, must not begin behind its back.
	v_had := set_config('lock_timeout', p_lock_ms::text, true) is not null
		and set_config('synchronous_commit', 'off', true) is not null
		and pg_advisory_xact_lock_shared(hashtextextended('exchanges begin', p_workspace)) is not null
		and pg_advisory_xact_lock(hashtextextended(
			coalesce(encode(p_key_hash, 'hex') || ' ' || p_idempotency_key, p_exchange), p_workspace)) is not null;

	-- Of what lapsed only what is usual is looked for: lease_release has the rest, and is asked once a minute. The
	-- order is its.
	select k.api_key, c.chatbot, (
			select s.api_key from banter_data.exchange s
			where s.workspace = p_workspace and s.exchange = p_exchange) = k.api_key,
		coalesce(w.max_open, nullif(p_max_open, 0)), coalesce(w.max_open_per_key, nullif(p_max_open_per_key, 0)),
		case k.kind when 'workspace' then c.rate_limit end, c.rate_window,
		case k.kind when 'workspace' then p_conversation end, case when w.credits is not null then c.price else 0 end,
		(
			select x.lease_until from banter_data.exchange x
			where x.workspace = p_workspace and x.ended_at is null and x.lease_until <= statement_timestamp()
			order by x.lease_until
			limit 1) is not null, k.last_used_at is null or k.last_used_at < now() - interval '1 minute',
		least(p_max_messages, c.history_messages), least(p_max_chars, c.history_chars),
		c.model, c.system_prompt, c.temperature, c.max_tokens, coalesce(p_stream, c.stream),
		array_to_string(c.servers, ','), c.reasoning
	into v_api_key, v_chatbot, v_sent, v_max_open, v_max_open_per_key, v_rate_limit, v_rate_window, v_goes_on, v_price,
		v_release, v_touch, v_messages, v_chars, model, system_prompt, temperature, max_tokens, stream, servers, reasoning
	from banter_data.api_key k
	join banter_data.workspace w on w.workspace = k.workspace and w.active
	left join banter_data.chatbot c on c.workspace = k.workspace and c.active
		and c.chatbot = case k.kind when 'widget' then k.chatbot else p_chatbot end
	where k.workspace + 0 = p_workspace and k.hash = p_key_hash and k.kind = p_kind
		and k.active and k.revoked_at is null;

	-- Nearly never but for the idempotency key, and where there are caps or limits.
	if v_chatbot is null or p_message is null or v_sent or p_idempotency_key is not null
		or coalesce(v_max_open, v_max_open_per_key, v_rate_limit) is not null
	then
		if v_api_key is null or (p_kind <> 'workspace' and v_chatbot is null) then
			outcome := 'unauthorized';
			return next;
			return;
		end if;
		if p_message is null then
			outcome := 'bad_request';
			return next;
			return;
		end if;

		-- Has it been decided before?
		if v_sent then
			select s.state, s.conversation, s.position, s.started_at, s.answer_id, s.answer, s.stream,
				case when c.history_from <= s.position then c.history_from else 0 end
			into outcome, conversation, position, v_started_at, message_id, answer, stream, v_from
			from banter_data.exchange s
			join banter_data.conversation c on c.workspace = s.workspace and c.conversation = s.conversation
			where s.workspace = p_workspace and s.exchange = p_exchange;
			if outcome = 'running' then
				outcome := 'started';
			elsif outcome = 'done' then
				outcome := 'replay';
			else -- it ended while its reply was lost: a new request may run anew
				outcome := 'in_progress';
				retry_after := 1;
			end if;
		elsif p_idempotency_key is not null then
			v_run := banter_data.idempotency_judge(
				p_workspace => p_workspace, p_api_key => v_api_key, p_key => p_idempotency_key,
				p_body_hash => p_body_hash,
				p_chatbot => case p_kind when 'widget' then v_chatbot else p_chatbot end);
			-- What a visitor held may be a user's by now, who has signed in: then it leads nowhere.
			if p_kind = 'site' and v_run.conversation is not null and not exists (
				select from banter_data.conversation c
				where c.workspace = p_workspace and c.conversation = v_run.conversation and c.visitor || '' = p_session)
			then
				v_run.verdict := 'new';
				v_run.conversation := null;
			end if;
			v_release := true;
			conversation := v_run.conversation;
			v_goes_on := coalesce(v_run.conversation, v_goes_on);
			v_led := v_run.conversation is not null;
			if v_run.verdict in ('replay', 'in_progress', 'key_reused') then
				outcome := v_run.verdict;
				message_id := v_run.answer_id;
				answer := v_run.answer;
				retry_after := v_run.retry_after;
			elsif v_run.verdict = 'in_place' then
				position := v_run.position;
				v_attempt := v_run.attempt;
				v_replaces := v_run.replaces;
				v_price := 0;
			end if;
		end if;

		if coalesce(outcome, 'replay') = 'replay' and v_chatbot is null then
			outcome := 'chatbot_not_found';
			return next;
			return;
		end if;

		-- A place before a count: who finds none has not used up the chatbot's window.
		if coalesce(v_max_open, v_max_open_per_key) is not null and outcome is null and not banter_data.open_judge(
			p_workspace => p_workspace, p_api_key => v_api_key,
			p_max_open => v_max_open, p_max_open_per_key => v_max_open_per_key)
		then
			outcome := 'full';
			retry_after := 1;
		end if;

		-- What has been decided before only looks at the window, what is new counts.
		if v_rate_limit is not null then
			v_rate := banter_data.rate_judge(
				p_workspace => p_workspace, p_chatbot => v_chatbot, p_limit => v_rate_limit,
				p_seconds => v_rate_window, p_count => outcome is null);
			limit_max := v_rate_limit;
			limit_remaining := v_rate.remaining;
			limit_reset := v_rate.reset;
			if outcome is null and not v_rate.allowed then
				outcome := 'limited';
				retry_after := v_rate.retry_after;
			end if;
		end if;
	end if;

	if outcome is null then
		if v_goes_on is null and p_kind <> 'site' then
			-- Two first messages of a session: one makes it, the other waits and takes the next position.
			insert into banter_data.conversation as c
				(workspace, conversation, chatbot, session, next_position)
			values (
				p_workspace, p_new_conversation, v_chatbot,
				case p_kind when 'widget' then p_session when 'workspace' then '/' || p_session end, 2)
			on conflict (workspace, chatbot, session) do update
				set next_position = c.next_position + 1, last_at = clock_timestamp()
			returning c.conversation, c.next_position - 1, c.last_at, c.history_from
			into conversation, position, v_started_at, v_from;
		elsif v_goes_on is not null and v_replaces is null then
			-- The chatbot is hidden from the index of its conversations, which would be read for this one.
			update banter_data.conversation c
			set next_position = c.next_position + 1, last_at = clock_timestamp()
			where c.workspace = p_workspace and c.conversation = v_goes_on and c.chatbot || '' = v_chatbot
				and (p_kind <> 'site' or c.visitor = p_session)
			returning c.conversation, c.next_position - 1, c.last_at, c.history_from
			into conversation, position, v_started_at, v_from;
		elsif v_replaces is not null then
			update banter_data.conversation c
			set last_at = clock_timestamp()
			where c.workspace = p_workspace and c.conversation = v_goes_on
				and (p_kind <> 'site' or c.visitor = p_session) -- and not a user's who has signed in since
			returning c.conversation, c.last_at,
				case when c.history_from <= exchange_begin.position then c.history_from else 0 end
			into conversation, v_started_at, v_from;
		else
			insert into banter_data.conversation as c
				(workspace, conversation, chatbot, visitor, thread, next_position)
			select p_workspace, p_new_conversation, v_chatbot, x.visitor, p_conversation, 2
			from banter_data.visitor x
			where x.workspace = p_workspace and x.visitor = p_session and x.chatbot || '' = v_chatbot
				and p_conversation is not null
			on conflict (visitor, workspace, thread) where visitor is not null do update
				set next_position = c.next_position + 1, last_at = clock_timestamp()
			returning c.conversation, c.next_position - 1, c.last_at, c.history_from
			into conversation, position, v_started_at, v_from;
		end if;
		if not found then
			if v_led then -- what its idempotency key led to went this moment: the next try finds nothing, and runs
				outcome := 'in_progress';
				retry_after := 1;
			else
				outcome := 'conversation_not_found';
			end if;
			return next;
			return;
		end if;

		if v_release or v_touch then
			v_had := banter_data.lease_release(p_workspace) is null;
		end if;
		if v_price > 0 and not banter_data.credit_take(p_workspace, p_exchange, v_price) then
			-- What lapsed since we looked gives back; and while we waited for its row it may have become unlimited.
			v_had := banter_data.lease_release(p_workspace) is null;
			if not banter_data.credit_take(p_workspace, p_exchange, v_price) then
				select 0 into v_price from banter_data.workspace w where w.workspace = p_workspace and w.credits is null;
			end if;
			if v_price is null then
				perform banter_data.conversation_leave(
					p_workspace, conversation, conversation = p_new_conversation);
				outcome := 'no_credit';
				conversation := null;
				return next;
				return;
			end if;
		end if;

		insert into banter_data.exchange (
			workspace, exchange, conversation, chatbot, api_key, position, attempt, replaces,
			started_at, lease_until, price, answer_id, request_id, model, stream, question, metadata, chars)
		values (
			p_workspace, p_exchange, exchange_begin.conversation, v_chatbot, v_api_key, exchange_begin.position,
			coalesce(v_attempt, 0), v_replaces, v_started_at,
			clock_timestamp() + make_interval(secs => p_lease_seconds), v_price, p_answer_id, p_request_id,
			exchange_begin.model, exchange_begin.stream, p_message, p_metadata, char_length(p_message));

		if p_idempotency_key is not null or v_touch or banter_data.locks_late(p_lock_ms) then
			if banter_data.locks_late(p_lock_ms) then
				raise exception 'the locks were had too late' using errcode = 'lock_not_available';
			end if;
			if p_idempotency_key is not null then
				insert into banter_data.idempotency as i (
					workspace, api_key, key, body_hash, chatbot, exchange)
				values (
					p_workspace, v_api_key, p_idempotency_key, p_body_hash, v_chatbot, p_exchange)
				on conflict (workspace, api_key, key) do update
					set body_hash = excluded.body_hash, chatbot = excluded.chatbot,
						exchange = excluded.exchange, created_at = excluded.created_at;
			end if;
			if v_touch then
				perform banter_data.key_touch(p_workspace, v_api_key);
			end if;
		end if;
		outcome := 'started';
		message_id := p_answer_id;
	elsif outcome <> 'started' then
		return next;
		return;
	end if;
	return next;

	-- All since its beginning is sent if it fits by itself, else the beginning moves first: history_begin measures as
	-- this does. One that took a left one's place was in it already: with neither of both the place would be empty.
	while v_from < position and position > 1 loop
		return query
			select 'history', null::text, null::text, null::integer, null::integer, null::bigint, null::integer,
				null::text, null::text, null::double precision, null::integer, null::boolean, h.answer,
				null::text, null::text, h.position, h.question
			from (
				select e.position, e.question, e.answer, count(*) over () as count,
					sum(coalesce(e.chars, char_length(e.question) + char_length(e.answer))) over () as chars
				from (
					select x.position, x.question, x.answer, x.chars
					from banter_data.exchange x
					where x.workspace = p_workspace and x.conversation = exchange_begin.conversation
						and x.position >= v_from and x.position < exchange_begin.position
						and x.state in ('done', 'left') and (x.ended_at <= v_started_at or x.replaces is not null)
					order by x.position
					limit v_messages / 2 + 1) e
				order by e.position) h
			where h.count <= v_messages / 2 and (h.chars <= v_chars) is not false
			order by h.position;
		exit when found;
		v_past := v_from;
		v_from := banter_data.history_begin(
			p_workspace => p_workspace, p_conversation => conversation, p_position => position,
			p_started_at => v_started_at, p_max_messages => v_messages, p_max_chars => v_chars);
		exit when v_from = v_past;
	end loop;
end
$$;

comment on function banter.exchange_begin(
	bigint, bytea, text, text, text, text, text, text, text, text, json, boolean, text, bytea,
	integer, integer, integer, text, integer, integer, integer) is
	'Starts an exchange, or says why not: one row with the outcome and, when it is started, one for each exchange of the history after it, oldest first (outcome `history`: `question`, `answer` and `position`, its place in the conversation). `answer` of a replay: the text. `servers` has commas between; null: only the default one. Sent again with the same p_exchange it answers the same. With a site key (visit_begin) p_session is the visitor, and p_conversation their own name for it, which may be new; with a workspace key (completion_begin) p_session names a conversation that no widget key meets. p_max_open and p_max_open_per_key (0 or null: no cap) hold where the workspace has none of its own; the locks are waited for no longer than p_lock_ms, one by one and together.';
