begin;
select no_plan();
\ir include/fixture.sql

select banter.key_create(1, 'pk', 'site', 'bot', sha256('pk'), 'xxxx', '', array['https://a.example']);
create function pg_temp.said(exchange text, token text, minted boolean, session text default 's') returns text language sql as $$
	select b.outcome from banter.visit_begin(1, sha256('pk'), 'https://a.example', sha256($2::bytea), $3, null, null, null, $1 || '-v',
		$1, $1 || '-a', $1 || '-c', $4, 'question of ' || $1, true, null, null, 300, 20, 10000, 'r', 0, 0, 0, 0, 600000) b
	where b.outcome <> 'history'
$$;
create function pg_temp.stop(conversation text, kind text default 'widget', key text default 'wk-bot', session text default 's',
	token text default null, origin text default null, message text default null, good boolean default true,
	chatbot text default null)
returns table (outcome text, body text, running boolean, exchanges text[]) language sql as $$
	select s.outcome, s.body, s.running, s.exchanges
	from banter.talk_stop(1, sha256($3::bytea), $2, $9, $4, $6, sha256($5::bytea), null, null, null, $1, $7, $8, 600000) s
$$;
-- Of a body: id, status.
create function pg_temp.told(body text) returns text language sql as $$
	select coalesce(string_agg((m->>'id') || ' ' || (m->>'status'), ', ' order by n), '')
	from json_array_elements(body::json->'messages') with ordinality e (m, n)
$$;
create function pg_temp.marked() returns text language sql as $$
	select coalesce(string_agg(e.exchange, ' ' order by e.exchange), '') from banter_data.exchange e where e.stopped_at is not null
$$;
create function pg_temp.polled(workspaces bigint[], exchanges text[]) returns text language sql as $$
	select coalesce(string_agg(s.workspace || ' ' || s.exchange, ', ' order by s.workspace, s.exchange), '') from banter.stops($1, $2) s
$$;

-- What runs in a conversation.
select is((select outcome from pg_temp.turn(x, session => 's')), 'started') from unnest(array['x1', 'x2']) x;
select is((select outcome from pg_temp.turn('y1', session => 'other')), 'started');
select is((select outcome from pg_temp.turn('x1', session => 's', workspace => 2)), 'started', 'another workspace''s of that name');
select is(pg_temp.finish('x2'), 'stored');
select is((select outcome from pg_temp.turn('x3', session => 's')), 'started');
select is(pg_temp.polled('{1,1,1,2}', '{x1,x3,y1,x1}'), '', 'nobody wants any to end');
select pg_temp.rows_are($$ select outcome, pg_temp.told(body), running, exchanges from pg_temp.stop('x1-c') $$,
	$$ values ('found', 'x1-a running, x3-a running', true, '{x1,x3}'::text[]) $$, 'all that runs in it');
select is(pg_temp.marked(), 'x1 x3', 'and nothing else');
select is(pg_temp.polled('{1,1,1,2}', '{x1,x3,y1,x1}'), '1 x1, 1 x3', 'its host is told');
select is(pg_temp.polled('{2,1,1}', '{x3,none,x2}'), '', 'of what it names alone');
select is(pg_temp.polled('{}', '{}'), '', 'of nothing');
select is(pg_temp.finish('x1', 'left', 'half'), 'stored');
select is(pg_temp.polled('{1,1}', '{x1,x3}'), '1 x3', 'one that has ended is not to end');
select pg_temp.rows_are($$ select outcome, pg_temp.told(body), running, exchanges from banter.talk_stopped(1, '{x1,x3}', 600000) $$,
	$$ values ('found', 'x1-a left, x3-a running', true, '{x1,x3}'::text[]) $$, 'what became of them');
select is((select outcome from pg_temp.turn('x4', session => 's')), 'started');
select pg_temp.rows_are($$ select pg_temp.told(body), running from banter.talk_stopped(1, '{x1,x3}', 600000) $$,
	$$ values ('x1-a left, x3-a running', true) $$, 'the next one');
select is(pg_temp.polled('{1}', '{x4}'), '', 'is not stopped by that');
select is(pg_temp.finish('x3'), 'stored', 'one that was whole is done');
select pg_temp.rows_are($$ select pg_temp.told(body), running from banter.talk_stopped(1, '{x1,x3}', 600000) $$,
	$$ values ('x1-a left, x3-a done', false) $$, 'all have ended');
select is(pg_temp.finish('x4', 'failed'), 'stored');
select pg_temp.rows_are($$ select outcome, body, running, exchanges from pg_temp.stop('x1-c') $$,
	$$ values ('found', '{"messages" : []}', false, '{}'::text[]) $$, 'nothing runs');

