begin
	return query select * from banter_shards.keys_called(p_at => null, p_name => p_name);
end;
