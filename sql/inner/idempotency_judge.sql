-- Rests on the caller's lock on this key: nobody else judges or moves it meanwhile.
--
-- A run that failed in the place of a left one leaves the key pointing at itself: the left one is found
-- through it, so that exchange_end need not write here.
create or replace function banter_data.idempotency_judge(
	p_workspace bigint, p_api_key text, p_key text, p_body_hash bytea, p_chatbot text,
	out verdict text, out conversation text, out "position" bigint, out attempt integer,
	out replaces text, out answer_id text, out answer text, out retry_after integer)
language plpgsql
as $$
#variable_conflict use_column
declare
	v_key banter_data.idempotency;
	v_run banter_data.exchange;
	v_left banter_data.exchange;
	v_now timestamptz;
begin
	verdict := 'new';
	select * into v_key
	from banter_data.idempotency i
	where i.workspace = p_workspace and i.api_key = p_api_key and i.key = p_key
		and i.created_at > clock_timestamp() - interval '24 hours';
	if not found then
		return;
	end if;
	if v_key.body_hash is distinct from p_body_hash or v_key.chatbot is distinct from p_chatbot then
		verdict := 'key_reused';
		return;
	end if;

	select * into v_run from banter_data.exchange e
	where e.workspace = p_workspace and e.exchange = v_key.exchange;
	if not found then -- erased this moment
		return;
	end if;
	if v_run.state = 'running' and banter_data.lease_ended(v_run.lease_until, clock_timestamp()) then
		-- Its worker may be storing it just now. Once the row is ours it stays lapsed,
		-- and lease_release gives it up before the new run reserves.
		select * into v_run from banter_data.exchange e
		where e.workspace = p_workspace and e.exchange = v_key.exchange
		for update;
		if not found then
			return;
		end if;
	end if;

	v_now := clock_timestamp();
	conversation := v_run.conversation;
	if v_run.state = 'running' and not banter_data.lease_ended(v_run.lease_until, v_now) then
		verdict := 'in_progress';
		answer_id := v_run.answer_id;
		retry_after := greatest(ceil(least(extract(epoch from v_run.lease_until - v_now), 10)), 1);
		return;
	end if;
	if v_run.state = 'done' then
		-- What we see may be on this machine only: a session that was ended while it waited for a standby. Who locks a
		-- row waits for disk and standby at the commit, so that it is told again as it is told at first.
		perform set_config('synchronous_commit', 'on', true)
		from banter_data.exchange e
		where e.workspace = p_workspace and e.exchange = v_key.exchange
		for no key update;
		verdict := 'replay';
		answer_id := v_run.answer_id;
		answer := v_run.answer;
		return;
	end if;

	verdict := 'again';
	if v_run.state = 'left' then
		v_left := v_run;
	elsif v_run.replaces is not null then
		select * into v_left from banter_data.exchange e
		where e.workspace = p_workspace and e.exchange = v_run.replaces and e.state = 'left';
	end if;
	if v_left.exchange is not null then
		verdict := 'in_place';
		position := v_left.position;
		attempt := v_run.attempt + 1;
		replaces := v_left.exchange;
	end if;
end
$$;

comment on function banter_data.idempotency_judge(bigint, text, text, bytea, text) is
	'What a request with an Idempotency-Key is: new, again (the run before gave nothing), in_place (of a left one), replay, in_progress or key_reused.';
