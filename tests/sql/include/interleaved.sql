-- Where test_interleaved's calls begin: something for each of them to do. Times lie hours apart, so that none is reached
-- while it runs.
--
-- Workspace 1 is metered. Its chatbot bot has the widget key wk and the session s, with one exchange of each kind; other is
-- asked with the workspace's key sk; limited has a limit, brief forgets after a day, shut is being deleted. Workspace 2 is
-- there to be let alone.

insert into banter_data.workspace (workspace, name, credits, created_at) values
	(1, 'first', 5, '2020-01-01'),
	(2, 'second', 5, '2020-01-02');
insert into banter_data.chatbot (
	workspace, chatbot, name, price, rate_limit, rate_window, retention_days, active, created_at)
values
	(1, 'bot', 'Bot', 1, null, 60, null, true, '2020-01-01'),
	(1, 'other', 'Other', 1, null, 60, null, true, '2020-01-02'),
	(1, 'limited', 'Limited', 1, 5, 864000, null, true, '2020-01-03'),
	(1, 'brief', 'Brief', 1, 5, 3600, 1, true, '2020-01-04'),
	(1, 'shut', 'Shut', 1, null, 60, null, false, '2020-01-05'),
	(2, 'second', 'Second', 1, null, 60, null, true, '2020-01-01');
-- wk's use is noted with the next request, sk's is not.
insert into banter_data.api_key (workspace, api_key, kind, hash, chatbot, label, hint, created_at, last_used_at)
select k.workspace, k.api_key, case when k.chatbot is null then 'workspace' else 'widget' end, sha256(k.api_key::bytea),
	k.chatbot, k.api_key, right('....' || k.api_key, 4), k.created_at, date_trunc('second', now()) + k.used
from (values
	(1, 'wk', 'bot', timestamptz '2020-01-01', interval '-10 hours'),
	(1, 'sk', null, timestamptz '2020-01-02', interval '10 hours'),
	(2, 'wk2', 'second', timestamptz '2020-01-01', interval '10 hours')) k (workspace, api_key, chatbot, created_at, used);
insert into banter_data.api_key (
	workspace, api_key, kind, hash, chatbot, label, hint, created_at, last_used_at, origins, identity_inner, identity_outer)
values (
	1, 'pk', 'site', sha256('pk'), 'bot', 'pk', '..pk', '2020-01-03', date_trunc('second', now()) + interval '10 hours',
	array['https://shop.example'], 'inner', 'outer');

-- By token, signed in, and one of whom nothing is left.
insert into banter_data.visitor (workspace, visitor, chatbot, hash, user_id, created_at) values
	(1, 'v-token', 'bot', sha256('token'), null, '2020-01-01'),
	(1, 'v-user', 'bot', sha256('user pk known'), 'known', '2020-01-01'),
	(1, 'v-idle', 'bot', sha256('idle'), null, '2020-01-01');
insert into banter_data.visitor_day (workspace, chatbot, day, exchanges, credits) values
	(1, 'bot', (now() at time zone 'UTC')::date, 2, 2);

insert into banter_data.conversation (
	workspace, conversation, chatbot, session, visitor, thread, next_position, created_at, last_at)
select c.workspace, c.conversation, c.chatbot, c.session, c.visitor, c.thread, c.next, '2020-01-01',
	date_trunc('second', now()) - c.age
from (values
	(1, 'c-bot', 'bot', 's', null, null, 6, interval '3 hours'),
	(1, 'c-other', 'other', null, null, null, 5, interval '4 hours'),
	(1, 'c-brief', 'brief', null, null, null, 2, interval '30 hours'),
	(1, 'c-shut', 'shut', 's', null, null, 3, interval '5 hours'),
	(1, 'c-limited', 'limited', null, null, null, 2, interval '1 hour'),
	(1, 'c-visit', 'bot', null, 'v-token', 't', 3, interval '1 hour'),
	(1, 'c-visit-2', 'bot', null, 'v-token', 't-2', 1, interval '1 hour'),
	(1, 'c-user', 'bot', null, 'v-user', 't', 1, interval '1 hour'),
	(2, 'c-second', 'second', 's', null, null, 2, interval '3 hours'))
	c (workspace, conversation, chatbot, session, visitor, thread, next, age);

insert into banter_data.exchange (
	workspace, exchange, conversation, chatbot, api_key, position, attempt, replaces, state, price, stream, answer_id,
	question, answer, chars, started_at, ended_at, lease_until)
