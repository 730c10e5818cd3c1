begin;
select no_plan();
\ir include/fixture.sql

select banter.key_create(w, 'pk', 'site', 'bot', sha256('pk'), 'xxxx', '', array['https://a.example', 'https://b.example'])
from generate_series(1, 2) w;
select banter.key_create(1, 'pk-other', 'site', 'other', sha256('pk-other'), 'xxxx', '', array['https://a.example']);

-- What the server lets a chatbot's visitors do in a day.
create temp table cap as select 0::bigint as exchanges, 0::bigint as credits;

-- visit_begin by name: a token that is new unless told otherwise.
create function pg_temp.visit_rows(
	exchange text, token text default 't', minted boolean default false, session text default 's', message text default 'hello',
	origin text default 'https://a.example', key text default 'pk', workspace bigint default 1,
	usr text default null, expires bigint default null, signature bytea default null, idem text default null)
returns table (outcome text, conversation text, message_id text, answer text, question text, "position" bigint)
language sql as $$
	select b.outcome, b.conversation, b.message_id, b.answer, b.question, b.position
	from banter.visit_begin(
		p_workspace => $8, p_key_hash => sha256($7::bytea), p_origin => $6, p_token => sha256($2::bytea), p_minted => $3,
		p_user => $9, p_expires => $10, p_signature => $11, p_new_visitor => $1 || '-v',
		p_exchange => $1, p_answer_id => $1 || '-a', p_new_conversation => $1 || '-c', p_session => $4, p_message => $5,
		p_stream => true, p_idempotency_key => $12, p_body_hash => sha256('body'), p_lease_seconds => 300,
		p_max_messages => 20, p_max_chars => 10000, p_request_id => 'r', p_max_open => 0, p_max_open_per_key => 0,
		p_max_exchanges => (select exchanges from cap), p_max_credits => (select credits from cap), p_lock_ms => 600000) b
$$;
-- Its first row alone.
create function pg_temp.visit(
	exchange text, token text default 't', minted boolean default false, session text default 's', message text default 'hello',
	origin text default 'https://a.example', key text default 'pk', workspace bigint default 1,
	usr text default null, expires bigint default null, signature bytea default null, idem text default null)
returns table (outcome text, conversation text, message_id text, answer text, question text, "position" bigint)
language sql as $$
	select * from pg_temp.visit_rows($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) v where v.outcome <> 'history'
$$;
create view pg_temp.made as
select (select count(*) from banter_data.visitor) as visitors, (select count(*) from banter_data.conversation) as conversations,
	(select count(*) from banter_data.exchange) as exchanges;

-- The key, its origin, the token: the first that fails.
select is((select outcome from pg_temp.visit('x1', key => 'wk-bot')), 'unauthorized', 'a widget key is no site key');
select is((select outcome from pg_temp.visit('x1', key => 'nobody''s', origin => 'https://evil.example')), 'unauthorized');
select is((select outcome from pg_temp.visit('x1', minted => true, origin => o)), 'forbidden', coalesce(o, 'no origin'))
from unnest(array['https://evil.example', 'null', '', 'https://a.example/', 'https://A.example', 'http://a.example', null]) o;
select is((select outcome from pg_temp.visit('x1')), 'visitor_unknown', 'a token that we did not make');
select is((select outcome from pg_temp.visit('x1', message => null)), 'visitor_unknown', 'before the body is judged');
select is((select outcome from pg_temp.visit('x1', minted => true, message => null)), 'bad_request');
select pg_temp.row_is('select * from pg_temp.made', row(0::bigint, 0::bigint, 0::bigint), 'refused: nothing is made');

-- A new visitor, and the same one again.
select pg_temp.row_is($$ select outcome, conversation, message_id, position from pg_temp.visit('x1', minted => true) $$,
	row('started'::text, 'x1-c'::text, 'x1-a'::text, 1::bigint), 'a new visitor begins');
select pg_temp.row_is($$ select outcome, conversation, position from pg_temp.visit('x1', minted => true) $$,
	row('started'::text, 'x1-c'::text, 1::bigint), 'sent again: the same');
select pg_temp.row_is('select * from pg_temp.made', row(1::bigint, 1::bigint, 1::bigint), 'made once');
select is(pg_temp.finish('x1'), 'stored');
select pg_temp.rows_are($$ select outcome, conversation, position from pg_temp.visit_rows('x2', origin => 'https://b.example') $$,
	$$ values ('started', 'x1-c', 2::bigint), ('history', null, 1) $$, 'goes on, from another of the key''s pages, with its history');
