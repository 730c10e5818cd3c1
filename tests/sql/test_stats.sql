begin;
select plan(21);
\ir include/fixture.sql

-- Yesterday: a done and a left one of bot; today: a failed and a lost one of bot, a done one of other, one that
-- runs; of workspace 2 one that is done; and what is older than asked for.
create function pg_temp.yesterday(exchange text) returns void language sql as $$
	update banter_data.exchange e set started_at = clock_timestamp() - interval '1 day' where e.exchange = $1
$$;
create function pg_temp.day(ago integer) returns text language sql as $$
	select to_char((clock_timestamp() at time zone 'UTC')::date - $1, 'YYYY-MM-DD')
$$;

select pg_temp.turn('zd'), pg_temp.turn('zl', session => 'l'), pg_temp.turn('zf', session => 'f'),
	pg_temp.turn('zr', session => 'r'), pg_temp.turn('zo', key => 'wk-other', session => 'o'),
	pg_temp.turn('z2', workspace => 2), pg_temp.turn('zold', session => 'old');
select pg_temp.finish('zd'), pg_temp.finish('zl', 'left', 'some'), pg_temp.finish('zo'), pg_temp.finish('z2', workspace => 2),
	pg_temp.finish('zold'), banter.exchange_end(1, 'zf', 'failed', null, null, null, null, 'the model timed out', null, 500, 'b', 4, 'a 503, a refused, b 429', 600000);
select pg_temp.yesterday('zd'), pg_temp.yesterday('zl');
update banter_data.exchange set started_at = clock_timestamp() - interval '9 days' where exchange = 'zold';

select pg_temp.rows_are($$ select name, exchanges, done, "left", failed, running, tokens_in, tokens_out, credits, first_ms_half, total_ms_half
		from banter.stats('day', 3, null, null) $$,
	format($$ values (%L, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, null::integer, null::integer),
		(%L, 2, 1, 1, 0, 0, 22, 14, 2, 120, 900),
		(%L, 4, 2, 0, 1, 1, 22, 14, 1, 120, 900) $$, pg_temp.day(2), pg_temp.day(1), pg_temp.day(0)),
	'by day, days without any too');
select pg_temp.rows_are($$ select name, exchanges from banter.stats('chatbot', 3, null, null) $$,
	$$ values ('metered/bot', 4::bigint), ('unlimited/bot', 1), ('other', 1) $$, 'by chatbot: two of one name are two, with their workspaces');
select pg_temp.rows_are($$ select name, exchanges, credits from banter.stats('workspace', 3, null, null) $$,
	$$ values ('metered', 5::bigint, 3::bigint), ('unlimited', 1, 0) $$, 'by workspace, with the credits charged');
select pg_temp.rows_are($$ select name, exchanges from banter.stats('model', 3, 'metered', null) $$,
	$$ values ('(the server''s)', 5::bigint) $$, 'by model, of one workspace');
select pg_temp.rows_are($$ select name, exchanges, failed from banter.stats('error', 3, null, null) $$,
	$$ values ('the model timed out', 1::bigint, 1::bigint) $$, 'by error: the failed alone');
select pg_temp.rows_are($$ select name, asked_again, moved from banter.stats('chatbot', 3, null, null) $$,
	$$ values ('metered/bot', 1::bigint, 1::bigint), ('unlimited/bot', 0, 0), ('other', 0, 0) $$, 'what was asked again, and what moved');
update banter_data.exchange e set server = 'b', requests = 2, tries = 'a a 500' where e.exchange = 'z2';
update banter_data.exchange e set requests = 2 where e.exchange = 'zl';
update banter_data.exchange e set server = null, requests = null where e.exchange = 'zo';
select pg_temp.rows_are($$ select name, exchanges, done, "left", failed, running, asked_again, moved, tokens_in, total_ms_half
		from banter.stats('server', 3, null, null) $$,
	$$ values ('(unknown)', 2::bigint, 1::bigint, 0::bigint, 0::bigint, 1::bigint, 0::bigint, 0::bigint, 11::bigint, 900),
		('a', 2, 0, 0, 0, 0, 1, 2, 0, null::integer), ('b', 2, 1, 0, 1, 0, 1, 0, 11, 500), ('default', 2, 1, 1, 0, 0, 1, 0, 22, 900) $$,
	'by server: an exchange counts for each that was asked, its end for the last');
