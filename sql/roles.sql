-- Who may do what: nobody but the owner anything, the application's role the functions of app/.
-- Runs last at every migrate, in the transaction that made the functions, after
--     select set_config('banter.app_role', ROLE, true);
-- A ROLE that owns the schema is one-role mode: the application owns what it uses. So is an empty one, which
-- leaves to others what they have.
--
-- No default privileges: PUBLIC's right to execute new functions can only be taken from all functions
-- its owner will ever make in this database, also those of others' software on a shared host. What this
-- schema adds is taken care of below before anybody can see it.

do $$
declare
	-- The files of app/, which `make lint` holds against this list. All forms of a name are granted.
	v_app constant text[] := array[
		'completion_begin',
		'exchange_begin',
		'exchange_end',
		'exchange_leave',
		'health',
		'lease_renew',
		'messages_read',
		'models_list',
		'schema_version',
		'stops',
		'talk_answer',
		'talk_delete',
		'talk_feedback',
		'talk_stop',
		'talk_stopped',
		'talk_stream',
		'talks_list',
		'visit_begin'];
	v_role text := nullif(current_setting('banter.app_role', true), '');
	v_owner boolean := v_role in (current_user,
		(select pg_get_userbyid(n.nspowner) from pg_catalog.pg_namespace n where n.nspname = 'banter'));
	v_grantee text;
	v_function regprocedure;
begin
	revoke all on schema banter, banter_data from public;
	revoke all on all tables in schema banter, banter_data from public;
	revoke all on all sequences in schema banter, banter_data from public;
	revoke all on all functions in schema banter, banter_data from public;

	if v_role is null then
		return;
	end if;

	if not v_owner and not exists (select from pg_catalog.pg_roles r where r.rolname = v_role) then
		begin
			execute format('create role %I login', v_role);
		exception
			when insufficient_privilege then
				raise notice 'role "%" does not exist and "%" may not create it', v_role, current_user
					using hint = 'create it and migrate again, or run the application as the owner';
				return;
			when duplicate_object or unique_violation then
				null; -- another database's migration made it just now
		end;
	end if;

	-- Who was the application's before is not any more, and what this one had been given by an earlier
	-- release or by hand is given anew below. Only to read the tables, as a backup or a report does, is
	-- another's good right: who may execute nothing keeps what it has.
	for v_grantee in
		select distinct pg_get_userbyid(a.grantee)
		from pg_catalog.pg_proc p
		join pg_catalog.pg_namespace n on n.oid = p.pronamespace
		cross join pg_catalog.aclexplode(p.proacl) a
		where n.nspname in ('banter', 'banter_data') and a.grantee not in (0, p.proowner, n.nspowner)
		union
		select v_role where not v_owner
	loop
		execute format('revoke all on schema banter, banter_data from %I cascade', v_grantee);
		execute format('revoke all on all tables in schema banter, banter_data from %I cascade', v_grantee);
		execute format('revoke all on all sequences in schema banter, banter_data from %I cascade', v_grantee);
		execute format('revoke all on all functions in schema banter, banter_data from %I cascade', v_grantee);
	end loop;
	if v_owner then
		return;
	end if;

	execute format('grant usage on schema banter to %I', v_role);
	for v_function in
		select p.oid
		from pg_catalog.pg_proc p
		join pg_catalog.pg_namespace n on n.oid = p.pronamespace
		where n.nspname = 'banter' and p.proname = any (v_app)
	loop
		execute format('grant execute on function %s to %I', v_function, v_role);
	end loop;
end
$$;

-- A grant or a revoke has PostgreSQL compress what a long function takes and gives, and each call would unpack it:
-- made again from its own definition, it is not.
do $$
declare
	v_function oid;
begin
	for v_function in
		select p.oid
		from pg_catalog.pg_proc p
		where p.pronamespace = 'banter'::regnamespace and p.prokind = 'f' and pg_has_role(p.proowner, 'usage')
			and pg_column_compression(p.proargnames) is not null
	loop
		execute pg_get_functiondef(v_function);
	end loop;
end
$$;
