-- What an operator calls a workspace, a chatbot or a key, and how times are said.
begin;
select plan(26);
\ir include/tap.sql
select banter.workspace_create(5, 'Shop', 1), banter.workspace_create(-6, 'Shop', 1), banter.workspace_create(7, '5', 1),
	banter.workspace_create(8, 'a/b', 1);
select banter.chatbot_create(w, 'b' || w, 'Support', '') from unnest(array[5, -6]) w;
select banter.chatbot_create(5, 'x', 'only', ''), banter.chatbot_create(5, 'only', 'Sales', ''), banter.chatbot_create(8, 'z', 'A/B', '');
select banter.key_create(5, 'k1', 'workspace', null, sha256('1'), 'abcd', ''),
	banter.key_create(5, 'k2', 'workspace', null, sha256('2'), 'efgh', ''),
	banter.key_create(-6, 'k3', 'workspace', null, sha256('3'), 'efgh', ''),
	banter.key_create(5, 'k4', 'workspace', null, sha256('4'), '', '');

select is(banter_data.stamp('2025-02-03 04:05:06.789+02'), '2025-02-03T02:05:06Z', 'a time');
select is(banter_data.stamp(null), null, 'no time');

select is(banter_data.workspace_named('5'), 5::bigint, 'its number, though another has it as its name');
select is(banter_data.workspace_named('-6'), -6::bigint, 'a negative number');
select is(banter_data.workspace_named('a/b'), 8::bigint, 'its name');
select throws_ok($$ select banter_data.workspace_named('Shop') $$, 'P0001',
	'2 workspaces have the name "Shop"; say which by its number: 5, -6', 'a name of two');
select throws_ok($$ select banter_data.workspace_named('shop') $$, 'P0001',
	'there is no workspace "shop"; see banterctl workspace list', 'a name is as it was given');
select throws_ok($$ select banter_data.workspace_named('99999999999999999999') $$, 'P0001', null, 'more than a number can be');
select throws_ok($$ select banter_data.workspace_named('9223372036854775808') $$, 'P0001', null, 'just more');
select throws_ok($$ select banter_data.workspace_named('') $$, 'P0001', null, 'nothing');
select throws_ok($$ select banter_data.workspace_named(null) $$, 'P0001', null, 'null');

select pg_temp.row_is($$ select * from banter_data.chatbot_named('b5') $$, row(5::bigint, 'b5'::text), 'a chatbot''s id');
select pg_temp.row_is($$ select * from banter_data.chatbot_named('only') $$, row(5::bigint, 'only'::text), 'an id before a name');
select pg_temp.row_is($$ select * from banter_data.chatbot_named('Sales') $$, row(5::bigint, 'only'::text), 'its name');
select pg_temp.row_is($$ select * from banter_data.chatbot_named('-6/Support') $$, row(-6::bigint, 'b-6'::text), 'workspace and name');
select pg_temp.row_is($$ select * from banter_data.chatbot_named('5/b5') $$, row(5::bigint, 'b5'::text), 'workspace and id');
select pg_temp.row_is($$ select * from banter_data.chatbot_named('5/only') $$, row(5::bigint, 'only'::text), 'workspace and id, before a name');
select pg_temp.row_is($$ select * from banter_data.chatbot_named('A/B') $$, row(8::bigint, 'z'::text), 'a name with a slash');
select throws_ok($$ select * from banter_data.chatbot_named('Support') $$, 'P0001',
	'2 chatbots have the name "Support"; say which by WORKSPACE/CHATBOT: 5/b5, -6/b-6', 'a name of two');
select throws_ok($$ select * from banter_data.chatbot_named('5/Other') $$, 'P0001',
	'there is no chatbot "5/Other"; see banterctl chatbot list', 'none');
select throws_ok($$ select * from banter_data.chatbot_named('Shop/Support') $$, 'P0001', null, 'of one of two workspaces');
select throws_ok($$ select * from banter_data.chatbot_named(null) $$, 'P0001', null, 'null');

select pg_temp.row_is($$ select * from banter_data.key_named('k2') $$, row(5::bigint, 'k2'::text), 'a key''s id');
select pg_temp.row_is($$ select * from banter_data.key_named('abcd') $$, row(5::bigint, 'k1'::text), 'its last four characters');
select throws_ok($$ select * from banter_data.key_named('efgh') $$, 'P0001', '2 keys end in "efgh"; say which by its id: k2, k3', 'those of two');
select throws_ok($$ select * from banter_data.key_named('') $$, 'P0001', 'there is no key ""; see banterctl key list', 'a key without an end is not meant');
select * from finish();
rollback;
