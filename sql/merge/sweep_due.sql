begin
	return query
		select sum(d.lost_exchanges)::bigint, sum(d.idempotency_keys)::bigint, sum(d.rate_windows)::bigint,
			sum(d.conversations)::bigint, sum(d.exchanges)::bigint, sum(d.visitors)::bigint
		from banter_shards.sweep_due(p_at => null) d;
end;
