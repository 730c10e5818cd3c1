create or replace function banter_data.exchange_replace(p_workspace bigint, p_exchange text, p_replaces text)
returns void
language plpgsql
as $$
declare
	v_price integer;
begin
	update banter_data.exchange e
	set state = 'replaced'
	where e.workspace = p_workspace and e.exchange = p_replaces and e.state = 'left'
	returning e.price into v_price;
	if found then
		update banter_data.exchange e
		set price = v_price
		where e.workspace = p_workspace and e.exchange = p_exchange;
	end if;
end
$$;

comment on function banter_data.exchange_replace(bigint, text, text) is
	'Puts an exchange in the place of a left one, whose charge it takes over.';
