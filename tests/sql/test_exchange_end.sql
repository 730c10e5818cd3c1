begin;
select no_plan();
\ir include/fixture.sql

select pg_temp.turn('d'), pg_temp.turn('l'), pg_temp.turn('e'), pg_temp.turn('f'), pg_temp.turn('n');
select is(banter.exchange_end(1, 'd', 'done', 'hi', 'length', 11, 7, null, 120, 900, 'b', 2, 'a 503', 7000, 9), 'stored', 'done');
select is(current_setting('synchronous_commit'), 'on', 'what is told as stored is on the disk');
select is(current_setting('lock_timeout'), '7s', 'locks are waited for as long as it is told');
select pg_temp.row_is($$ select state, answer, finish_reason, tokens_in, tokens_out, first_ms, total_ms, price, chars, ended_at > started_at, error,
		server, requests::integer, tries, tokens_cached
	from banter_data.exchange where exchange = 'd' $$,
	row('done'::text, 'hi'::text, 'length'::text, 11, 7, 120, 900, 1, 7, true, null::text, 'b'::text, 2, 'a 503'::text, 9), 'and written');
select is(pg_temp.finish('d'), 'already', 'sent twice');
select is(pg_temp.finish('d', 'left'), 'gone', 'another end is too late');
select is(pg_temp.finish('d', 'failed', ''), 'gone', 'so is a failure');
select is(pg_temp.credits(), 5::bigint, 'and gives nothing back');
select is((select answer from banter_data.exchange where exchange = 'd'), 'hi', 'and changes nothing');

select is(pg_temp.finish('l', 'left', 'so far'), 'stored', 'left with text');
select is(pg_temp.state('l'), 'left');
select is(pg_temp.finish('l', 'left', 'so far'), 'already', 'sent twice');
select is(pg_temp.finish('e', 'left', ''), 'stored', 'left without text');
select is(pg_temp.state('e'), 'failed', 'is a failure');
select is(pg_temp.finish('e', 'left', ''), 'already', 'sent twice');
select is(pg_temp.finish('n', 'left', null), 'stored', 'left with nothing');
select is(pg_temp.state('n'), 'failed', 'is a failure');
select is(banter.exchange_end(1, 'f', 'failed', 'half', null, 1, 2, 'cut', 3, 4, null, 0, null, 600000), 'stored', 'failed');
select is(current_setting('synchronous_commit'), 'off', 'a failure keeps nobody waiting for the disk');
select pg_temp.row_is($$ select state, answer, error, tokens_out, server, requests::integer, tries from banter_data.exchange where exchange = 'f' $$,
	row('failed'::text, 'half'::text, 'cut'::text, 2, null::text, 0, null::text), 'its text is kept as partial');
select is(pg_temp.finish('f', 'failed', 'half'), 'already', 'sent twice');
select is(pg_temp.credits(), 8::bigint, 'three gave theirs back, once each');
select is(pg_temp.ledger(), 8::bigint, 'the ledger adds up');

select is(pg_temp.finish('none'), 'gone', 'unknown');
select is(pg_temp.finish('d', workspace => 2), 'gone', 'another workspace''s');
select pg_temp.turn('g');
delete from banter_data.conversation where workspace = 1;
select is(pg_temp.finish('g'), 'gone', 'erased');

select pg_temp.turn('s1'), pg_temp.turn('s2');
select throws_ok($$ select pg_temp.finish('s1', 'over') $$, '22023', null, 'no such end');
select throws_ok($$ select pg_temp.finish('s1', null) $$, '22023', null, 'no end');
select throws_ok($$ select pg_temp.finish('s1', 'done', '') $$, '23514', null, 'done without text is the caller''s mistake');
set local synchronous_commit = remote_apply;
select is(pg_temp.finish('s1'), 'stored');
select is(current_setting('synchronous_commit'), 'remote_apply', 'a stronger promise of the server''s is kept');
set local synchronous_commit = remote_write;
select is(pg_temp.finish('s2'), 'stored');
select is(current_setting('synchronous_commit'), 'on', 'a weaker one is not');

select * from finish();
rollback;
