-- After roles.sql, which sees to the functions of the schema banter: what these call is whose they are.
create or replace function banter_data.rights_make(p_owner text, p_role text)
returns void
language plpgsql
as $$
declare
	v text;
begin
	revoke all on schema banter_shards from public;
	revoke all on all functions in schema banter_shards from public;
	if not exists (select from pg_roles where rolname = p_owner) then
		execute format('create role %I login', p_owner);
	end if;
	for v in
		select format('schema %I', n.nspname) from pg_namespace n where n.nspname in ('banter', 'banter_data', 'banter_shards')
		union all
		select format('table %s', c.oid::regclass) from pg_class c
		where c.relnamespace = 'banter_data'::regnamespace and c.relkind = 'r'
		union all
		select format('function %s', p.oid::regprocedure) from pg_proc p
		join pg_namespace n on n.oid = p.pronamespace
		where n.nspname in ('banter', 'banter_data', 'banter_shards')
			and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
	loop
		execute format('alter %s owner to %I', v, p_owner);
	end loop;
	-- The map stays its maker's: who may change it may lead whoever runs this server anywhere.
	execute format('grant usage on foreign server banter to %I', p_owner);
	execute format('grant execute on function banter_data.dblink_connect_u(text, text) to %I', p_owner);
	-- Whoever called a session's function may be gone, killed or tired of waiting: it goes with them, whatever it waits for.
	execute format('alter database %I set client_connection_check_interval = ''1s''', current_database());
	if p_role <> '' then
		execute format('grant usage on schema banter_shards to %I', p_role);
		execute format('grant usage on foreign server banter to %I', p_role);
		for v in
			select p.oid::regprocedure from pg_proc p
			where p.pronamespace = 'banter_shards'::regnamespace and (p.proname in (
				'held', 'partition_of', 'partitions_of', 'partitions', 'stops_of', 'health_of') or exists (
				select from pg_proc b
				where b.pronamespace = 'banter'::regnamespace and b.proname = p.proname
					and has_function_privilege(p_role, b.oid, 'execute')))
		loop
			execute format('grant execute on function %s to %I', v, p_role);
		end loop;
	end if;
end
$$;

comment on function banter_data.rights_make(text, text) is
	'Whose all of it is, and what the application''s role may run (empty: what it could before).';
