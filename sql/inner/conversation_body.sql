-- Metadata stay as sent but for line breaks between their members: a record is one line.
create or replace function banter_data.conversation_body(p_format text, p_exchange banter_data.exchange)
returns text
language plpgsql
stable
as $$
declare
	e constant banter_data.exchange := p_exchange;
	f banter_data.feedback;
	v_answer constant text := banter_data.conversation_quote(nullif(e.answer, ''));
	-- What is out of the ordinary.
	v_how constant text := concat_ws('; ',
		case when v_answer is null then coalesce(e.error, e.state) when e.state <> 'done' then e.state end,
		case when e.tries is not null then format('server %s, after %s', e.server, e.tries)
			when e.server <> 'default' then 'server ' || e.server end,
		case when e.finish_reason <> 'stop' then 'finish reason ' || e.finish_reason end);
begin
	select x.* into f from banter_data.feedback x where x.workspace = e.workspace and x.exchange = e.exchange;
	if p_format = 'jsonl' then
		return (
			select row_to_json(b)::text
			from (
				select e.exchange, e.position, e.attempt, e.replaces, e.state, e.api_key, e.answer_id,
					e.request_id, e.model, e.stream, e.price, e.tokens_in, e.tokens_cached, e.tokens_out,
					e.first_ms, e.total_ms, e.finish_reason, e.error, e.server, e.requests, e.tries,
					banter_data.conversation_time(e.started_at) as started_at,
					banter_data.conversation_time(e.ended_at) as ended_at,
					translate(e.metadata::text, E'\r\n', '  ')::json as metadata,
					e.question, e.answer, case when f.at is not null then json_build_object(
						'thumb', f.thumb, 'text', f.text, 'at', banter_data.conversation_time(f.at)) end as feedback) b);
	end if;
	return format(E'\n**Question** (%s)\n\n%s\n%s\n%s%s', banter_data.stamp(e.started_at),
		banter_data.conversation_quote(e.question),
		E'\n**Metadata**\n\n' || banter_data.conversation_quote(e.metadata::text) || E'\n',
		case
			when e.state = 'running' then E'**Answer** (running)\n'
			when v_answer is null then format(E'**No answer** (%s)\n', v_how)
			else format(E'**Answer**%s\n\n%s\n', ' (' || nullif(v_how, '') || ')', v_answer)
		end,
		case when f.at is not null then format(E'\n**Feedback** (%s)\n%s', concat_ws(', ', f.thumb, banter_data.stamp(f.at)),
			E'\n' || banter_data.conversation_quote(f.text) || E'\n') end);
end
$$;

comment on function banter_data.conversation_body(text, banter_data.exchange) is
	'An exchange in an export: jsonl or markdown.';
