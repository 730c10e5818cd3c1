create or replace function banter.chatbot_set(p_chatbot text, p_changes json)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_read constant jsonb := banter_data.settings_read('chatbot', p_changes);
	v_which record := banter_data.chatbot_named(p_chatbot);
	v banter_data.chatbot;
begin
	select * into v
	from banter_data.chatbot c
	where c.workspace = v_which.workspace and c.chatbot = v_which.chatbot
	for no key update;
	if not found then -- deleted meanwhile: as if we came now
		return banter.chatbot_set(p_chatbot, p_changes);
	end if;
	v := jsonb_populate_record(v, v_read);

	update banter_data.chatbot c
	set name = v.name, system_prompt = v.system_prompt, client_system = v.client_system, model = v.model, servers = v.servers,
		reasoning = v.reasoning, temperature = v.temperature,
		max_tokens = v.max_tokens, history_messages = v.history_messages, history_chars = v.history_chars,
		stream = v.stream, price = v.price, rate_limit = v.rate_limit, rate_window = v.rate_window,
		visitor_exchanges = v.visitor_exchanges, visitor_credits = v.visitor_credits,
		on_leave = v.on_leave, detached_time = v.detached_time, on_repeat = v.on_repeat,
		retention_days = v.retention_days, active = v.active
	where c.workspace = v_which.workspace and c.chatbot = v_which.chatbot;
	return v_which.workspace || '/' || v_which.chatbot;
end
$$;

comment on function banter.chatbot_set(text, json) is
	'For the operator. Changes settings of a chatbot, all or none; WORKSPACE/CHATBOT, its exact name.';
