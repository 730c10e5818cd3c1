create or replace function banter.messages_read(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_conversation text, p_before text, p_limit integer)
returns table (
	outcome text, body text, limit_max integer, limit_remaining integer, limit_reset bigint, retry_after integer)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v record := banter_data.talk_holder(
		p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => p_kind,
		p_chatbot => case when p_conversation is null then banter_data.chatbot_called(p_workspace, p_chatbot) else p_chatbot end,
		p_session => p_session, p_origin => p_origin, p_token => p_token, p_user => p_user, p_expires => p_expires,
		p_signature => p_signature, p_does => 'reads',
		p_good => (p_before ~ '^[1-9][0-9]{0,17}$') is not false and num_nonnulls(p_conversation, p_session) > 0,
		p_conversation => p_conversation);
	v_conversation text := p_conversation;
begin
	outcome := coalesce(v.outcome, 'found');
	limit_max := v.limit_max;
	limit_remaining := v.limit_remaining;
	limit_reset := v.limit_reset;
	retry_after := v.retry_after;
	if outcome = 'found' and p_conversation is null then
		v_conversation := banter_data.conversation_called(
			p_workspace => p_workspace, p_kind => p_kind, p_visitors => v.visitors, p_chatbot => v.chatbot,
			p_called => p_session);
	end if;
	if outcome = 'found' then
		select (
			select json_build_object(
				'messages', coalesce(json_agg(m.message order by p.position, p.attempt, m.n), '[]'),
				'before', min(p.position) filter (where p.earlier)::text)
			from (
				select e.*, count(*) over () > p_limit as earlier, row_number() over (order by e.position desc, e.attempt desc) as row
				from (
					select x.position, x.attempt, x.exchange, x.question, x.answer_id, x.answer, x.state, x.finish_reason,
						x.started_at, x.ended_at
					from banter_data.exchange x
					where x.conversation = v_conversation and x.workspace = p_workspace
						and (p_before is null or x.position < p_before::bigint) and x.state <> 'replaced'
					order by x.position desc, x.attempt desc
					limit p_limit + 1) e) p
			cross join lateral (
				values
					(1, json_build_object(
						'id', p.exchange, 'role', 'user', 'text', p.question,
						'createdAt', banter_data.conversation_time(p.started_at))),
					(2, json_build_object(
						'id', p.answer_id, 'role', 'assistant', 'text', coalesce(p.answer, ''),
						'createdAt', banter_data.conversation_time(coalesce(p.ended_at, p.started_at)),
						'status', case when p.state = 'lost' then 'failed' else p.state end,
						'finishReason', p.finish_reason,
						'feedback', (
							select json_build_object(
								'thumb', f.thumb, 'text', f.text, 'createdAt', banter_data.conversation_time(f.at))
							from banter_data.feedback f
							where f.workspace = p_workspace and f.exchange = p.exchange)))) m (n, message)
			where p.row <= p_limit)
		into body
		from banter_data.conversation_still(
			p_workspace => p_workspace, p_conversation => v_conversation, p_visitors => v.visitors);
		if not found and p_conversation is not null then
			outcome := 'conversation_not_found';
		elsif not found then
			body := json_build_object('messages', '[]'::json, 'before', null);
		end if;
	end if;
	return next;
end
$$;

comment on function banter.messages_read(
	bigint, bytea, text, text, text, text, bytea, text, bigint, bytea, text, text, integer) is
	'The messages of a conversation (null: of the one that is called p_session by who asks; p_chatbot may then be a name), as JSON, its latest p_limit exchanges before that place (null: of all), oldest first; `before`: for the ones before these, null: there are none. found, or why not: unauthorized, forbidden, visitor_unknown, bad_request (p_before is none of ours, or a widget key, or no conversation, and no session), chatbot_not_found and limited (a workspace key), conversation_not_found (also one that is not theirs).';
