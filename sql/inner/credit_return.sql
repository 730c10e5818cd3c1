create or replace function banter_data.credit_return(p_workspace bigint, p_exchange text, p_price integer)
returns void
language plpgsql
as $$
declare
	v_balance bigint;
begin
	if p_price = 0 then
		return;
	end if;
	update banter_data.workspace w
	set credits = w.credits + p_price
	where w.workspace = p_workspace and w.credits is not null
	returning w.credits into v_balance;
	if found then -- else it became unlimited meanwhile
		insert into banter_data.ledger (workspace, exchange, delta, kind, balance_after)
		values (p_workspace, p_exchange, p_price, 'release', v_balance);
	end if;
end
$$;

comment on function banter_data.credit_return(bigint, text, integer) is
	'Gives an exchange''s reservation back to its workspace.';
