-- Several model servers, what became of reasoning inside an answer, and what was asked where. Whoever is there already is
-- asked for as so far: by the default server alone, whose reasoning is left out.
set local lock_timeout = '2s';

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

alter table banter_data.exchange
	add column if not exists server text collate "C",
	add column if not exists requests smallint,
	add column if not exists tries text;
comment on column banter_data.exchange.server is 'The model server that was asked last.';
comment on column banter_data.exchange.requests is 'How often a model was asked, in all.';
comment on column banter_data.exchange.tries is
	'Why it was asked again, or another was: a server''s name and the reason, for each, such as "a 503, b refused"; never a server''s words.';

-- A generated column cannot be had without writing the table anew. This one is a plain column now that is kept by a
-- trigger, in each database, whichever version it comes from: see 0002.
alter table banter_data.exchange alter column chars drop expression if exists;
create or replace function banter_data.exchange_chars() returns trigger language plpgsql as $$
begin
	new.chars := char_length(new.question) + coalesce(char_length(new.answer), 0);
	return new;
end
$$;
comment on function banter_data.exchange_chars() is 'Counts an exchange''s characters as it is written.';
drop trigger if exists exchange_chars on banter_data.exchange;
create trigger exchange_chars before insert or update of question, answer on banter_data.exchange
	for each row execute function banter_data.exchange_chars();

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
