create or replace function banter.interface()
returns json
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return (
		select json_agg(json_build_object(
				'name', p.proname,
				'operator', coalesce(d.comment ~ '^For the operator[.]', false),
				'arguments', (
					select coalesce(json_agg(json_build_object('name', a.name, 'type', format_type(a.type, null),
						'default', pg_get_function_arg_default(p.oid, a.place::integer)) order by a.place), '[]')
					from unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) with ordinality a (name, type, place)),
				'columns', (
					select json_agg(json_build_object('name', c.name, 'type', format_type(c.type, null)) order by c.place)
					from unnest(p.proargnames, p.proallargtypes, p.proargmodes) with ordinality c (name, type, mode, place)
					where c.mode in ('o', 't')),
				'type', case when p.prorettype <> 'record'::regtype then format_type(p.prorettype, null) end,
				'volatility', case p.provolatile when 'v' then 'volatile' else 'stable' end,
				'comment', d.comment)
			order by p.proname, p.proargtypes::text)
		from pg_proc p
		cross join lateral (select obj_description(p.oid, 'pg_proc') as comment) d
		where p.pronamespace = 'banter'::regnamespace);
end
$$;

comment on function banter.interface() is
	'For the operator. These functions, as a router makes its own of them.';
