-- The first schema: every table the product keeps its data in, and the view its statistics come from.
-- Not here: functions (app/, operator/, inner/, applied again at every migrate) and privileges (roles.sql).
-- Runs inside a transaction that the migrating program opens; forward only, never edited once released.
--
-- The workspace leads every primary and foreign key, so that workspaces can be spread over databases.
-- Foreign keys are left out where the parent is a row that every exchange would have to lock (the key,
-- the chatbot of an exchange): its conversation already holds it to one chatbot.

do $$
begin
	if current_setting('server_encoding') <> 'UTF8' then
		raise exception 'database "%" is encoded in %, banter needs UTF8',
			current_database(), current_setting('server_encoding')
			using errcode = 'feature_not_supported',
			hint = 'create it with: create database NAME encoding ''UTF8'' template template0';
	end if;
end
$$;

create schema if not exists banter_data;
create schema if not exists banter;

comment on schema banter_data is 'Banter''s tables and inner functions; nobody but their owner uses them.';
comment on schema banter is 'Banter''s functions: the only thing the application may touch.';

-- The migrating program makes this one before it runs any migration.
do $$
begin
	if to_regclass('banter_data.migration') is not null then
		comment on table banter_data.migration is 'Which migrations have run here; kept by the migrating program.';
	end if;
end
$$;

create table banter_data.workspace (
	workspace bigint not null,
	name text not null,
	credits bigint,
	max_open integer,
	max_open_per_key integer,
	active boolean not null default true,
	created_at timestamptz not null default clock_timestamp(),
	constraint workspace_pkey primary key (workspace),
	constraint workspace_credits_not_negative check (credits >= 0),
	constraint workspace_max_open_positive check (max_open > 0),
	constraint workspace_max_open_per_key_positive check (max_open_per_key > 0)
-- A metered workspace's row changes with every exchange: room on its page keeps those updates HOT.
) with (fillfactor = 20);

comment on table banter_data.workspace is 'A customer: owner of chatbots, keys and credits.';
comment on column banter_data.workspace.workspace is 'Random 64-bit number; workspace keys carry it.';
comment on column banter_data.workspace.credits is 'What is left to spend; null: unlimited, and then this row is never locked.';
comment on column banter_data.workspace.max_open is 'Most exchanges open at once; null: the server''s setting.';
comment on column banter_data.workspace.max_open_per_key is 'Most exchanges open at once with one key; null: the server''s setting.';

create table banter_data.chatbot (
	workspace bigint not null,
	chatbot text collate "C" not null,
	name text not null,
	system_prompt text not null default '',
	model text,
	temperature double precision,
	max_tokens integer,
	history_messages integer,
	history_chars integer,
	stream boolean not null default false,
	price integer not null default 1,
	rate_limit integer,
	rate_window integer not null default 60,
	retention_days integer,
	active boolean not null default true,
	created_at timestamptz not null default clock_timestamp(),
	constraint chatbot_pkey primary key (workspace, chatbot),
	constraint chatbot_workspace_fkey foreign key (workspace)
		references banter_data.workspace on delete cascade,
	constraint chatbot_id_fits check (char_length(chatbot) between 1 and 40),
	constraint chatbot_temperature_not_negative check (temperature >= 0),
	constraint chatbot_max_tokens_positive check (max_tokens > 0),
	constraint chatbot_history_messages_not_negative check (history_messages >= 0),
	constraint chatbot_history_chars_not_negative check (history_chars >= 0),
	constraint chatbot_price_not_negative check (price >= 0),
	constraint chatbot_rate_limit_not_negative check (rate_limit >= 0),
	constraint chatbot_rate_window_positive check (rate_window > 0),
	constraint chatbot_retention_days_positive check (retention_days > 0)
);

comment on table banter_data.chatbot is 'A chatbot: how the model is asked, what an exchange costs, how often it may be asked.';
comment on column banter_data.chatbot.model is 'Null: the server''s default.';
comment on column banter_data.chatbot.temperature is 'Null: the model''s own.';
comment on column banter_data.chatbot.max_tokens is 'Longest answer, in tokens; null: the model''s own.';
comment on column banter_data.chatbot.history_messages is 'Most messages of history shown to the model; null: the server''s setting, which caps it anyway.';
comment on column banter_data.chatbot.history_chars is 'Most characters of history shown to the model; null: the server''s setting, which caps it anyway.';
comment on column banter_data.chatbot.stream is 'Whether answers stream where the request does not say.';
comment on column banter_data.chatbot.price is 'Credits for one exchange.';
comment on column banter_data.chatbot.rate_limit is 'Requests in one window; null: no limit.';
comment on column banter_data.chatbot.rate_window is 'Length of a window, in seconds.';
comment on column banter_data.chatbot.retention_days is 'Days to keep conversations; null: for ever.';

