-- While one partition answers there is something to serve: which of them are away, an exchange finds out.
declare
	v_at integer;
	v_good boolean := null;
	v_why text;
begin
	for v_at in select p from banter_shards.partitions(null) p order by random() loop
		begin
			select h into v_good from banter_shards.health(p_at => v_at) h;
			exit when v_good;
		exception
			when others then
				v_why := sqlerrm;
		end;
	end loop;
	if v_good is null then
		raise exception '%', v_why using errcode = 'connection_failure';
	end if;
	return next v_good;
end;
