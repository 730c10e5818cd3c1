-- One after the other: who is away keeps nobody from being told of the others.
create or replace function banter_data.partition_states()
returns table (partition integer, address text, version integer, workspaces bigint, fault text, moving text)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_interface constant text := (select md5(r.interface::text) from banter_data.router r);
	v_astray bigint;
	v_ahead numeric; -- seconds
	v_left text;
begin
	for partition, address, moving, v_left in
		select m.partition, m.address, case when v.switched then 'from ' || v.source else 'to ' || v.target end,
			case when v.partition is not null and not banter_data.move_attended(m.partition)
				then format('its move stands still: banterctl shards move %s goes on with it', m.partition) end
		from banter_data.map() m
		left join banter_data.moving v on v.partition = m.partition
		order by m.partition
	loop
		version := null;
		workspaces := null;
		fault := null;
		begin
			perform banter_data.ask(partition, 'select 1');
			select s into version from banter_shards.schema_version(p_at => partition) s;
			if version is distinct from banter.schema_version() then
				fault := format('it has version %s, the router %s', version, banter.schema_version());
			elsif (select md5(i::text) from banter_shards.interface(p_at => partition) i) <> v_interface then
				fault := 'its functions are not those that the router knows';
			elsif not (select h from banter_shards.health(p_at => partition) h) then
				fault := 'it is read-only';
			end if;
			select count(*), count(*) filter (where banter_shards.partition_of(n) <> partition_states.partition)
			into workspaces, v_astray
			from banter_shards.workspace_numbers(p_at => partition, p_from => null, p_limit => null) n;
			select extract(epoch from c - clock_timestamp()) into v_ahead from banter_shards.clock_of(p_at => partition) c;
			if abs(v_ahead) > 0.5 then
				fault := concat_ws('; ', fault, format('its clock differs from the router''s by %s s', round(v_ahead, 1)));
			end if;
			if v_astray > 0 then
				fault := concat_ws('; ', fault, format('%s of its workspaces are not found by the router', v_astray));
			end if;
		exception
			when others then
				fault := 'it does not answer: ' || banter_data.words(sqlerrm);
		end;
		fault := nullif(concat_ws('; ', fault, v_left), '');
		return next;
	end loop;
end
$$;

comment on function banter_data.partition_states() is
	'Each partition: where it is, its version, how many workspaces it has, what is wrong with it (null: nothing), and where it is moving to.';
