begin;
select no_plan();
\ir include/fixture.sql

-- As the workers of the release before call it.
select pg_temp.turn('x', lease => 5);
set local lock_timeout = '2min';
select ok(banter.turn_renew(1, 'x', 300), 'renewed');
select is(current_setting('lock_timeout'), '2min', 'locks are waited for as long as the caller says');
select ok(lease_until > now() + interval '300 s', 'from now on') from banter_data.exchange where exchange = 'x';
select is(current_setting('synchronous_commit'), 'off', 'without waiting for the disk');
select ok(not banter.turn_renew(2, 'x', 300), 'not another workspace''s');
select pg_temp.finish('x');
select ok(not banter.turn_renew(1, 'x', 300), 'not one that ended');

select * from finish();
rollback;
