begin;
select plan(3);
select ok(banter.health(), 'well');

set local transaction_read_only = on;
select ok(not banter.health(), 'a transaction that cannot write, as all of a standby''s are');
set local role banter_app;
select ok(not banter.health(), 'the application''s role sees it too');
select * from finish();
rollback;
