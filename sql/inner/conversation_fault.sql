-- What no constraint of the tables says: they hold what the application writes, not what a file may claim.
create or replace function banter_data.conversation_fault(p_conversation banter_data.conversation, p_exchanges json)
returns text
language sql
stable
as $$
	select case
		when json_typeof(p_exchanges) is distinct from 'array' then 'it has no list of exchanges'
		when coalesce(p_conversation.conversation !~ '^[A-Za-z0-9_-]{1,40}$', true) then 'its id cannot be one'
		when p_conversation.session !~ '^[A-Za-z0-9._:-]{1,128}$' then 'its session cannot be one'
		when p_conversation.thread !~ '^[A-Za-z0-9._:-]{1,128}$' or num_nonnulls(p_conversation.session, p_conversation.visitor) > 1
		then 'it cannot be of such a visitor'
		when p_conversation.next_position not between 1 and 1000000000000000 -- room for all that will be asked
			or not isfinite(p_conversation.created_at) or not isfinite(p_conversation.last_at)
		then 'its next position or one of its times cannot be one'
		else (
			select case
				when bool_or(e.state = 'running') then 'one of its exchanges had not ended'
				when bool_or(e.state not in ('done', 'left', 'failed', 'lost', 'replaced') or e.ended_at is null
					or (e.state in ('done', 'left') and e.answer = ''))
				then 'one of its exchanges ended in no way that one can'
				when bool_or((e.attempt = 0) <> (e.replaces is null))
				then 'one of its exchanges replaces another, or does not, where it cannot be'
				when bool_or(e.position not between 1 and p_conversation.next_position - 1 or e.attempt < 0
					or e.exchange !~ '^[A-Za-z0-9_-]{1,40}$')
				then 'one of its exchanges has no place in it'
				when bool_or(least(e.price, e.tokens_in, e.tokens_cached, e.tokens_out, e.first_ms, e.total_ms,
					e.requests) < 0)
				then 'one of its exchanges has a number below zero'
				when bool_or(not isfinite(e.started_at) or not isfinite(e.ended_at))
				then 'one of its exchanges has a time that cannot be one'
				when bool_or(json_typeof(e.metadata) <> 'object')
				then 'one of its exchanges has metadata that are no object'
				when (
					select bool_or(not isfinite(f.at))
					from json_array_elements(p_exchanges) x
					cross join lateral (
						select x.value -> 'feedback' as said where json_typeof(x.value -> 'feedback') <> 'null') s
					cross join lateral json_populate_record(null::banter_data.feedback, s.said) f)
				then 'the feedback on one of its answers has a time that cannot be one'
			end
			from json_populate_recordset(null::banter_data.exchange, p_exchanges) e)
	end
$$;

comment on function banter_data.conversation_fault(banter_data.conversation, json) is
	'Why a record cannot be a conversation; null: it can.';
