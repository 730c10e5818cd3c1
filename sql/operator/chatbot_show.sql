create or replace function banter.chatbot_show(p_chatbot text)
returns table (
	chatbot_id text, name text, workspace_id text, workspace text, active boolean, model text,
	servers text, reasoning text, temperature double precision, max_tokens integer, history_messages integer,
	history_chars integer, stream boolean, price integer, rate_limit integer, rate_window integer,
	visitor_exchanges integer, visitor_credits integer, visitors_today text,
	retention_days integer, keys bigint, conversations bigint, created_at text, client_system boolean,
	on_leave text, detached_time integer, on_repeat text, system_prompt text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_which record := banter_data.chatbot_named(p_chatbot);
begin
	return query
		select c.chatbot, c.name, w.workspace::text, w.name, c.active, c.model,
			array_to_string(c.servers, ','), c.reasoning, c.temperature, c.max_tokens, c.history_messages,
			c.history_chars, c.stream, c.price, c.rate_limit, c.rate_window,
			c.visitor_exchanges, c.visitor_credits,
			(select concat_ws(', ',
					d.exchanges || coalesce(' of ' || d.most_exchanges, '') || ' exchanges',
					d.credits || coalesce(' of ' || d.most_credits, '') || ' credits')
				from banter_data.visitor_day d
				where d.workspace = c.workspace and d.chatbot = c.chatbot
					and d.day = (clock_timestamp() at time zone 'UTC')::date),
			c.retention_days,
			(select count(*) from banter_data.api_key k
				where k.workspace = c.workspace and k.chatbot = c.chatbot and k.revoked_at is null),
			(select count(*) from banter_data.conversation v
				where v.workspace = c.workspace and v.chatbot = c.chatbot),
			banter_data.stamp(c.created_at), c.client_system,
			coalesce(c.on_leave, 'stop'), coalesce(c.detached_time, 60), coalesce(c.on_repeat, 'refuse'), c.system_prompt
		from banter_data.chatbot c
		join banter_data.workspace w on w.workspace = c.workspace
		where c.workspace = v_which.workspace and c.chatbot = v_which.chatbot;
end
$$;

comment on function banter.chatbot_show(text) is 'For the operator. One chatbot: its settings, and what it has.';
