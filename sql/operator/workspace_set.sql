create or replace function banter.workspace_set(p_workspace text, p_changes json)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_read constant jsonb := banter_data.settings_read('workspace', p_changes);
	v_workspace constant bigint := banter_data.workspace_named(p_workspace);
	v_was banter_data.workspace;
	v_is banter_data.workspace;
	v_more bigint;
begin
	select * into v_was
	from banter_data.workspace w
	where w.workspace = v_workspace
	for no key update;
	if not found then -- deleted meanwhile: as if we came now
		return banter.workspace_set(p_workspace, p_changes);
	end if;
	v_is := jsonb_populate_record(v_was, v_read);

	update banter_data.workspace w
	set name = v_is.name, credits = v_is.credits, max_open = v_is.max_open,
		max_open_per_key = v_is.max_open_per_key, active = v_is.active
	where w.workspace = v_workspace;

	-- The ledger of an unlimited workspace sums up to nothing.
	v_more := coalesce(v_is.credits, 0) - coalesce(v_was.credits, 0);
	if v_more <> 0 then
		insert into banter_data.ledger (workspace, delta, kind, balance_after)
		values (v_workspace, v_more, 'grant', coalesce(v_is.credits, 0));
	end if;
	return v_workspace;
end
$$;

comment on function banter.workspace_set(text, json) is
	'For the operator. Changes settings of a workspace, all or none; its number. A change of its credits is a grant of the difference.';
