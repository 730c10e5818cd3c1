begin;
select no_plan();
\ir include/fixture.sql

select banter.key_create(1, 'pk', 'site', 'bot', sha256('pk'), 'xxxx', '', array['https://a.example']);
create function pg_temp.said(exchange text, token text, minted boolean, session text default 's') returns text language sql as $$
	select b.outcome from banter.visit_begin(1, sha256('pk'), 'https://a.example', sha256($2::bytea), $3, null, null, null, $1 || '-v',
		$1, $1 || '-a', $1 || '-c', $4, 'question of ' || $1, true, null, null, 300, 20, 10000, 'r', 0, 0, 0, 0, 600000) b
	where b.outcome <> 'history'
$$;
create function pg_temp.hear(conversation text, kind text default 'widget', key text default 'wk-bot', session text default 's',
	token text default null, origin text default null, message text default null, good boolean default true,
	chatbot text default null, named text default null)
returns table (outcome text, told text) language sql as $$
	select s.outcome, concat_ws(' ', s.exchange, s.conversation, s.message_id, s.state, s.answer)
	from banter.talk_stream(1, sha256($3::bytea), $2, $9, $4, $6, sha256($5::bytea), null, null, null, $1, $10, $7, $8) s
$$;

-- What runs in a conversation: the latest. Nothing is written.
select pg_temp.rows_are($$ select * from pg_temp.hear('none') $$, $$ values ('conversation_not_found', '') $$, 'no such conversation');
select is((select outcome from pg_temp.turn(x, session => 's')), 'started') from unnest(array['x1', 'x2']) x;
select is((select outcome from pg_temp.turn('y1', session => 'other')), 'started');
create temp table before as select to_jsonb(e) as held from banter_data.exchange e;
select pg_temp.rows_are($$ select * from pg_temp.hear('x1-c') $$, $$ values ('found', 'x2 x1-c x2-a running') $$, 'the latest');
select pg_temp.rows_are($$ select * from pg_temp.hear('x1-c', message => 'x1-a') $$, $$ values ('found', 'x1 x1-c x1-a running') $$, 'the one that is named');
select is((select outcome from pg_temp.hear('x1-c', message => m)), 'conversation_not_found', m) from unnest(array['y1-a', 'none', '']) m;
select is_empty($$ select to_jsonb(e) from banter_data.exchange e except select held from before $$, 'nothing is written');
select is(pg_temp.finish('x2', 'done', 'all of it'), 'stored');
select pg_temp.rows_are($$ select * from pg_temp.hear('x1-c') $$, $$ values ('found', 'x1 x1-c x1-a running') $$, 'what still runs');
select pg_temp.rows_are($$ select * from pg_temp.hear('x1-c', message => 'x2-a') $$,
	$$ values ('found', 'x2 x1-c x2-a done all of it') $$, 'what has ended, where it is named');
select pg_temp.lapse('x1');
select pg_temp.rows_are($$ select * from pg_temp.hear('x1-c') $$, $$ values ('found', '') $$, 'what a dead worker left runs no more');
select pg_temp.rows_are($$ select * from pg_temp.hear('x1-c', message => 'x1-a') $$, $$ values ('found', 'x1 x1-c x1-a lost') $$, 'it is lost');

-- What became of one.
select is((select outcome from pg_temp.turn('r1', session => 'r', idem => 'k')), 'started');
select pg_temp.rows_are($$ select outcome, message_id from pg_temp.turn('r0', session => 'r', idem => 'k') $$,
	$$ values ('in_progress', 'r1-a') $$, 'the same again is told which it is');
select is(pg_temp.finish('r1', 'left', 'half'), 'stored');
select is((select outcome from pg_temp.turn('r2', session => 'r', idem => 'k')), 'started');
select is(pg_temp.finish('r2', 'done', 'whole'), 'stored');
select pg_temp.rows_are($$ select a.exchange, a.state, a.answer, a.attaches from unnest(array['r1-a', 'r2-a', 'none']) m
	cross join lateral banter.talk_answer(1, 'r1-c', m) a order by 1 $$,
	$$ values ('r1', 'left', 'half', false), ('r2', 'done', 'whole', false) $$, 'one that another took the place of was left');