select e.workspace, e.exchange, e.conversation, case e.conversation when 'c-visit' then 'bot' else substr(e.conversation, 3) end,
	e.api_key, e.position, coalesce(e.attempt, 0),
	e.replaces, e.state, e.price, false, e.exchange || '-a', 'asked', case when e.state in ('done', 'left') then 'said' end,
	case when e.state in ('done', 'left') then 9 else 5 end, t.now - e.age - e.n * interval '1 minute',
	case when e.state <> 'running' then t.now - e.age - e.n * interval '1 minute' + interval '30 seconds' end,
	case when e.lapses then t.now - e.age + interval '5 minutes' else t.now + interval '10 hours' end
from (values
	(1, 1, 'done-1', 'c-bot', 'wk', 1, null, null, 'done', 1, interval '9 hours', false),
	(2, 1, 'done-2', 'c-bot', 'wk', 2, null, null, 'done', 1, interval '8 hours', false),
	(3, 1, 'left-1', 'c-bot', 'wk', 3, null, null, 'left', 1, interval '7 hours', false),
	(4, 1, 'runs-1', 'c-bot', 'wk', 4, null, null, 'running', 1, interval '6 hours', false),
	(5, 1, 'dead-1', 'c-bot', 'wk', 5, null, null, 'running', 1, interval '5 hours', true),
	(6, 1, 'done-3', 'c-other', 'sk', 1, null, null, 'done', 1, interval '9 hours', false),
	(7, 1, 'left-2', 'c-other', 'sk', 2, null, null, 'left', 1, interval '8 hours', false),
	(8, 1, 'runs-2', 'c-other', 'sk', 2, 1, 'left-2', 'running', 0, interval '7 hours', false),
	(9, 1, 'left-3', 'c-other', 'sk', 3, null, null, 'left', 1, interval '6 hours', false),
	(10, 1, 'dead-2', 'c-other', 'sk', 3, 1, 'left-3', 'running', 0, interval '5 hours', true),
	(11, 1, 'failed-1', 'c-other', 'sk', 4, null, null, 'failed', 1, interval '4 hours', false),
	(12, 1, 'done-4', 'c-brief', 'sk', 1, null, null, 'done', 1, interval '30 hours', false),
	(13, 1, 'done-5', 'c-shut', 'sk', 1, null, null, 'done', 1, interval '9 hours', false),
	(14, 1, 'runs-3', 'c-shut', 'sk', 2, null, null, 'running', 1, interval '6 hours', false),
	(15, 2, 'done-6', 'c-second', 'wk2', 1, null, null, 'done', 1, interval '9 hours', false),
	(16, 1, 'done-v', 'c-visit', 'pk', 1, null, null, 'done', 1, interval '90 minutes', false),
	(17, 1, 'runs-v', 'c-visit', 'pk', 2, null, null, 'running', 1, interval '60 minutes', false),
	(18, 1, 'runs-l', 'c-limited', 'sk', 1, null, null, 'running', 1, interval '60 minutes', false))
	e (n, workspace, exchange, conversation, api_key, position, attempt, replaces, state, price, age, lapses)
cross join (select date_trunc('second', now())) t (now);

-- The balance is what was granted, less what was reserved, whatever became of it.
insert into banter_data.ledger (workspace, delta, balance_after, at, kind, exchange)
select l.workspace, l.delta, sum(l.delta) over (partition by l.workspace order by l.n), '2020-01-01', l.kind, l.exchange
from (
	select workspace, 5 + (select sum(e.price) from banter_data.exchange e where e.workspace = w.workspace)
		- (case w.workspace when 1 then 1 else 0 end) as delta, 'grant' as kind, null as exchange, '' as n
	from banter_data.workspace w
	union all
	select e.workspace, -e.price, 'reserve', e.exchange, e.exchange
	from banter_data.exchange e
	where e.price > 0 and e.exchange <> 'failed-1') l;

insert into banter_data.idempotency (workspace, api_key, key, body_hash, chatbot, exchange, created_at)
select 1, i.api_key, i.key, sha256('body'), i.chatbot, i.exchange, date_trunc('second', now()) - i.age
from (values
	('wk', 'left', 'bot', 'left-1', interval '7 hours'),
	('wk', 'running', 'bot', 'runs-1', interval '6 hours'),
	('wk', 'dead', 'bot', 'dead-1', interval '5 hours'),
	('sk', 'done', 'other', 'done-3', interval '9 hours'),
	('sk', 'dead in place', 'other', 'dead-2', interval '5 hours'),
	('sk', 'failed', 'other', 'failed-1', interval '4 hours'),
	('sk', 'old', 'brief', 'done-4', interval '30 hours')) i (api_key, key, chatbot, exchange, age);

-- One that goes on, one that has ended.
insert into banter_data.rate_window (workspace, chatbot, started_at, count) values
	(1, 'limited', date_trunc('second', now()) - interval '10 hours', 4),
	(1, 'brief', date_trunc('second', now()) - interval '10 hours', 5);
insert into banter_data.ledger_total (month, granted, spent) values ('2020-01-01', 10, 7);
