begin;
select no_plan();
\ir include/fixture.sql
select banter.key_create(1, 'pk', 'site', 'bot', sha256('pk'), 'xxxx', '', array['https://a.example']);
update banter_data.workspace set credits = 100 where workspace = 1;
update banter_data.chatbot set price = 3 where workspace = 1 and chatbot = 'bot';

-- A visitor's exchange, the server's caps with it.
create function pg_temp.visit(exchange text, exchanges bigint default 0, credits bigint default 0, idem text default null, body text default 'body')
returns table (outcome text, percent integer, chatbot text, until_midnight boolean)
language sql as $$
	select b.outcome, b.percent, b.chatbot, b.retry_after between ceil(extract(epoch from date_trunc('day', clock_timestamp() at time zone 'UTC')
			+ interval '1 day' - clock_timestamp() at time zone 'UTC')) - 1 and 86400
	from banter.visit_begin(
		p_workspace => 1, p_key_hash => sha256('pk'), p_origin => 'https://a.example', p_token => sha256('t'),
		p_minted => $1 in ('a1', 'new') , p_user => null, p_expires => null, p_signature => null, p_new_visitor => $1 || '-v',
		p_exchange => $1, p_answer_id => $1 || '-a', p_new_conversation => $1 || '-c', p_session => 's', p_message => 'hello',
		p_stream => true, p_idempotency_key => $4, p_body_hash => sha256($5::bytea), p_lease_seconds => 300,
		p_max_messages => 0, p_max_chars => 0, p_request_id => 'r', p_max_open => 0, p_max_open_per_key => 0,
		p_max_exchanges => $2, p_max_credits => $3, p_lock_ms => 600000) b
	where b.outcome <> 'history'
$$;
create view pg_temp.day as select exchanges, credits, most_exchanges, most_credits from banter_data.visitor_day where chatbot = 'bot';

-- By exchanges. One warning at 80 percent, one at the last; then no more today.
select pg_temp.row_is($$ select * from pg_temp.visit('a1', 5, idem => 'k') $$, row('started'::text, null::integer, 'bot'::text, null::boolean));
select pg_temp.row_is('select * from pg_temp.day', row(1::bigint, 3::bigint, 5::bigint, null::bigint), 'counted');
select pg_temp.row_is($$ select * from pg_temp.visit('a1', 5) $$, row('started'::text, null::integer, 'bot'::text, null::boolean), 'sent again');
select is(pg_temp.finish('a1'), 'stored');
select is((select outcome from pg_temp.visit('a2', 5, idem => 'k')), 'replay');
select is((select outcome from pg_temp.visit('a2', 5, idem => 'k', body => 'other')), 'key_reused');
select is((select exchanges from pg_temp.day), 1::bigint, 'neither counts');
select is((select outcome from pg_temp.visit('b' || n, 5)), 'started') from generate_series(2, 3) n;
select is((select percent from pg_temp.visit('b4', 5)), 80);
select is((select percent from pg_temp.visit('b4', 5)), null, 'said once');
select is((select percent from pg_temp.visit('b5', 5)), 100);
select pg_temp.row_is($$ select * from pg_temp.visit('b6', 5) $$, row('visitors_limited'::text, null::integer, null::text, true), 'the sixth');
select is((select outcome from pg_temp.visit('new', 5)), 'visitors_limited', 'nor a new one');
select is((select count(*)::integer from banter_data.visitor), 1, 'who is not made');
select is((select outcome from pg_temp.visit('b6', 5, idem => 'k')), 'replay', 'an answer is given again');
select is((select outcome from pg_temp.visit('b6', 5, idem => 'k', body => 'other')), 'key_reused');
select is((select outcome from pg_temp.visit('b5', 5)), 'started', 'the last one, sent again');
select is((select outcome from pg_temp.turn('w1')), 'started', 'a widget key goes on');
select pg_temp.row_is('select exchanges, credits from pg_temp.day', row(5::bigint, 15::bigint));
select is((select outcome from pg_temp.visit('c1', 6)), 'started', 'a cap that is raised counts at once');

