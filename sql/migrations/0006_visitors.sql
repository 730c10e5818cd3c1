-- banter: steps
-- Keys that a page shows to everybody, and their visitors. Whoever is there already has none of either.

-- banter: step
alter table banter_data.api_key
	add column if not exists origins text[] collate "C",
	add column if not exists identity_inner bytea,
	add column if not exists identity_outer bytea,
	drop constraint if exists api_key_kind_known,
	drop constraint if exists api_key_widget_has_chatbot,
	drop constraint if exists api_key_chatbot_of_kind,
	drop constraint if exists api_key_site_has_origins,
	add constraint api_key_kind_known check (kind in ('widget', 'workspace', 'site')) not valid,
	add constraint api_key_chatbot_of_kind check ((kind <> 'workspace') = (chatbot is not null)) not valid,
	add constraint api_key_site_has_origins check (
		(kind = 'site') = (origins is not null) and cardinality(origins) between 1 and 16) not valid;
comment on table banter_data.api_key is
	'A key, known by its hash only: of one chatbot (widget; site, which everybody may know) or of all of a workspace''s.';
comment on column banter_data.api_key.origins is 'The pages a site key is for: exactly what their browsers send as Origin.';
comment on column banter_data.api_key.identity_inner is
	'A site key''s identity secret, by which a site''s back end says who is signed in: HMAC''s inner pad (RFC 2104); null: none.';
comment on column banter_data.api_key.identity_outer is 'Its outer pad.';

-- banter: step
alter table banter_data.api_key validate constraint api_key_kind_known;
-- banter: step
alter table banter_data.api_key validate constraint api_key_chatbot_of_kind;
-- banter: step
alter table banter_data.api_key validate constraint api_key_site_has_origins;

-- banter: step
create table if not exists banter_data.visitor (
	workspace bigint not null,
	visitor text collate "C" not null,
	chatbot text collate "C" not null,
	hash bytea not null,
	user_id text collate "C",
	created_at timestamptz not null default clock_timestamp(),
	constraint visitor_pkey primary key (workspace, visitor),
	constraint visitor_chatbot_fkey foreign key (workspace, chatbot)
		references banter_data.chatbot on delete cascade
);
alter table banter_data.visitor alter column user_id set statistics 0;
create unique index if not exists visitor_hash on banter_data.visitor (hash, workspace);
create index if not exists visitor_chatbot on banter_data.visitor (chatbot, workspace);
comment on table banter_data.visitor is 'Whom a chatbot''s site keys have let in; without its row a visitor is nobody.';
comment on column banter_data.visitor.visitor is 'An id of ours that nobody outside is told.';
comment on column banter_data.visitor.hash is 'SHA-256 of the token, or of what names a signed-in user: see visitor_judge.';
comment on column banter_data.visitor.user_id is 'What the site calls its signed-in user; null: a token''s.';

-- Names of a visitor's own are not in the column of sessions: a widget key never meets one.
-- banter: step
alter table banter_data.conversation
	add column if not exists visitor text collate "C",
	add column if not exists thread text collate "C";
alter table banter_data.conversation alter column thread set statistics 0;
comment on column banter_data.conversation.visitor is 'Whose it is alone; null: its key''s.';
comment on column banter_data.conversation.thread is 'The visitor''s own name for it; null: known by its id alone.';

-- banter: concurrently
create unique index concurrently if not exists conversation_visitor
	on banter_data.conversation (visitor, workspace, thread) where visitor is not null;

-- Who ends an exchange looks at its state alone: nothing that runs pays for this.
-- banter: step
alter table banter_data.exchange add column if not exists stopped_at timestamptz;
comment on column banter_data.exchange.stopped_at is 'When somebody asked that it end; null: nobody did.';

-- banter: step
alter table banter_data.chatbot
	add column if not exists visitor_exchanges integer,
	add column if not exists visitor_credits integer,
	add column if not exists client_system boolean,
	add column if not exists on_leave text,
	add column if not exists detached_time integer,
	add column if not exists on_repeat text;
