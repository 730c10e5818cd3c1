begin;
select plan(7);
\ir include/fixture.sql

select pg_temp.turn('x', lease => 5);
select ok(banter.lease_renew(1, 'x', 300, 7000), 'renewed');
select ok(lease_until > now() + interval '300 s', 'from now on') from banter_data.exchange where exchange = 'x';
select is(current_setting('synchronous_commit'), 'off', 'without waiting for the disk');
select is(current_setting('lock_timeout'), '7s', 'nor for a lock longer than it is told');
select ok(not banter.lease_renew(2, 'x', 300, 7000), 'not another workspace''s');
select ok(not banter.lease_renew(1, 'none', 300, 7000), 'not an unknown one');
select pg_temp.finish('x');
select ok(not banter.lease_renew(1, 'x', 300, 7000), 'not one that ended');

select * from finish();
rollback;
