-- Run as an ordinary role that owns its database and nothing else, with the schema applied in one-role mode.
begin;
select no_plan();
\ir ../include/fixture.sql

select is(session_user::text, 'one_role', 'we are the one role');
select ok(not rolsuper and not rolcreaterole, 'it has no rights beyond its database')
from pg_roles where rolname = current_user;
select is((select count(*)::integer from pg_namespace n, aclexplode(n.nspacl) a
	where n.nspname in ('banter', 'banter_data') and a.grantee <> n.nspowner), 0, 'the schemas are its own alone');
select is((select count(*)::integer from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
	aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
	where n.nspname in ('banter', 'banter_data') and a.grantee <> p.proowner), 0, 'so are the functions');
select is((select outcome from pg_temp.turn('x1')), 'started', 'an exchange starts');
select is(pg_temp.finish('x1'), 'stored', 'and ends');

-- A role that it may not create: a notice, and the rest holds.
select set_config('banter.app_role', 'cannot_be_made', true);
\ir ../../../sql/roles.sql
select hasnt_role('cannot_be_made', 'a role it may not create is left out');
select is((select outcome from pg_temp.turn('x2')), 'started', 'and the owner goes on working');

select * from finish();
rollback;
