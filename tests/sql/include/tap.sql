-- Comparisons that pgTAP's own cannot make: ids are collated "C", what is expected of them is not.

create function pg_temp.rows_are(have text, want text, name text default null) returns text
language plpgsql as $$
declare
	v_have text[];
	v_want text[];
begin
	execute 'select array_agg(t::text) from (' || have || ') t' into v_have;
	execute 'select array_agg(t::text) from (' || want || ') t' into v_want;
	return is(v_have, v_want, name);
end
$$;

create function pg_temp.row_is(have text, want record, name text default null) returns text
language plpgsql as $$
declare
	v_have text[];
begin
	execute 'select array_agg(t::text) from (' || have || ') t' into v_have;
	return is(v_have, array[want::text], name);
end
$$;
