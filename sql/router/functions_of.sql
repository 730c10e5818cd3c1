create or replace function banter_data.functions_of(p_interface json)
returns table (
	name text, operator boolean, given text, types text, wanted text, gives text, called text, inputs text[],
	volatility text, comment text)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
	return query
		select f.name, f.operator, coalesce(a.given, ''), coalesce(a.types, ''), coalesce(a.wanted, ''),
			coalesce('table (' || c.columns || ')', 'setof ' || f.type),
			format(case when c.columns is null then 'select banter%s.%I' else 'select * from banter%s.%I' end, '%s', f.name),
			coalesce(a.inputs, '{}'), f.volatility, f.comment
		from json_to_recordset(p_interface) f (
			name text, operator boolean, arguments json, columns json, type text, volatility text, comment text)
		cross join lateral (
			select string_agg(format('%I %s%s', x.name, x.type, ' default ' || x.default), ', ' order by x.n) as given,
				string_agg(x.type, ', ' order by x.n) as types,
				string_agg(format('%I %s', x.name, x.type), ', ' order by x.n) as wanted,
				array_agg(x.name || ' ' || x.type order by x.n) as inputs
			from (
				select y.value ->> 'name' as name, y.value ->> 'type' as type, y.value ->> 'default' as default, y.n
				from json_array_elements(f.arguments) with ordinality y (value, n)) x) a
		cross join lateral (
			select string_agg(format('%I %s', y.value ->> 'name', y.value ->> 'type'), ', ' order by y.n) as columns
			from json_array_elements(f.columns) with ordinality y (value, n)) c;
end
$$;

comment on function banter_data.functions_of(json) is
	'What banter.interface() says, in words that functions are made with: arguments with and without defaults, what is returned, how it is called (%s: more of the schema''s name).';
