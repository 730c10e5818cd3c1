begin;
select plan(6);
\ir include/tap.sql
select banter.workspace_create(5, 'five', null);
select ok(banter.chatbot_create(5, 'bot', 'Bot', 'Be kind.'), 'made');
select ok(not banter.chatbot_create(5, 'bot', 'Other', 'Be rude.'), 'made once');
select pg_temp.row_is($$ select name, system_prompt, price, stream, active from banter_data.chatbot where workspace = 5 $$,
	row('Bot'::text, 'Be kind.'::text, 1, false, true), 'the second call changes nothing');
select ok(banter.chatbot_create(5, 'plain', 'Plain', null), 'without a prompt');
select throws_ok($$ select banter.chatbot_create(6, 'bot', 'Bot', '') $$, '23503', null, 'in no workspace');
select throws_ok($$ select banter.chatbot_create(5, repeat('x', 41), 'Bot', '') $$, '23514', null, 'an id too long');
select * from finish();
rollback;
