-- What an exchange costs at least: the same rows written to the same tables, in as few statements as can be, with nothing
-- refused, counted, waited for in order or repeated. exchange.py measures beside it, and the floor calls it.
create schema lean;

create function lean.exchange_begin(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_exchange text,
	p_answer_id text, p_conversation text, p_new_conversation text, p_session text, p_message text,
	p_lease_seconds integer, p_max_messages integer, p_request_id text)
returns table (outcome text, conversation text, message_id text, model text, system_prompt text, content text)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_key record;
	v_conversation text;
	v_position bigint;
begin
	perform set_config('synchronous_commit', 'off', true);
	select k.api_key, c.chatbot, c.model, c.system_prompt into v_key
	from banter_data.api_key k
	join banter_data.chatbot c on c.workspace = k.workspace and c.chatbot = coalesce(k.chatbot, p_chatbot)
	where k.workspace = p_workspace and k.hash = p_key_hash and k.kind = p_kind and k.active;
	if p_conversation is not null then
		update banter_data.conversation c set next_position = c.next_position + 1, last_at = clock_timestamp()
		where c.workspace = p_workspace and c.conversation = p_conversation
		returning c.conversation, c.next_position - 1 into v_conversation, v_position;
	else
		insert into banter_data.conversation as c (workspace, conversation, chatbot, session, next_position)
		values (p_workspace, p_new_conversation, v_key.chatbot, p_session, 2)
		on conflict (workspace, chatbot, session) do update
			set next_position = c.next_position + 1, last_at = clock_timestamp()
		returning c.conversation, c.next_position - 1 into v_conversation, v_position;
	end if;
	insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, lease_until, price,
		answer_id, request_id, stream, question)
	values (p_workspace, p_exchange, v_conversation, v_key.chatbot, v_key.api_key, v_position,
		clock_timestamp() + make_interval(secs => p_lease_seconds), 0, p_answer_id, p_request_id, true, p_message);
	outcome := 'started';
	conversation := v_conversation;
	message_id := p_answer_id;
	model := v_key.model;
	system_prompt := v_key.system_prompt;
	return next;
	return query
		select h.question, null::text, null::text, null::text, null::text, h.answer
		from (
			select e.position, e.question, e.answer from banter_data.exchange e
			where e.workspace = p_workspace and e.conversation = v_conversation and e.position < v_position
				and e.state in ('done', 'left')
			order by e.position desc
			limit p_max_messages / 2) h
		order by h.position;
end
$$;

create function lean.exchange_end(
	p_workspace bigint, p_exchange text, p_state text, p_answer text, p_finish_reason text,
	p_tokens_in integer, p_tokens_out integer, p_total_ms integer)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	update banter_data.exchange e
	set state = p_state, ended_at = clock_timestamp(), answer = p_answer, finish_reason = p_finish_reason,
		tokens_in = p_tokens_in, tokens_out = p_tokens_out, total_ms = p_total_ms
	where e.workspace = p_workspace and e.exchange = p_exchange and e.state = 'running';
	return 'stored';
end
$$;