create table banter_data.api_key (
	workspace bigint not null,
	api_key text collate "C" not null,
	kind text collate "C" not null,
	hash bytea not null,
	chatbot text collate "C",
	label text not null default '',
	hint text not null default '',
	active boolean not null default true,
	created_at timestamptz not null default clock_timestamp(),
	revoked_at timestamptz,
	last_used_at timestamptz,
	constraint api_key_pkey primary key (workspace, api_key),
	constraint api_key_hash_key unique (workspace, hash),
	constraint api_key_workspace_fkey foreign key (workspace)
		references banter_data.workspace on delete cascade,
	constraint api_key_chatbot_fkey foreign key (workspace, chatbot)
		references banter_data.chatbot on delete cascade,
	constraint api_key_kind_known check (kind in ('widget', 'workspace')),
	constraint api_key_widget_has_chatbot check ((kind = 'widget') = (chatbot is not null)),
	constraint api_key_hash_is_sha256 check (octet_length(hash) = 32),
	constraint api_key_hint_short check (char_length(hint) <= 4)
) with (fillfactor = 80);

comment on table banter_data.api_key is 'A key, known by its hash only: of one chatbot (widget) or of all of a workspace''s.';
comment on column banter_data.api_key.hash is 'SHA-256 of the whole key.';
comment on column banter_data.api_key.hint is 'The key''s last four characters, to tell keys apart.';
comment on column banter_data.api_key.last_used_at is 'To the minute: written at most once in that time.';

create table banter_data.conversation (
	workspace bigint not null,
	conversation text collate "C" not null,
	chatbot text collate "C" not null,
	session text collate "C",
	next_position bigint not null,
	created_at timestamptz not null default clock_timestamp(),
	last_at timestamptz not null default clock_timestamp(),
	constraint conversation_pkey primary key (workspace, conversation),
	constraint conversation_session_key unique (workspace, chatbot, session),
	constraint conversation_chatbot_fkey foreign key (workspace, chatbot)
		references banter_data.chatbot on delete cascade,
	constraint conversation_next_position_positive check (next_position > 0)
-- Every exchange moves next_position: room on the page keeps that HOT.
) with (fillfactor = 80);

comment on table banter_data.conversation is 'A thread of exchanges with one chatbot.';
comment on column banter_data.conversation.session is 'The client''s own name for it (widget keys); null: known by its id alone.';
comment on column banter_data.conversation.next_position is 'Position that the next exchange gets; updating it is the lock that orders them.';
comment on column banter_data.conversation.last_at is 'When its latest exchange started.';

-- Every check costs each of the two writes an exchange takes: only those that hold its states together.
create table banter_data.exchange (
	workspace bigint not null,
	position bigint not null,
	lease_until timestamptz not null,
	started_at timestamptz not null default clock_timestamp(),
	ended_at timestamptz,
	attempt integer not null default 0,
	price integer not null,
	tokens_in integer,
	tokens_out integer,
	first_ms integer,
	total_ms integer,
	chars integer generated always as (char_length(question) + coalesce(char_length(answer), 0)) stored,
	stream boolean not null,
	state text collate "C" not null default 'running',
	exchange text collate "C" not null,
	conversation text collate "C" not null,
	chatbot text collate "C" not null,
	api_key text collate "C" not null,
	answer_id text collate "C" not null,
	request_id text collate "C",
	replaces text collate "C",
	model text,
	finish_reason text,
	error text,
	metadata json,
	question text not null,
	answer text,
	constraint exchange_pkey primary key (workspace, exchange),
	constraint exchange_position_key unique (workspace, conversation, position, attempt),
	constraint exchange_conversation_fkey foreign key (workspace, conversation)
		references banter_data.conversation on delete cascade,
	constraint exchange_state_known
		check (state in ('running', 'done', 'left', 'failed', 'lost', 'replaced')),
	constraint exchange_ended_unless_running check ((state = 'running') = (ended_at is null)),
	constraint exchange_answered_with_text check (state not in ('done', 'left') or answer <> ''),
	constraint exchange_later_attempt_replaces check ((attempt = 0) = (replaces is null))
);

-- The few that run: what finds those whose lease ended. Said by ended_at, which is null as long as the
-- state is running, so that a statement which asks for one exchange in that state is not tempted to look
-- through all that run.
create index exchange_running on banter_data.exchange (workspace, lease_until) where ended_at is null;

comment on table banter_data.exchange is 'A question and its answer, one row for both: written when it starts and again when it ends.';
comment on column banter_data.exchange.position is 'Place in its conversation; only attempts at one question share it.';
comment on column banter_data.exchange.attempt is '0, or which new attempt in that place this is.';
comment on column banter_data.exchange.lease_until is 'While running: when its worker counts as dead.';
comment on column banter_data.exchange.price is 'Credits: reserved while running, charged once done or left, given back in any other state.';
comment on column banter_data.exchange.chars is 'Characters of both, so that history is measured without reading it.';
comment on column banter_data.exchange.stream is 'How it was answered: as a stream, or whole.';
comment on column banter_data.exchange.state is
	'running; done; left: the client went after some text; failed: what text there is, is partial; lost: its lease ended; replaced: a later attempt took its place and its charge.';