select pg_temp.rows_are($$ select sum(asked_again)::bigint, sum(moved)::bigint from banter.stats('day', 3, null, null) $$,
	$$ values (3::bigint, 2::bigint) $$, 'and once in all');
update banter_data.exchange e set server = 'b', requests = 2, tries = 'a open, c full, b 503' where e.exchange = 'z2';
select pg_temp.rows_are($$ select name, exchanges, asked_again, moved from banter.stats('server', 3, 'unlimited', null) $$,
	$$ values ('b', 1::bigint, 1::bigint, 0::bigint) $$, 'by server: one that was passed over was not asked');
select pg_temp.rows_are($$ select exchanges, asked_again, moved from banter.stats('workspace', 3, 'unlimited', null) $$,
	$$ values (1::bigint, 1::bigint, 1::bigint) $$, 'though the exchange moved on from it');
update banter_data.chatbot set name = 'alone' where workspace = 1 and chatbot = 'other';
select pg_temp.rows_are($$ select sum(exchanges)::bigint from banter.stats('day', 3, null, 'alone') $$,
	$$ values (1::bigint) $$, 'of one chatbot');
select pg_temp.rows_are($$ select sum(exchanges)::bigint from banter.stats('day', 20, null, null) $$,
	$$ values (7::bigint) $$, 'as many days as are asked for');
select pg_temp.rows_are($$ select tokens_cached, cached_percent from banter.stats('model', 3, 'metered', null) $$,
	$$ values (0::bigint, null::integer) $$, 'where no server says what it had kept, nobody knows');
update banter_data.exchange e set tokens_cached = case e.exchange when 'zd' then 8 else 0 end where e.exchange in ('zd', 'zl');
update banter_data.exchange e set tokens_cached = 12 where e.exchange = 'z2';
select pg_temp.rows_are($$ select name, tokens_in, tokens_cached, cached_percent from banter.stats('workspace', 3, null, null) $$,
	$$ values ('metered', 33::bigint, 8::bigint, 36), ('unlimited', 11, 12, 100) $$, 'a share of what was sent where it was said, all at most');
insert into banter_data.feedback (workspace, exchange, thumb, text) values (1, 'zd', 'up', null), (1, 'zf', 'down', 'no'), (1, 'zl', null, 'so'), (2, 'z2', 'up', null);
select pg_temp.rows_are($$ select p_by, s.thumbs from unnest(array['day', 'chatbot', 'server', 'error']) p_by, lateral (
		select string_agg(s.thumbs_up || '/' || s.thumbs_down, ' ' order by s.thumbs_up, s.thumbs_down) from banter.stats(p_by, 3, null, null) s) s (thumbs) $$,
	$$ values ('day', '0/0 1/0 1/1'), ('chatbot', '0/0 1/0 1/1'), ('server', '0/0 0/0 1/0 1/1'), ('error', '0/1') $$, 'what readers think of the answers');
select throws_ok($$ select banter.stats('day', 3, 'unlimited', 'alone') $$, 'P0001',
	'chatbot "alone" is not of workspace "unlimited"', 'a chatbot of another workspace is refused');
select pg_temp.turn('zl2', session => 'idem', idem => 'k'), pg_temp.finish('zl2', 'left', 'some');
select pg_temp.turn('zl3', session => 'idem', idem => 'k'), pg_temp.finish('zl3');
select pg_temp.rows_are($$ select exchanges, done from banter.stats('day', 1, 'metered', null) $$,
	$$ values (4::bigint, 2::bigint) $$, 'what was replaced counts once');
select throws_ok($$ select banter.stats('week', 3, null, null) $$, 'P0001',
	'statistics are by day, chatbot, model, server, workspace or error, not by "week"', 'another word is refused');
select throws_ok($$ select banter.stats('day', 0, null, null) $$, 'P0001', 'statistics are of 1 to 3660 days', 'no days are refused');
select throws_ok($$ select banter.stats('day', 1, 'nobody', null) $$, 'P0001', null, 'a workspace that is not there is refused');

-- Ids begin with their time, as base/secret.c writes them.
select is(banter_data.id_at('1970-01-01T00:00:01Z'), '00000000z8', 'the beginning of an id is its time in base 32');

select * from finish();
rollback;
