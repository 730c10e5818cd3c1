begin;
select no_plan();
\ir include/fixture.sql

select pg_temp.turn('x1', session => 'a'), pg_temp.turn('x2', session => 'b'), pg_temp.turn('x3', session => 'a');
select pg_temp.turn('y1', session => 'a', key => 'wk-other');
select pg_temp.rows_are($$ select conversation, chatbot, session, exchanges from banter.conversation_list(null, null, null, 10) $$,
	$$ values ('y1-c', 'other', 'a', 1::bigint), ('x1-c', 'bot', 'a', 2), ('x2-c', 'bot', 'b', 1) $$, 'the latest first');
select pg_temp.rows_are($$ select conversation from banter.conversation_list('1/bot', null, null, 10) $$,
	$$ values ('x1-c'), ('x2-c') $$, 'of a chatbot');
select pg_temp.rows_are($$ select conversation from banter.conversation_list(null, 'a', null, 10) $$,
	$$ values ('y1-c'), ('x1-c') $$, 'of a session');
select pg_temp.rows_are($$ select conversation from banter.conversation_list('1/bot', 'a', null, 10) $$, $$ values ('x1-c') $$, 'of both');
select pg_temp.rows_are($$ select conversation from banter.conversation_list(null, null, null, 1) $$, $$ values ('y1-c') $$, 'so many');
update banter_data.conversation set last_at = now() - interval '8 days' where conversation = 'x1-c';
select pg_temp.rows_are($$ select conversation from banter.conversation_list(null, null, '7d', 10) $$,
	$$ values ('y1-c'), ('x2-c') $$, 'since an age');
select matches(last_at, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$', 'times are RFC 3339') from banter.conversation_list(null, null, null, 1);

insert into banter_data.visitor (workspace, visitor, chatbot, hash, user_id) values (1, 'v1', 'bot', 'h1', 'anna'), (1, 'v2', 'bot', 'h2', null);
update banter_data.conversation set visitor = case conversation when 'x1-c' then 'v1' else 'v2' end, thread = 'main', session = null where conversation <> 'y1-c';
select pg_temp.rows_are($$ select conversation, session, user_id, visitor, thread from banter.conversation_list(null, null, null, 10) $$,
	$$ values ('y1-c', 'a', null, null, null), ('x2-c', null, null, 'v2', 'main'), ('x1-c', null, 'anna', 'v1', 'main') $$, 'whose each is');
select pg_temp.rows_are($$ select conversation from banter.conversation_list(null, null, null, 10, p_user => 'anna') $$, $$ values ('x1-c') $$, 'a user''s');
select pg_temp.rows_are($$ select conversation from banter.conversation_list(null, null, null, 10, p_visitor => 'v2') $$, $$ values ('x2-c') $$, 'a visitor''s');
select is_empty($$ select conversation from banter.conversation_list('1/other', null, null, 10, p_user => 'anna') $$, 'of another chatbot');

select is(banter_data.conversation_named('x2-c'), 1::bigint, 'an id names its workspace');
select throws_ok($$ select banter_data.conversation_named('x') $$, 'P0001',
	'there is no conversation "x"; see banterctl conversation list', 'or is unknown');

select * from finish();
rollback;
