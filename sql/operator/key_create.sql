create or replace function banter.key_create(
	p_workspace bigint, p_api_key text, p_kind text, p_chatbot text, p_hash bytea, p_hint text, p_label text,
	p_origins text[] default null)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	insert into banter_data.api_key (workspace, api_key, kind, chatbot, hash, hint, label, origins)
	values (p_workspace, p_api_key, p_kind, p_chatbot, p_hash, coalesce(p_hint, ''), coalesce(p_label, ''),
		p_origins)
	on conflict (workspace, api_key) do nothing;
	return found;
end
$$;

comment on function banter.key_create(bigint, text, text, text, bytea, text, text, text[]) is
	'For the operator. Makes a key, given its hash (and a site keys origins); false: that id was there, nothing is changed. The same hash under another id is an error.';
