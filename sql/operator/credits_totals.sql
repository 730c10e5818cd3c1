create or replace function banter.credits_totals()
returns table (month text, granted bigint, spent bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	return query
		select to_char(t.month, 'YYYY-MM'), t.granted, t.spent
		from banter_data.ledger_total t
		order by t.month desc;
end
$$;

comment on function banter.credits_totals() is
	'For the operator. What deleted workspaces were granted and spent, all together, by UTC month, the last first.';
