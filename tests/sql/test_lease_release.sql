begin;
select no_plan();
\ir include/fixture.sql

select pg_temp.turn('x1'), pg_temp.turn('x2'), pg_temp.turn('x3'), pg_temp.turn('u1', workspace => 2);
update banter_data.workspace set credits = 0 where workspace = 1;
insert into banter_data.ledger (workspace, delta, kind, balance_after) values (1, -7, 'grant', 0);
select is((select outcome from pg_temp.turn('x4')), 'no_credit', 'all is reserved by running ones');
select pg_temp.lapse('x1'), pg_temp.lapse('x2'), pg_temp.lapse('u1', 2);
select is((select outcome from pg_temp.turn('x4')), 'started', 'a dead worker''s reservation can be spent');
select is(pg_temp.state('x1') || pg_temp.state('x2') || pg_temp.state('x3'), 'lostlostrunning', 'the lapsed are lost');
select is(pg_temp.credits(), 1::bigint, 'and their reservations returned');
select is(pg_temp.ledger(), 1::bigint, 'the ledger adds up');
select is(pg_temp.state('u1', 2), 'running', 'another workspace''s wait for their own');
select is((select outcome from pg_temp.turn('u2', workspace => 2)), 'started');
select is(pg_temp.state('u1', 2), 'lost', 'which an unlimited one does, too');
select ok(ended_at is not null, 'a lost one has ended') from banter_data.exchange where workspace = 1 and exchange = 'x1';

-- Nobody has released it yet.
select pg_temp.lapse('x3');
select is(pg_temp.finish('x3'), 'stored', 'a lapsed one that nobody gave up is still stored');
select is(pg_temp.finish('x1'), 'gone', 'a released one is not');
select is(pg_temp.credits(), 1::bigint, 'nor charged');

-- A renewal keeps it.
select pg_temp.lapse('x4');
select ok(banter.lease_renew(1, 'x4', 300, 600000), 'a lapsed one that nobody gave up can be renewed');
select is((select outcome from pg_temp.turn('x5')), 'started');
select is(pg_temp.state('x4'), 'running', 'and is kept then');

-- A refused begin releases as well, where it comes so far.
select pg_temp.lapse('x4');
update banter_data.chatbot set price = 5 where workspace = 1;
select is((select outcome from pg_temp.turn('x6')), 'no_credit');
select is(pg_temp.state('x4'), 'lost', 'a refusal for want of credit has looked for lapsed ones');
select is(pg_temp.credits(), 1::bigint, 'and returned theirs');

select * from finish();
rollback;
