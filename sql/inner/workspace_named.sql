-- banter: on a router too
-- A number first: a name made of digits cannot stand in its way.
create or replace function banter_data.workspace_named(p_name text)
returns bigint
language plpgsql
stable
as $$
declare
	v_found bigint[];
begin
	select coalesce(
		array_agg(w.workspace) filter (where w.by_number),
		array_agg(w.workspace order by w.created_at, w.workspace))
	into v_found
	from banter.workspaces_called(p_name) w;

	if v_found is null then
		raise exception 'there is no workspace "%"; see banterctl workspace list', p_name;
	elsif cardinality(v_found) > 1 then
		raise exception '% workspaces have the name "%"; say which by its number: %',
			cardinality(v_found), p_name, array_to_string(v_found[:5], ', ')
			|| case when cardinality(v_found) > 5 then ', ...' else '' end;
	end if;
	return v_found[1];
end
$$;

comment on function banter_data.workspace_named(text) is
	'The workspace of that number, or the only one of that name; an error if there is none or several.';
