-- One update, so that it is exact whatever runs: it waits for the row and counts from what is there then.
create or replace function banter.credit_add(p_workspace text, p_credits bigint)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_most constant bigint := 1000000000000000; -- as setting_rules() says
	v_workspace constant bigint := banter_data.workspace_named(p_workspace);
	v_balance bigint;
begin
	if p_credits is null or p_credits not between -v_most and v_most then
		raise exception 'credits must be a whole number from -% to %', v_most, v_most;
	end if;
	update banter_data.workspace w
	set credits = w.credits + p_credits
	where w.workspace = v_workspace and w.credits + p_credits between 0 and v_most
	returning w.credits into v_balance;
	if not found then
		perform banter_data.workspace_named(p_workspace); -- which says so if it was deleted meanwhile
		select w.credits into v_balance from banter_data.workspace w where w.workspace = v_workspace;
		if v_balance is null then
			raise exception 'workspace "%" has no count of credits; banterctl workspace set % credits=N begins one',
				p_workspace, v_workspace;
		end if;
		raise exception 'workspace "%" has %; it can have from 0 to %', p_workspace,
			banter_data.counted(v_balance, 'credit'), v_most;
	end if;

	insert into banter_data.ledger (workspace, delta, kind, balance_after)
	select v_workspace, p_credits, 'grant', v_balance where p_credits <> 0;
	return v_workspace;
end
$$;

comment on function banter.credit_add(text, bigint) is
	'For the operator. Gives a metered workspace credits, or takes some away (never below zero); its number.';
