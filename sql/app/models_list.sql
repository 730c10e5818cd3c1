create or replace function banter.models_list(p_workspace bigint, p_key_hash bytea)
returns table (outcome text, body text)
language sql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
as $$
	select case when k.api_key is null then 'unauthorized' else 'found' end, case when k.api_key is not null then (
		select json_build_object('object', 'list', 'data', coalesce(json_agg(json_build_object(
				'id', m.chatbot, 'object', 'model', 'created', extract(epoch from m.created_at)::bigint, 'owned_by', 'banter',
				'name', m.name) order by m.name, m.chatbot), '[]'))
		from (
			select c.chatbot, c.name, c.created_at
			from banter_data.chatbot c
			where c.workspace = p_workspace and c.active
			order by c.name, c.chatbot
			limit 1000) m) end::text
	from (select) one
	left join (banter_data.api_key k join banter_data.workspace w on w.workspace = k.workspace and w.active)
		on k.workspace + 0 = p_workspace and k.hash = p_key_hash and k.kind = 'workspace' and k.active and k.revoked_at is null
$$;

comment on function banter.models_list(bigint, bytea) is
	'A workspace''s chatbots as OpenAI''s clients read a list of models; found, or unauthorized.';
