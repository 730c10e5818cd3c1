begin;
select no_plan();
\ir include/fixture.sql

-- As the workers of schema version 4 call it.
select pg_temp.turn('d'), pg_temp.turn('f'), pg_temp.turn('n');
select is(banter.turn_close(1, 'd', 'done', 'hi', 'length', 11, 7, null, 120, 900, 'b', 2, 'a 503', 7000), 'stored', 'done');
select is(current_setting('lock_timeout'), '7s', 'locks are waited for as long as it is told');
select pg_temp.row_is($$ select state, answer, finish_reason, tokens_in, tokens_out, first_ms, total_ms, price, error, server, requests, tries
	from banter_data.exchange where exchange = 'd' $$,
	row('done'::text, 'hi'::text, 'length'::text, 11, 7, 120, 900, 1, null::text, 'b'::text, 2::smallint, 'a 503'::text), 'each value in its place');
select is(banter.turn_close(1, 'd', 'done', 'hi', 'length', 11, 7, null, 120, 900, 'b', 2, 'a 503', 7000), 'already', 'sent twice');
select is(banter.turn_close(1, 'f', 'failed', 'half', null, 1, 2, 'cut', 3, 4, 'b', 2, 'a 503', 7000), 'stored', 'failed');
select pg_temp.row_is($$ select state, answer, error, tokens_out from banter_data.exchange where exchange = 'f' $$,
	row('failed'::text, 'half'::text, 'cut'::text, 2), 'with its cause');
select is(banter.turn_close(1, 'none', 'done', 'hi', 'stop', 1, 1, null, 1, 1, 'b', 2, 'a 503', 7000), 'gone', 'unknown');
select throws_ok($$ select banter.turn_close(1, 'n', 'over', 'hi', 'stop', 1, 1, null, 1, 1, 'b', 2, 'a 503', 7000) $$, '22023', null, 'no such end');

select * from finish();
rollback;