select pg_temp.row_is($$ select outcome, conversation from pg_temp.visit('x3', session => 'another') $$,
	row('started'::text, 'x3-c'::text), 'another conversation of the same visitor');
select pg_temp.row_is($$ select session, thread, chatbot from banter_data.conversation where conversation = 'x1-c' $$,
	row(null::text, 's'::text, 'bot'::text), 'its name is no session');

-- Nobody else's.
select pg_temp.rows_are($$ select outcome, conversation, position from pg_temp.visit('y1', token => 'u', minted => true) $$,
	$$ values ('started', 'y1-c', 1::bigint) $$, 'another visitor who names it alike has another, and no history');
select pg_temp.rows_are($$ select outcome, conversation from pg_temp.turn('w1', session => 's') $$, $$ values ('started', 'w1-c') $$,
	'nor does a widget key''s session of that name meet it');
select is((select outcome from pg_temp.visit('z1', key => 'pk-other')), 'visitor_unknown', 'a token is of one chatbot');
select is((select outcome from pg_temp.visit('z1', workspace => 2)), 'visitor_unknown', 'and of one workspace');
select is((select outcome from banter.exchange_begin(1, sha256('pk'), 'site', 'bot', 'z1', 'z1-a', p_conversation => c,
	p_new_conversation => 'z1-c', p_session => v, p_message => 'hello', p_metadata => null, p_stream => true, p_idempotency_key => null,
	p_body_hash => null, p_lease_seconds => 300, p_max_messages => 20, p_max_chars => 10000, p_request_id => 'r')),
	'conversation_not_found', 'a site key alone leads to no conversation, nor to a new one')
from (values ('s', null), ('s', 'nobody'), (null, 'x1-v'), ('w1-c', null)) t (c, v);
select is((select conversation from pg_temp.visit('z2', token => 'u', session => 'x1-c')), 'z2-c',
	'another visitor''s is not met by its id either');
select is((select outcome from banter.exchange_begin(1, sha256('pk'), 'site', 'bot', 'x9', 'x9-a', 's', 'x9-c', 'x1-v', 'hello', null,
	true, null, null, 300, 20, 10000, 'r') limit 1), 'started', 'the visitor''s own does');

-- An idempotency key is its visitor's.
select is((select outcome from pg_temp.visit('i1', idem => 'k')), 'started');
select is(pg_temp.finish('i1', answer => 'secret'), 'stored');
select pg_temp.row_is($$ select outcome, answer from pg_temp.visit('i2', idem => 'k') $$, row('replay'::text, 'secret'::text), 'given again');
select pg_temp.row_is($$ select outcome, answer from pg_temp.visit('i3', token => 'u', idem => 'k') $$, row('started'::text, null::text),
	'to nobody else');

-- What is refused behind leaves nothing.
create temp table had as select * from pg_temp.made;
update banter_data.workspace set credits = 0 where workspace = 1;
select is((select outcome from pg_temp.visit('n1', token => 'n', minted => true)), 'no_credit');
select is((select outcome from pg_temp.visit('n2', session => 'third')), 'no_credit');
update banter_data.workspace set credits = 10, max_open_per_key = 1 where workspace = 1;
select is((select outcome from pg_temp.visit('n3', token => 'n', minted => true)), 'full');
select pg_temp.rows_are('select * from pg_temp.made', 'select * from had', 'neither a visitor nor a conversation');
update banter_data.workspace set max_open_per_key = null where workspace = 1;

