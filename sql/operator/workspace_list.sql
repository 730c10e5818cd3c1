create or replace function banter.workspace_list()
returns table (
	workspace_id text, name text, active boolean, credits bigint, chatbots bigint, keys bigint, created_at text,
	max_open integer, max_open_per_key integer)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return query
		select w.workspace::text, w.name, w.active, w.credits,
			(select count(*) from banter_data.chatbot c where c.workspace = w.workspace),
			(select count(*) from banter_data.api_key k where k.workspace = w.workspace and k.revoked_at is null),
			banter_data.stamp(w.created_at), w.max_open, w.max_open_per_key
		from banter_data.workspace w
		order by w.name, w.created_at, w.workspace;
end
$$;

comment on function banter.workspace_list() is
	'For the operator. All workspaces; credits null: unlimited; keys without revoked ones.';