-- One answer.
select is((select outcome from pg_temp.turn(x, session => 's')), 'started') from unnest(array['z1', 'z2']) x;
select is((select pg_temp.told(body) from pg_temp.stop('x1-c', message => 'z2-a')), 'z2-a running');
select is(pg_temp.polled('{1,1}', '{z1,z2}'), '1 z2', 'that one alone');
select is((select pg_temp.told(body) from pg_temp.stop('x1-c', message => m)), t, m)
from (values ('x1-a', 'x1-a left'), ('x3-a', 'x3-a done'), ('x4-a', 'x4-a failed'), ('y1-a', ''), ('none', ''), ('', '')) t (m, t);
select is(pg_temp.marked(), 'x1 x3 z2', 'what has ended stays as it was');

-- What a dead worker left ends here, and gives back what it reserved.
select pg_temp.lapse('z1');
select is((select pg_temp.told(body) || ' ' || running from pg_temp.stop('x1-c')), 'z1-a failed, z2-a running true');
select is(pg_temp.state('z1'), 'lost');
select is(pg_temp.ledger(), pg_temp.credits());

-- An exchange in a left one's place is stopped like any other.
select is((select outcome from pg_temp.turn('r1', session => 'r', idem => 'k')), 'started');
select is(pg_temp.finish('r1', 'left', 'half'), 'stored');
select is((select outcome from pg_temp.turn('r2', session => 'r', idem => 'k')), 'started');
select is((select pg_temp.told(body) from pg_temp.stop('r1-c', session => 'r')), 'r2-a running');
create temp table had as select pg_temp.credits() as credits;
select is(pg_temp.finish('r2', 'left', 'more'), 'stored');
select is((select pg_temp.told(body) from pg_temp.stop('r1-c', session => 'r', message => 'r1-a')), 'r1-a left', 'one that another took the place of');
select is(pg_temp.credits(), (select credits from had), 'charged once');
select is((select outcome from pg_temp.turn('r3', session => 'r', idem => 'k')), 'started', 'the same key runs anew');

-- Whose.
select is(pg_temp.said('v1', 't', true), 'started');
select is(pg_temp.said('v2', 'u', true), 'started');
create temp table before as select pg_temp.marked() as marked;
select is((select outcome from pg_temp.stop(c)), 'conversation_not_found', c) from unnest(array['y1-c', 'v1-c', 'none', '']) c;
select is((select outcome from pg_temp.stop('x1-c', session => null)), 'bad_request', 'no session');
select is((select outcome from pg_temp.stop('x1-c', good => false)), 'bad_request', 'a body that is none');
select is((select outcome from pg_temp.stop('x1-c', key => 'none', good => false)), 'unauthorized', 'the key comes first');
select is((select outcome from pg_temp.stop('x1-c', key => 'wk-other')), 'conversation_not_found', 'another chatbot''s');
select is((select outcome from pg_temp.stop('v1-c', 'site', 'pk', null, 't', o)), 'forbidden', coalesce(o, 'no origin'))
from unnest(array[null, 'https://evil.example']) o;
select is((select outcome from pg_temp.stop('v1-c', 'site', 'pk', null, t, 'https://a.example')), w, coalesce(t, 'no token'))
from (values (null, 'visitor_unknown'), ('none', 'visitor_unknown'), ('u', 'conversation_not_found')) t (t, w);
select is((select outcome from pg_temp.stop('x1-c', 'site', 'pk', 's', 't', 'https://a.example')), 'conversation_not_found', 'a widget key''s');
select is(pg_temp.marked(), (select marked from before), 'nothing of theirs is stopped');
select is((select pg_temp.told(body) from pg_temp.stop('v1-c', 'site', 'pk', null, 't', 'https://a.example')), 'v1-a running', 'their own');
select is(pg_temp.polled('{1,1}', '{v1,v2}'), '1 v1');

-- A workspace key's chatbot's, whoever's they are; its window counts it.
select is((select pg_temp.told(body) from pg_temp.stop('y1-c', 'workspace', 'sk', null, chatbot => 'bot')), 'y1-a running');
select is((select outcome from pg_temp.stop('y1-c', 'workspace', 'sk', null, chatbot => b)), w, coalesce(b, 'no chatbot'))
from (values ('other', 'conversation_not_found'), ('none', 'chatbot_not_found'), (null, 'chatbot_not_found')) t (b, w);
update banter_data.chatbot set rate_limit = 1, rate_window = 1000 where workspace = 1 and chatbot = 'bot';
select pg_temp.rows_are($$ select s.outcome, s.limit_remaining from generate_series(1, 2) n
		cross join lateral banter.talk_stop(1, sha256('sk'), 'workspace', 'bot', null, null, null, null, null, null, 'v2-c', null, true,
			600000 + n) s order by n $$, $$ values ('found', 0), ('limited', 0) $$);

select * from finish();
rollback;
