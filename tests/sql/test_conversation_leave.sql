-- A request that is refused at last leaves no trace in its conversation, however long that is.
begin;
select plan(7);
\ir include/fixture.sql

select pg_temp.turn('x1');
select pg_temp.finish('x1');
update banter_data.exchange set started_at = now() - interval '1 day' where exchange = 'x1';
insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, started_at, lease_until, ended_at, price,
	answer_id, state, stream, question, answer)
select 1, 'f' || n, 'x1-c', 'bot', 'wk-bot', n, now() - interval '1 day' + n * interval '1 second', now(), now(), 0, 'a', 'done', true, 'q', 'a'
from generate_series(2, 3000) n;
update banter_data.conversation set next_position = 3001, last_at = now() - interval '1 day' + interval '3000 seconds' where conversation = 'x1-c';
update banter_data.workspace set credits = 0 where workspace = 1;

-- Rows that were looked at in this transaction, by whichever index.
create function pg_temp.read() returns numeric language sql as $$
	select sum(pg_stat_get_xact_tuples_returned(c) + pg_stat_get_xact_tuples_fetched(c))
	from (select 'banter_data.exchange'::regclass union select i.indexrelid from pg_index i where i.indrelid = 'banter_data.exchange'::regclass) t (c)
$$;
create temp table before as select pg_temp.read() as rows, c.* from banter_data.conversation c where c.conversation = 'x1-c';
select is((select outcome from pg_temp.turn('n1')), 'no_credit', 'refused');
select cmp_ok(pg_temp.read() - b.rows, '<', 100::numeric, 'it costs what it costs in a short conversation') from before b;
select is(c.next_position, b.next_position, 'its place is free again') from banter_data.conversation c join before b using (conversation);
select is(c.last_at, b.last_at, 'and its last question is who asked last') from banter_data.conversation c join before b using (conversation);

-- A retry in the place of the last one counts; without any it is as old as it was made.
insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, attempt, replaces, started_at, lease_until, ended_at,
	price, answer_id, state, stream, question, answer)
values (1, 'again', 'x1-c', 'bot', 'wk-bot', 3000, 1, 'f3000', now() - interval '1 hour', now(), now(), 0, 'a', 'done', true, 'q', 'a');
select pg_temp.turn('n2');
select is(c.last_at, now() - interval '1 hour', 'a retry in its place') from banter_data.conversation c where c.conversation = 'x1-c';
delete from banter_data.exchange where conversation = 'x1-c';
select pg_temp.turn('n3');
select is(c.last_at, c.created_at, 'none at all') from banter_data.conversation c where c.conversation = 'x1-c';
select is((select outcome from pg_temp.turn('n4', session => 'new')) || (select count(*) from banter_data.conversation where session = 'new'),
	'no_credit0', 'a new one is not made');

select * from finish();
rollback;