comment on column banter_data.exchange.api_key is 'The key it came with.';
comment on column banter_data.exchange.answer_id is 'The answer''s id, as the client knows it.';
comment on column banter_data.exchange.request_id is 'The id of the request, as in its reply''s header and in the log.';
comment on column banter_data.exchange.replaces is 'The left exchange whose place this attempt takes if it ends with text.';
comment on column banter_data.exchange.model is 'The chatbot''s model when it started; null: the server''s default.';
comment on column banter_data.exchange.error is 'Cause of a failure, never text of a message.';
comment on column banter_data.exchange.first_ms is 'Milliseconds to the first token.';
comment on column banter_data.exchange.total_ms is 'Milliseconds in all.';
comment on column banter_data.exchange.metadata is 'The object that came with the question, as sent; json since jsonb refuses what RFC 8259 allows.';

create table banter_data.ledger (
	workspace bigint not null,
	entry bigint generated always as identity,
	delta bigint not null,
	balance_after bigint not null,
	at timestamptz not null default clock_timestamp(),
	kind text collate "C" not null,
	exchange text collate "C",
	constraint ledger_pkey primary key (workspace, entry),
	constraint ledger_workspace_fkey foreign key (workspace)
		references banter_data.workspace on delete cascade,
	constraint ledger_kind_known check (kind in ('grant', 'reserve', 'release')),
	constraint ledger_delta_signed check (
		(kind <> 'reserve' or delta < 0) and (kind <> 'release' or delta > 0)),
	constraint ledger_balance_not_negative check (balance_after >= 0)
);

comment on table banter_data.ledger is 'Every change of a workspace''s credits; the deltas sum up to what it has.';
comment on column banter_data.ledger.exchange is 'The exchange it was for, by name only: the ledger outlives what is erased.';
comment on column banter_data.ledger.kind is 'grant: by the operator; reserve: an exchange started; release: it ended without a charge.';

create table banter_data.idempotency (
	workspace bigint not null,
	created_at timestamptz not null default clock_timestamp(),
	api_key text collate "C" not null,
	key text collate "C" not null,
	body_hash bytea not null,
	chatbot text collate "C" not null,
	exchange text collate "C" not null,
	constraint idempotency_pkey primary key (workspace, api_key, key),
	constraint idempotency_exchange_fkey foreign key (workspace, exchange)
		references banter_data.exchange on delete cascade,
	constraint idempotency_key_fits check (char_length(key) between 1 and 255)
);

-- For the foreign key: erasing an exchange forgets its key.
create index idempotency_exchange on banter_data.idempotency (workspace, exchange);

comment on table banter_data.idempotency is 'Idempotency-Keys that started something, and the latest exchange each started.';
comment on column banter_data.idempotency.created_at is 'When that exchange started; the key counts for 24 hours from then.';
comment on column banter_data.idempotency.body_hash is 'Hash of the request''s body bytes.';

create table banter_data.rate_window (
	workspace bigint not null,
	chatbot text collate "C" not null,
	started_at timestamptz not null,
	count bigint not null,
	constraint rate_window_pkey primary key (workspace, chatbot),
	constraint rate_window_chatbot_fkey foreign key (workspace, chatbot)
		references banter_data.chatbot on delete cascade,
	constraint rate_window_count_positive check (count > 0)
) with (fillfactor = 20);

comment on table banter_data.rate_window is 'The latest window of each chatbot that has a rate limit.';
comment on column banter_data.rate_window.count is 'Requests in it, refused ones too.';

-- Read from the exchanges themselves: a counter's row would be one more that all of a workspace waits for.
create view banter_data.usage_day as
select
	e.workspace,
	e.chatbot,
	e.model,
	(e.started_at at time zone 'UTC')::date as day,
	count(*) filter (where e.state <> 'replaced') as exchanges,
	count(*) filter (where e.state = 'done') as done,
	count(*) filter (where e.state = 'left') as "left",
	count(*) filter (where e.state in ('failed', 'lost')) as failed,
	coalesce(sum(e.tokens_in), 0)::bigint as tokens_in,
	coalesce(sum(e.tokens_out), 0)::bigint as tokens_out,
	coalesce(sum(e.price) filter (where e.state in ('done', 'left')), 0)::bigint as credits
from banter_data.exchange e
group by e.workspace, e.chatbot, e.model, (e.started_at at time zone 'UTC')::date;

comment on view banter_data.usage_day is
	'Use of each chatbot by model and UTC day (of the start). Tokens count whatever became of the answer; credits are those charged.';
