begin;
select no_plan();
\ir include/fixture.sql

select banter.key_create(1, 'pk', 'site', 'bot', sha256('pk'), 'xxxx', '', array['https://a.example']);
create function pg_temp.said(exchange text, token text, minted boolean, session text default 's') returns text language sql as $$
	select b.outcome from banter.visit_begin(1, sha256('pk'), 'https://a.example', sha256($2::bytea), $3, null, null, null, $1 || '-v',
		$1, $1 || '-a', $1 || '-c', $4, 'question of ' || $1, true, null, null, 300, 20, 10000, 'r', 0, 0, 0, 0, 600000) b
	where b.outcome <> 'history'
$$;
create function pg_temp.messages(conversation text, token text default 't', kind text default 'site', key text default 'pk',
	session text default null, origin text default null, before bigint default null, most integer default 10)
returns table (outcome text, body json) language sql as $$
	select m.outcome, m.body::json from banter.messages_read(1, sha256($4::bytea), $3, $5, $6, sha256($2::bytea), null, null, null, $1, $7, $8) m
$$;
create function pg_temp.talks(token text default 't', kind text default 'site', key text default 'pk', session text default null,
	origin text default null)
returns table (outcome text, body json) language sql as $$
	select m.outcome, m.body::json from banter.talks_list(1, sha256($3::bytea), $2, $4, $5, sha256($1::bytea), null, null, null, 10) m
$$;
-- Of a body: role, text, status.
create function pg_temp.shown(body json) returns text language sql as $$
	select string_agg(concat_ws(' ', left(m->>'role', 1), m->>'text', m->>'status', m->>'finishReason'), ', ' order by n)
	from json_array_elements(body->'messages') with ordinality e (m, n)
$$;

select is(pg_temp.said('x1', 't', true), 'started');
select is((select pg_temp.shown(body) from pg_temp.messages('x1-c')), 'u question of x1, a  running', 'one that runs');
select is(pg_temp.finish('x1', answer => 'one'), 'stored');
select is(pg_temp.said('x2', 't', false), 'started');
select is(pg_temp.finish('x2', 'failed', 'half'), 'stored');
select is(pg_temp.said('x3', 't', false), 'started');
select is(pg_temp.finish('x3', 'left', 'three'), 'stored');
select is((select pg_temp.shown(body) from pg_temp.messages('x1-c')),
	'u question of x1, a one done stop, u question of x2, a half failed stop, u question of x3, a three left stop', 'how each ended');
select is((select body->>'before' from pg_temp.messages('x1-c')), null, 'there is nothing before');
select is((select pg_temp.shown(body) || '; ' || (body->>'before') from pg_temp.messages('x1-c', most => 2)),
	'u question of x2, a half failed stop, u question of x3, a three left stop; 2', 'the latest');
select is((select pg_temp.shown(body) || coalesce(body->>'before', '') from pg_temp.messages('x1-c', most => 2, before => 2)),
	'u question of x1, a one done stop', 'those before');
select is((select body::text from pg_temp.messages('x1-c', before => 1)), '{"messages" : [], "before" : null}', 'none are left');
select is((select body->'messages'->1->>'id' from pg_temp.messages('x1-c')), 'x1-a', 'an answer''s id is its message''s');

-- Whose.
select is(pg_temp.said('y1', 'u', true), 'started');
select is((select outcome from pg_temp.turn('w1', session => 's')), 'started');
select is((select outcome from pg_temp.turn('w2', session => 'other')), 'started');
select is((select outcome from pg_temp.messages(c)), 'conversation_not_found', 'a visitor, of ' || c)
from unnest(array['y1-c', 'w1-c', 'none', '']) c;
select is((select outcome from pg_temp.messages(c, kind => 'widget', key => 'wk-bot', session => 's')),
	case c when 'w1-c' then 'found' else 'conversation_not_found' end, 'a widget key''s session, of ' || c)
