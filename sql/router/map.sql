create or replace function banter_data.map()
returns table (partition integer, address text)
language sql
stable
as $$
	select substr(o.option_name, 2)::integer, o.option_value
	from pg_catalog.pg_foreign_server s
	cross join lateral pg_catalog.pg_options_to_table(s.srvoptions) o
	where s.srvname = 'banter' and o.option_name ~ '^p[0-9]+$'
	order by 1
$$;

comment on function banter_data.map() is 'Where the partitions are.';
