create or replace function banter.key_set(p_key text, p_changes json)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_read constant jsonb := banter_data.settings_read('key', p_changes);
	v_which record := banter_data.key_named(p_key);
	v banter_data.api_key;
begin
	select * into v
	from banter_data.api_key k
	where k.workspace = v_which.workspace and k.api_key = v_which.api_key
	for no key update;
	if not found then -- deleted meanwhile: as if we came now
		return banter.key_set(p_key, p_changes);
	end if;
	v := jsonb_populate_record(v, v_read);
	if v.active and v.revoked_at is not null then
		raise exception 'key "%" was revoked, which is final; make a new one with banterctl key create', p_key;
	end if;
	if v.origins is not null and v.kind <> 'site' then
		raise exception 'key "%" is a % key: only a site key has origins', p_key, v.kind;
	end if;

	update banter_data.api_key k
	set label = v.label, active = v.active, origins = v.origins
	where k.workspace = v_which.workspace and k.api_key = v_which.api_key;
	return v_which.api_key;
end
$$;

comment on function banter.key_set(text, json) is
	'For the operator. Changes settings of a key, all or none; its id. A revoked key cannot be made active.';
