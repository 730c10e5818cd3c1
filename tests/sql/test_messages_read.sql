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
	session text default null, origin text default null, before text default null, most integer default 10, chatbot text default null)
returns table (outcome text, body json) language sql as $$
	select m.outcome, m.body::json from banter.messages_read(1, sha256($4::bytea), $3, $9, $5, $6, sha256($2::bytea), null, null, null, $1, $7, $8) m
$$;
create function pg_temp.talks(token text default 't', kind text default 'site', key text default 'pk', session text default null,
	origin text default null, before text default null, most integer default 10, chatbot text default null)
returns table (outcome text, body json) language sql as $$
	select m.outcome, m.body::json from banter.talks_list(1, sha256($3::bytea), $2, $8, $4, $5, sha256($1::bytea), null, null, null, $6, $7) m
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
select is((select pg_temp.shown(body) || coalesce(body->>'before', '') from pg_temp.messages('x1-c', most => 2, before => '2')),
	'u question of x1, a one done stop', 'those before');
select is((select body::text from pg_temp.messages('x1-c', before => '1')), '{"messages" : [], "before" : null}', 'none are left');
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
from (values ('widget', 'pk'), ('widget', 'sk'), ('site', 'wk-bot'), ('site', 'sk'), ('workspace', 'wk-bot'), ('workspace', 'pk'), ('workspace', 'none'), ('widget', 'none')) t (k, h);
select is((select outcome from pg_temp.messages('x1-c', before => b)), 'bad_request', b) from unnest(array['', '0', '-1', 'x', '1x', '9999999999999999999']) b;
select is((select outcome from pg_temp.messages('x1-c', token => 'none', before => 'x')), 'visitor_unknown', 'the visitor is judged first');
select is((select outcome from pg_temp.messages('x1-c', token => 'none')), 'visitor_unknown');
select is((select outcome from pg_temp.messages('x1-c', token => null)), 'visitor_unknown', 'no token');
select is((select outcome from pg_temp.messages('x1-c', origin => 'https://evil.example')), 'forbidden');
select is((select outcome from pg_temp.messages('x1-c', origin => 'https://a.example')), 'found');

-- By the name that its client has for it.
create function pg_temp.named(session text, token text default 't', kind text default 'site', key text default 'pk', chatbot text default null)
returns text language sql as $$
	select concat_ws(': ', m.outcome, pg_temp.shown(m.body)) from pg_temp.messages(null, $2, $3, $4, $1, chatbot => $5) m
$$;
select is(pg_temp.named('s', 'u'), 'found: u question of y1, a  running', 'a visitor''s own');
select is(pg_temp.named('none'), 'found', 'that is not there');
select is(pg_temp.named('other'), 'found', 'a widget key''s');
select is(pg_temp.named('s', kind => 'widget', key => 'wk-bot'), 'found: u hello, a  running', 'a widget key''s session');
select is(pg_temp.named('s', kind => 'widget', key => 'wk-other'), 'found', 'another chatbot''s');
select is(pg_temp.named('s', kind => 'workspace', key => 'sk', chatbot => 'none'), 'chatbot_not_found');
select is(pg_temp.named('s', token => 'none'), 'visitor_unknown');
select is(pg_temp.named('s', token => null), 'visitor_unknown');
select is(pg_temp.named(null, kind => k, key => h, chatbot => 'bot'), 'bad_request', k)
from (values ('site', 'pk'), ('widget', 'wk-bot'), ('workspace', 'sk')) t (k, h);

-- Lists.
select is(pg_temp.said('x5', 't', false, 'second'), 'started');
select is((select string_agg(c->>'id' || ' ' || (c->>'sessionId'), ', ' order by c->>'id') from pg_temp.talks(), json_array_elements(body->'conversations') c),
	'x1-c s, x5-c second', 'a visitor''s own');
select is((select string_agg(c->>'id', ', ') from pg_temp.talks(kind => 'widget', key => 'wk-bot', session => 's'), json_array_elements(body->'conversations') c),
	'w1-c', 'a widget key''s one named session');
