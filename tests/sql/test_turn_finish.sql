begin;
select no_plan();
\ir include/fixture.sql

-- As the workers of the release before call it: what they wait for is said beside it, in the same statement.
select pg_temp.turn('d'), pg_temp.turn('f'), pg_temp.turn('n');
select is(banter.turn_finish(1, 'd', 'done', 'hi', 'length', 11, 7, null, 120, 900), 'stored', 'done')
from set_config('lock_timeout', '7001', true);
select is(current_setting('lock_timeout'), '7001ms', 'locks are waited for as long as the caller says');
select is(current_setting('synchronous_commit'), 'on', 'what is told as stored is on the disk');
select pg_temp.row_is($$ select state, answer, finish_reason, tokens_in, tokens_out, first_ms, total_ms, price, error
	from banter_data.exchange where exchange = 'd' $$,
	row('done'::text, 'hi'::text, 'length'::text, 11, 7, 120, 900, 1, null::text), 'each value in its place');
set local lock_timeout = 0;
select is(banter.turn_finish(1, 'd', 'done', 'hi', 'length', 11, 7, null, 120, 900), 'already', 'sent twice');
select is(current_setting('lock_timeout'), '0', 'for ever, if the caller says nothing');
select is(banter.turn_finish(1, 'f', 'failed', 'half', null, 1, 2, 'cut', 3, 4), 'stored', 'failed');
select pg_temp.row_is($$ select state, answer, error, tokens_out from banter_data.exchange where exchange = 'f' $$,
	row('failed'::text, 'half'::text, 'cut'::text, 2), 'with its cause');
select is(banter.turn_finish(1, 'none', 'done', 'hi', 'stop', 1, 1, null, 1, 1), 'gone', 'unknown');
select throws_ok($$ select banter.turn_finish(1, 'n', 'over', 'hi', 'stop', 1, 1, null, 1, 1) $$, '22023', null, 'no such end');

select * from finish();
rollback;
