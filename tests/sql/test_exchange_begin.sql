begin;
select no_plan();
\ir include/fixture.sql

-- What a started exchange tells and writes.
update banter_data.chatbot set model = 'm', temperature = 0.5, max_tokens = 99, stream = true
where workspace = 1 and chatbot = 'bot';
select pg_temp.rows_are(
	$$ select outcome, conversation, message_id, limit_max, retry_after, model, system_prompt, temperature,
		max_tokens, stream, content from pg_temp.turn('x1', stream => null, metadata => '{"k": 1e999999, "k":2}') $$,
	$$ values ('started', 'x1-c', 'x1-a', null::integer, null::integer, 'm', 'You are bot.',
		0.5::double precision, 99, true, null::text) $$, 'started');
select is(current_setting('synchronous_commit'), 'off', 'it does not wait for the disk');
select pg_temp.row_is($$ select state, price, question, answer, chatbot, api_key, position, attempt, stream, request_id,
		metadata::text, lease_until > now() + interval '300 s'
	from banter_data.exchange where workspace = 1 and exchange = 'x1' $$,
	row('running'::text, 1, 'hello'::text, null::text, 'bot'::text, 'wk-bot'::text, 1::bigint, 0, true, 'x1-r'::text,
		'{"k": 1e999999, "k":2}'::text, true), 'the exchange is written');
select ok(last_used_at is not null, 'the key was used') from banter_data.api_key where workspace = 1 and api_key = 'wk-bot';
select is((select stream from pg_temp.turn('x2', stream => false)), false, 'stream in the request overrides the chatbot''s');
select is((select system_prompt from pg_temp.turn('x3', kind => 'workspace', chatbot => 'other')), 'You are other.', 'a workspace key reaches any chatbot');

-- Who is asked, and what becomes of reasoning.
select pg_temp.rows_are($$ select servers, reasoning from pg_temp.turn('x2', stream => false) $$, $$ values (null::text, 'remove') $$, 'as so far');
savepoint s;
update banter_data.chatbot set servers = '{b,default}', reasoning = 'keep' where workspace = 1 and chatbot = 'bot';
select pg_temp.rows_are($$ select servers, reasoning from pg_temp.turn('x2') $$, $$ values ('b,default', 'keep') $$, 'as the chatbot is set');
rollback to s;
select throws_ok($$ update banter_data.chatbot set servers = '{}' $$, '23514', null, 'a list without a server is none');
select throws_ok($$ update banter_data.chatbot set reasoning = 'other' $$, '23514', null, 'nor is another word one');

-- Sent again.
select is(pg_temp.credits(), 7::bigint, 'three were reserved');
select pg_temp.rows_are($$ select outcome, conversation, message_id from pg_temp.turn('x1') $$,
	$$ values ('started', 'x1-c', 'x1-a') $$, 'sent again: started again');
select is(pg_temp.credits(), 7::bigint, 'sent again: no second reservation');
select is((select count(*)::integer from banter_data.exchange where workspace = 1), 3, 'sent again: no second exchange');
select is((select next_position from banter_data.conversation where workspace = 1 and conversation = 'x1-c'), 3::bigint, 'sent again: no other position');
select pg_temp.finish('x1');
select pg_temp.rows_are($$ select outcome, message_id, content from pg_temp.turn('x1') $$, $$ values ('replay', 'x1-a', 'hi') $$, 'sent again after its end: the answer');
select pg_temp.finish('x2', 'failed', '');
select pg_temp.rows_are($$ select outcome, retry_after from pg_temp.turn('x2') $$, $$ values ('in_progress', 1) $$, 'sent again after it failed: not started twice');

-- What had all its locks, but after the application gave up, does not begin.
select throws_ok($$ select pg_sleep(0.05); select * from banter.exchange_begin(1, sha256('wk-bot'), 'widget', null, 'late', 'late-a',
	null, 'late-c', 's', 'hello', null, true, null, null, 300, 20, 10000, 'late-r', p_lock_ms => 10) $$,
	'55P03', null, 'too late');
select is((select count(*)::integer from banter_data.exchange where workspace = 1), 3, 'too late: no exchange');
select is(pg_temp.credits(), 8::bigint, 'too late: no reservation');

-- 401
select is((select outcome from pg_temp.turn('u', key => 'nobody')), 'unauthorized', 'unknown key');
select is((select outcome from pg_temp.turn('u', key => 'sk')), 'unauthorized', 'a workspace key at the headless API');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'bot', key => 'wk-bot')), 'unauthorized', 'a widget key at the chatbot API');
select is((select outcome from pg_temp.turn('u', workspace => 3)), 'unauthorized', 'unknown workspace');
select is((select outcome from pg_temp.turn('u', message => null, key => 'nobody')), 'unauthorized', 'the key is judged before the body');
savepoint s;
update banter_data.api_key set revoked_at = now() where api_key = 'wk-bot';
select is((select outcome from pg_temp.turn('u')), 'unauthorized', 'revoked key');
rollback to s;
update banter_data.api_key set active = false where api_key = 'wk-bot';
select is((select outcome from pg_temp.turn('u')), 'unauthorized', 'inactive key');
rollback to s;
update banter_data.workspace set active = false;
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'bot')), 'unauthorized', 'inactive workspace');
rollback to s;
update banter_data.chatbot set active = false;
select is((select outcome from pg_temp.turn('u')), 'unauthorized', 'widget key of an inactive chatbot');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'bot')), 'chatbot_not_found', 'inactive chatbot');
select is((select outcome from pg_temp.turn('u', message => null, kind => 'workspace', chatbot => 'bot')), 'bad_request', 'the body is judged before the chatbot');
rollback to s;
select is((select outcome from pg_temp.turn('r1', kind => 'workspace', chatbot => 'bot', idem => 'r')), 'started', 'with a key');
select pg_temp.finish('r1');
select is((select outcome from pg_temp.turn('r2', kind => 'workspace', chatbot => 'bot', idem => 'r')), 'replay', 'its answer again');
update banter_data.chatbot set active = false;
select is((select outcome from pg_temp.turn('r3', kind => 'workspace', chatbot => 'bot', idem => 'r')), 'chatbot_not_found', 'no answer again of an inactive chatbot');
select is((select outcome from pg_temp.turn('r4', kind => 'workspace', chatbot => 'bot', idem => 'r', body => 'other')), 'key_reused', 'but another body is told first');
rollback to s;