select is((select body::text from pg_temp.talks(kind => 'widget', key => 'wk-bot', session => 'none')), '{"conversations" : [], "before" : null}', 'that is not there');
select is((select outcome from pg_temp.talks(kind => 'widget', key => 'wk-bot')), 'bad_request');
select is((select outcome from pg_temp.talks(token => 'none')), 'visitor_unknown');
select is((select outcome from pg_temp.talks(before => b)), 'bad_request', b) from unnest(array['', '1', '1-', '-x', 'x-1', '1-x y']) b;
-- All of a chatbot's, by a workspace key.
select is((select outcome from pg_temp.turn('n1', kind => 'workspace', chatbot => 'bot')), 'started');
update banter_data.conversation set session = '/s' where conversation = 'n1-c';
select is(pg_temp.named('s', kind => 'workspace', key => 'sk', chatbot => b), 'found: u hello, a  running', 'a workspace key''s, of ' || b)
from (select chatbot as b from banter_data.chatbot where chatbot = 'bot' union select name from banter_data.chatbot where chatbot = 'bot') b;
update banter_data.conversation set session = null where conversation = 'n1-c';
select is((select outcome from pg_temp.turn('o1', kind => 'workspace', chatbot => 'other')), 'started');
select is((select string_agg(concat_ws(' ', c->>'id', c->>'sessionId'), ', ' order by c->>'id')
		from pg_temp.talks(kind => 'workspace', key => 'sk', chatbot => 'bot'), json_array_elements(body->'conversations') c),
	'n1-c, w1-c s, w2-c other, x1-c s, x5-c second, y1-c s', 'whosever they are');
select is((select outcome from pg_temp.talks(kind => 'workspace', key => 'sk', chatbot => b)), 'chatbot_not_found', b) from unnest(array['none', '', null]) b;
select is((select outcome from pg_temp.messages(c, kind => 'workspace', key => 'sk', chatbot => 'bot')),
	case when c in ('o1-c', 'none', '') then 'conversation_not_found' else 'found' end, 'a workspace key, of ' || c)
from unnest(array['n1-c', 'w1-c', 'x1-c', 'o1-c', 'none', '']) c;
create function pg_temp.leafed(kind text, key text, chatbot text) returns text language plpgsql as $$
declare
	v record;
	v_place text;
	v_all text;
begin
	loop
		select string_agg(c->>'id', ' ' order by n) as page, body->>'before' as before into v
		from pg_temp.talks(kind => $1, key => $2, chatbot => $3, before => v_place, most => 2), json_array_elements(body->'conversations') with ordinality e (c, n)
		group by 2;
		v_all := concat_ws('; ', v_all, v.page);
		v_place := v.before;
		exit when v_place is null;
	end loop;
	return v_all;
end
$$;
update banter_data.conversation set last_at = timestamptz '2026-01-01 00:00:00.000001' where conversation in ('w1-c', 'w2-c', 'x1-c');
update banter_data.conversation set last_at = timestamptz '2026-01-01 00:00:00.000002' where conversation in ('x5-c', 'y1-c', 'n1-c');
select is(pg_temp.leafed('workspace', 'sk', 'bot'), 'y1-c x5-c; n1-c x1-c; w2-c w1-c', 'each once, by pages');
select is(pg_temp.leafed('site', 'pk', null), 'x5-c x1-c', 'as many as fit a page');

-- The chatbot's window counts what a workspace key asks, good or not, once the chatbot is known; nobody else's.
update banter_data.chatbot set rate_limit = 3, rate_window = 1000 where chatbot = 'bot';
create function pg_temp.counted(kind text, key text, session text, conversation text default 'w1-c', before text default null) returns text language sql as $$
	select concat_ws(' ', outcome, limit_max, limit_remaining, limit_reset is not null and limit_reset > extract(epoch from now()), retry_after between 1 and 1000)
	from banter.messages_read(1, sha256($2::bytea), $1, 'bot', $3, null, sha256('t'), null, null, null, $4, $5, 10)
