begin;
select no_plan();
\ir include/fixture.sql

create function pg_temp.judge(max_open integer, max_open_per_key integer, api_key text default 'sk') returns boolean
language sql as $$ select banter_data.open_judge(2, $3, $1, $2) $$;

select ok(pg_temp.judge(null, null) and pg_temp.judge(1, null) and pg_temp.judge(null, 1) and pg_temp.judge(1, 1), 'nothing is open');
select pg_temp.turn('a', kind => 'workspace', chatbot => 'bot', workspace => 2),
	pg_temp.turn('b', kind => 'workspace', chatbot => 'other', workspace => 2), pg_temp.turn('c', workspace => 2);
select ok(pg_temp.judge(null, null), 'no cap');
select ok(not pg_temp.judge(3, null), 'three are open in the workspace');
select ok(pg_temp.judge(4, null), 'a fourth would fit');
select ok(not pg_temp.judge(null, 2), 'two are open with the key');
select ok(pg_temp.judge(null, 3), 'a third would fit');
select ok(pg_temp.judge(null, 2, 'wk-bot'), 'another key counts its own');
select ok(not pg_temp.judge(3, 9, 'wk-bot'), 'both must fit');
select ok(not pg_temp.judge(9, 2), 'each');
select ok(banter_data.open_judge(1, 'sk', 1, 1), 'another workspace counts its own');
select pg_temp.finish('a', workspace => 2);
select ok(pg_temp.judge(3, 2), 'what has ended is not open');
select pg_temp.lapse('b', 2);
select ok(pg_temp.judge(2, 1), 'nor what has lapsed');

-- Within exchange_begin.
create function pg_temp.capped(exchange text, most integer, per_key integer, key text default 'sk', idem text default null) returns text
language sql as $$
	select outcome || coalesce(' ' || retry_after, '') || coalesce(' ' || limit_remaining, '') from banter.exchange_begin(
		2, sha256($4::bytea), 'workspace', 'bot', $1, $1 || '-a', null, $1 || '-c', null, 'hello', null, true, $5,
		sha256('body'), 300, 20, 10000, 'r', $2, $3, p_lock_ms => 600000) where outcome not in ('user', 'assistant')
$$;
select is(pg_temp.capped('d', 1, 0), 'full 1', 'the workspace is full');
select is(pg_temp.capped('d', 0, 0), 'started', 'zero is no cap');
select is(pg_temp.capped('d', 1, 1), 'started', 'sent again it keeps its place');
select is(pg_temp.capped('e', 0, 1, idem => 'k'), 'full 1', 'the key has no place left');
select is((select count(*)::integer from banter_data.exchange where exchange = 'e'), 0, 'no exchange');
select is((select count(*)::integer from banter_data.conversation where conversation = 'e-c'), 0, 'no conversation');
select is((select count(*)::integer from banter_data.idempotency), 0, 'no key remembered');
update banter_data.workspace set max_open = 9, max_open_per_key = 9 where workspace = 2;
select is(pg_temp.capped('e', 1, 1), 'started', 'the workspace''s own caps go before the server''s');
update banter_data.workspace set max_open = 1 where workspace = 2;
select is(pg_temp.capped('f', 0, 0), 'full 1', 'and hold without any');
update banter_data.chatbot set rate_limit = 5 where workspace = 2;
select is(pg_temp.capped('f', 0, 0), 'full 1 5', 'the window is told, and not used up');
select is(pg_temp.capped('f', 0, 0, key => 'nobody'), 'unauthorized', 'the key is judged first');

select * from finish();
rollback;
