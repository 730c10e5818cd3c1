begin
	return query select * from banter_shards.interface(p_at => 0);
end;