-- What the operator sees of it.
select is((select visitors_percent from banter.stats('chatbot', 1, null, 'metered/bot')), 100, 'in percent, by chatbot');
select is((select visitors_percent from banter.stats('workspace', 1, null, 'metered/bot')), null, 'by nothing else');
select is((select visitors_today from banter.chatbot_show('metered/bot')), '6 of 6 exchanges, 18 credits');

-- The chatbot's own come first.
update banter_data.chatbot set visitor_exchanges = 6 where workspace = 1 and chatbot = 'bot';
select is((select outcome from pg_temp.visit('c2', 100)), 'visitors_limited');
update banter_data.chatbot set visitor_exchanges = null, visitor_credits = 20 where workspace = 1 and chatbot = 'bot';
select is((select outcome from pg_temp.visit('c2', 100)), 'visitors_limited', '18 and 3 are more than 20');
update banter_data.chatbot set visitor_credits = null, price = 2 where workspace = 1 and chatbot = 'bot';
select is((select percent from pg_temp.visit('c2', 100, 20)), 100, '20 are not');
update banter_data.chatbot set price = 30 where workspace = 1 and chatbot = 'bot';

-- Another day begins from nothing.
update banter_data.visitor_day set day = day - 1;
select is((select outcome from pg_temp.visit('d1', 100, 20)), 'visitors_limited', 'one that is dearer than a day''s credits');
update banter_data.chatbot set price = 3 where workspace = 1 and chatbot = 'bot';
select pg_temp.row_is($$ select outcome, percent from pg_temp.visit('d1', 100, 20) $$, row('started'::text, null::integer));
select pg_temp.row_is('select exchanges, credits from pg_temp.day', row(1::bigint, 3::bigint));

-- Who asked before midnight and waited for who came after it.
update banter_data.visitor_day set day = day + 1, exchanges = 5;
select is((select outcome from pg_temp.visit('d2', 100, 20)), 'started');
select pg_temp.row_is($$ select d.day - (clock_timestamp() at time zone 'UTC')::date, d.exchanges from banter_data.visitor_day d $$,
	row(1, 6::bigint), 'is counted in the day that has begun');
select is((select outcome from pg_temp.visit('d3', 6, 20)), 'visitors_limited', 'and up to its cap');
update banter_data.visitor_day set day = day - 1, exchanges = 1, credits = 3;

-- What does not begin, and what costs nothing.
update banter_data.workspace set credits = 0 where workspace = 1;
select is((select outcome from pg_temp.visit('e1', 100, 20)), 'no_credit');
select pg_temp.row_is('select exchanges, credits from pg_temp.day', row(1::bigint, 3::bigint), 'is not counted');
update banter_data.workspace set credits = null where workspace = 1;
select is((select outcome from pg_temp.visit('e2', 100, 4, idem => 'left')), 'started', 'without credits these are no cap');
select pg_temp.row_is('select exchanges, credits from pg_temp.day', row(2::bigint, 3::bigint));
update banter_data.workspace set credits = 100 where workspace = 1;
select is(pg_temp.finish('e2', 'left', 'half'), 'stored');
select is((select outcome from pg_temp.visit('e3', 100, 6, idem => 'left')), 'started', 'in its place');
select pg_temp.row_is('select exchanges, credits from pg_temp.day', row(3::bigint, 3::bigint), 'one more, and no second charge');
update banter_data.exchange set lease_until = clock_timestamp() - interval '1 minute' where exchange = 'e3';
select is((select outcome from pg_temp.visit('e4', 3, idem => 'left')), 'visitors_limited', 'a lapsed one would run anew');

-- No caps.
update banter_data.visitor_day set exchanges = 1000000, credits = 1000000;
select is((select outcome from pg_temp.visit('f1')), 'started');
select pg_temp.row_is('select most_exchanges, most_credits from pg_temp.day', row(null::bigint, null::bigint));

select * from finish();
rollback;
