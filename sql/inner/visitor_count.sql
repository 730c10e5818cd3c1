-- One statement waits for the row, looks and counts: exact however many come at a time. Who is refused is not counted. Who waited
-- through midnight may find the next day begun: then they are that one's.
create or replace function banter_data.visitor_count(
	p_workspace bigint, p_chatbot text, p_price integer, p_max_exchanges bigint, p_max_credits bigint,
	out allowed boolean, out percent integer, out retry_after integer)
language plpgsql
as $$
declare
	v_now constant timestamp := clock_timestamp() at time zone 'UTC';
	v record;
begin
	if p_price > p_max_credits then
		allowed := false;
	else
		insert into banter_data.visitor_day as d (
			workspace, chatbot, day, exchanges, credits, most_exchanges, most_credits)
		values (p_workspace, p_chatbot, v_now::date, 1, p_price, p_max_exchanges, p_max_credits)
		on conflict (workspace, chatbot) do update
			set day = greatest(d.day, excluded.day), most_exchanges = excluded.most_exchanges, most_credits = excluded.most_credits,
				exchanges = excluded.exchanges + case when d.day >= excluded.day then d.exchanges else 0 end,
				credits = excluded.credits + case when d.day >= excluded.day then d.credits else 0 end
			where d.day < excluded.day or (
				(d.exchanges < p_max_exchanges) is not false and (d.credits + p_price <= p_max_credits) is not false)
		returning d.exchanges, d.credits into v;
		allowed := found;
	end if;
	if not allowed then
		retry_after := greatest(ceil(extract(epoch from v_now::date + 1 - v_now)), 1);
		return;
	end if;
	-- Said once, by the one that came so far.
	select max(w.percent) into percent
	from (values (v.exchanges, 1, p_max_exchanges), (v.credits, p_price, p_max_credits)) u (used, own, most)
	cross join (values (80), (100)) w (percent)
	where u.used * 100 >= u.most * w.percent and (u.used - u.own) * 100 < u.most * w.percent;
end
$$;

comment on function banter_data.visitor_count(bigint, text, integer, bigint, bigint) is
	'Counts one more exchange of a chatbot''s visitors today, of that price, if it is within both caps (null: none); percent: it is the one with which 80 or 100 % of a cap are used. Not allowed: retry_after is the whole seconds to the next day, in UTC.';