comment on column banter_data.chatbot.on_leave is
	'finish: an exchange goes on when its client has left; else it stops.';
comment on column banter_data.chatbot.detached_time is 'For so many seconds, unless somebody comes back; null: 60.';
comment on column banter_data.chatbot.on_repeat is
	'attach: who asks the same again, under the same idempotency key, while it runs, hears it; else they are refused.';
comment on column banter_data.chatbot.client_system is
	'What OpenAI''s clients send as a system message follows the system prompt; else it is dropped.';
comment on column banter_data.chatbot.visitor_exchanges is
	'Exchanges that visitors may begin in one day, all together; null: what the server lets them.';
comment on column banter_data.chatbot.visitor_credits is 'The same in credits.';

create table if not exists banter_data.visitor_day (
	workspace bigint not null,
	chatbot text collate "C" not null,
	day date not null,
	exchanges bigint not null,
	credits bigint not null,
	most_exchanges bigint,
	most_credits bigint,
	constraint visitor_day_pkey primary key (workspace, chatbot),
	constraint visitor_day_chatbot_fkey foreign key (workspace, chatbot)
		references banter_data.chatbot on delete cascade
) with (fillfactor = 20);
comment on table banter_data.visitor_day is 'What the visitors of each chatbot have begun on the latest day, in UTC.';
comment on column banter_data.visitor_day.credits is 'What these reserved when they began, also where they failed later.';
comment on column banter_data.visitor_day.most_exchanges is 'The day''s cap as of the latest of them; null: none.';

-- banter: step
-- These of the operator's take or return more than before, which no "or replace" can: they are made again with all the
-- others.
drop function if exists
	banter.key_create(bigint, text, text, text, bytea, text, text),
	banter.key_list(text), banter.key_show(text), banter.chatbot_show(text),
	banter.stats(text, integer, text, text);

-- banter: step
create table if not exists banter_data.feedback (
	workspace bigint not null,
	exchange text collate "C" not null,
	at timestamptz not null default clock_timestamp(),
	thumb text collate "C",
	text text,
	constraint feedback_pkey primary key (workspace, exchange),
	constraint feedback_exchange_fkey foreign key (workspace, exchange)
		references banter_data.exchange on delete cascade,
	constraint feedback_thumb_known check (thumb in ('up', 'down')),
	constraint feedback_text_fits check (char_length(text) between 1 and 2000),
	constraint feedback_says_something check (num_nonnulls(thumb, text) > 0)
);
alter table banter_data.feedback alter column text set statistics 0;
comment on table banter_data.feedback is 'What whoever asked thinks of an answer: the last they said.';
comment on column banter_data.feedback.thumb is 'up or down; null: a text alone.';

-- banter: step
-- These of the operator's, and what they call, take or return more than before.
drop function if exists
	banter.conversation_list(text, text, text, integer),
	banter.conversation_erase(text, text, text, text, text, boolean, bigint, text, integer),
	banter.conversation_erase_count(text, text, text, text, text, boolean),
	banter.sweep_due(),
	banter_data.conversation_choice(text, text, text, text, boolean),
	banter_data.conversation_chosen(
		bigint, text, text[], text, text, text, timestamptz, boolean, bigint, text, integer);

-- banter: step
-- What the workers of schema version 4 call, and its functions had called.
drop function if exists
	banter.turn_start(
		bigint, bytea, text, text, text, text, text, text, text, text, json, boolean, text, bytea,
		integer, integer, integer, text, integer, integer, integer),
	banter.turn_close(
		bigint, text, text, text, text, integer, integer, text, integer, integer, text, integer, text, integer),
	banter_data.conversation_enter(bigint, text, text, text, text),
	banter_data.history(bigint, text, bigint, timestamptz, integer, integer),
	banter_data.locks_in_time();
