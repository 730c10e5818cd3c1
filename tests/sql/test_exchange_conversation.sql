begin;
select no_plan();
\ir include/fixture.sql

select is((select conversation from pg_temp.turn('x1', session => 's')), 'x1-c', 'a session''s first message makes its conversation');
select is((select conversation from pg_temp.turn('x2', session => 's')), 'x1-c', 'the next is in it');
select is((select conversation from pg_temp.turn('x3', session => 't')), 'x3-c', 'another session has its own');
select is((select conversation from pg_temp.turn('x4', session => 's', key => 'wk-other')), 'x4-c', 'so has the same name with another chatbot');
select is((select conversation from pg_temp.turn('x5', session => 's', workspace => 2)), 'x5-c', 'and in another workspace');
select is((select conversation from pg_temp.turn('x6', session => 'u', conversation => 'x1-c')), 'x6-c', 'a widget key cannot name one by its id');
select is((select conversation from pg_temp.turn('y1', kind => 'workspace', chatbot => 'bot')), 'y1-c', 'a workspace key gets a new one');
select is((select conversation from pg_temp.turn('y2', kind => 'workspace', chatbot => 'bot')), 'y2-c', 'and another');
select is((select conversation from pg_temp.turn('y3', kind => 'workspace', chatbot => 'bot', conversation => 'y1-c')), 'y1-c', 'or the one it names');
select pg_temp.rows_are($$ select exchange, position from banter_data.exchange where workspace = 1 order by 1 $$,
	$$ values ('x1', 1::bigint), ('x2', 2), ('x3', 1), ('x4', 1), ('x6', 1), ('y1', 1), ('y2', 1), ('y3', 2) $$, 'positions count within each');
select ok(c.last_at > c.created_at, 'last_at moves') from banter_data.conversation c where c.workspace = 1 and c.conversation = 'x1-c';
select throws_ok($$ insert into banter_data.exchange
	(workspace, exchange, conversation, chatbot, api_key, position, lease_until, price, answer_id, stream, question)
	values (1, 'z', 'x1-c', 'bot', 'wk-bot', 2, now(), 0, 'z', true, 'q') $$, '23505', null, 'no two share a position');

select lives_ok('delete from banter_data.workspace where workspace = 1', 'erasing a workspace erases all of it');
select is((select count(*)::integer from banter_data.exchange where workspace = 1), 0, 'nothing is left of it');
select is((select count(*)::integer from banter_data.exchange where workspace = 2), 1, 'and others keep theirs');

select * from finish();
rollback;
