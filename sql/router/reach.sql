-- PL/Proxy waits without end for a host that takes a connection and says nothing. So who must not hang asks on connections of
-- dblink's, which are given up after two seconds, the least that libpq knows.
create or replace function banter_data.reach(p_at integer)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_address constant text := (select m.address from banter_data.map() m where m.partition = p_at);
	v_name constant text := format('partition %s at %s', p_at, md5(v_address));
	v_why text;
begin
	if v_name <> all (coalesce(dblink_get_connections(), '{}')) then
		perform dblink_connect_u(v_name, format('%s connect_timeout=2 user=''%s''',
			v_address, replace(replace(current_user, '\', '\\'), '''', '\''')));
	end if;
	return v_name;
exception
	when sqlclient_unable_to_establish_sqlconnection then
		get stacked diagnostics v_why = pg_exception_detail;
		raise exception '%', v_why using errcode = 'connection_failure';
end
$$;

comment on function banter_data.reach(integer) is
	'The name of this session''s dblink connection to a partition, made where there is none; a connection_failure within two seconds.';