select is_empty($$ select * from banter.talk_answer(2, 'r1-c', 'r2-a') $$, 'of its workspace');
select is_empty($$ select * from banter.talk_answer(1, 'x1-c', 'r2-a') $$, 'and conversation');
select banter.chatbot_set('metered/bot', '{"on_repeat":"attach"}');
select ok(a.attaches) from banter.talk_answer(1, 'r1-c', 'r2-a') a;

-- Whose.
select is(pg_temp.said('v1', 't', true), 'started');
select is(pg_temp.said('v2', 'u', true), 'started');
select is((select outcome from pg_temp.hear(c)), 'conversation_not_found', c) from unnest(array['y1-c', 'v1-c', 'none', '']) c;
select is((select outcome from pg_temp.hear('x1-c', session => null)), 'bad_request', 'no session');
select is((select outcome from pg_temp.hear('x1-c', good => false)), 'bad_request', 'a number that is none');
select is((select outcome from pg_temp.hear('x1-c', key => 'none', good => false)), 'unauthorized', 'the key comes first');
select is((select outcome from pg_temp.hear('v1-c', 'site', 'pk', null, 't', 'https://evil.example')), 'forbidden');
select is((select outcome from pg_temp.hear('v1-c', 'site', 'pk', null, t)), w, coalesce(t, 'no token'))
from (values (null, 'visitor_unknown'), ('none', 'visitor_unknown'), ('u', 'conversation_not_found')) t (t, w);
select pg_temp.rows_are($$ select * from pg_temp.hear('v1-c', 'site', 'pk', null, 't') $$, $$ values ('found', 'v1 v1-c v1-a running') $$, 'their own');
select pg_temp.rows_are($$ select * from pg_temp.hear('y1-c', 'workspace', 'sk', null, chatbot => 'bot') $$,
	$$ values ('found', 'y1 y1-c y1-a running') $$, 'a workspace key''s chatbot''s');

-- As its client calls it: one's own alone, and one that is none yet has nothing that runs.
select pg_temp.rows_are($$ select * from pg_temp.hear(null, session => 'other', named => 'other') $$, $$ values ('found', 'y1 y1-c y1-a running') $$);
select pg_temp.rows_are($$ select * from pg_temp.hear(null, 'site', 'pk', null, 't', named => 's') $$, $$ values ('found', 'v1 v1-c v1-a running') $$);
select pg_temp.rows_are($$ select * from pg_temp.hear(null, 'site', 'pk', null, 'u', named => 's') $$, $$ values ('found', 'v2 v2-c v2-a running') $$);
select is((select told from pg_temp.hear(null, 'site', 'pk', null, 't', named => n)), '', n) from unnest(array['other', 'none', '']) n;
select is((select told from pg_temp.hear(null, 'workspace', 'sk', null, chatbot => 'bot', named => n)), '', n) from unnest(array['other', 's', 'none']) n;
update banter_data.conversation set session = '/mine' where workspace = 1 and conversation = 'y1-c';
select is((select told from pg_temp.hear(null, 'workspace', 'sk', null, chatbot => 'bot', named => 'mine')), 'y1 y1-c y1-a running');

-- No window counts it, and none refuses it.
update banter_data.chatbot set rate_limit = 1, rate_window = 1000 where workspace = 1 and chatbot = 'bot';
select is((select outcome from pg_temp.hear('y1-c', 'workspace', 'sk', null, chatbot => 'bot')), 'found') from generate_series(1, 3);
select is((select count(*)::integer from banter_data.rate_window where workspace = 1 and chatbot = 'bot'), 0);

-- What leaving means.
select is(banter.exchange_leave(1, 'y1'), 0, 'it ends');
select banter.chatbot_set('metered/bot', '{"on_leave":"finish"}');
select is(banter.exchange_leave(1, 'y1'), 60, 'it goes on for a minute');
select banter.chatbot_set('metered/bot', '{"detached_time":"7"}');
select is(banter.exchange_leave(1, 'y1'), 7);
select is(banter.exchange_leave(w, x), null) from (values (2, 'y1'), (1, 'none')) t (w, x);
select banter.chatbot_set('metered/bot', '{"on_leave":"stop"}');
select is(banter.exchange_leave(1, 'y1'), 0);

select * from finish();
rollback;
