create or replace function banter.key_revoke(p_key text)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_which record := banter_data.key_named(p_key);
begin
	update banter_data.api_key k
	set active = false, revoked_at = coalesce(k.revoked_at, clock_timestamp())
	where k.workspace = v_which.workspace and k.api_key = v_which.api_key;
	return v_which.api_key;
end
$$;

comment on function banter.key_revoke(text) is 'For the operator. Ends a key for good, from the next request on; its id.';
