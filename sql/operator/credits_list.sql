create or replace function banter.credits_list(p_workspace text, p_limit bigint)
returns table (booked_at text, kind text, delta bigint, balance_after bigint, exchange_id text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_workspace constant bigint := banter_data.workspace_named(p_workspace);
begin
	return query
		select banter_data.stamp(l.at), l.kind, l.delta, l.balance_after, l.exchange
		from banter_data.ledger l
		where l.workspace = v_workspace
		order by l.entry desc
		limit p_limit;
end
$$;

comment on function banter.credits_list(text, bigint) is
	'For the operator. The latest changes of a workspace''s credits, the last first.';
