-- ANALYZE, and so autovacuum, copies values of each column into pg_statistic, where they would outlive their
-- erasure. Of what people write, and what their clients are called, it takes none any more. What it has taken
-- so far goes when a column's type is set, to what it is; the texts' is fixed as long as `chars` is made of them.
--
-- This rewrites the table of exchanges, and nobody can use it meanwhile. All locks come first, in the order of an
-- exchange, and are not waited for long: behind us everybody waits.
set local lock_timeout = '10s';
lock table banter_data.exchange, banter_data.conversation, banter_data.idempotency in access exclusive mode;

alter table banter_data.exchange
	drop column chars,
	alter column question type text,
	alter column answer type text,
	alter column request_id type text collate "C",
	alter column question set statistics 0,
	alter column answer set statistics 0,
	alter column request_id set statistics 0,
	add column chars integer generated always as (char_length(question) + coalesce(char_length(answer), 0)) stored;
comment on column banter_data.exchange.chars is 'Characters of both, so that history is measured without reading it.';

alter table banter_data.conversation
	alter column session type text collate "C",
	alter column session set statistics 0;
alter table banter_data.idempotency
	alter column key type text collate "C",
	alter column key set statistics 0;
