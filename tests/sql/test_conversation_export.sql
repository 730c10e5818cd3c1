begin;
select no_plan();
\ir include/fixture.sql

create function pg_temp.export(format text, after_workspace bigint, after text, "position" bigint, attempt integer, most integer)
returns table (place text, head text, body text) language sql as $$
	select concat_ws(' ', e.workspace, e.conversation, e.position, e.attempt), e.head, e.body
	from banter.conversation_export($1, null, null, null, false, $2, $3, $4, $5, $6) e
$$;

select pg_temp.turn('x' || n, session => 's', metadata => E'{"n":\r\n1e999999}') from generate_series(1, 3) n;
select pg_temp.turn('r1', session => 'runs'), pg_temp.turn('u1', session => 's', workspace => 2);
select pg_temp.finish('x1', answer => E'a\nb'), pg_temp.finish('x2', 'left', 'some'), pg_temp.finish('x3', 'failed', ''), pg_temp.finish('u1', workspace => 2);
select pg_temp.rows_are($$ select place from pg_temp.export('jsonl', null, null, null, null, 10) $$,
	$$ values ('1 r1-c 0 0'), ('1 x1-c 1 0'), ('1 x1-c 2 0'), ('1 x1-c 3 0'), ('2 u1-c 1 0') $$, 'all, but for what runs');
select pg_temp.rows_are($$ select place from pg_temp.export('jsonl', null, null, null, null, 2) $$,
	$$ values ('1 r1-c 0 0'), ('1 x1-c 1 0') $$, 'some');
select pg_temp.rows_are($$ select place from pg_temp.export('jsonl', 1, 'x1-c', 1, 0, 2) $$,
	$$ values ('1 x1-c 2 0'), ('1 x1-c 3 0') $$, 'the next, inside of a conversation');
select pg_temp.rows_are($$ select place from pg_temp.export('jsonl', 1, 'x1-c', 3, 0, 2) $$,
	$$ values ('2 u1-c 1 0') $$, 'and behind one');
select pg_temp.rows_are($$ select place from pg_temp.export('jsonl', 2, 'u1-c', 1, 0, 2) $$, $$ select null::text where false $$, 'no more');
select pg_temp.rows_are($$ select place from pg_temp.export('jsonl', 1, 'r1-c', 0, 0, 1) $$,
	$$ values ('1 x1-c 1 0') $$, 'behind one without exchanges');

select pg_temp.row_is($$ select h ->> 'workspace', h ->> 'version', h ->> 'session', (h ->> 'created_at')::timestamptz = c.created_at, h ->> 'next_position'
	from (select (head || ']}')::json as h from pg_temp.export('jsonl', 1, 'r1-c', 0, 0, 1)) e, banter_data.conversation c
	where c.conversation = 'x1-c' $$, row('1'::text, '1'::text, 's'::text, true, '4'::text), 'a head');
select pg_temp.row_is($$ select strpos(body, '{"n":  1e999999}') > 0, body ~ '[\r\n]', (body::json ->> 'started_at')::timestamptz = x.started_at, body::json ->> 'answer'
	from pg_temp.export('jsonl', 1, 'r1-c', 0, 0, 1), banter_data.exchange x where x.exchange = 'x1' $$,
	row(true, false, true, E'a\nb'::text), 'an exchange; its metadata as sent, on one line');

select matches(head, E'^# Conversation x1-c\n\n- chatbot: bot \\(bot\\)\n- session: s\n- created: \\S+Z\n- last question: \\S+Z\n$')
from pg_temp.export('markdown', 1, 'r1-c', 0, 0, 1);
select matches(body, E'^\n\\*\\*Question\\*\\* \\(\\S+Z\\)\n\n> hello\n\n\\*\\*Metadata\\*\\*\n\n> {"n":\n> 1e999999}\n\n\\*\\*Answer\\*\\*\n\n> a\n> b\n$')
from pg_temp.export('markdown', 1, 'r1-c', 0, 0, 1);
select pg_temp.rows_are($$ select regexp_replace(body, '.*\n(\*\*(Answer|No answer).*)$', '\1')
	from pg_temp.export('markdown', 1, 'x1-c', 1, 0, 2) $$,
	$$ values (E'**Answer** (left)\n\n> some\n'), (E'**No answer** (failed)\n') $$, 'how each ended');
