begin;
select plan(3);
\ir include/fixture.sql

select pg_temp.turn('d1'), pg_temp.turn('d2'), pg_temp.turn('l', idem => 'k'), pg_temp.turn('f'), pg_temp.turn('r');
select pg_temp.finish('d1'), pg_temp.finish('d2'), pg_temp.finish('l', 'left', 'some'), pg_temp.finish('f', 'failed', '');
update banter_data.exchange set started_at = '2024-03-01 00:30+02' where exchange = 'd1';
update banter_data.exchange set started_at = '2024-03-01 00:30+00' where exchange <> 'd1';
select pg_temp.rows_are($$ select day, exchanges, done, "left", failed, tokens_in, tokens_out, credits from banter_data.usage_day where workspace = 1 order by day $$,
	$$ values ('2024-02-29'::date, 1::bigint, 1::bigint, 0::bigint, 0::bigint, 11::bigint, 7::bigint, 1::bigint),
		('2024-03-01', 4, 1, 1, 1, 33, 21, 2) $$, 'days are in UTC, credits those charged');
select pg_temp.turn('l2', idem => 'k');
select pg_temp.finish('l2');
update banter_data.exchange set started_at = '2024-03-01 00:30+00' where exchange = 'l2';
select pg_temp.rows_are($$ select exchanges, done, "left", credits from banter_data.usage_day where workspace = 1 and day = '2024-03-01' $$,
	$$ values (4::bigint, 2::bigint, 0::bigint, 2::bigint) $$, 'what was replaced counts once');
select is_empty($$ select 1 from banter_data.usage_day where workspace = 2 $$, 'each workspace its own');

select * from finish();
rollback;
