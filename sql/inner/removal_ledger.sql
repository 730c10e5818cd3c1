create or replace function banter_data.removal_ledger(p_workspace bigint, p_keep_totals boolean, p_limit integer)
returns bigint
language plpgsql
as $$
declare
	-- First which, as removal_talks has it: within the delete they may be looked for once a row, and the first of those that
	-- are left are others each time, until none is.
	v_entries constant bigint[] := array(
		select x.entry from banter_data.ledger x
		where x.workspace = p_workspace
		order by x.entry
		limit p_limit
		for update);
	v_count bigint;
begin
	with gone as (
		delete from banter_data.ledger l
		where l.workspace = p_workspace and l.entry = any (v_entries)
		returning l.at, l.kind, l.delta),
	kept as (
		insert into banter_data.ledger_total as t (month, granted, spent)
		select date_trunc('month', g.at at time zone 'UTC')::date,
			coalesce(sum(g.delta) filter (where g.kind = 'grant'), 0),
			coalesce(-sum(g.delta) filter (where g.kind <> 'grant'), 0)
		from gone g
		where p_keep_totals
		group by 1
		order by 1
		on conflict (month) do update
			set granted = t.granted + excluded.granted, spent = t.spent + excluded.spent)
	select count(*) into v_count from gone;
	return v_count;
end
$$;

comment on function banter_data.removal_ledger(bigint, boolean, integer) is
	'Deletes some of a workspace''s ledger; with p_keep_totals what it comes to, by month, is added to what deleted workspaces came to. How many rows.';
