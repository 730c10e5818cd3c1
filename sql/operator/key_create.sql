create or replace function banter.key_create(
	p_workspace bigint, p_api_key text, p_kind text, p_chatbot text, p_hash bytea, p_hint text, p_label text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	insert into banter_data.api_key (workspace, api_key, kind, chatbot, hash, hint, label)
	values (p_workspace, p_api_key, p_kind, p_chatbot, p_hash, coalesce(p_hint, ''), coalesce(p_label, ''))
	on conflict (workspace, api_key) do nothing;
	return found;
end
$$;

comment on function banter.key_create(bigint, text, text, text, bytea, text, text) is
	'For the operator. Makes a key, given its hash; false: that id was there, nothing is changed. The same hash under another id is an error.';
