create or replace function banter.key_question(p_key text)
returns table (key_id text, question text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return query
		select s.key_id, format('revoke the %s key %sthat ends in %s, of %s? it gets 401 for good', s.kind,
			coalesce('"' || nullif(s.label, '') || '" ', ''), s.ends_in,
			case s.kind
				when 'workspace' then format('workspace "%s"', s.workspace)
				else format('chatbot "%s"', s.chatbot)
			end)
		from banter.key_show(p_key) s;
end
$$;

comment on function banter.key_question(text) is 'For the operator. What to ask before a key is revoked.';
