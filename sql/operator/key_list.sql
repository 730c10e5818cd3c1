create or replace function banter.key_list(p_workspace text default null)
returns table (
	key_id text, ends_in text, label text, chatbot text, active boolean, last_used_at text, kind text,
	workspace text, workspace_id text, chatbot_id text, created_at text, revoked_at text,
	origins text, identity boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_workspace constant bigint := case when p_workspace is not null then banter_data.workspace_named(p_workspace) end;
begin
	return query
		select k.api_key, k.hint, k.label, c.name, k.active and k.revoked_at is null,
			banter_data.stamp(k.last_used_at), k.kind, w.name, w.workspace::text, k.chatbot,
			banter_data.stamp(k.created_at), banter_data.stamp(k.revoked_at),
			array_to_string(k.origins, ','),
			case when k.kind = 'site' then k.identity_inner is not null end
		from banter_data.api_key k
		join banter_data.workspace w on w.workspace = k.workspace
		left join banter_data.chatbot c on c.workspace = k.workspace and c.chatbot = k.chatbot
		where v_workspace is null or k.workspace = v_workspace
		order by w.name, w.workspace, k.created_at, k.api_key;
end
$$;

comment on function banter.key_list(text) is 'For the operator. A workspace''s keys, revoked ones too; null: all.';
