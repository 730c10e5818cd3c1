begin;
select no_plan();
\ir include/fixture.sql

create function pg_temp.erase(
	conversations text default null, chatbot text default null, session text default null, metadata text default null,
	age text default null, retention boolean default false)
returns table (conversations bigint, exchanges bigint, next_conversation text) language sql as $$
	select e.conversations, e.exchanges, e.next_conversation
	from banter.conversation_erase($1, $2, $3, $4, $5, $6, null, null, 100) e
$$;
create function pg_temp.counted(
	conversations text default null, chatbot text default null, session text default null, metadata text default null,
	age text default null, retention boolean default false)
returns text language sql as $$
	select (c.conversations, c.exchanges, c.running)::text
	from banter.conversation_erase_count($1, $2, $3, $4, $5, $6) c
$$;

-- What is chosen.
select pg_temp.turn('a1', session => 'a', idem => 'k1'), pg_temp.turn('a2', session => 'a'), pg_temp.turn('b1', session => 'b');
select pg_temp.turn('c1', kind => 'workspace', chatbot => 'bot', metadata => '{"user":"zoë","n":7,"n":8,"x":[7]}');
select pg_temp.turn('o1', session => 'a', key => 'wk-other'), pg_temp.turn('u1', session => 'a', workspace => 2);
select pg_temp.finish('a1'), pg_temp.finish('b1'), pg_temp.finish('c1');
select is(pg_temp.counted('a1-c'), '(1,2,1)', 'an id');
select throws_ok($$ select pg_temp.counted('') $$, 'P0001', null, 'an empty id is none: a script that lost it must hear so');
select is(pg_temp.counted(E'a1-c\nb1-c'), '(2,3,1)', 'two ids');
select throws_ok($$ select pg_temp.counted(E'a1-c\nnone') $$, 'P0001', null, 'one of which is unknown');
select is(pg_temp.counted(chatbot => '1/bot', session => 'a'), '(1,2,1)', 'a session');
select is(pg_temp.counted(chatbot => '1/bot', metadata => m), n, 'metadata ' || m)
from (values ('user=zoë', '(1,1,0)'), ('n=7', '(1,1,0)'), ('n=8', '(1,1,0)'), ('user=zo', '(0,0,0)'), ('x=[7]', '(0,0,0)'),
	('n', '(0,0,0)'), ('=7', '(0,0,0)')) v (m, n);
select is(pg_temp.counted(chatbot => '1/other', metadata => 'user=zoë'), '(0,0,0)', 'of another chatbot');
select throws_ok($$ select pg_temp.counted() $$, 'P0001', 'nothing says which conversations', 'nothing said chooses nothing');
select throws_ok($$ select pg_temp.erase(session => 'a') $$, 'P0001', 'nothing says which conversations', 'nor does a session alone');
update banter_data.conversation set last_at = now() - interval '9 days' where conversation in ('b1-c', 'o1-c', 'u1-c');
select is(pg_temp.counted(age => '8d'), '(3,3,2)', 'an age');
select is(pg_temp.counted(age => '8d', chatbot => '1/bot'), '(1,1,0)', 'of a chatbot');
select is(pg_temp.counted(retention => true), '(0,0,0)', 'nobody has a retention');
update banter_data.chatbot set retention_days = 9 where (workspace, chatbot) in ((1, 'bot'), (2, 'bot'));
select is(pg_temp.counted(retention => true), '(2,2,1)', 'two have, and no others go');

-- What goes.
select is(pg_temp.credits(), 5::bigint, 'five are taken');
select pg_temp.rows_are($$ select * from pg_temp.erase('a1-c') $$, $$ values (1::bigint, 2::bigint, null::text) $$, 'a conversation goes');
select is_empty($$ select from banter_data.exchange where conversation = 'a1-c' $$, 'its exchanges with it');
select is_empty($$ select from banter_data.idempotency $$, 'and its idempotency keys');
select is(pg_temp.credits(), 6::bigint, 'what ran is given back, what was done is not');
select is(pg_temp.ledger(), 6::bigint, 'the ledger adds up');
select is((select string_agg(kind, ' ' order by entry) from banter_data.ledger where exchange in ('a1', 'a2')),
	'reserve reserve release', 'and stays');
select is(pg_temp.finish('a2'), 'gone', 'the worker is told');
select is(pg_temp.credits(), 6::bigint, 'and takes nothing');
select pg_temp.rows_are($$ select * from pg_temp.erase('a1-c') $$, $$ values (0::bigint, 0::bigint, null::text) $$, 'twice is nothing');
select pg_temp.rows_are($$ select * from pg_temp.erase(retention => true) $$, $$ values (2::bigint, 2::bigint, null::text) $$, 'by retention');
select pg_temp.rows_are($$ select conversation from banter_data.conversation order by 1 $$, $$ values ('c1-c'), ('o1-c') $$, 'the others are there');

