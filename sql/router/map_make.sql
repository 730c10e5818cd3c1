-- The map is PL/Proxy's own (SQL/MED): a session that is under way sees a change of it with its next call. An address has no
-- user and no password: whoever calls is the same there, and a password is in the .pgpass of the system's user that runs
-- this server, where no role of the database can read it.
create or replace function banter_data.map_make(p_addresses text[])
returns void
language plpgsql
as $$
declare
	v_there text[] := array(select m.address from banter_data.map() m order by m.partition);
begin
	if v_there = p_addresses then
		return;
	elsif v_there <> '{}' then
		raise exception 'this router has % partitions already, at other addresses', cardinality(v_there);
	elsif (select count(distinct a) from unnest(p_addresses) a) <> cardinality(p_addresses) then
		raise exception 'two partitions have one address';
	end if;
	execute 'create server banter foreign data wrapper plproxy options (' || (
		select string_agg(format('p%s %L', n - 1, a), ', ' order by n) from unnest(p_addresses) with ordinality u (a, n)) || ')';
	create user mapping for public server banter;
end
$$;

comment on function banter_data.map_make(text[]) is 'Writes down where the partitions are, once.';