-- Signed in: HMAC-SHA-256 of key, expiry and user, here with the key "secret".
create function pg_temp.pad(secret bytea, b integer) returns bytea language sql as $$
	select string_agg(set_byte('\x00', 0, (case when n < length(secret) then get_byte(secret, n) else 0 end) # b), ''::bytea order by n)
	from generate_series(0, 63) n
$$;
update banter_data.api_key set identity_inner = pg_temp.pad('secret', 54), identity_outer = pg_temp.pad('secret', 92)
where workspace = 1 and kind = 'site';
create function pg_temp.signed(usr text, expires bigint, key text default 'pk') returns bytea language sql as $$
	select sha256(pg_temp.pad('secret', 92) || sha256(pg_temp.pad('secret', 54) || convert_to(key || E'\n' || expires || E'\n' || usr, 'UTF8')))
$$;
select is(sha256(pg_temp.pad('Jefe', 92) || sha256(pg_temp.pad('Jefe', 54) || 'what do ya want for nothing?'::bytea)),
	'\x5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843', 'RFC 4231, test case 2');
create temp view soon as select extract(epoch from now())::bigint + 3600 as at;
select is((select outcome from pg_temp.visit('s1', usr => u, expires => e, signature => s)), 'visitor_unknown', what)
from soon cross join lateral (values
	('anna', at, pg_temp.signed('otto', at), 'another user''s signature'), ('anna', at + 1, pg_temp.signed('anna', at), 'another time''s'),
	('anna', at, pg_temp.signed('anna', at, 'pk-other'), 'another key''s'), ('anna', at, null, 'none'), ('anna', at, '', 'an empty one'),
	('anna', at - 3700, pg_temp.signed('anna', at - 3700), 'one that is over'),
	('anna', at + 86400, pg_temp.signed('anna', at + 86400), 'one for longer than a day')) t (u, e, s, what);
select is((select outcome from pg_temp.visit('s1', key => 'pk', workspace => 2, usr => 'anna', expires => at, signature => pg_temp.signed('anna', at))),
	'visitor_unknown', 'a key without a secret') from soon;

-- Who signs in takes along what they held by their token, and nobody else's.
select pg_temp.visit('i4', idem => 'left'), pg_temp.finish('i4', 'left', 'half');
select pg_temp.rows_are($$ select v.outcome, v.conversation from soon cross join lateral pg_temp.visit('s1', usr => 'anna', expires => at,
	signature => pg_temp.signed('anna', at)) v $$, $$ values ('started', 'x1-c') $$, 'an anonymous conversation is adopted');
select pg_temp.rows_are($$ select conversation, user_id from banter_data.conversation c join banter_data.visitor v using (workspace, visitor) order by 1 $$,
	$$ values ('x1-c', 'anna'), ('x3-c', 'anna'), ('y1-c', null), ('z2-c', null) $$, 'all that this token held');
select pg_temp.row_is($$ select outcome, conversation from pg_temp.visit('s2') $$, row('started'::text, 's2-c'::text),
	'signed out: the same token has a new one');
select pg_temp.row_is($$ select outcome, conversation from pg_temp.visit('s6', idem => 'left') $$, row('started'::text, 's2-c'::text),
	'and takes no place in what is the user''s by now');
select pg_temp.row_is($$ select outcome, conversation, answer from pg_temp.visit('s7', idem => 'k') $$,
	row('started'::text, 's2-c'::text, null::text), 'nor is an answer of the user''s given again');
select pg_temp.rows_are($$ select v.outcome, v.conversation from soon cross join lateral pg_temp.visit('s3', token => 'on another machine',
	usr => 'anna', expires => at, signature => pg_temp.signed('anna', at)) v $$, $$ values ('started', 'x1-c') $$,
	'the user is the same everywhere, whatever token comes along');
update banter_data.workspace set credits = 0 where workspace = 1;
select pg_temp.rows_are($$ select v.outcome from soon cross join lateral pg_temp.visit('s0', token => 'u', usr => 'otto', expires => at,
	signature => pg_temp.signed('otto', at)) v $$, $$ values ('no_credit') $$);
update banter_data.workspace set credits = 10 where workspace = 1;
select is((select v.user_id from banter_data.conversation c join banter_data.visitor v using (workspace, visitor)
	where conversation = 'y1-c'), 'otto', 'what a refused one took along is still somebody''s');
select pg_temp.rows_are($$ select v.outcome, v.conversation from soon cross join lateral pg_temp.visit('s4', usr => 'anna', expires => at,
	signature => pg_temp.signed('anna', at)) v $$, $$ values ('started', 'x1-c') $$, 'in again');
select pg_temp.row_is($$ select v.user_id, c.thread from banter_data.conversation c join banter_data.visitor v using (workspace, visitor)
	where conversation = 's2-c' $$, row('anna'::text, null::text), 'an adopted one of a name that is taken has none');
select is((select outcome from soon cross join lateral pg_temp.visit('s5', key => 'pk-other', token => 'q', usr => 'anna', expires => at,
	signature => pg_temp.signed('anna', at, 'pk-other'))), 'started', 'the same name at another key');
select is((select count(*)::integer from banter_data.visitor where user_id = 'anna'), 2, 'is somebody else');

-- Switched off.
update banter_data.chatbot set active = false where workspace = 1 and chatbot = 'bot';
select is((select outcome from pg_temp.visit('o1')), 'unauthorized', 'the chatbot');
update banter_data.chatbot set active = true where workspace = 1 and chatbot = 'bot';
update banter_data.workspace set active = false where workspace = 1;
select is((select outcome from pg_temp.visit('o1')), 'unauthorized', 'the workspace');
update banter_data.workspace set active = true where workspace = 1;
update banter_data.api_key set active = false where workspace = 1 and api_key = 'pk';
select is((select outcome from pg_temp.visit('o1')), 'unauthorized', 'the key');

select * from finish();
rollback;
