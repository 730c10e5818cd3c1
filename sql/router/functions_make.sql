-- The router's functions, from the partitions' own: what they take and give is written down once, where they are.
--
-- Those of the application run on the partition of the workspace that they are given, in one hop and as whoever called
-- them: a partition knows the application's role by its own rights. A partition that is away is a connection that failed.
-- Those of the operator run as the schema's owner, and what a partition refuses is said in its words. What the workspace alone does not say, a body does (merge/NAME.sql); where
-- that is null, the router has the function itself. What may write waits while its partition is switched to another server
-- (banter_shards.held); what only reads does not. The application's waits before it comes to PL/Proxy, which costs less.
create or replace function banter_data.functions_make(p_interface json, p_bodies json)
returns void
language plpgsql
as $make$
declare
	v record;
	v_passed text; -- what a partition's function is given behind p_at; the operator's by name
	v_words text;
	-- Of which no row means that it was too late: the program says until when somebody waits, and so does the router.
	v_in_time constant text[] := '{exchange_begin, completion_begin, visit_begin, exchange_end}';
begin
	if exists (select from json_object_keys(p_bodies) b where b not in (select f.name from banter_data.functions_of(p_interface) f)) then
		raise exception 'a body is of no function';
	end if;
	for v in
		select f.*, b.key is not null as has_body, b.value as body, f.inputs @> '{p_workspace bigint}' as has_number,
			f.inputs && array['p_workspace text', 'p_chatbot text', 'p_key text'] as has_name,
			f.name = any (v_in_time) as in_time, f.volatility = 'volatile' as held
		from banter_data.functions_of(p_interface) f
		left join json_each_text(p_bodies) b on b.key = f.name
	loop
		select coalesce(string_agg(
			case when v.operator then format('"%s" => ', split_part(i, ' ', 1)) else '' end || '$' || n + 1, ', ' order by n), '')
		into v_passed
		from unnest(v.inputs) with ordinality u (i, n);

		if v.operator then -- what they give may change, once
			execute format('drop function if exists banter_shards.%I(%s)', v.name, concat_ws(', ', 'integer', nullif(v.types, '')));
		end if;
		execute format('create or replace function banter_shards.%I(%s) returns %s language plproxy as %L',
			v.name, concat_ws(', ', 'p_at integer', nullif(v.wanted, ''), case when v.in_time then 'p_until timestamptz' end), v.gives,
			format('cluster %s; run on %s; %s(%s)%s;', case
				when v.held and v.operator then 'banter_shards.held(p_at)'
				else '''banter''' end, case
				when v.has_number and not v.operator then 'p_at'
				else 'banter_shards.partitions(p_at)' end, format(v.called, ''), v_passed, case
				when v.in_time
				then format(' where (statement_timestamp() < $%s) is not false', cardinality(v.inputs) + 2) end));
		continue when v.has_body and v.body is null;

		if v.operator then
			execute format('drop function if exists banter.%I(%s)', v.name, v.types);
		end if;
		if not v.has_body and not v.has_number and not (v.operator and v.has_name) then
			raise exception 'nothing says on which partitions banter.% runs', v.name;
		end if;
		v_words := banter_data.function_body(v.operator, coalesce(v.body, banter_data.named_body(
			p_inputs => v.inputs, p_called => format(v.called, '_shards'), p_in_time => v.in_time,
			p_held => v.held and not v.operator)));
		execute format('create or replace function banter.%I(%s) returns %s %s %s',
			v.name, v.given, v.gives, v.volatility, v_words);
		execute format('comment on function banter.%I(%s) is %L', v.name, v.types, v.comment);
	end loop;
end
$make$;

comment on function banter_data.functions_make(json, json) is
	'Makes the router''s functions of what banter.interface() says of the partitions'', and of this release''s bodies.';
