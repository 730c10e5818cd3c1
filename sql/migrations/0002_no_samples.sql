-- banter: steps
-- ANALYZE, and so autovacuum, copies values of each column into pg_statistic, where they would outlive their
-- erasure. Of what people write, and what their clients are called, it takes none any more. What it has taken
-- so far goes when a column's type is set, to what it is.
--
-- That is instant where no other column is made of it, as `chars` was, and no check has to be held against all rows
-- meanwhile. (As first released, this rewrote the table of exchanges under a lock; what it leads to is the same but for
-- `chars`, see 0004.)

-- banter: step
drop trigger if exists exchange_chars on banter_data.exchange;
alter table banter_data.exchange alter column chars drop expression if exists;
create or replace function banter_data.exchange_chars() returns trigger language plpgsql as $$
begin
	new.chars := char_length(new.question) + coalesce(char_length(new.answer), 0);
	return new;
end
$$;
comment on function banter_data.exchange_chars() is 'Counts an exchange''s characters as it is written.';
alter table banter_data.exchange
	drop constraint if exists exchange_answered_with_text,
	alter column question type text,
	alter column answer type text,
	alter column request_id type text collate "C",
	alter column question set statistics 0,
	alter column answer set statistics 0,
	alter column request_id set statistics 0,
	add constraint exchange_answered_with_text check (state not in ('done', 'left') or answer <> '') not valid;
create trigger exchange_chars before insert or update of question, answer on banter_data.exchange
	for each row execute function banter_data.exchange_chars();

-- banter: step
alter table banter_data.exchange validate constraint exchange_answered_with_text;

-- banter: step
alter table banter_data.conversation
	alter column session type text collate "C",
	alter column session set statistics 0;
alter table banter_data.idempotency
	drop constraint if exists idempotency_key_fits,
	alter column key type text collate "C",
	alter column key set statistics 0,
	add constraint idempotency_key_fits check (char_length(key) between 1 and 255) not valid;

-- banter: step
alter table banter_data.idempotency validate constraint idempotency_key_fits;
