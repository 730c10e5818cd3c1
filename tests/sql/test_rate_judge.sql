begin;
select no_plan();
\ir include/fixture.sql
update banter_data.chatbot set rate_limit = 2, rate_window = 3600;

create function pg_temp.ask(exchange text, chatbot text default 'bot', message text default 'hello', idem text default null,
	body text default 'body', conversation text default null)
returns table (outcome text, limit_max integer, limit_remaining integer, retry integer, reset_ok boolean)
language sql as $$
	select t.outcome, t.limit_max, t.limit_remaining, t.retry_after,
		t.limit_reset between extract(epoch from clock_timestamp()) and extract(epoch from clock_timestamp()) + 3601
	from pg_temp.turn($1, kind => 'workspace', chatbot => $2, message => $3, idem => $4, body => $5, conversation => $6, workspace => 2) t
	limit 1
$$;
create function pg_temp.counted() returns bigint
language sql as $$ select count from banter_data.rate_window where workspace = 2 and chatbot = 'bot' $$;

select pg_temp.rows_are($$ select outcome, limit_max, limit_remaining, reset_ok from pg_temp.ask('x1', idem => 'k') $$, $$ values ('started', 2, 1, true) $$, 'the first of two');
select pg_temp.rows_are($$ select outcome, limit_max, limit_remaining, reset_ok from pg_temp.ask('x1', idem => 'k') $$, $$ values ('started', 2, 1, true) $$, 'sent again: not counted again');
select pg_temp.rows_are($$ select outcome, limit_max, limit_remaining, reset_ok from pg_temp.ask('x1b', idem => 'k') $$, $$ values ('in_progress', 2, 1, true) $$, 'in progress: looks only');
select pg_temp.rows_are($$ select outcome, limit_max, limit_remaining, reset_ok from pg_temp.ask('x1c', idem => 'k', body => 'else') $$, $$ values ('key_reused', 2, 1, true) $$, 'key reused: looks only');
select pg_temp.finish('x1', workspace => 2);
select pg_temp.rows_are($$ select outcome, limit_max, limit_remaining, reset_ok from pg_temp.ask('x1d', idem => 'k') $$, $$ values ('replay', 2, 1, true) $$, 'replay: looks only');
select pg_temp.rows_are($$ select outcome, limit_max from pg_temp.ask('b', message => null) $$, $$ values ('bad_request', null::integer) $$, 'a bad request is judged before the chatbot');
select pg_temp.rows_are($$ select outcome, limit_max from pg_temp.ask('b', 'none') $$, $$ values ('chatbot_not_found', null::integer) $$, 'an unknown chatbot has no limit');
select is(pg_temp.counted(), 1::bigint, 'one was counted');
select pg_temp.rows_are($$ select outcome, limit_max, limit_remaining from pg_temp.ask('c', conversation => 'none') $$, $$ values ('conversation_not_found', 2, 0) $$, 'refused after the limit: counted');
select pg_temp.rows_are($$ select outcome, limit_max, limit_remaining, retry between 1 and 3600, reset_ok from pg_temp.ask('x3') $$, $$ values ('limited', 2, 0, true, true) $$, 'the third is refused');
select is((select outcome from pg_temp.ask('x4')), 'limited', 'and the fourth');
select is(pg_temp.counted(), 4::bigint, 'refused ones count');
select is((select count(*)::integer from banter_data.exchange where workspace = 2), 1, 'nothing else of them is kept');
select is((select outcome from pg_temp.ask('o1', 'other')), 'started', 'each chatbot has its own');
select is((select outcome from pg_temp.turn('w1', workspace => 2)), 'started', 'a widget key''s requests are not limited here');
select is((select limit_max from pg_temp.turn('w2', workspace => 2)), null, 'nor told of it');
select is(pg_temp.counted(), 4::bigint, 'nor counted');

-- The window is fixed from its first request, and then a new one begins.
update banter_data.rate_window set started_at = clock_timestamp() - interval '30 minutes' where workspace = 2;
create temp table before as select clock_timestamp() as now;
create temp table told as select outcome, retry from pg_temp.ask('x5');
select pg_temp.row_is($$ select t.outcome, t.retry between ceil(extract(epoch from w.started_at + interval '1 hour' - clock_timestamp()))
		and ceil(extract(epoch from w.started_at + interval '1 hour' - b.now))
	from told t, before b, banter_data.rate_window w where w.workspace = 2 and w.chatbot = 'bot' $$, row('limited'::text, true), 'told when it ends');
update banter_data.rate_window set started_at = clock_timestamp() - interval '1 hour' where workspace = 2;
select pg_temp.rows_are($$ select outcome, limit_remaining from pg_temp.ask('x1d', idem => 'k') $$, $$ values ('replay', 2) $$, 'a look at an ended window finds it open');
select pg_temp.rows_are($$ select outcome, limit_remaining, reset_ok from pg_temp.ask('x6') $$, $$ values ('started', 1, true) $$, 'after its end: a new one');
update banter_data.chatbot set rate_limit = null;
select pg_temp.rows_are($$ select outcome, limit_max from pg_temp.ask('x7') $$, $$ values ('started', null::integer) $$, 'no limit');
update banter_data.chatbot set rate_limit = 0;
select pg_temp.rows_are($$ select outcome, limit_remaining from pg_temp.ask('x8') $$, $$ values ('limited', 0) $$, 'a limit of none');

-- The clock was set back: a window that has yet to begin is none.
update banter_data.chatbot set rate_limit = 2;
update banter_data.rate_window set started_at = clock_timestamp() + interval '3 hours', count = 2 where workspace = 2;
select pg_temp.rows_are($$ select outcome, limit_remaining from pg_temp.ask('x1e', idem => 'k') $$, $$ values ('replay', 2) $$, 'a look at a window of the future finds it open');
select pg_temp.rows_are($$ select outcome, limit_remaining, reset_ok from pg_temp.ask('x8b') $$, $$ values ('started', 1, true) $$, 'which a new one replaces');

-- No credit comes after the limit and carries it.
update banter_data.chatbot set rate_limit = 5;
update banter_data.workspace set credits = 0 where workspace = 2;
select pg_temp.rows_are($$ select outcome, limit_max from pg_temp.ask('x9') $$, $$ values ('no_credit', 5) $$, 'no credit carries the limit');

select * from finish();
rollback;
