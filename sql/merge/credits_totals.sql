begin
	return query
		select t.month, sum(t.granted)::bigint, sum(t.spent)::bigint
		from banter_shards.credits_totals(p_at => null) t
		group by t.month
		order by t.month desc;
end;