-- In steps.
select pg_temp.turn('s' || n, session => 's' || n, workspace => 2) from generate_series(1, 5) n;
select pg_temp.rows_are($$ select * from banter.conversation_erase(null, null, null, null, '0d', false, null, null, 2) $$,
	$$ values (2::bigint, 2::bigint, 1::bigint, 'o1-c') $$, 'some');
select pg_temp.rows_are($$ select * from banter.conversation_erase(null, null, null, null, '0d', false, 1, 'o1-c', 2) $$,
	$$ values (2::bigint, 2::bigint, 2::bigint, 's2-c') $$, 'the next');
select pg_temp.rows_are($$ select * from banter.conversation_erase(null, null, null, null, '0d', false, 2, 's2-c', 4) $$,
	$$ values (3::bigint, 3::bigint, null::bigint, null::text) $$, 'and the rest');
select is(pg_temp.credits(), pg_temp.ledger(), 'the ledger adds up');

-- Visitors: of bot three, two of whom are the same user by two keys, and one of other.
create function pg_temp.visitor(visitor text, user_id text default null, chatbot text default 'bot', workspace bigint default 1) returns void language sql as $$
	insert into banter_data.visitor (workspace, visitor, chatbot, hash, user_id) values ($4, $1, $3, sha256($1::bytea), $2)
$$;
create function pg_temp.belongs(conversation text, visitor text, thread text default null) returns void language sql as $$
	update banter_data.conversation c set visitor = $2, thread = $3, session = null where c.conversation = $1
$$;
delete from banter_data.conversation;
select pg_temp.turn('p' || n, session => 'p' || n) from generate_series(1, 6) n;
select pg_temp.turn('q1', session => 'q', key => 'wk-other');
select pg_temp.visitor('v1'), pg_temp.visitor('v2', 'anna'), pg_temp.visitor('v3', 'anna'), pg_temp.visitor('v4', 'anna', 'other'), pg_temp.visitor('v5', 'anna', workspace => 2);
select pg_temp.belongs('p1-c', 'v1'), pg_temp.belongs('p2-c', 'v1'), pg_temp.belongs('p3-c', 'v2'), pg_temp.belongs('p4-c', 'v3'), pg_temp.belongs('p5-c', 'v3'), pg_temp.belongs('q1-c', 'v4');
create function pg_temp.erase_visitors(visitor text, user_id text default null, chatbot text default null, most integer default 100)
returns table (conversations bigint, next_conversation text) language sql as $$
	select e.conversations, e.next_conversation from banter.conversation_erase(null, $3, null, null, null, false, null, null, $4, $1, $2) e
$$;
select is((select (c.conversations, c.exchanges, c.running)::text from banter.conversation_erase_count(null, b, null, null, null, false, v, u) c), n, concat_ws(' ', b, v, u))
from (values (null, 'v1', null, '(2,2,2)'), ('1/bot', null, 'anna', '(3,3,3)'), ('1/other', null, 'anna', '(1,1,1)'), (null, 'none', null, '(0,0,0)'),
	('1/bot', null, 'otto', '(0,0,0)'), ('1/other', 'v1', null, '(0,0,0)')) t (b, v, u, n);
select throws_ok($$ select banter.conversation_erase_count(null, null, null, null, null, false, null, 'anna') $$, 'P0001', 'nothing says which conversations', 'a user is a chatbot''s');
select pg_temp.rows_are($$ select * from pg_temp.erase_visitors('v1') $$, $$ values (2::bigint, null::text) $$, 'a visitor goes');
select pg_temp.rows_are($$ select * from pg_temp.erase_visitors(null, 'anna', '1/bot', 2) $$, $$ values (2::bigint, 'p4-c') $$, 'a user, in steps');
select pg_temp.rows_are('select visitor from banter_data.visitor order by 1', $$ values ('v2'), ('v3'), ('v4'), ('v5') $$, 'who is there until all has gone');
select pg_temp.rows_are($$ select * from pg_temp.erase_visitors(null, 'anna', '1/bot', 2) $$, $$ values (1::bigint, null::text) $$, 'the rest');
select pg_temp.rows_are('select visitor from banter_data.visitor order by 1', $$ values ('v4'), ('v5') $$, 'another chatbot''s user of that name stays');
select pg_temp.rows_are('select conversation from banter_data.conversation order by 1', $$ values ('p6-c'), ('q1-c') $$, 'and nobody else''s conversation goes');

select * from finish();
rollback;
