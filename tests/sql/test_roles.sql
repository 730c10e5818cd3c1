begin;
select no_plan();
\ir include/fixture.sql

create temp view ours as
select p.oid, n.nspname, p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('banter', 'banter_data');

select is_empty($$ select c.relname, t.p
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) t (p)
	where n.nspname in ('banter', 'banter_data') and c.relkind in ('r', 'v')
		and (has_table_privilege('banter_app', c.oid, t.p) or has_any_column_privilege('banter_app', c.oid, 'select')) $$,
	'the application''s role can do nothing with any table');
select is_empty($$ select c.relname
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname in ('banter', 'banter_data') and c.relkind = 'S'
		and case c.relkind when 'S' then has_sequence_privilege('banter_app', c.oid, 'usage, select, update') end $$,
	'nor with any sequence');
select set_eq($$ select nspname || '.' || proname from ours where has_function_privilege('banter_app', oid, 'execute') $$,
	array['banter.exchange_begin', 'banter.exchange_end', 'banter.lease_renew', 'banter.schema_version', 'banter.health',
		'banter.visit_begin', 'banter.completion_begin', 'banter.models_list', 'banter.messages_read', 'banter.talks_list',
		'banter.talk_delete', 'banter.talk_feedback', 'banter.talk_stop', 'banter.talk_stopped', 'banter.stops',
		'banter.talk_stream', 'banter.talk_answer', 'banter.exchange_leave'],
	'it can execute exactly its eighteen functions');
select is_empty($$ select f.proname from pg_proc f join ours using (oid)
	where f.proname in ('exchange_begin', 'visit_begin') and pg_column_compression(f.proargnames) is not null $$,
	'no call unpacks what these take');
select ok(has_schema_privilege('banter_app', 'banter', 'usage'), 'it can use schema banter');
select ok(not has_schema_privilege('banter_app', 'banter', 'create'), 'it can make nothing there');
select ok(not has_schema_privilege('banter_app', 'banter_data', 'usage, create'), 'schema banter_data is shut to it');
select ok((select rolcanlogin and not rolsuper and not rolcreaterole and not rolcreatedb and not rolbypassrls
		and not rolreplication and rolinherit from pg_roles where rolname = 'banter_app'), 'it is an ordinary role');

create role nobody_special;
select is_empty($$ select nspname, proname from ours where has_function_privilege('nobody_special', oid, 'execute') $$,
	'public can execute nothing');
select is_empty($$ select n from unnest(array['banter', 'banter_data']) n
	where has_schema_privilege('nobody_special', n, 'usage, create') $$, 'public can use neither schema');
select is_empty($$ select c.relname
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname in ('banter', 'banter_data') and c.relkind in ('r', 'v')
		and has_table_privilege('nobody_special', c.oid, 'select, insert, update, delete') $$,
	'public can do nothing with any table');

-- As the role itself.
set local role banter_app;
select pg_temp.rows_are($$ select outcome, conversation from banter.exchange_begin(1, sha256('wk-bot'), 'widget', null, 'x1', 'a1',
	null, 'c1', 's', 'hello', null, true, null, sha256('b'), 300, 20, 10000, 'r1', p_lock_ms => 600000) $$, $$ values ('started', 'c1') $$, 'the application starts an exchange');
select ok(banter.lease_renew(1, 'x1', 300, 600000), 'and renews it');
select is(banter.exchange_end(1, 'x1', 'done', 'hi', 'stop', 1, 1, null, 1, 1, 'default', 1, null, 600000), 'stored', 'and ends it');
select ok(banter.health() and banter.schema_version() = 7, 'and asks how things are');
select throws_ok('select * from banter_data.exchange', '42501', null, 'it reads no table');
select throws_ok('select * from banter_data.usage_day', '42501', null, 'nor a view');
select throws_ok($$ select banter.key_create(1, 'k', 'workspace', null, sha256('k'), '', '') $$, '42501', null, 'it makes no key');
select throws_ok($$ select banter.workspace_create(9, 'w', 1) $$, '42501', null, 'nor a workspace');
select throws_ok($$ select banter_data.credit_return(1, 'x1', 5) $$, '42501', null, 'nor credits');
reset role;

-- What it had been given by hand goes at the next migrate.
grant select on banter_data.exchange to banter_app, public;
grant execute on function banter.key_create(bigint, text, text, text, bytea, text, text, text[]) to banter_app, public;
grant usage on schema banter_data to banter_app;
select set_config('banter.app_role', 'banter_app', true);
\ir ../../sql/roles.sql
select ok(not has_table_privilege('banter_app', 'banter_data.exchange', 'select')
	and not has_schema_privilege('banter_app', 'banter_data', 'usage')
	and not has_function_privilege('banter_app', 'banter.key_create(bigint, text, text, text, bytea, text, text, text[])', 'execute')
	and has_function_privilege('banter_app', 'banter.health()', 'execute'),
	'roles.sql takes back what it does not name');

-- A name that wants quoting, made at once.
select set_config('banter.app_role', 'Odd "name', true);
\ir ../../sql/roles.sql
select ok(has_function_privilege('Odd "name', 'banter.health()', 'execute'), 'any role name will do');
create temp view rights as
select r, count(*) filter (where has_function_privilege(r, o.oid, 'execute')) as functions,
	has_schema_privilege(r, 'banter', 'usage') or has_schema_privilege(r, 'banter_data', 'usage') as schemas
from unnest(array['banter_app', 'Odd "name']) r, ours o group by r;
select pg_temp.rows_are('select * from rights order by r', $$ values ('Odd "name', 18::bigint, true), ('banter_app', 0::bigint, false) $$,
	'the role before it has nothing left');

-- A backup's or a report's role reads tables: that is no application's.
grant usage on schema banter_data to nobody_special;
grant select on banter_data.exchange to nobody_special;
select set_config('banter.app_role', 'banter_app', true);
\ir ../../sql/roles.sql
select pg_temp.rows_are('select * from rights order by r', $$ values ('Odd "name', 0::bigint, false), ('banter_app', 18::bigint, true) $$,
	'and back again');
select ok(has_schema_privilege('nobody_special', 'banter_data', 'usage')
	and has_table_privilege('nobody_special', 'banter_data.exchange', 'select'), 'who only reads tables goes on reading');

-- None named: nobody's rights change.
select set_config('banter.app_role', '', true);
\ir ../../sql/roles.sql
select pg_temp.rows_are('select * from rights order by r', $$ values ('Odd "name', 0::bigint, false), ('banter_app', 18::bigint, true) $$,
	'without a role the application''s keeps its rights');

-- The owner named as the application's role keeps its rights.
select set_config('banter.app_role', current_user, true);
\ir ../../sql/roles.sql
select is((select sum(functions) from rights where not schemas), 0::numeric, 'one-role mode that is asked for ends the other''s');
select ok(has_schema_privilege('banter_data', 'usage'), 'the owner as the application''s role is one-role mode');

select * from finish();
rollback;
