-- Workspaces, chatbots and keys as the operator makes, changes, lists and revokes them.
begin;
select no_plan();
\ir include/fixture.sql

-- Workspaces.
select is(banter.workspace_new(5, 'five', '{"credits":"7","max_open":"2"}'), '5', 'made');
select pg_temp.row_is($$ select * from banter.workspace_show('five') $$, row('5'::text, 'five'::text, true, 7::bigint, 2, null::integer,
	0::bigint, 0::bigint, 0::bigint, 0::bigint, (select banter_data.stamp(created_at) from banter_data.workspace where workspace = 5)), 'with its settings');
select is(banter.workspace_new(5, 'five', '{"credits":"7","max_open":"2"}'), '5', 'asked twice for the same one');
select is(pg_temp.ledger(5), 7::bigint, 'its credits are booked once');
select throws_ok($$ select banter.workspace_new(6, '', '{}') $$, 'P0001', null, 'a workspace needs a name');
select throws_ok($$ select banter.workspace_new(6, 'six', '{"max_open":"0"}') $$, 'P0001', null, 'one wrong setting');
select is((select count(*)::integer from banter_data.workspace where workspace = 6), 0, 'and nothing is made');

select is(banter.workspace_set('five', '{"name":"5 is its name","credits":"10"}'), '5');
select throws_ok($$ select banter.workspace_set('5', '{"name":"x","max_open":"-1"}') $$, 'P0001', null, 'one wrong setting');
select is((select name from banter_data.workspace where workspace = 5), '5 is its name', 'and nothing is changed');
select pg_temp.rows_are($$ select kind, delta, balance_after from banter_data.ledger where workspace = 5 order by entry $$,
	$$ values ('grant', 7::bigint, 7::bigint), ('grant', 3, 10) $$, 'more credits are a grant of the difference');
select banter.workspace_set('5', '{"credits":"10"}'), banter.workspace_set('5', '{"active":"no"}');
select is((select count(*)::integer from banter_data.ledger where workspace = 5), 2, 'no difference is no entry');
select banter.workspace_set('5', '{"credits":"4"}');
select is(pg_temp.ledger(5), 4::bigint, 'less are one, too');
select banter.workspace_set('5', '{"credits":"unlimited"}');
select is(pg_temp.ledger(5), 0::bigint, 'an unlimited workspace''s ledger comes to nothing');
select banter.workspace_set('5', '{"credits":"6"}');
select is(pg_temp.ledger(5), pg_temp.credits(5), 'and begins again');
select pg_temp.rows_are($$ select workspace_id, credits, chatbots, keys from banter.workspace_list() $$,
	$$ values ('5', 6::bigint, 0::bigint, 0::bigint), ('1', 10, 2, 3), ('2', null, 2, 3) $$, 'by name');
select is((select question from banter.workspace_question('metered')),
	'revoke workspace "metered" with 2 chatbots and 3 keys? all of them get 401 until active=yes');
select is((select outcome from pg_temp.turn('q1')), 'started');
select pg_temp.row_is($$ select conversations, open_exchanges from banter.workspace_show('1') $$, row(1::bigint, 1::bigint), 'what runs');
select pg_temp.lapse('q1');
select pg_temp.row_is($$ select conversations, open_exchanges from banter.workspace_show('1') $$, row(1::bigint, 0::bigint), 'a lapsed one does not');
select banter.workspace_set('1', '{"active":"no"}');
select is((select outcome from pg_temp.turn('q2')), 'unauthorized', 'a revoked workspace');
select banter.workspace_set('1', '{"active":"yes"}');
select is((select outcome from pg_temp.turn('q3')), 'started', 'and back');

