-- banter: steps
-- Several model servers, what became of reasoning inside an answer, what was asked where, and from where on a model sees
-- a conversation. Whoever is there already is asked for as so far: by the default server alone, whose reasoning is left
-- out, with what fits of all of its conversation.
--
-- And what makes an exchange cheap: PostgreSQL reads each check of a table anew for each statement that writes to it, and
-- looks a row up by whatever index begins with what is asked for, as long as it knows too little of a table to tell them
-- apart.

-- banter: step
alter table banter_data.chatbot
	add column if not exists servers text[] collate "C",
	add column if not exists reasoning text collate "C" not null default 'remove',
	drop constraint if exists chatbot_servers_few,
	drop constraint if exists chatbot_reasoning_known,
	add constraint chatbot_servers_few check (cardinality(servers) between 1 and 16) not valid,
	add constraint chatbot_reasoning_known check (reasoning in ('remove', 'keep', 'begins')) not valid;
comment on column banter_data.chatbot.servers is
	'Names of the model servers that are asked, in this order; null: only the one called default.';
comment on column banter_data.chatbot.reasoning is
	'What becomes of reasoning that stands in the model''s text: remove; keep; begins: remove, and each answer begins in it.';

-- A table a step: who writes has locked others already when it comes to one, and would be waited for in vain.
-- banter: step
alter table banter_data.exchange
	add column if not exists server text collate "C",
	add column if not exists requests smallint,
	add column if not exists tries text,
	add column if not exists tokens_cached integer;
comment on column banter_data.exchange.server is 'The model server that was asked last.';
comment on column banter_data.exchange.requests is 'How often a model was asked, in all.';
comment on column banter_data.exchange.tries is
	'Why it was asked again, or another was: a server''s name and the reason, for each, such as "a 503, b refused"; never a server''s words.';
comment on column banter_data.exchange.tokens_cached is
	'Of tokens_in: those that the model''s server had kept from an earlier request; null: it did not say.';

-- banter: step
alter table banter_data.conversation
	add column if not exists history_from bigint not null default 0;
comment on column banter_data.conversation.history_from is
	'The position from which on a model sees it. It moves in leaps: what is sent grows at its end in between, as servers'' caches want it.';

-- banter: step
-- What these say is held by who writes: turn_start, turn_close and lease_release, which nobody but they and the operator
-- can get past, and conversation_fault, which has these rules for what comes from a file.
alter table banter_data.exchange
	drop constraint if exists exchange_state_known,
	drop constraint if exists exchange_ended_unless_running,
	drop constraint if exists exchange_answered_with_text,
	drop constraint if exists exchange_later_attempt_replaces;
-- banter: step
alter table banter_data.conversation drop constraint if exists conversation_next_position_positive;

-- Of a table's indexes the primary key alone begins with the workspace. All others begin with what is selective, so that
-- no look-up by the primary key can be made through them; and where one may (no function of the release before needs more)
-- it is for those alone that ask for that column, even while a table is empty.
-- banter: concurrently
create unique index concurrently if not exists exchange_place
	on banter_data.exchange (conversation, workspace, position, attempt) where conversation is not null;

-- banter: concurrently
create unique index concurrently if not exists conversation_session
	on banter_data.conversation (chatbot, workspace, session);

-- banter: concurrently
create unique index concurrently if not exists api_key_hash
	on banter_data.api_key (hash, workspace);

-- banter: concurrently
create index concurrently if not exists idempotency_of_exchange
	on banter_data.idempotency (exchange, workspace) where exchange is not null;

-- banter: step
alter table banter_data.exchange drop constraint if exists exchange_position_key;
-- banter: step
alter table banter_data.conversation drop constraint if exists conversation_session_key;
-- banter: step
alter table banter_data.api_key drop constraint if exists api_key_hash_key;

-- banter: concurrently
drop index concurrently if exists banter_data.idempotency_exchange;

-- banter: step
create table if not exists banter_data.ledger_total (
	month date not null,
	granted bigint not null,
	spent bigint not null,
	constraint ledger_total_pkey primary key (month)
);
comment on table banter_data.ledger_total is
	'What deleted workspaces were granted and spent, all together, by UTC month: for operators who keep totals without names.';

-- These of the operator's return more than before, which no "or replace" can: they are made again with all the others.
drop function if exists banter.chatbot_list(text), banter.chatbot_show(text), banter.stats(text, integer, text, text),
	banter.tail(integer, text, timestamptz);

-- banter: step
-- A generated column cannot be had without writing the table anew, and a trigger costs each write: a plain one, which
-- turn_start and turn_close count. Functions of the release before, which go on until all are made anew in a moment, do
-- not: what they write is not counted, and what runs now no more.
drop trigger if exists exchange_chars on banter_data.exchange;
drop function if exists banter_data.exchange_chars();
alter table banter_data.exchange alter column chars drop expression if exists;
comment on column banter_data.exchange.chars is
	'Characters of both, so that history is measured without reading it; null: not counted.';

-- banter: repeat until 0 rows
with batch as (
	select e.workspace, e.exchange from banter_data.exchange e
	where e.ended_at is null and e.chars is not null
	limit 1000
	for no key update)
update banter_data.exchange e
set chars = null
from batch b
where e.workspace = b.workspace and e.exchange = b.exchange
returning 1;
