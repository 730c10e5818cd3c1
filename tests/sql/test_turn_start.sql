begin;
select no_plan();
\ir include/fixture.sql

-- As the workers of schema version 4 call it.
create function pg_temp.begun(exchange text, idem text default null, lock_ms integer default 600000) returns setof text language sql as $$
	select concat_ws(' ', t.outcome, t.conversation, t.message_id, t.model, t.system_prompt, t.temperature, t.max_tokens, t.stream, t.content, t.servers, t.reasoning)
	from banter.turn_start(1, sha256('wk-bot'), 'widget', null, $1, $1 || '-a', null, $1 || '-c', 's', 'hello', '{"k":1}', null,
		$2, sha256('body'), 300, 20, 10000, $1 || '-r', 7, 7, p_lock_ms => $3) t
$$;

update banter_data.chatbot set model = 'm', temperature = 0.5, max_tokens = 99, stream = true, servers = '{b,c}'
where workspace = 1 and chatbot = 'bot';
select pg_temp.rows_are($$ select pg_temp.begun('x1', 'k') $$, $$ values ('started x1-c x1-a m You are bot. 0.5 99 t b,c remove') $$, 'started');
select pg_temp.row_is($$ select state, question, metadata::text, request_id, server from banter_data.exchange where exchange = 'x1' $$,
	row('running'::text, 'hello'::text, '{"k":1}'::text, 'x1-r'::text, null::text), 'and written');
select is(current_setting('lock_timeout'), '10min', 'locks are waited for as long as it is told');
select pg_temp.finish('x1');
select pg_temp.rows_are($$ select pg_temp.begun('x2', 'k') $$, $$ values ('replay x1-c x1-a m You are bot. 0.5 99 t hi b,c remove') $$, 'an answer again');
select pg_temp.rows_are($$ select pg_temp.begun('x3') $$,
	$$ values ('started x1-c x3-a m You are bot. 0.5 99 t b,c remove'), ('user hello'), ('assistant hi') $$, 'with the history after it, oldest first');

select * from finish();
rollback;
