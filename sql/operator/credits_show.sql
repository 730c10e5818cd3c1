-- By the ledger, which outlives what is erased: what was reserved, has not been given back, and runs no longer.
create or replace function banter.credits_show(p_workspace text default null)
returns table (
	workspace_id text, workspace text, credits bigint, reserved bigint, spent_today bigint, spent_this_month bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_workspace constant bigint := case when p_workspace is not null then banter_data.workspace_named(p_workspace) end;
	v_day constant timestamptz := date_trunc('day', clock_timestamp(), 'UTC');
	v_month constant timestamptz := date_trunc('month', clock_timestamp(), 'UTC');
begin
	return query
		with running as (
			select e.workspace, e.exchange, e.price
			from banter_data.exchange e
			where e.ended_at is null and e.price > 0 and (v_workspace is null or e.workspace = v_workspace)),
		spent as (
			select r.workspace, sum(-r.delta) filter (where r.at >= v_day) as today, sum(-r.delta) as this_month
			from banter_data.ledger r
			where r.kind = 'reserve' and r.at >= v_month and (v_workspace is null or r.workspace = v_workspace)
				and not exists (
					select from banter_data.ledger b
					where b.workspace = r.workspace and b.exchange = r.exchange and b.kind = 'release')
				and not exists (
					select from running e where e.workspace = r.workspace and e.exchange = r.exchange)
			group by r.workspace)
		select w.workspace::text, w.name, w.credits,
			coalesce((select sum(e.price) from running e where e.workspace = w.workspace), 0)::bigint,
			coalesce(s.today, 0)::bigint, coalesce(s.this_month, 0)::bigint
		from banter_data.workspace w
		left join spent s on s.workspace = w.workspace
		where v_workspace is null or w.workspace = v_workspace
		order by w.name, w.created_at, w.workspace;
end
$$;

comment on function banter.credits_show(text) is
	'For the operator. A workspace''s credits (null: unlimited), what running exchanges hold of them, and what was spent since the start of the day and the month, in UTC; null: all workspaces''.';
