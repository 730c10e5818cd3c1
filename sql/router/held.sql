-- Before the map is looked at: who waited here reads it anew, since whoever locks an entry of the catalog hears of all
-- changes. An advisory lock alone does not, and neither does a table that the transaction has locked before.
create or replace function banter_shards.held(p_at integer)
returns text
language plpgsql
as $$
begin
	return case
		when pg_advisory_xact_lock_shared(226838, coalesce(p_at, -1)) is not null
			and pg_get_object_address('server', '{banter}', '{}') is not null
		then 'banter'
	end;
end
$$;

comment on function banter_shards.held(integer) is
	'The cluster, once that partition (null: none) is not being switched to another server; it stays where it is until the transaction ends.';
