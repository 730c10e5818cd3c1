-- Looks before it updates: there is nearly always nothing, and a plain index scan clears its path of entries
-- that ended long ago. The clock is read into a variable, since an index cannot be asked for a volatile one.
--
-- Skips rows that are locked: theirs is a exchange_end that stores, or another release.
create or replace function banter_data.lease_release(p_workspace bigint)
returns void
language plpgsql
as $$
declare
	v_now constant timestamptz := clock_timestamp();
	v_lease timestamptz;
	v_lost record;
begin
	-- As lease_ended() has it: the first and the last of them. Their order is what makes the index of those that run
	-- the only good one, whatever is known of the table.
	select x.lease_until into v_lease
	from banter_data.exchange x
	where x.workspace = p_workspace and x.ended_at is null and x.lease_until <= v_now
	order by x.lease_until
	limit 1;
	if not found then
		select x.lease_until into v_lease
		from banter_data.exchange x
		where x.workspace = p_workspace and x.ended_at is null and x.lease_until > v_now + interval '25 hours'
		order by x.lease_until desc
		limit 1;
	end if;
	if not found then
		return;
	end if;

	for v_lost in
		update banter_data.exchange e
		set state = 'lost', ended_at = v_now
		from (
			select x.workspace, x.exchange
			from banter_data.exchange x
			where x.workspace = p_workspace and x.ended_at is null
				and banter_data.lease_ended(x.lease_until, v_now)
			order by x.lease_until
			for update skip locked) l
		where e.workspace = l.workspace and e.exchange = l.exchange
		returning e.exchange, e.price
	loop
		perform banter_data.credit_return(p_workspace, v_lost.exchange, v_lost.price);
	end loop;
end
$$;

comment on function banter_data.lease_release(bigint) is
	'Marks the workspace''s running exchanges whose lease ended as lost and gives their reservations back.';
