begin;
select no_plan();

create temp view ours as
select c.oid, c.relname, c.relkind
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'banter_data' and c.relkind in ('r', 'v', 'm', 'p');

select set_eq($$ select relname::text from ours $$,
	array['workspace', 'chatbot', 'api_key', 'conversation', 'exchange', 'ledger', 'idempotency',
		'rate_window', 'ledger_total', 'usage_day', 'migration', 'visitor', 'visitor_day', 'feedback'],
	'these are the tables and views');
select is_empty($$ select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname = 'banter' $$, 'schema banter holds functions only');

select is_empty($$ select relname from ours where obj_description(oid, 'pg_class') is null $$,
	'every table and view has a comment');
select is_empty($$ select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	where n.nspname in ('banter', 'banter_data') and obj_description(p.oid, 'pg_proc') is null $$,
	'every function has a comment');
select is_empty($$ select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	where n.nspname = 'banter' and not (p.prosecdef
		and p.proconfig @> array['search_path=pg_catalog, banter_data, pg_temp']) $$,
	'every function of the application is security definer with the fixed search_path');
select is_empty($$ select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	where n.nspname = 'banter_data' and p.prosecdef $$, 'an inner function has no rights of its own');

select is_empty($$
	select c.conrelid::regclass, c.conname
	from pg_constraint c join ours o on o.oid = c.conrelid
	join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
	where c.contype in ('p', 'u', 'f') and a.attname <> 'workspace' and o.relname not in ('migration', 'ledger_total') $$,
	'the workspace leads every primary, unique and foreign key');
select is_empty($$
	select o.relname from ours o where o.relkind = 'r'
	and not exists (select from pg_constraint c where c.conrelid = o.oid and c.contype = 'p') $$,
	'every table has a primary key');
select is_empty($$
	select o.relname from ours o join pg_class c on c.oid = o.oid
	where o.relkind = 'p' or (o.relkind = 'r' and (c.relpersistence, c.relreplident) <> ('p', 'd')) $$,
	'a partition''s move can follow every table by it');
select is_empty($$
	select c.conname from pg_constraint c join ours o on o.oid = c.conrelid
	where c.contype = 'f' and not exists (
		select from pg_index i where i.indrelid = c.conrelid
		and (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey)
	and o.relname <> 'api_key' $$,
	'an index serves every foreign key (keys are few)');
select is_empty($$
	select o.relname, a.attname from ours o
	join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
	join pg_collation l on l.oid = a.attcollation
	where o.relkind = 'r' and l.collname <> 'C' and a.attname in ('chatbot', 'api_key', 'conversation',
		'exchange', 'session', 'key', 'answer_id', 'request_id', 'replaces', 'kind', 'state') $$,
	'ids are collated "C"');
select is_empty($$
	select o.relname, a.attname from ours o
	join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
	where a.atttypid = 'timestamp'::regtype $$, 'no time is without its zone');
select col_type_is('banter_data', 'exchange', 'metadata', 'json', 'metadata is json, not jsonb');

select * from finish();
rollback;
