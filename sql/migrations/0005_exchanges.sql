-- banter: steps
-- From where on a model sees a conversation, and what its server had kept of the prompt. Whoever is there already goes on
-- with what fits of all of its conversation.
--
-- And what makes an exchange cheap: PostgreSQL reads each check of a table anew for each statement that writes to it, and
-- looks a row up by whatever index begins with what is asked for, as long as it knows too little of a table to tell them
-- apart.

-- A table a step: who writes has locked others already when it comes to one, and would be waited for in vain.
-- banter: step
alter table banter_data.exchange add column if not exists tokens_cached integer;
comment on column banter_data.exchange.tokens_cached is
	'Of tokens_in: those that the model''s server had kept from an earlier request; null: it did not say.';

-- banter: step
alter table banter_data.conversation
	add column if not exists history_from bigint not null default 0;
comment on column banter_data.conversation.history_from is
	'The position from which on a model sees it. It moves in leaps: what is sent grows at its end in between, as servers'' caches want it.';

-- banter: step
-- What these say is held by who writes: exchange_begin, exchange_end and lease_release, which nobody but they and the
-- operator can get past, and conversation_fault, which has these rules for what comes from a file.
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
-- These of the operator's return more than before, which no "or replace" can: they are made again with all the others.
drop function if exists banter.stats(text, integer, text, text), banter.tail(integer, text, timestamptz);
-- And what the workers of schema versions 2 and 3 call.
drop function if exists
	banter.turn_begin(
		bigint, bytea, text, text, text, text, text, text, text, text, json, boolean, text, bytea,
		integer, integer, integer, text, integer, integer, integer),
	banter.turn_end(
		bigint, text, text, text, text, integer, integer, text, integer, integer, integer),
	banter.turn_finish(bigint, text, text, text, text, integer, integer, text, integer, integer),
	banter.turn_renew(bigint, text, integer),
	banter_data.lock_timeout_ms();

-- A trigger costs each write: exchange_begin and exchange_end count. Functions of the release before, which go on until all
-- are made anew in a moment, do not. So what runs is not counted any more, and then, without the trigger, nor is what ends.
-- banter: step
create or replace function banter_data.exchange_chars() returns trigger language plpgsql as $$
begin
	new.chars := case when new.ended_at is not null
		then char_length(new.question) + coalesce(char_length(new.answer), 0) end;
	return new;
end
$$;
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

-- banter: step
drop trigger if exists exchange_chars on banter_data.exchange;
drop function if exists banter_data.exchange_chars();
