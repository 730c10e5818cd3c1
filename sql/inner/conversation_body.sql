-- Metadata stay as sent but for line breaks between their members: a record is one line.
create or replace function banter_data.conversation_body(p_format text, p_exchange banter_data.exchange)
returns text
language plpgsql
stable
as $$
declare
	e constant banter_data.exchange := p_exchange;
	v_answer constant text := banter_data.conversation_quote(nullif(e.answer, ''));
begin
	if p_format = 'jsonl' then
		return (
			select row_to_json(b)::text
			from (
				select e.exchange, e.position, e.attempt, e.replaces, e.state, e.api_key, e.answer_id,
					e.request_id, e.model, e.stream, e.price, e.tokens_in, e.tokens_out, e.first_ms,
					e.total_ms, e.finish_reason, e.error,
					banter_data.conversation_time(e.started_at) as started_at,
					banter_data.conversation_time(e.ended_at) as ended_at,
					translate(e.metadata::text, E'\r\n', '  ')::json as metadata,
					e.question, e.answer) b);
	end if;
	return format(E'\n**Question** (%s)\n\n%s\n%s\n%s', banter_data.stamp(e.started_at),
		banter_data.conversation_quote(e.question),
		E'\n**Metadata**\n\n' || banter_data.conversation_quote(e.metadata::text) || E'\n',
		case
			when e.state = 'running' then E'**Answer** (running)\n'
			when v_answer is null then format(E'**No answer** (%s)\n', coalesce(e.error, e.state))
			when e.state = 'done' then format(E'**Answer**\n\n%s\n', v_answer)
			else format(E'**Answer** (%s)\n\n%s\n', e.state, v_answer)
		end);
end
$$;

comment on function banter_data.conversation_body(text, banter_data.exchange) is
	'An exchange in an export: jsonl or markdown.';
