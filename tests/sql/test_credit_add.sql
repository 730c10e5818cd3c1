-- credit_add, and what credits_show and credits_list say.
begin;
select no_plan();
\ir include/fixture.sql

select is(banter.credit_add('metered', 5), '1', 'given');
select is(banter.credit_add('1', -3), '1', 'taken');
select banter.credit_add('1', 0);
select pg_temp.rows_are($$ select kind, delta, balance_after, exchange_id from banter.credits_list('1', 9) $$,
	$$ values ('grant', -3::bigint, 12::bigint, null::text), ('grant', 5, 15, null), ('grant', 10, 10, null) $$, 'the last first; nothing is no entry');
select is((select count(*)::integer from banter.credits_list('1', 2)), 2, 'no more than asked for');
select throws_ok($$ select banter.credit_add('1', -13) $$, 'P0001', 'workspace "1" has 12 credits; it can have from 0 to 1000000000000000', 'never below zero');
select throws_ok($$ select banter.credit_add('1', 999999999999999) $$, 'P0001', null, 'nor more than can be counted');
select throws_ok($$ select banter.credit_add('1', 9223372036854775807) $$, 'P0001',
	'credits must be a whole number from -1000000000000000 to 1000000000000000', 'nor out of numbers');
select throws_ok($$ select banter.credit_add('1', null) $$, 'P0001', null, 'nor null');
select throws_ok($$ select banter.credit_add('unlimited', 1) $$, 'P0001',
	'workspace "unlimited" has no count of credits; banterctl workspace set 2 credits=N begins one', 'an unlimited one');
select throws_ok($$ select banter.credit_add('nobody', 1) $$, 'P0001', null, 'nobody''s');
select is(pg_temp.credits(), 12::bigint, 'refusals change nothing');
select is(pg_temp.ledger(), 12::bigint, 'and the ledger adds up');
select is(banter.credit_add('1', -12), '1', 'all of it');
select is((select outcome from pg_temp.turn('x0')), 'no_credit', 'nothing is left');
select banter.credit_add('1', 12);

update banter_data.chatbot set price = 2 where workspace = 1;
create function pg_temp.shown(p_workspace text) returns text
language sql as $$ select concat_ws(' ', credits, reserved, spent_today, spent_this_month) from banter.credits_show(p_workspace) $$;
select is(pg_temp.shown('1'), '12 0 0 0', 'as it is');
select is((select string_agg(outcome, ' ') from generate_series(1, 4) n, pg_temp.turn('x' || n)), 'started started started started');
select is(pg_temp.shown('1'), '4 8 0 0', 'what runs is reserved, not spent');
select pg_temp.finish('x1'), pg_temp.finish('x2', 'failed', ''), pg_temp.finish('x3', 'left', 'some');
select is(pg_temp.shown('1'), '6 2 4 4', 'done and left are spent, a failed one is not');
select pg_temp.finish('x4');
delete from banter_data.conversation where workspace = 1;
select is(pg_temp.shown('1'), '6 0 6 6', 'what is erased stays spent');
update banter_data.ledger set at = date_trunc('day', clock_timestamp(), 'UTC') - interval '1 microsecond' where exchange = 'x1';
select is((select spent_today from banter.credits_show('1')), 4::bigint, 'days are those of UTC');
update banter_data.ledger set at = date_trunc('month', clock_timestamp(), 'UTC') - interval '1 microsecond' where exchange = 'x1';
select is((select spent_this_month from banter.credits_show('1')), 4::bigint, 'and months');
select pg_temp.rows_are($$ select workspace_id, workspace, credits from banter.credits_show() $$,
	$$ values ('1', 'metered', 6::bigint), ('2', 'unlimited', null) $$, 'of all');
select * from finish();
rollback;
