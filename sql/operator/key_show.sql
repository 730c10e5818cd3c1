create or replace function banter.key_show(p_key text)
returns table (
	key_id text, ends_in text, kind text, label text, workspace_id text, workspace text, chatbot_id text,
	chatbot text, active boolean, created_at text, last_used_at text, revoked_at text,
	origins text, identity boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_which record := banter_data.key_named(p_key);
begin
	return query
		select l.key_id, l.ends_in, l.kind, l.label, l.workspace_id, l.workspace, l.chatbot_id, l.chatbot,
			l.active, l.created_at, l.last_used_at, l.revoked_at, l.origins,
			l.identity
		from banter.key_list(v_which.workspace::text) l
		where l.key_id = v_which.api_key;
end
$$;

comment on function banter.key_show(text) is 'For the operator. One key; nobody can show the key itself.';
