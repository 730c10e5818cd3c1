begin;
select no_plan();
\ir include/fixture.sql

select pg_temp.turn('x1', idem => 'k1'), pg_temp.turn('x2', idem => 'k2'), pg_temp.turn('u1', workspace => 2);
update banter_data.chatbot set rate_limit = 9, rate_window = 3600;
select pg_temp.turn('w1', kind => 'workspace', chatbot => 'bot'), pg_temp.turn('w2', kind => 'workspace', chatbot => 'other');
select is(d::text, '(0,0,0,0,0,0)', 'nothing is due') from banter.sweep_due() d;
select pg_temp.lapse('x1'), pg_temp.lapse('w1'), pg_temp.lapse('u1', 2);
update banter_data.idempotency set created_at = clock_timestamp() - interval '24 hours' where key = 'k1';
update banter_data.rate_window set started_at = clock_timestamp() - interval '1 hour' where chatbot = 'bot';
update banter_data.chatbot set retention_days = 1 where (workspace, chatbot) = (2, 'bot');
update banter_data.conversation set last_at = clock_timestamp() - interval '1 day' where workspace = 2;
select is(d::text, '(3,1,1,1,1,0)', 'all of it is') from banter.sweep_due() d;

select pg_temp.row_is('select * from banter.sweep_leases(null)', row(1::bigint, 2::bigint), 'a workspace');
select is(pg_temp.credits(), 8::bigint, 'gets back');
select is(pg_temp.ledger(), 8::bigint);
select is(pg_temp.state('x2'), 'running', 'what does not run');
select pg_temp.row_is('select * from banter.sweep_leases(1)', row(2::bigint, 1::bigint), 'the next');
select pg_temp.row_is('select * from banter.sweep_leases(2)', row(null::bigint, null::bigint), 'no more');
select is(banter.sweep_keys(9), 1::bigint, 'a key is forgotten');
select is(banter.sweep_keys(9), 0::bigint, 'once');
select is(banter.sweep_windows(9), 1::bigint, 'a window is closed');
select is(banter.sweep_windows(9), 0::bigint, 'once');
select pg_temp.rows_are('select key from banter_data.idempotency', $$ values ('k2') $$, 'the other key is kept');
select pg_temp.rows_are('select chatbot from banter_data.rate_window', $$ values ('other') $$, 'and the other window');
update banter_data.idempotency set created_at = clock_timestamp() - interval '24 hours';
select is(banter.sweep_keys(0), 0::bigint, 'no more than wanted');
select is(d::text, '(0,1,0,1,1,0)', 'the rest is due still') from banter.sweep_due() d;

-- Visitors: of bot three, two of whom are the same user by two keys, and one of other.
create function pg_temp.visitor(visitor text, user_id text default null, chatbot text default 'bot', workspace bigint default 1) returns void language sql as $$
	insert into banter_data.visitor (workspace, visitor, chatbot, hash, user_id) values ($4, $1, $3, sha256($1::bytea), $2)
$$;
create function pg_temp.belongs(conversation text, visitor text, thread text default null) returns void language sql as $$
	update banter_data.conversation c set visitor = $2, thread = $3, session = null where c.conversation = $1
$$;
select pg_temp.visitor('v1'), pg_temp.visitor('v2'), pg_temp.visitor('v3', 'anna'), pg_temp.visitor('u1', workspace => 2), pg_temp.visitor('u2', workspace => 2);
select pg_temp.belongs('w1-c', 'v2');
select is(d.visitors, 4::bigint, 'who has no conversation') from banter.sweep_due() d;
select pg_temp.row_is('select * from banter.sweep_visitors(null, 1)', row(1::bigint, 1::bigint), 'some of a workspace');
select pg_temp.row_is('select * from banter.sweep_visitors(1, 9)', row(1::bigint, 1::bigint), 'the rest of it');
select pg_temp.row_is('select * from banter.sweep_visitors(1, 9)', row(2::bigint, 2::bigint), 'the next');
select pg_temp.row_is('select * from banter.sweep_visitors(2, 9)', row(null::bigint, null::bigint), 'no more');
select pg_temp.rows_are('select visitor from banter_data.visitor', $$ values ('v2') $$, 'who has one stays');

select * from finish();
rollback;