-- 400, 404
select is((select outcome from pg_temp.turn('u', message => null)), 'bad_request', 'a bad body');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'none')), 'chatbot_not_found', 'unknown chatbot');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => null)), 'chatbot_not_found', 'no chatbot');
select banter.chatbot_create(2, 'theirs', 't', '');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'theirs')), 'chatbot_not_found', 'another workspace''s chatbot');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'bot', conversation => 'none')), 'conversation_not_found', 'unknown conversation');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'bot', conversation => 'x3-c')), 'conversation_not_found', 'another chatbot''s conversation');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'other', conversation => 'x3-c', workspace => 2)), 'conversation_not_found', 'another workspace''s conversation');

-- 402
savepoint poor;
update banter_data.workspace set credits = 0 where workspace = 1;
create temp table before as select * from banter_data.conversation;
select is((select outcome from pg_temp.turn('u', idem => 'k')), 'no_credit', 'no credit');
select is((select outcome from pg_temp.turn('u', session => 'new')), 'no_credit', 'no credit, first message');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'bot')), 'no_credit', 'no credit, new conversation');
select is((select outcome from pg_temp.turn('u', kind => 'workspace', chatbot => 'bot', conversation => 'none')), 'conversation_not_found', 'the conversation is judged before the credits');
select set_eq('select workspace, conversation, next_position, last_at from banter_data.conversation',
	'select workspace, conversation, next_position, last_at from before', 'no credit: no trace in the conversations');
select is((select count(*)::integer from banter_data.exchange where exchange = 'u'), 0, 'no credit: no exchange');
select is((select count(*)::integer from banter_data.idempotency), 0, 'no credit: the idempotency key is not remembered');
update banter_data.chatbot set price = 0 where workspace = 1;
select is((select outcome from pg_temp.turn('free')), 'started', 'what costs nothing needs no credit');
rollback to poor;

-- Keys' notes: once a minute.
select isnt_empty($$ select 1 from pg_temp.turn('n1') $$, 'used again');
create temp table note as select last_used_at from banter_data.api_key where workspace = 1 and api_key = 'wk-bot';
select isnt_empty($$ select 1 from pg_temp.turn('n2') $$, 'and again');
select pg_temp.rows_are($$ select last_used_at from banter_data.api_key where workspace = 1 and api_key = 'wk-bot' $$, 'select last_used_at from note', 'noted once');
update banter_data.api_key set last_used_at = now() - interval '61 seconds' where workspace = 1 and api_key = 'wk-bot';
select isnt_empty($$ select 1 from pg_temp.turn('n3') $$, 'and a minute later');
select ok(last_used_at > now() - interval '5 s', 'noted again') from banter_data.api_key where workspace = 1 and api_key = 'wk-bot';

-- As the program says it (include/edge/db_query.h): PostgreSQL looks at the time before it calls anything.
create temp table before as select count(*) from banter_data.exchange;
select is_empty($$ select * from banter.exchange_begin(p_workspace => 1, p_key_hash => sha256('wk-bot'), p_kind => 'widget',
		p_chatbot => null, p_exchange => 'late', p_answer_id => 'late-a', p_conversation => null, p_new_conversation => 'late-c',
		p_session => null, p_message => 'hello', p_metadata => null, p_stream => false, p_idempotency_key => null,
		p_body_hash => null, p_lease_seconds => 300, p_max_messages => 20, p_max_chars => 10000, p_request_id => 'r')
	where statement_timestamp() < '2000-01-01' $$, 'too late: no row');
select pg_temp.rows_are('select count(*) from banter_data.exchange', 'table before', 'and nothing has begun');
select is_empty($$ select banter.exchange_end(p_workspace => 1, p_exchange => 'n3', p_state => 'done', p_answer => 'a',
		p_finish_reason => null, p_tokens_in => null, p_tokens_out => null, p_error => null, p_first_ms => null,
		p_total_ms => 1, p_server => null, p_requests => 1, p_tries => null, p_lock_ms => 0)
	where statement_timestamp() < '2000-01-01' $$, 'too late to end it: no row');
select is((select state from banter_data.exchange where workspace = 1 and exchange = 'n3'), 'running', 'and it has not ended');

select * from finish();
rollback;
