begin;
select no_plan();
\ir include/fixture.sql

select ok(banter_data.lease_ended(now(), now()), 'when its time is over');
select ok(not banter_data.lease_ended(now() + interval '1 day', now()), 'not while it runs, if it is the longest');
select ok(banter_data.lease_ended(now() + interval '26 hours', now()), 'and where none can end so late');

-- The clock ran a year ahead when these began, and was set right: their workers are dead, their leases were not.
update banter_data.workspace set credits = 1, max_open = 1 where workspace = 1;
update banter_data.ledger set delta = 1, balance_after = 1 where workspace = 1;
select is((select outcome from pg_temp.turn('x1', idem => 'k')), 'started');
update banter_data.exchange set lease_until = lease_until + interval '1 year' where exchange = 'x1';
select is((select open_exchanges from banter.workspace_show('1')), 0::bigint, 'it is open no more');
select is((select lost_exchanges from banter.sweep_due()), 1::bigint, 'a sweep would find it');
select is((select outcome from pg_temp.turn('x2', idem => 'k')), 'started',
	'its place, its credits and its idempotency key are free');
select is(pg_temp.state('x1'), 'lost');
update banter_data.exchange set lease_until = lease_until + interval '1 year' where exchange = 'x2';
select is((select lost from banter.sweep_leases(null)), 1::bigint, 'a sweep gives it up');
select is(pg_temp.state('x2'), 'lost');

select * from finish();
rollback;
