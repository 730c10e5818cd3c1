begin;
select plan(14);
\ir include/tap.sql
select banter.workspace_create(5, 'five', null), banter.chatbot_create(5, 'bot', 'Bot', '');
select ok(banter.key_create(5, 'w', 'widget', 'bot', sha256('w'), 'abcd', 'site'), 'widget');
select ok(banter.key_create(5, 's', 'workspace', null, sha256('s'), 'efgh', null), 'workspace');
select ok(not banter.key_create(5, 's', 'workspace', null, sha256('other'), 'zzzz', null), 'made once');
select pg_temp.row_is($$ select hash, hint, label, active, revoked_at, last_used_at from banter_data.api_key where workspace = 5 and api_key = 's' $$,
	row(sha256('s'), 'efgh'::text, ''::text, true, null::timestamptz, null::timestamptz), 'the second call changes nothing');
select throws_ok($$ select banter.key_create(5, 't', 'workspace', null, sha256('s'), '', '') $$, '23505', null, 'the same key under another id');
select throws_ok($$ select banter.key_create(5, 't', 'widget', null, sha256('t'), '', '') $$, '23514', null, 'a widget key of no chatbot');
select throws_ok($$ select banter.key_create(5, 't', 'workspace', 'bot', sha256('t'), '', '') $$, '23514', null, 'a workspace key of one chatbot');
select throws_ok($$ select banter.key_create(5, 't', 'other', 'bot', sha256('t'), '', '') $$, '23514', null, 'another kind');
select throws_ok($$ select banter.key_create(5, 't', 'workspace', null, 'sk-workspace_plain', '', '') $$, '23514', null, 'a key that was not hashed');
select ok(banter.key_create(5, 'p', 'site', 'bot', sha256('p'), 'ijkl', 'pages', array['https://shop.example']), 'site');
select throws_ok($$ select banter.key_create(5, 't', 'site', null, sha256('t'), '', '', array['https://shop.example']) $$, '23514', null, 'a site key of no chatbot');
select throws_ok($$ select banter.key_create(5, 't', 'site', 'bot', sha256('t'), '', '') $$, '23514', null, 'a site key of no origin');
select throws_ok($$ select banter.key_create(5, 't', 'site', 'bot', sha256('t'), '', '', '{}') $$, '23514', null, 'nor of an empty list');
select throws_ok($$ select banter.key_create(5, 't', 'widget', 'bot', sha256('t'), '', '', array['https://shop.example']) $$, '23514', null, 'a widget key of an origin');
select * from finish();
rollback;
