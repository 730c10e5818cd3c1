-- While one partition answers there is something to serve: which of them are away, an exchange finds out.
begin
	return next banter_shards.health_of();
end;
