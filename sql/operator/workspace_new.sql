create or replace function banter.workspace_new(p_workspace bigint, p_name text, p_changes json)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	perform banter_data.settings_read('workspace', json_build_object('name', p_name));
	perform banter.workspace_create(p_workspace, p_name, null);
	return banter.workspace_set(p_workspace::text, p_changes);
end
$$;

comment on function banter.workspace_new(bigint, text, json) is
	'For the operator. Makes a workspace with these settings; its number. Unlimited, if they do not say otherwise.';
