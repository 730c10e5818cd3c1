begin;
select no_plan();
\ir include/fixture.sql
create function pg_temp.go(exchange text, idem text default 'k', body text default 'body', lease integer default 300)
returns text language sql as $$ select outcome from pg_temp.turn($1, idem => $2, body => $3, lease => $4) limit 1 $$;

select is(pg_temp.go('x1'), 'started', 'the first');
select pg_temp.rows_are($$ select outcome, retry_after from pg_temp.turn('x2', idem => 'k') $$, $$ values ('in_progress', 10) $$, 'while it runs');
-- On the whole second, between what was left before and what is left after.
update banter_data.exchange set lease_until = clock_timestamp() + interval '9 s' where exchange = 'x1';
create temp table before as select extract(epoch from lease_until - clock_timestamp()) as s from banter_data.exchange where exchange = 'x1';
create temp table told as select retry_after as s from pg_temp.turn('x2', idem => 'k');
select ok(t.s between ceil(extract(epoch from x.lease_until - clock_timestamp())) and ceil(b.s), 'what is left of its lease')
from told t, before b, banter_data.exchange x where x.exchange = 'x1';
select is(pg_temp.go('x2', body => 'else'), 'key_reused', 'another body while it runs');
select pg_temp.finish('x1');
select pg_temp.rows_are($$ select outcome, conversation, message_id, content, stream from pg_temp.turn('x2', idem => 'k') $$,
	$$ values ('replay', 'x1-c', 'x1-a', 'hi', true) $$, 'done: the same answer');
select is(current_setting('synchronous_commit'), 'on', 'it waits for disk and standby as its storing did');
select is(pg_temp.go('x2', body => 'else'), 'key_reused', 'another body');
select is(pg_temp.go('x2b', idem => 'k2'), 'started', 'another key of theirs is another request');
select is((select outcome from pg_temp.turn('x2c', idem => 'k', key => 'wk-other')), 'started', 'each API key has its own');
select is((select outcome from pg_temp.turn('x2d', idem => 'k', workspace => 2)), 'started', 'each workspace too');
select is(pg_temp.credits(), 7::bigint, 'three were charged');

-- With a workspace key the chatbot is part of it, known or not.
select is((select outcome from pg_temp.turn('b1', kind => 'workspace', chatbot => 'bot', idem => 'b')), 'started');
select is((select outcome from pg_temp.turn('b2', kind => 'workspace', chatbot => 'other', idem => 'b')), 'key_reused', 'another chatbot');
select is((select outcome from pg_temp.turn('b2', kind => 'workspace', chatbot => 'none', idem => 'b')), 'key_reused', 'judged before the chatbot');
select is((select outcome from pg_temp.turn('b2', kind => 'workspace', chatbot => 'none', idem => 'b3')), 'chatbot_not_found', 'refused');
select is((select outcome from pg_temp.turn('b2', kind => 'workspace', chatbot => 'bot', idem => 'b3')), 'started', 'a refused one is not remembered');

-- Failed: runs anew, in its conversation, at a new position.
update banter_data.workspace set credits = 10 where workspace = 1;
select pg_temp.rows_are($$ select outcome, conversation from pg_temp.turn('f1', kind => 'workspace', chatbot => 'bot', idem => 'f') $$, $$ values ('started', 'f1-c') $$);
select pg_temp.finish('f1', 'failed', 'half');
select is(pg_temp.credits(), 10::bigint, 'failed: given back');
select pg_temp.rows_are($$ select outcome, conversation, message_id from pg_temp.turn('f2', kind => 'workspace', chatbot => 'bot', idem => 'f') $$,
	$$ values ('started', 'f1-c', 'f2-a') $$, 'failed: anew, in the conversation the first had made');
select is((select count(*)::integer from banter_data.conversation where conversation in ('f1-c', 'f2-c')), 1, 'no second conversation');
select pg_temp.finish('f2');
select is((select message_id from pg_temp.turn('f3', kind => 'workspace', chatbot => 'bot', idem => 'f')), 'f2-a', 'then that is the answer');
select is(pg_temp.credits(), 9::bigint, 'charged once');

