create or replace function banter.workspace_create(p_workspace bigint, p_name text, p_credits bigint)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	insert into banter_data.workspace (workspace, name, credits)
	values (p_workspace, p_name, p_credits)
	on conflict (workspace) do nothing;
	if not found then
		return false;
	end if;

	if p_credits > 0 then
		insert into banter_data.ledger (workspace, delta, kind, balance_after)
		values (p_workspace, p_credits, 'grant', p_credits);
	end if;
	return true;
end
$$;

comment on function banter.workspace_create(bigint, text, bigint) is
	'For the operator. Makes a workspace with that many credits (null: unlimited); false: it was there, nothing is changed.';
