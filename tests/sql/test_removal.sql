-- Deleting a chatbot and a workspace in steps: nothing of them stays, nothing of others goes.
begin;
select no_plan();
\ir include/fixture.sql

-- All steps, of so many rows each: how many rows in how many steps.
create function pg_temp.remove(workspace bigint, chatbot text, most integer default 1000, keep_totals boolean default false)
returns text language plpgsql as $$
declare
	v_step record;
	v_next text;
	v_rows bigint := 0;
	v_steps integer := 0;
begin
	perform banter.removal_begin(workspace, chatbot);
	loop
		select * into v_step from banter.removal_step(workspace, chatbot, keep_totals, v_next, most);
		v_next := v_step.next;
		v_rows := v_rows + v_step.removed;
		v_steps := v_steps + 1;
		exit when v_step.ended;
		assert v_steps < 1000, 'it never ends';
	end loop;
	return v_rows || ' in ' || case when v_steps = 1 then 'one' when v_steps < 20 then 'few' else 'many' end;
end
$$;
-- Where the workspace, or the chatbot of it, still is.
create function pg_temp.left_of(workspace bigint, chatbot text default '%') returns text language sql as $$
	select string_agg(t, ' ' order by t) from (
		select 'workspace' from banter_data.workspace w where w.workspace = $1 and $2 = '%'
		union all select 'chatbot' from banter_data.chatbot c where c.workspace = $1 and c.chatbot like $2
		union all select 'key' from banter_data.api_key k where k.workspace = $1 and coalesce(k.chatbot, '') like $2
		union all select 'conversation' from banter_data.conversation c where c.workspace = $1 and c.chatbot like $2
		union all select 'exchange' from banter_data.exchange e where e.workspace = $1 and e.chatbot like $2
		union all select 'ledger' from banter_data.ledger l where l.workspace = $1 and $2 = '%'
		union all select 'idempotency' from banter_data.idempotency i where i.workspace = $1 and i.chatbot like $2
		union all select 'window' from banter_data.rate_window r where r.workspace = $1 and r.chatbot like $2) x (t)
$$;

-- Which tables' samples have something of them.
create function pg_temp.sampled() returns text language sql as $$
	select string_agg(distinct c.relname, ' ' order by c.relname)
	from pg_statistic s join pg_class c on c.oid = s.starelid join pg_namespace n on n.oid = c.relnamespace
	where n.nspname = 'banter_data' and concat(s.stavalues1, s.stavalues2, s.stavalues3) ~ '(metered|unlimited|bot|other|-[car]|wk|sk)'
$$;

update banter_data.chatbot set rate_limit = 100 where chatbot = 'bot';
select pg_temp.turn('a1', idem => 'k1'), pg_temp.turn('a2'), pg_temp.turn('b1', session => 'b'),
	pg_temp.turn('o1', key => 'wk-other'), pg_temp.turn('w1', kind => 'workspace', chatbot => 'bot', idem => 'k2'),
	pg_temp.turn('u' || n, workspace => 2) from generate_series(1, 1) n;
select pg_temp.turn('v' || n, session => n::text, workspace => 2) from generate_series(1, 30) n;
select pg_temp.finish('a1'), pg_temp.finish('b1', 'left', 'some'), pg_temp.finish('o1'), pg_temp.finish('w1');

analyze;
select is(pg_temp.sampled(), 'api_key chatbot conversation exchange idempotency workspace', 'samples were taken of it');

select pg_temp.row_is($$ select workspace, chatbot, entries, question from banter.removal_question(null, 'metered/bot') $$,
	row(1::bigint, 'bot'::text, 7::bigint, 'delete chatbot "bot" of workspace "metered" with 1 key, 3 conversations and 4 exchanges (1 running)?'
		' it is shut at once, and nothing brings it back'::text), 'what goes with a chatbot');