$$;
select is(pg_temp.counted('widget', 'wk-bot', 's'), 'found f');
select is(pg_temp.counted('site', 'pk', null, 'x1-c'), 'found f');
select is(pg_temp.counted('workspace', 'sk', null, before => 'x'), 'bad_request f', 'it was not asked');
select is(pg_temp.counted('workspace', 'sk', null), 'found 3 2 t');
select is(pg_temp.counted('workspace', 'sk', null, 'none'), 'conversation_not_found 3 1 t');
select is((select concat_ws(' ', outcome, limit_remaining) from banter.talks_list(1, sha256('sk'), 'workspace', 'bot', null, null, null, null, null, null, null, 1)), 'found 0');
select is(pg_temp.counted('workspace', 'sk', null), 'limited 3 0 t t');
select is((select concat_ws(' ', outcome, body) from banter.talk_delete(1, sha256('sk'), 'workspace', 'bot', null, null, null, null, null, null, 'x1-c', 600000)), 'limited');
select is((select outcome from pg_temp.turn('n2', kind => 'workspace', chatbot => 'bot')), 'limited', 'as an exchange is');
select is((select count from banter_data.rate_window where chatbot = 'bot'), 6::bigint);
update banter_data.chatbot set rate_limit = null;

-- With a workspace key (completion_begin).
insert into banter_data.conversation (workspace, conversation, chatbot, session, next_position) values (1, 'named', 'bot', '/mine', 1);
select is((select body->'conversations'->0->>'sessionId' from pg_temp.talks(kind => 'workspace', key => 'sk', chatbot => 'bot')), 'mine',
	'what its client calls it');
delete from banter_data.conversation where conversation = 'named';

-- Feedback.
create function pg_temp.judge(conversation text, message text, thumb text default 'up', said text default null, token text default 't', kind text default 'site',
	key text default 'pk', origin text default 'https://a.example', session text default null, chatbot text default null, good boolean default true)
returns text language sql as $$
	select m.outcome from banter.talk_feedback(1, sha256($7::bytea), $6, $10, $9, $8, sha256($5::bytea), null, null, null, $1, $2, $3, $4, $11, 600000) m
$$;
create function pg_temp.judged(exchange text) returns text language sql as $$
	select concat_ws(' ', f.thumb, f.text) from banter_data.feedback f where f.exchange = $1
$$;
select is((select body->'messages'->1->>'feedback' from pg_temp.messages('x1-c')), null, 'nothing was said');
select is(pg_temp.judge('x1-c', 'x1-a'), 'found');
select is(pg_temp.judged('x1'), 'up');
select is(pg_temp.judge('x1-c', 'x1-a', 'down', 'why'), 'found');
select is(pg_temp.judged('x1'), 'down why', 'the last counts');
select is((select (m->'feedback'->>'createdAt')::timestamptz > now() and m->'feedback'->>'thumb' = 'down' and m->'feedback'->>'text' = 'why'
	from pg_temp.messages('x1-c'), json_array_elements(body->'messages') with ordinality e (m, n) where n = 2), true, 'it is read back');