-- Its worker died: in progress until the lease ends, then anew.
select is(pg_temp.go('d1', idem => 'd'), 'started');
select is(pg_temp.credits(), 8::bigint);
select pg_temp.lapse('d1');
select is(pg_temp.go('d2', idem => 'd'), 'started', 'a lapsed one runs anew');
select is(pg_temp.state('d1'), 'lost', 'the first is given up');
select is(pg_temp.credits(), 8::bigint, 'and its reservation given back');
select is(pg_temp.finish('d1'), 'gone', 'and can store no more');
select is(pg_temp.finish('d2'), 'stored', 'the second stores');

-- Left: anew in its place, no second charge.
select is(pg_temp.go('l1', idem => 'l'), 'started');
select pg_temp.finish('l1', 'left', 'part');
select is((select outcome from pg_temp.turn('l9')), 'started', 'meanwhile another');
select pg_temp.finish('l9');
select is(pg_temp.credits(), 6::bigint);
select is(pg_temp.go('l2', idem => 'l'), 'started', 'left: anew');
select is(pg_temp.credits(), 6::bigint, 'left: no second charge');
select pg_temp.rows_are($$ select position from banter_data.exchange where exchange in ('l1', 'l2') group by 1 $$, $$ select position from banter_data.exchange where exchange = 'l1' $$, 'left: in its place');
select is(pg_temp.state('l1'), 'left', 'it stays until the new one ends');
select is(pg_temp.go('l3', idem => 'l'), 'in_progress', 'while the new one runs');
select pg_temp.finish('l2', 'failed', 'x');
select is(pg_temp.credits(), 6::bigint, 'the new one failed: nothing given back');
select is(pg_temp.state('l1'), 'left', 'the new one failed: the left one is as it was');
select is((select price from banter_data.exchange where exchange = 'l1'), 1, 'with its charge');
select is(pg_temp.go('l4', idem => 'l'), 'started', 'and the key leads to it again');
select pg_temp.lapse('l4');
select is(pg_temp.go('l5', idem => 'l'), 'started', 'also when the new one was lost');
select pg_temp.finish('l5', 'left', 'more');
select is(pg_temp.state('l1'), 'replaced', 'left again: the first is replaced');
select is(pg_temp.go('l6', idem => 'l'), 'started', 'and this one in its turn');
select pg_temp.finish('l6', 'done', 'whole');
select pg_temp.rows_are($$ select exchange, state from banter_data.exchange where exchange ~ '^l[1-6]$' order by 1 $$,
	$$ values ('l1', 'replaced'), ('l2', 'failed'), ('l4', 'lost'), ('l5', 'replaced'), ('l6', 'done') $$, 'what became of each');
select is((select sum(price) from banter_data.exchange where exchange ~ '^l[1-6]$' and state in ('done', 'left')), 1::bigint, 'one charge, carried along');
select is(pg_temp.credits(), 6::bigint, 'and no credit moved');
select pg_temp.rows_are($$ select outcome, content from pg_temp.turn('l7', idem => 'l') $$, $$ values ('replay', 'whole') $$, 'then it is done');
select is((select string_agg(content, ' ' order by n) from (select content, row_number() over () n from pg_temp.turn_rows('l8', message => 'q')) t
	where content in ('part', 'more', 'whole', 'x')), 'whole', 'history has the last one only');
update banter_data.workspace set credits = 0 where workspace = 1;
update banter_data.exchange set state = 'left' where exchange = 'l6';
select is(pg_temp.go('l10', idem => 'l'), 'started', 'without a credit left, too');

-- A day later.
update banter_data.workspace set credits = 10 where workspace = 1;
update banter_data.idempotency set created_at = clock_timestamp() - interval '23 h 59 min' where key = 'k';
select is(pg_temp.go('y1'), 'replay', 'remembered for a day');
update banter_data.idempotency set created_at = clock_timestamp() - interval '24 h' where key = 'k';
select is(pg_temp.go('y1', body => 'else'), 'started', 'and forgotten after it');
select is(pg_temp.go('y2', body => 'else'), 'in_progress', 'now it is the new one''s');

-- Erased.
delete from banter_data.conversation where workspace = 1;
select is((select count(*)::integer from banter_data.idempotency where workspace = 1), 0, 'erased with its exchange');
select is(pg_temp.go('z1'), 'started', 'and free again');

select * from finish();
rollback;
