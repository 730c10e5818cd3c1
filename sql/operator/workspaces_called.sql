create or replace function banter.workspaces_called(p_name text)
returns table (workspace bigint, by_number boolean, created_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
begin
	if p_name ~ '^-?[0-9]{1,19}$' and p_name::numeric between -9223372036854775808 and 9223372036854775807 then
		return query
			select w.workspace, true, w.created_at
			from banter_data.workspace w
			where w.workspace = p_name::bigint;
	end if;
	return query
		select w.workspace, false, w.created_at
		from banter_data.workspace w
		where w.name = p_name;
end
$$;

comment on function banter.workspaces_called(text) is
	'For the operator. The workspaces that a person may mean: the one of that number, and those of that name.';