insert into banter_data.visitor (workspace, visitor, chatbot, hash, user_id) values (1, 'v1', 'bot', sha256('token'), 'anna');
update banter_data.conversation set visitor = 'v1', thread = 'main', session = null where conversation = 'r1-c';
select matches(head, E'^# Conversation r1-c\n\n- chatbot: bot \\(bot\\)\n- visitor: v1\n- user: anna\n- called: main\n- created: ')
from pg_temp.export('markdown', null, null, null, null, 1);
select pg_temp.row_is($$ select h ->> 'session', h ->> 'visitor', h ->> 'user_id', h ->> 'thread', strpos(head, encode(sha256('token'), 'hex'))
	from (select head, (head || ']}')::json as h from pg_temp.export('jsonl', null, null, null, null, 1)) e $$, row(null::text, 'v1'::text, 'anna'::text, 'main'::text, 0), 'whose it is, and no token''s hash');
insert into banter_data.feedback (workspace, exchange, thumb, text, at) values
	(1, 'x2', 'down', E'not\nso', '2026-01-02T03:04:05.000006Z'), (1, 'x3', 'up', null, '2026-01-02T03:04:05Z');
select pg_temp.rows_are($$ select substr(body, strpos(body, E'\n**Feedback')) from pg_temp.export('markdown', 1, 'x1-c', 1, 0, 2) $$,
	$$ values (E'\n**Feedback** (down, 2026-01-02T03:04:05Z)\n\n> not\n> so\n'), (E'\n**Feedback** (up, 2026-01-02T03:04:05Z)\n') $$, 'what was said of them');
select pg_temp.rows_are($$ select body::json ->> 'feedback' from pg_temp.export('jsonl', 1, 'r1-c', 0, 0, 3) $$,
	$$ values (null), ('{"thumb" : "down", "text" : "not\nso", "at" : "2026-01-02T03:04:05.000006Z"}'),
		('{"thumb" : "up", "text" : null, "at" : "2026-01-02T03:04:05.000000Z"}') $$, 'of one nothing');
delete from banter_data.feedback;
update banter_data.exchange set server = 'b', tries = 'a 503, a 503', requests = 3 where exchange in ('x1', 'x3');
update banter_data.exchange set error = 'it failed', finish_reason = null where exchange = 'x3';
update banter_data.exchange set server = 'b', finish_reason = 'length' where exchange = 'x2';
select pg_temp.rows_are($$ select substring(body from '\*\*(?:Answer|No answer)[^\n]*') from pg_temp.export('markdown', 1, 'r1-c', 0, 0, 3) $$,
	$$ values ('**Answer** (server b, after a 503, a 503)'), ('**Answer** (left; server b; finish reason length)'),
		('**No answer** (it failed; server b, after a 503, a 503)') $$, 'and what was out of the ordinary');
select pg_temp.row_is($$ select body::json ->> 'server', body::json ->> 'requests', body::json ->> 'tries' from pg_temp.export('jsonl', 1, 'r1-c', 0, 0, 1) $$,
	row('b'::text, '3'::text, 'a 503, a 503'::text), 'for programs too');
select throws_ok($$ select pg_temp.export('xml', null, null, null, null, 1) $$, 'P0001', null, 'no such format');
select throws_ok($$ select banter.conversation_export('jsonl', null, null, 'none', false, null, null, null, null, 1) $$, 'P0001', null, 'no such conversation');
select is((select count(*) from banter.conversation_export('jsonl', null, null, 'r1-c', true, null, null, null, null, 9)
	where body::json ->> 'state' = 'running'), 1::bigint, 'what runs, where it is wanted');

select is(banter_data.conversation_quote(E'a\n\nb\r\nc\rd\n'), E'> a\n> \n> b\n> c\n> d\n> ', 'every line is quoted');

select * from finish();
rollback;
