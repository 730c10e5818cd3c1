-- A workspace at a time: while one's visitors are looked at nobody begins anything there, with which a visitor would have a
-- conversation again.
create or replace function banter.sweep_visitors(
	p_after bigint, p_limit integer, out workspace bigint, out visitors bigint)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
begin
	select x.workspace into workspace
	from banter_data.visitor x
	where (p_after is null or x.workspace >= p_after) and not exists (
		select from banter_data.conversation c where c.visitor = x.visitor and c.workspace = x.workspace)
	order by x.workspace
	limit 1;
	if not found then
		return;
	end if;
	perform banter_data.beginnings_hold(workspace);
	delete from banter_data.visitor v
	where v.workspace = sweep_visitors.workspace and v.visitor in (
		select x.visitor
		from banter_data.visitor x
		where x.workspace = sweep_visitors.workspace and not exists (
			select from banter_data.conversation c where c.visitor = x.visitor and c.workspace = x.workspace)
		limit p_limit);
	get diagnostics visitors = row_count;
	if visitors = 0 and p_limit > 0 then -- another's sweep, or they have one again: as if we came now
		select s.workspace, s.visitors into workspace, visitors
		from banter.sweep_visitors(p_after => p_after, p_limit => p_limit) s;
	end if;
end
$$;

comment on function banter.sweep_visitors(bigint, integer) is
	'For the operator. Forgets some of the visitors who have no conversation, in the next workspace from that one on: which workspace, and how many; null: there is none.';
