-- banter: on a router too
-- One table for checking, refusing and telling. `word` stands for "nothing of its own" and is kept as `meant`.
create or replace function banter_data.setting_rules()
returns table (place integer, what text, setting text, kind text, low bigint, high bigint, word text, meant jsonb)
language sql
immutable
as $$
	values
		(1, 'workspace', 'name', 'name', 1, 200, null, null::jsonb),
		(2, 'workspace', 'credits', 'whole', 0, 1000000000000000, 'unlimited', 'null'),
		(3, 'workspace', 'max_open', 'whole', 1, 1000000000, 'none', 'null'),
		(4, 'workspace', 'max_open_per_key', 'whole', 1, 1000000000, 'none', 'null'),
		(5, 'workspace', 'active', 'yes or no', null, null, null, null),

		(1, 'chatbot', 'name', 'name', 1, 200, null, null),
		(2, 'chatbot', 'system_prompt', 'text', 0, 200000, 'none', '""'),
		(3, 'chatbot', 'client_system', 'yes or no', null, null, 'none', 'null'),
		(4, 'chatbot', 'model', 'name', 1, 200, 'none', 'null'),
		(5, 'chatbot', 'servers', 'names', 1, 16, 'none', 'null'),
		(6, 'chatbot', 'reasoning', 'remove, keep or begins', null, null, 'none', '"remove"'),
		(7, 'chatbot', 'temperature', 'number', 0, 2, 'none', 'null'),
		(8, 'chatbot', 'max_tokens', 'whole', 1, 1000000000, 'none', 'null'),
		(9, 'chatbot', 'history_messages', 'whole', 0, 1000000000, 'none', 'null'),
		(10, 'chatbot', 'history_chars', 'whole', 0, 1000000000, 'none', 'null'),
		(11, 'chatbot', 'stream', 'yes or no', null, null, 'none', 'false'),
		(12, 'chatbot', 'price', 'whole', 0, 1000000000, 'none', '1'),
		(13, 'chatbot', 'rate_limit', 'whole', 0, 1000000000, 'none', 'null'),
		(14, 'chatbot', 'rate_window', 'whole', 1, 31536000, 'none', '60'),
		(15, 'chatbot', 'visitor_exchanges', 'whole', 1, 1000000000, 'none', 'null'),
		(16, 'chatbot', 'visitor_credits', 'whole', 1, 1000000000, 'none', 'null'),
		(17, 'chatbot', 'on_leave', 'stop or finish', null, null, 'none', 'null'),
		(18, 'chatbot', 'detached_time', 'whole', 1, 86400, 'none', 'null'),
		(19, 'chatbot', 'on_repeat', 'refuse or attach', null, null, 'none', 'null'),
		(20, 'chatbot', 'retention_days', 'whole', 1, 36500, 'none', 'null'),
		(21, 'chatbot', 'active', 'yes or no', null, null, null, null),

		(1, 'key', 'label', 'name', 0, 200, 'none', '""'),
		(2, 'key', 'active', 'yes or no', null, null, null, null),
		(3, 'key', 'origins', 'origins', 1, 16, null, null)
$$;

comment on function banter_data.setting_rules() is
	'What the operator can set, and to what: a whole number or number from low to high, a name or text of so many characters, so many names or origins.';
