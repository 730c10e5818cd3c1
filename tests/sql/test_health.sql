begin;
select plan(1);
select ok(banter.health(), 'well');
select * from finish();
rollback;
