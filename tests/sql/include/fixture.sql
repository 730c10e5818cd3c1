-- What the tests start from. Included by each after its begin; the rollback takes it away.
--
-- Workspace 1 has 10 credits, chatbots bot (price 1) and other, the widget key wk of bot and the workspace
-- key sk. Workspace 2 is unlimited and has the same under the same names. A key's hash is that of its id.

\ir tap.sql

select banter.workspace_create(1, 'metered', 10), banter.workspace_create(2, 'unlimited', null);
select banter.chatbot_create(w, b, b, 'You are ' || b || '.'),
	banter.key_create(w, 'wk-' || b, 'widget', b, sha256(('wk-' || b)::bytea), 'xxxx', '')
from generate_series(1, 2) w, unnest(array['bot', 'other']) b;
select banter.key_create(w, 'sk', 'workspace', null, sha256('sk'), 'xxxx', '') from generate_series(1, 2) w;

-- exchange_begin by name, with what most tests want: the widget key of bot, in session s; on a slow machine too. Of the
-- history each message is a row, as a model sees it.
create function pg_temp.turn_rows(
	exchange text, message text default 'hello', kind text default 'widget', chatbot text default null,
	session text default 's', conversation text default null, idem text default null,
	body text default 'body', lease integer default 300, stream boolean default true,
	max_messages integer default 20, max_chars integer default 10000, metadata json default null,
	key text default null, workspace bigint default 1)
returns table (
	outcome text, conversation text, message_id text, limit_max integer, limit_remaining integer,
	limit_reset bigint, retry_after integer, model text, system_prompt text,
	temperature double precision, max_tokens integer, stream boolean, content text,
	servers text, reasoning text, "position" bigint)
language sql as $$
	select t.outcome, b.conversation, b.message_id, b.limit_max, b.limit_remaining, b.limit_reset, b.retry_after, b.model,
		b.system_prompt, b.temperature, b.max_tokens, b.stream, t.content, b.servers, b.reasoning, b.position
	from banter.exchange_begin($15,
		sha256(coalesce($14, case $3 when 'widget' then 'wk-bot' else 'sk' end)::bytea), $3, $4,
		$1, $1 || '-a', $6, $1 || '-c', case $3 when 'widget' then $5 end, $2, $13, $10, $7,
		sha256($8::bytea), $9, $11, $12, $1 || '-r', p_lock_ms => 600000) with ordinality b
	cross join lateral (
		select 1, b.outcome, b.answer where b.outcome <> 'history'
		union all select 1, 'user', b.question where b.outcome = 'history'
		union all select 2, 'assistant', b.answer where b.outcome = 'history') t (n, outcome, content)
	order by b.ordinality, t.n
$$;

-- Its first row alone.
create function pg_temp.turn(
	exchange text, message text default 'hello', kind text default 'widget', chatbot text default null,
	session text default 's', conversation text default null, idem text default null,
	body text default 'body', lease integer default 300, stream boolean default true,
	max_messages integer default 20, max_chars integer default 10000, metadata json default null,
	key text default null, workspace bigint default 1)
returns table (
	outcome text, conversation text, message_id text, limit_max integer, limit_remaining integer,
	limit_reset bigint, retry_after integer, model text, system_prompt text,
	temperature double precision, max_tokens integer, stream boolean, content text,
	servers text, reasoning text, "position" bigint)
language sql as $$
	select * from pg_temp.turn_rows($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) t
	where t.outcome not in ('user', 'assistant')
$$;

create function pg_temp.finish(
	exchange text, state text default 'done', answer text default 'hi', workspace bigint default 1)
returns text language sql as $$
	select banter.exchange_end($4, $1, $2, $3, 'stop', 11, 7, null, 120, 900, 'default', 1, null, 600000)
$$;

create function pg_temp.state(exchange text, workspace bigint default 1) returns text
language sql as $$ select e.state from banter_data.exchange e where e.workspace = $2 and e.exchange = $1 $$;

create function pg_temp.credits(workspace bigint default 1) returns bigint
language sql as $$ select w.credits from banter_data.workspace w where w.workspace = $1 $$;

create function pg_temp.ledger(workspace bigint default 1) returns bigint
language sql as $$ select sum(l.delta)::bigint from banter_data.ledger l where l.workspace = $1 $$;

create function pg_temp.lapse(exchange text, workspace bigint default 1) returns void
language sql as $$
	update banter_data.exchange e set lease_until = clock_timestamp() - interval '1 second'
	where e.workspace = $2 and e.exchange = $1
$$;
