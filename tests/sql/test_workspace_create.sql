begin;
select plan(8);
\ir include/tap.sql
select ok(banter.workspace_create(5, 'five', 100), 'made');
select ok(not banter.workspace_create(5, 'other', 200), 'made once');
select pg_temp.row_is($$ select name, credits, active from banter_data.workspace where workspace = 5 $$, row('five'::text, 100::bigint, true), 'the second call changes nothing');
select pg_temp.rows_are($$ select kind, delta, balance_after from banter_data.ledger where workspace = 5 $$, $$ values ('grant', 100::bigint, 100::bigint) $$, 'its credits are in the ledger, once');
select ok(banter.workspace_create(-6, 'six', null), 'unlimited');
select ok(banter.workspace_create(7, 'seven', 0), 'with nothing');
select is_empty($$ select 1 from banter_data.ledger where workspace in (-6, 7) $$, 'nothing to write down');
select throws_ok($$ select banter.workspace_create(8, 'eight', -1) $$, '23514', null, 'less than nothing');
select * from finish();
rollback;
