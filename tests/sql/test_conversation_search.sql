begin;
select no_plan();
\ir include/fixture.sql

select pg_temp.turn('x' || n, 'Question ' || n, session => 's') from generate_series(1, 5) n;
select pg_temp.finish('x' || n, answer => 'ANSWER ' || n || ' of 100%') from generate_series(1, 5) n;
select pg_temp.turn('y1', 'ÜBER question', session => 's', key => 'wk-other', workspace => 2);
create function pg_temp.search(needle text, chatbot text, workspace bigint, exchange text, most integer)
returns table (found text, next_workspace bigint, next_exchange text) language sql as $$
	select s.found_in || ': ' || s.excerpt, s.next_workspace, s.next_exchange
	from banter.conversation_search($1, $2, $3, $4, $5) s
$$;

select pg_temp.rows_are($$ select * from pg_temp.search('QUESTION', null, null, null, 2) $$,
	$$ values ('question: Question 5', 1::bigint, 'x5'), ('question: Question 4', 1, 'x4'), (null, 1, 'x4') $$,
	'some of the newest, and where to go on');
select pg_temp.rows_are($$ select * from pg_temp.search('question 1', null, 1, 'x4', 9) $$,
	$$ values ('question: Question 1', 1::bigint, 'x1'), (null, 1, 'x1') $$, 'the rest');
select pg_temp.rows_are($$ select * from pg_temp.search('question', null, 1, 'x1', 9) $$, $$ values (null::text, 2::bigint, null::text) $$,
	'the next workspace');
select pg_temp.rows_are($$ select * from pg_temp.search('über', null, 2, null, 9) $$,
	$$ values ('question: ÜBER question', 2::bigint, 'y1'), (null, 2, 'y1') $$, 'from its newest on');
select pg_temp.rows_are($$ select * from pg_temp.search('x', null, 2, 'y1', 9) $$, $$ values (null::text, 3::bigint, null::text) $$, 'behind the last');
select is_empty($$ select from pg_temp.search('x', null, 3, null, 9) $$, 'no more');
select is_empty($$ select from pg_temp.search('question', '1/bot', 1, 'x1', 9) $$, 'of one chatbot: no more of its workspace');
select is((select count(found) from pg_temp.search('e', '1/other', null, null, 9)), 0::bigint, 'and no other''s');
select pg_temp.rows_are($$ select found from pg_temp.search('3', null, null, null, 9) where found is not null $$,
	$$ values ('question: Question 3'), ('answer: ANSWER 3 of 100%') $$, 'in both');
select is((select count(found) from pg_temp.search('0%', null, null, null, 9)), 5::bigint, 'a sign');
select is((select count(found) from pg_temp.search('A%0', null, null, null, 9)), 0::bigint, 'is itself');
select throws_ok($$ select pg_temp.search('', null, null, null, 9) $$, 'P0001', null, 'nothing is nothing to look for');

select is(banter_data.conversation_excerpt(repeat('a', 50) || E'\n NEEDLE\t' || repeat('b', 100), 'needle'),
	'…' || repeat('a', 18) || ' NEEDLE ' || repeat('b', 29) || '…', 'an excerpt is a line');
select is(banter_data.conversation_excerpt('needle', 'needle'), 'needle', 'and no more than there is');

select * from finish();
rollback;