-- Chatbots.
select is(banter.chatbot_new('five', 'n', 'N', '{}'), '5/n', 'made') from banter.workspace_set('5', '{"name":"five"}');
select throws_ok($$ select banter.chatbot_new('five', 'm', 'M', '{"price":"x"}') $$, 'P0001', null, 'one wrong setting');
select throws_ok($$ select banter.chatbot_new('six', 'm', 'M', '{}') $$, 'P0001', null, 'of no workspace');
select is((select count(*)::integer from banter_data.chatbot where chatbot = 'm'), 0, 'nothing is made');
select is(banter.chatbot_set('five/N', '{"name":"O","system_prompt":"Be\nkind.","model":"m","temperature":"0.5","max_tokens":"9","servers":"b,default","reasoning":"keep",
	"history_messages":"0","history_chars":"8","stream":"yes","price":"3","rate_limit":"4","rate_window":"5","visitor_exchanges":"7","visitor_credits":"8","on_leave":"finish","detached_time":"9","on_repeat":"attach","retention_days":"6","active":"no"}'), '5/n');
select pg_temp.row_is($$ select name, system_prompt, model, temperature, max_tokens, history_messages, history_chars, stream, price, rate_limit,
	rate_window, visitor_exchanges, visitor_credits, retention_days, active, servers, reasoning, on_leave, detached_time, on_repeat from banter.chatbot_show('n') $$,
	row('O'::text, E'Be\nkind.'::text, 'm'::text, 0.5::float8, 9, 0, 8, true, 3, 4, 5, 7, 8, 6, false, 'b,default'::text, 'keep'::text, 'finish'::text, 9, 'attach'::text), 'every setting');
select banter.chatbot_set('n', '{"system_prompt":"none","model":"none","temperature":"none","max_tokens":"none","servers":"none","reasoning":"none","history_messages":"none",
	"history_chars":"none","stream":"none","price":"none","rate_limit":"none","rate_window":"none","visitor_exchanges":"none","visitor_credits":"none","on_leave":"none","detached_time":"none","on_repeat":"none","retention_days":"none"}');
select pg_temp.row_is($$ select name, active from banter.chatbot_show('n') $$, row('O'::text, false), 'others stay');
select banter.chatbot_create(5, 'fresh', 'O', '');
select is_empty($$ select to_jsonb(c) - '{chatbot,active,created_at}'::text[] from banter_data.chatbot c where c.chatbot = 'n'
	except select to_jsonb(c) - '{chatbot,active,created_at}'::text[] from banter_data.chatbot c where c.chatbot = 'fresh' $$, 'none is what a new one has');
select pg_temp.rows_are($$ select chatbot_id, name, workspace, workspace_id, servers, reasoning from banter.chatbot_list('five') order by 1 $$,
	$$ values ('fresh', 'O', 'five', '5', null::text, 'remove'), ('n', 'O', 'five', '5', null, 'remove') $$, 'of one workspace');
select is((select count(*)::integer from banter.chatbot_list()), 6, 'of all');
select is((select question from banter.chatbot_question('1/bot')),
	'revoke chatbot "bot" of workspace "metered"? nobody can ask it until active=yes');

-- Keys.
select pg_temp.row_is($$ select * from banter.key_place('1/bot', null) $$, row(1::bigint, 'bot'::text), 'a widget key''s place');
select pg_temp.row_is($$ select * from banter.key_place(null, 'metered') $$, row(1::bigint, null::text), 'a workspace key''s');
select banter.key_create(5, 'k5', 'workspace', null, sha256('k5'), 'k5k5', 'first');
select is(banter.key_set('k5k5', '{"label":"second","active":"no"}'), 'k5', 'changed');
select pg_temp.row_is($$ select label, active, kind, workspace, chatbot, ends_in, revoked_at from banter.key_show('k5') $$,
	row('second'::text, false, 'workspace'::text, 'five'::text, null::text, 'k5k5'::text, null::text), 'and shown');
select banter.key_set('k5', '{"active":"yes"}');
select ok((select active from banter.key_show('k5')), 'back');
select is((select question from banter.key_question('k5')),
	'revoke the workspace key "second" that ends in k5k5, of workspace "five"? it gets 401 for good');
select banter.key_set('k5', '{"label":"none"}');
select is((select question from banter.key_question('k5')),
	'revoke the workspace key that ends in k5k5, of workspace "five"? it gets 401 for good', 'without a label');
select is(banter.key_revoke('k5'), 'k5', 'revoked');
select is(banter.key_revoke('k5'), 'k5', 'twice is once');
select ok((select not active and revoked_at is not null from banter.key_show('k5')), 'shown so');
select throws_ok($$ select banter.key_set('k5', '{"active":"yes"}') $$, 'P0001',
	'key "k5" was revoked, which is final; make a new one with banterctl key create', 'for good');
select is(banter.key_set('k5', '{"label":"the lost one"}'), 'k5', 'its label may still be changed');
select is((select keys from banter.workspace_show('five')), 0::bigint, 'and it does not count');
select pg_temp.rows_are($$ select key_id, active from banter.key_list('five') $$, $$ values ('k5', false) $$, 'it is listed');
select is((select count(*)::integer from banter.key_list()), 7, 'of all');
select throws_ok($$ select banter.key_set('k5', '{"origins":"https://shop.example"}') $$, 'P0001',
	'key "k5" is a workspace key: only a site key has origins');
select banter.key_create(5, 'p5', 'site', 'n', sha256('p5'), 'p5p5', 'pages', array['https://shop.example']);
select is(banter.key_set('p5', '{"origins":"https://a.example,http://[::1]:3000,capacitor://localhost"}'), 'p5');
select is((select origins from banter.key_show('p5')), 'https://a.example,http://[::1]:3000,capacitor://localhost', 'origins are shown');
select is((select question from banter.key_question('p5')),
	'revoke the site key "pages" that ends in p5p5, of chatbot "O"? it gets 401 for good');
select ok(banter.settings_refusal('key', json_build_object('origins', o), null) like 'origins must be 1 to 16 origins as browsers send them%',
	'no browser sends ' || o)
from unnest(array['', 'null', '*', 'shop.example', 'https://shop.example/', 'https://Shop.example', 'https://shop.example:443',
	'http://shop.example:80', 'https://a.example,', 'https://a.example, https://b.example', 'https://a.example,https://a.example',
	'https://*.example', 'https://u@a.example']) o;
select throws_ok($$ select banter.key_show('wk-bot') $$, 'P0001', null, 'two workspaces have that id');
select * from finish();
rollback;
