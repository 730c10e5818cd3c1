-- Writes nothing and waits for no lock: one whose worker is dead is told as such once its lease is over.
create or replace function banter.talk_answer(p_workspace bigint, p_conversation text, p_message text)
returns table (
	exchange text, conversation text, message_id text, state text, answer text, finish_reason text,
	tokens_in integer, tokens_out integer, attaches boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
	return query
		select e.exchange, e.conversation, e.answer_id, case
				when e.state = 'replaced' then 'left'
				when e.state = 'running' and banter_data.lease_ended(e.lease_until, clock_timestamp()) then 'lost'
				else e.state end,
			e.answer, e.finish_reason, e.tokens_in, e.tokens_out, c.on_repeat is not distinct from 'attach'
		from banter_data.exchange e
		join banter_data.chatbot c on c.workspace = e.workspace and c.chatbot = e.chatbot
		where e.conversation = p_conversation and e.workspace = p_workspace
			and case
				when p_message is null then e.ended_at is null
					and not banter_data.lease_ended(e.lease_until, clock_timestamp())
				else e.answer_id = p_message end
		order by e.position desc, e.attempt desc
		limit 1;
end
$$;

comment on function banter.talk_answer(bigint, text, text) is
	'One answer of a conversation, the one of that id or (null) the latest that runs, and what became of it: running, done, left, failed or lost. No row: there is none. attaches: its chatbot lets who asks the same again hear it.';