select is(pg_temp.judge('x1-c', 'x1-a', null, 'text alone'), 'found');
select is(pg_temp.judged('x1'), 'text alone');
select is(pg_temp.judge('x1-c', 'x2-a', 'down'), 'found', 'of one that failed');
select is(pg_temp.judge(c, m), 'conversation_not_found', concat_ws(' ', c, m, 'is no answer'))
from (values ('x1-c', 'none'), ('x1-c', ''), ('x1-c', 'x1'), ('x1-c', 'x1-c'), ('x1-c', 'y1-a'), ('x1-c', 'x5-a'), ('x5-c', 'x5-a'), ('none', 'x1-a'), ('w1-c', 'w1-a'), ('y1-c', 'y1-a')) t (c, m);
select is(pg_temp.judge('x1-c', 'x1-a', token => 'u'), 'conversation_not_found', 'another visitor');
select is(pg_temp.judge('x1-c', 'x1-a', token => 'none'), 'visitor_unknown');
select is(pg_temp.judge('x1-c', 'x1-a', origin => null), 'forbidden', 'it is no reading');
select is(pg_temp.judge('x1-c', 'x1-a', good => false), 'bad_request');
select is(pg_temp.judge('x1-c', 'x1-a', kind => 'workspace', key => 'wk-bot'), 'unauthorized');
select is(pg_temp.judge('x1-c', 'x1-a', kind => 'workspace', key => 'sk', chatbot => 'other'), 'conversation_not_found');
select is(pg_temp.judged('x1'), 'text alone', 'nothing of that changed it');
select is(pg_temp.judge('x1-c', 'x1-a', kind => 'workspace', key => 'sk', chatbot => 'bot'), 'found', 'a workspace key');
select is(pg_temp.finish('w1'), 'stored');
select is(pg_temp.judge('w1-c', 'w1-a', kind => 'widget', key => 'wk-bot', session => 's'), 'found', 'a widget key, of its named session');
select is(pg_temp.judge('w1-c', 'w1-a', kind => 'widget', key => 'wk-bot', session => 'other'), 'conversation_not_found');
select is(pg_temp.judge('x1-c', m, null), 'found', 'it is taken back') from unnest(array['x1-a', 'x2-a', 'x1-a']) m;
select is((select string_agg(f.exchange, ' ') from banter_data.feedback f), 'w1', 'and gone');

-- Erasing.
create function pg_temp.erase(conversation text, token text default 't', kind text default 'site', key text default 'pk',
	origin text default 'https://a.example', session text default null, chatbot text default null)
returns text language sql as $$
	select m.outcome from banter.talk_delete(1, sha256($4::bytea), $3, $7, $6, $5, sha256($2::bytea), null, null, null, $1, 600000) m
$$;
create temp view others as select e.exchange, e.state from banter_data.exchange e where e.conversation <> 'x5-c' order by 1;
create temp table had as select * from others;
select is(pg_temp.erase('x5-c', origin => o), 'forbidden', coalesce(o, 'no origin')) from unnest(array[null, 'https://evil.example']) o;
select is(pg_temp.erase(c), 'conversation_not_found', c) from unnest(array['y1-c', 'w1-c', 'none', '']) c;
select is(pg_temp.erase('x5-c', token => 'u'), 'conversation_not_found', 'another visitor');
select is(pg_temp.erase('x5-c', token => null), 'visitor_unknown');
select is(pg_temp.erase('w1-c', kind => 'widget', key => 'wk-bot', session => 's'), 'forbidden', 'a widget key erases nothing');
select is(pg_temp.erase('x1-c', kind => 'workspace', key => 'wk-bot'), 'unauthorized');
select is(pg_temp.erase('x1-c', kind => 'workspace', key => 'sk', chatbot => b), 'chatbot_not_found', b) from unnest(array['none', '', null]) b;
select is(pg_temp.erase(c, kind => 'workspace', key => 'sk', chatbot => 'other'), 'conversation_not_found', c) from unnest(array['x1-c', 'w1-c', 'none']) c;
select is((select count(*)::integer from banter_data.conversation where conversation = 'x5-c'), 1, 'it is still there');
select is(pg_temp.erase('x5-c'), 'found', 'their own, though it runs');
select is(pg_temp.erase('x5-c'), 'conversation_not_found', 'it is gone');
select is(pg_temp.finish('x5'), 'gone', 'and so is what ran in it');
select pg_temp.rows_are('select * from others', 'select * from had', 'nothing else is');
select is(pg_temp.erase(c, kind => 'workspace', key => 'sk', chatbot => 'bot'), 'found', 'a workspace key, ' || c) from unnest(array['w1-c', 'y1-c', 'n1-c']) c;
select is((select count(*)::integer from banter_data.feedback), 0, 'what was said of the answers went along');
select is((select string_agg(c.conversation, ' ' order by c.conversation) from banter_data.conversation c), 'o1-c w2-c x1-c', 'these alone');
select is(pg_temp.ledger(), pg_temp.credits(), 'its credits are back in the book');

select * from finish();
rollback;
