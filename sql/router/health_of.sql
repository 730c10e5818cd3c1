-- One after the other, as long as there is time: of those that refuse a connection there is time for all. Who says nothing takes
-- two seconds, so who was found away is remembered until one answers, and the next time the others are asked first.
create or replace function banter_shards.health_of()
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_until constant timestamptz := clock_timestamp() + interval '300 ms';
	v_standby constant boolean := pg_is_in_recovery(); -- of a router: it remembers nothing
	v_at integer;
	v_away integer[] := array(select a.partition from banter_data.away a);
	v_read_only boolean := false;
	v_why text;
begin
	for v_at in
		select p from banter_shards.partitions(null) p order by p = any (v_away), random()
	loop
		begin
			if banter_data.ask(v_at, 'select banter.health()')::boolean then
				if v_away <> '{}' and not v_standby then
					delete from banter_data.away;
				end if;
				return true;
			end if;
			v_read_only := true;
		exception
			when connection_failure then
				v_why := sqlerrm;
		end;
		v_away := v_away || v_at;
		exit when clock_timestamp() > v_until;
	end loop;
	if not v_standby then
		insert into banter_data.away (partition) select distinct a from unnest(v_away) a order by a on conflict do nothing;
	end if;
	if exists (select from banter_shards.partitions(null) p where p <> all (v_away)) then
		return true;
	end if;
	raise notice 'no partition answers: %', v_why;
	return case when v_read_only then false end;
end
$$;

comment on function banter_shards.health_of() is
	'Null: every partition was away, or read-only (false), when it was last asked, and none has answered since.';
