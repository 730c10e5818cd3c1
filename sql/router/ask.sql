create or replace function banter_data.ask(p_at integer, p_sql text)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_name constant text := banter_data.reach(p_at);
	v_until constant timestamptz := clock_timestamp() + interval '400 ms';
	v_text text;
begin
	perform dblink_send_query(v_name, p_sql);
	while dblink_is_busy(v_name) = 1 and clock_timestamp() < v_until loop
		perform pg_sleep(0.005);
	end loop;
	if dblink_is_busy(v_name) = 0 then
		select r.text into v_text from dblink_get_result(v_name, false) r (text text);
	end if;
	perform dblink_disconnect(v_name);
	if v_text is null then
		raise exception 'no answer in time' using errcode = 'connection_failure';
	end if;
	return v_text;
end
$$;

comment on function banter_data.ask(integer, text) is
	'One value, not null, that a statement gives at a partition; a connection_failure where there is none within two seconds and a half.';
