create or replace function banter.keys_called(p_name text)
returns table (workspace bigint, api_key text, by_id boolean, created_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
begin
	return query
		select k.workspace, k.api_key, k.api_key = p_name, k.created_at
		from banter_data.api_key k
		where k.api_key = p_name or (k.hint <> '' and k.hint = p_name);
end
$$;

comment on function banter.keys_called(text) is
	'For the operator. The keys that a person may mean: those of that id, and those with these last four characters.';
