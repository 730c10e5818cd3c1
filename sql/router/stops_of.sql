-- All at once, and for two seconds: who does not answer by then is not asked again for a while. The same have those who connect.
-- Those that have a connection are asked first, so that they answer meanwhile. Who is away, each session knows for itself.
create or replace function banter_shards.stops_of(p_workspaces bigint[], p_exchanges text[])
returns table (workspace bigint, exchange text)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_began constant timestamptz := clock_timestamp();
	v_until timestamptz;
	v_connected constant text := format(' %s ', array_to_string(dblink_get_connections(), ' '));
	v record;
	v_name text;
	v_asked text[] := '{}';
begin
	for v in
		select w.at, format('banter.away_%s', w.at) as away, w.workspaces, w.exchanges,
			v_connected like format('%% partition %s at %%', w.at) as connected
		from (
			select p.partition as at, array_agg(r.workspace) as workspaces, array_agg(r.exchange) as exchanges
			from unnest(p_workspaces, p_exchanges) r (workspace, exchange)
			join banter_shards.partitions_of(p_workspaces) p on p.workspace = r.workspace
			group by 1) w
		order by connected desc, random()
	loop
		continue when v_began < to_timestamp(nullif(current_setting(v.away, true), '')::float8) + interval '3 s';
		exit when clock_timestamp() > v_began + interval '200 ms';
		begin
			v_name := banter_data.reach(v.at);
			if dblink_send_query(v_name, format('select * from banter.stops(%L, %L)', v.workspaces, v.exchanges)) = 1 then
				v_asked := v_asked || v_name;
			else
				perform dblink_disconnect(v_name);
			end if;
		exception
			when connection_failure then
				perform set_config(v.away, extract(epoch from clock_timestamp())::text, false);
		end;
	end loop;
	v_until := greatest(v_began + interval '2 s', clock_timestamp() + interval '200 ms');
	while v_asked <> '{}' and clock_timestamp() < v_until loop
		foreach v_name in array v_asked loop
			continue when dblink_is_busy(v_name) = 1;
			return query select * from dblink_get_result(v_name, false) r (workspace bigint, exchange text);
			perform from dblink_get_result(v_name, false) r (workspace bigint, exchange text); -- that was all
			if dblink_error_message(v_name) <> 'OK' then
				perform dblink_disconnect(v_name);
			end if;
			v_asked := array_remove(v_asked, v_name);
		end loop;
		perform pg_sleep(case when v_asked <> '{}' then 0.005 else 0 end);
	end loop;
	foreach v_name in array v_asked loop
		perform dblink_disconnect(v_name),
			set_config('banter.away_' || split_part(v_name, ' ', 2), extract(epoch from clock_timestamp())::text, false);
	end loop;
end
$$;

comment on function banter_shards.stops_of(bigint[], text[]) is
	'What banter.stops() gives at each partition that has some of these exchanges and answers; it takes two seconds and a half at most.';
