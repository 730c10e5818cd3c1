create or replace function banter.tenant_remove(p_workspace bigint, p_name text, p_chatbot_name text)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_count bigint;
begin
	delete from banter_data.workspace w
	where w.workspace = p_workspace
		or w.name = p_name and w.created_at < clock_timestamp() - interval '1 hour' and not exists (
			select from banter_data.chatbot c
			where c.workspace = w.workspace and c.name <> p_chatbot_name);
	get diagnostics v_count = row_count;
	return v_count;
end
$$;

comment on function banter.tenant_remove(bigint, text, text) is
	'For the operator. Removes a workspace that was made to try things with, and those that were left behind by others who tried: of that name, over an hour old, with chatbots of that name alone; how many.';
