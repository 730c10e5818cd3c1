create or replace function banter.chatbot_list(p_workspace text default null)
returns table (
	chatbot_id text, name text, workspace text, active boolean, price integer, model text, servers text,
	workspace_id text,
	stream boolean, rate_limit integer, rate_window integer, retention_days integer, reasoning text, created_at text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_workspace constant bigint := case when p_workspace is not null then banter_data.workspace_named(p_workspace) end;
begin
	return query
		select c.chatbot, c.name, w.name, c.active, c.price, c.model, array_to_string(c.servers, ','), w.workspace::text,
			c.stream, c.rate_limit, c.rate_window, c.retention_days, c.reasoning, banter_data.stamp(c.created_at)
		from banter_data.chatbot c
		join banter_data.workspace w on w.workspace = c.workspace
		where v_workspace is null or c.workspace = v_workspace
		order by w.name, w.workspace, c.name, c.created_at, c.chatbot;
end
$$;

comment on function banter.chatbot_list(text) is 'For the operator. A workspace''s chatbots; null: all.';
