-- ANALYZE, and so autovacuum, copies values of each column into pg_statistic, where they would outlive their
-- erasure. Of what people write, and what their clients are called, it takes none any more.
alter table banter_data.exchange
	alter column question set statistics 0,
	alter column answer set statistics 0,
	alter column request_id set statistics 0;
alter table banter_data.conversation alter column session set statistics 0;
alter table banter_data.idempotency alter column key set statistics 0;

-- What it has taken so far goes when the column's type is set, to what it is. The texts' is fixed as long as
-- `chars` is made of them.
alter table banter_data.exchange drop column chars;
alter table banter_data.exchange
	alter column question type text,
	alter column answer type text,
	alter column request_id type text collate "C";
alter table banter_data.exchange
	add column chars integer generated always as (char_length(question) + coalesce(char_length(answer), 0)) stored;
comment on column banter_data.exchange.chars is 'Characters of both, so that history is measured without reading it.';
alter table banter_data.conversation alter column session type text collate "C";
alter table banter_data.idempotency alter column key type text collate "C";
