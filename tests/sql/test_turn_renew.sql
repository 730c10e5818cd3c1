begin;
select plan(6);
\ir include/fixture.sql

select pg_temp.turn('x', lease => 5);
select ok(banter.turn_renew(1, 'x', 300), 'renewed');
select ok(lease_until > now() + interval '300 s', 'from now on') from banter_data.exchange where exchange = 'x';
select is(current_setting('synchronous_commit'), 'off', 'without waiting for the disk');
select ok(not banter.turn_renew(2, 'x', 300), 'not another workspace''s');
select ok(not banter.turn_renew(1, 'none', 300), 'not an unknown one');
select pg_temp.finish('x');
select ok(not banter.turn_renew(1, 'x', 300), 'not one that ended');

select * from finish();
rollback;
