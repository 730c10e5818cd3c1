-- An exchange of a page's visitor: who that is, whether the day's caps let it begin, then exchange_begin. What was made and
-- counted here for one that is refused there goes again. One statement of the application's, sent again like any other.
--
-- Lock order: the workspace's beginnings (shared) -> what visitors did today -> visitor -> exchange_begin's. Nobody else
-- makes or waits for these two.
create or replace function banter.visit_begin(
	p_workspace bigint, p_key_hash bytea, p_origin text, p_token bytea, p_minted boolean,
	p_user text, p_expires bigint, p_signature bytea, p_new_visitor text,
	p_exchange text, p_answer_id text, p_new_conversation text, p_session text, p_message text,
	p_stream boolean, p_idempotency_key text, p_body_hash bytea,
	p_lease_seconds integer, p_max_messages integer, p_max_chars integer, p_request_id text,
	p_max_open integer, p_max_open_per_key integer, p_max_exchanges bigint, p_max_credits bigint, p_lock_ms integer)
returns table (
	outcome text, conversation text, message_id text, limit_max integer, limit_remaining integer,
	limit_reset bigint, retry_after integer, model text, system_prompt text,
	temperature double precision, max_tokens integer, stream boolean, answer text,
	servers text, reasoning text, "position" bigint, question text, chatbot text, percent integer)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v_had boolean;
	v record;
	v_visitor text;
	v_key text; -- a visitor's own: nobody is given another's answer
	v_sent boolean; -- this very exchange was begun before
	v_decided boolean; -- or its idempotency key has been decided: nothing new begins
	v_day record;
	v_price integer := 0; -- as it was counted
	v_counted integer := 0;
	v_begun integer; -- its price; null: it did not begin
begin
	v_had := set_config('lock_timeout', p_lock_ms::text, true) is not null
		and set_config('synchronous_commit', 'off', true) is not null
		and pg_advisory_xact_lock_shared(hashtextextended('exchanges begin', p_workspace)) is not null;

	v := banter_data.visitor_judge(
		p_workspace => p_workspace, p_key_hash => p_key_hash, p_origin => p_origin,
		p_token => case when not p_minted then p_token end,
		p_user => p_user, p_expires => p_expires, p_signature => p_signature, p_reads => false);
	outcome := coalesce(v.outcome, case when p_message is null then 'bad_request' end);
	if outcome is not null then
		return next;
		return;
	end if;
	v_visitor := case when p_user is null then v.visitor else v.signed_in end;
	v_key := encode(sha256(convert_to(coalesce(v_visitor, p_new_visitor) || ' ' || p_idempotency_key, 'UTF8')), 'hex');

	v_sent := exists (
		select from banter_data.exchange e where e.workspace = p_workspace and e.exchange = p_exchange);
	v_decided := v_sent or v_key is not null and exists (
		select from banter_data.idempotency i
		join banter_data.exchange e on e.workspace = i.workspace and e.exchange = i.exchange
		join banter_data.conversation c on c.workspace = e.workspace and c.conversation = e.conversation
		where i.workspace = p_workspace and i.api_key = v.api_key and i.key = v_key
			and i.created_at > clock_timestamp() - interval '24 hours'
			and c.visitor = v_visitor and (e.state = 'done' or i.body_hash <> p_body_hash
				or e.state = 'running' and not banter_data.lease_ended(e.lease_until, clock_timestamp())));
	if not v_decided then
		select case when w.credits is null then 0 else c.price end into strict v_price
		from banter_data.chatbot c
		join banter_data.workspace w on w.workspace = c.workspace
		where c.workspace = p_workspace and c.chatbot = v.chatbot;
		v_day := banter_data.visitor_count(
			p_workspace => p_workspace, p_chatbot => v.chatbot, p_price => v_price,
			p_max_exchanges => coalesce(v.max_exchanges, nullif(p_max_exchanges, 0)),
			p_max_credits => coalesce(v.max_credits, nullif(p_max_credits, 0)));
		-- It may have been sent twice at once: then the first one has counted it, and was waited for.
		v_sent := exists (
			select from banter_data.exchange e where e.workspace = p_workspace and e.exchange = p_exchange);
		if not v_day.allowed and not v_sent then
			outcome := 'visitors_limited';
			retry_after := v_day.retry_after;
			return next;
			return;
		end if;
		v_counted := v_day.allowed::integer;
		v_price := v_price * v_counted;
		percent := v_day.percent;
	end if;

	if v_visitor is null then
		v_visitor := banter_data.visitor_enter(
			p_workspace => p_workspace, p_visitor => p_new_visitor, p_chatbot => v.chatbot,
			p_hash => coalesce(v.user_hash, p_token), p_user => p_user);
	end if;
	if p_user is not null and v.visitor is not null then
		perform banter_data.visitor_adopt(p_workspace => p_workspace, p_from => v.visitor, p_to => v_visitor);
	end if;

	return query
		select b.*, v.chatbot, case when b.outcome = 'started' then visit_begin.percent end from banter.exchange_begin(
			p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => 'site', p_chatbot => v.chatbot,
			p_exchange => p_exchange, p_answer_id => p_answer_id, p_conversation => p_session,
			p_new_conversation => p_new_conversation, p_session => v_visitor, p_message => p_message,
			p_metadata => null, p_stream => p_stream, p_idempotency_key => v_key, p_body_hash => p_body_hash,
			p_lease_seconds => p_lease_seconds, p_max_messages => p_max_messages, p_max_chars => p_max_chars,
			p_request_id => p_request_id, p_max_open => p_max_open, p_max_open_per_key => p_max_open_per_key,
			p_lock_ms => p_lock_ms) b;

	if not v_sent then
		select e.price into v_begun
		from banter_data.exchange e
		where e.workspace = p_workspace and e.exchange = p_exchange;
		if v_begun is null then
			delete from banter_data.visitor x
			where x.workspace = p_workspace and x.visitor = p_new_visitor and not exists ( -- adopted ones are theirs by now
				select from banter_data.conversation c where c.workspace + 0 = p_workspace and c.visitor = x.visitor);
		end if;
	end if;
	-- What did not begin, what takes another's place at no charge, what began though it seemed decided.
	if v_counted <> num_nonnulls(v_begun) or v_price <> coalesce(v_begun, 0) then
		update banter_data.visitor_day d
		set exchanges = d.exchanges - v_counted + num_nonnulls(v_begun),
			credits = d.credits - v_price + coalesce(v_begun, 0)
		where d.workspace = p_workspace and d.chatbot = v.chatbot;
	end if;
end
$$;

comment on function banter.visit_begin(
	bigint, bytea, text, bytea, boolean, text, bigint, bytea, text, text, text, text, text, text, boolean, text, bytea,
	integer, integer, integer, text, integer, integer, bigint, bigint, integer) is
	'exchange_begin() for a site key: also forbidden (p_origin is none of the key''s), visitor_unknown (the token, or the signed identity, is nobody''s) and visitors_limited (retry_after: until the next day, in UTC). p_token: SHA-256 of the visitor''s token; p_minted: it is new, and counts once an exchange begins. p_user, p_expires (Unix seconds), p_signature: a user who is signed in at the site, null: nobody. p_session names a conversation of that visitor alone. p_max_exchanges, p_max_credits: what a chatbot''s visitors may begin in a day, where the chatbot does not say (0 or null: no cap); percent: with this one so much of a cap is used, 80 or 100; null: not just now.';
