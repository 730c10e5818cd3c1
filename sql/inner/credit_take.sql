create or replace function banter_data.credit_take(p_workspace bigint, p_exchange text, p_price integer)
returns boolean
language plpgsql
as $$
declare
	v_balance bigint;
begin
	update banter_data.workspace w
	set credits = w.credits - p_price
	where w.workspace = p_workspace and w.credits >= p_price
	returning w.credits into v_balance;
	if not found then
		return false;
	end if;
	insert into banter_data.ledger (workspace, exchange, delta, kind, balance_after)
	values (p_workspace, p_exchange, -p_price, 'reserve', v_balance);
	return true;
end
$$;

comment on function banter_data.credit_take(bigint, text, integer) is
	'Reserves an exchange''s price (above 0) of a metered workspace; false: it has less.';