select pg_temp.row_is($$ select workspace, chatbot, entries, question from banter.removal_question('metered', null) $$,
	row(1::bigint, null::text, 15::bigint, 'delete workspace "metered" with 2 chatbots, 3 keys, 4 conversations and 5 exchanges (1 running),'
		' and 5 credits unspent? it is shut at once, and nothing brings it back'::text), 'and with a workspace');
select throws_ok($$ select banter.removal_question('nobody', null) $$, 'P0001', null, 'none of that name');

select throws_ok($$ select banter.removal_step(1, 'bot', false, null, 10) $$, 'P0001',
	'it was opened again meanwhile; what was deleted by then is gone', 'what is not shut is not deleted');
select banter.removal_begin(1, 'bot');
select is((select outcome from pg_temp.turn('n1')), 'unauthorized', 'shut from the first moment');
select is((select outcome from pg_temp.turn('n1', kind => 'workspace', chatbot => 'bot', idem => 'k2')), 'chatbot_not_found', 'for each key');
select is((select outcome from pg_temp.turn('n2', key => 'wk-other')), 'started', 'the others are not');
select is(pg_temp.credits(), 4::bigint, 'six are taken');
select is(pg_temp.remove(1, 'bot'), '7 in few', 'a chatbot goes');
select is(pg_temp.left_of(1, 'bot'), null, 'with all that is of it');
select is(pg_temp.left_of(1, 'other'), 'chatbot conversation exchange exchange key', 'the other stays');
select is(pg_temp.credits(), 5::bigint, 'what ran is given back');
select is(pg_temp.ledger(), 5::bigint, 'and the ledger, which stays, adds up');
select is(pg_temp.finish('a2'), 'gone', 'its worker is told');
select ok(not banter.lease_renew(1, 'a2', 300, 7000), 'at its next renewal too');
select is((select outcome from pg_temp.turn('n1')), 'unauthorized', 'its key is no key');
select is((select outcome from pg_temp.turn('n1', kind => 'workspace', chatbot => 'bot')), 'chatbot_not_found', 'its id no id');
select pg_temp.row_is($$ select * from banter.removal_step(1, 'bot', false, null, 10) $$, row(0::bigint, null::text, true), 'what is gone already has ended');

-- A workspace; in the smallest steps, and cut off in between.
update banter_data.ledger set at = '2026-01-31T23:00:00-05' where workspace = 1 and kind = 'grant';
insert into banter_data.ledger_total values ('2026-02-01', 7, 3);
select pg_temp.finish('v' || n, workspace => 2) from generate_series(1, 29) n;
select banter.removal_begin(2, null);
select is((select outcome from pg_temp.turn('n3', workspace => 2)), 'unauthorized', 'shut from the first moment');
select is((select outcome from pg_temp.turn('n3', workspace => 2, kind => 'workspace', chatbot => 'bot')), 'unauthorized', 'for each key');
select banter.removal_step(2, null, false, null, 10) from generate_series(1, 3);
select ok(count(*) between 1 and 30, 'some are gone') from banter_data.exchange where workspace = 2;
select matches(pg_temp.remove(2, null, 10), ' in many$', 'it begins again where it was');
select is(pg_temp.left_of(2), null, 'all of it goes');
select is(pg_temp.left_of(1), 'chatbot conversation exchange exchange key key ledger ledger ledger ledger ledger ledger ledger ledger workspace', 'nothing of another');
select is(pg_temp.remove(1, null, 3, true), '12 in few', 'with its ledger');
select is(pg_temp.left_of(1), null, 'all of it');
select pg_temp.rows_are('select * from banter.credits_totals() order by month', format(
	$$ values ('2026-02', 17::bigint, 3::bigint), (%L, 0, 4) $$, to_char(now() at time zone 'UTC', 'YYYY-MM')),
	'its totals are kept, with those that are there, where that is wanted');

-- Samples: also of tables that are empty now.
select is_empty($$ select from banter_data.workspace $$, 'nothing is left');
select is(pg_temp.sampled(), null, 'not in what PostgreSQL keeps of columns');

select * from finish();
rollback;
