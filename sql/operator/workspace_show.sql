create or replace function banter.workspace_show(p_workspace text)
returns table (
	workspace_id text, name text, active boolean, credits bigint, max_open integer, max_open_per_key integer,
	chatbots bigint, keys bigint, conversations bigint, open_exchanges bigint, created_at text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_workspace constant bigint := banter_data.workspace_named(p_workspace);
begin
	return query
		select w.workspace::text, w.name, w.active, w.credits, w.max_open, w.max_open_per_key,
			(select count(*) from banter_data.chatbot c where c.workspace = v_workspace),
			(select count(*) from banter_data.api_key k where k.workspace = v_workspace and k.revoked_at is null),
			(select count(*) from banter_data.conversation c where c.workspace = v_workspace),
			(select count(*) from banter_data.exchange e
				where e.workspace = v_workspace and e.ended_at is null
					and not banter_data.lease_ended(e.lease_until, clock_timestamp())),
			banter_data.stamp(w.created_at)
		from banter_data.workspace w
		where w.workspace = v_workspace;
end
$$;

comment on function banter.workspace_show(text) is 'For the operator. One workspace: its settings, and what it has.';