from unnest(array['w1-c', 'w2-c', 'x1-c', 'none']) c;
select is((select outcome from pg_temp.messages('w1-c', kind => 'widget', key => 'wk-other', session => 's')), 'conversation_not_found', 'another chatbot''s');
select is((select outcome from pg_temp.messages('w1-c', kind => 'widget', key => 'wk-bot')), 'bad_request', 'no session');
select is((select outcome from pg_temp.messages('w1-c', kind => k, key => h, session => 's')), 'unauthorized', k || ' ' || h)
from (values ('widget', 'pk'), ('widget', 'sk'), ('site', 'wk-bot'), ('site', 'sk'), ('workspace', 'sk'), ('widget', 'none')) t (k, h);
select is((select outcome from pg_temp.messages('x1-c', token => 'none')), 'visitor_unknown');
select is((select outcome from pg_temp.messages('x1-c', token => null)), 'visitor_unknown', 'no token');
select is((select outcome from pg_temp.messages('x1-c', origin => 'https://evil.example')), 'forbidden');
select is((select outcome from pg_temp.messages('x1-c', origin => 'https://a.example')), 'found');

-- Lists.
select is(pg_temp.said('x5', 't', false, 'second'), 'started');
select is((select string_agg(c->>'id' || ' ' || (c->>'sessionId'), ', ' order by c->>'id') from pg_temp.talks(), json_array_elements(body->'conversations') c),
	'x1-c s, x5-c second', 'a visitor''s own');
select is((select string_agg(c->>'id', ', ') from pg_temp.talks(kind => 'widget', key => 'wk-bot', session => 's'), json_array_elements(body->'conversations') c),
	'w1-c', 'a widget key''s one named session');
select is((select body::text from pg_temp.talks(kind => 'widget', key => 'wk-bot', session => 'none')), '{"conversations" : []}', 'that is not there');
select is((select outcome from pg_temp.talks(kind => 'widget', key => 'wk-bot')), 'bad_request');
select is((select outcome from pg_temp.talks(token => 'none')), 'visitor_unknown');

-- Erasing.
create function pg_temp.erase(conversation text, token text default 't', kind text default 'site', key text default 'pk',
	origin text default 'https://a.example', session text default null)
returns text language sql as $$
	select m.outcome from banter.talk_delete(1, sha256($4::bytea), $3, $6, $5, sha256($2::bytea), null, null, null, $1, 600000) m
$$;
create temp view others as select e.exchange, e.state from banter_data.exchange e where e.conversation <> 'x5-c' order by 1;
create temp table had as select * from others;
select is(pg_temp.erase('x5-c', origin => o), 'forbidden', coalesce(o, 'no origin')) from unnest(array[null, 'https://evil.example']) o;
select is(pg_temp.erase(c), 'conversation_not_found', c) from unnest(array['y1-c', 'w1-c', 'none', '']) c;
select is(pg_temp.erase('x5-c', token => 'u'), 'conversation_not_found', 'another visitor');
select is(pg_temp.erase('x5-c', token => null), 'visitor_unknown');
select is(pg_temp.erase('w1-c', kind => 'widget', key => 'wk-bot', session => 's'), 'forbidden', 'a widget key erases nothing');
select is(pg_temp.erase('x1-c', kind => 'workspace', key => 'sk'), 'unauthorized');
select is((select count(*)::integer from banter_data.conversation where conversation = 'x5-c'), 1, 'it is still there');
select is(pg_temp.erase('x5-c'), 'found', 'their own, though it runs');
select is(pg_temp.erase('x5-c'), 'conversation_not_found', 'it is gone');
select is(pg_temp.finish('x5'), 'gone', 'and so is what ran in it');
select pg_temp.rows_are('select * from others', 'select * from had', 'nothing else is');
select is(pg_temp.ledger(), pg_temp.credits(), 'its credits are back in the book');

select * from finish();
rollback;
