begin;
select no_plan();
\ir include/fixture.sql

select is(pg_temp.ledger(), 10::bigint, 'a grant is in the ledger');
update banter_data.chatbot set price = 4 where workspace = 1 and chatbot = 'bot';
select is((select outcome from pg_temp.turn('x1')), 'started');
select is((select outcome from pg_temp.turn('x2')), 'started');
select is(pg_temp.credits(), 2::bigint, 'two are reserved');
select is((select outcome from pg_temp.turn('x3')), 'no_credit', 'the third is more than there is');
select is(pg_temp.credits(), 2::bigint, 'and takes nothing');
select pg_temp.rows_are($$ select kind, delta, balance_after, exchange from banter_data.ledger where workspace = 1 order by entry $$,
	$$ values ('grant', 10::bigint, 10::bigint, null::text), ('reserve', -4, 6, 'x1'), ('reserve', -4, 2, 'x2') $$, 'the ledger says so');
select pg_temp.finish('x1', 'failed', '');
select is(pg_temp.credits(), 6::bigint, 'a failed one gives back');
select is((select outcome from pg_temp.turn('x4')), 'started', 'which can be spent again');
select pg_temp.finish('x4');
select pg_temp.finish('x2', 'left', 'some');
select is(pg_temp.credits(), 2::bigint, 'done and left are charged');
select is(pg_temp.ledger(), pg_temp.credits(), 'the ledger adds up');

-- The price is the one at its start.
select is((select outcome from pg_temp.turn('o1', key => 'wk-other')), 'started');
update banter_data.chatbot set price = 9 where workspace = 1;
select pg_temp.finish('o1', 'failed', '');
select is(pg_temp.credits(), 2::bigint, 'given back is what was taken');

-- Unlimited.
select is((select outcome from pg_temp.turn('u1', workspace => 2)), 'started');
select pg_temp.finish('u1', 'failed', '', 2);
select is((select count(*)::integer from banter_data.ledger where workspace = 2), 0, 'an unlimited workspace has no ledger');
select is(pg_temp.credits(2), null, 'and stays unlimited');
select is((select outcome from pg_temp.turn('u2', workspace => 2)), 'started');
update banter_data.workspace set credits = 5 where workspace = 2;
select pg_temp.finish('u2', 'failed', '', 2);
select is(pg_temp.credits(2), 5::bigint, 'what was started for nothing gives nothing back');
update banter_data.workspace set credits = null where workspace = 1;
update banter_data.chatbot set price = 1;
select throws_ok('update banter_data.workspace set credits = -1', '23514', null, 'never below zero');

select * from finish();
rollback;
