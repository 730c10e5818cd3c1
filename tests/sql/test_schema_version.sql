begin;
select plan(1);
select is(banter.schema_version(), 7, 'the version of these functions');
select * from finish();
rollback;
