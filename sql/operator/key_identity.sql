create or replace function banter.key_identity(p_key text, p_inner bytea, p_outer bytea)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_which record := banter_data.key_named(p_key);
	v_kind text;
begin
	update banter_data.api_key k
	set identity_inner = p_inner, identity_outer = p_outer
	where k.workspace = v_which.workspace and k.api_key = v_which.api_key
	returning k.kind into v_kind;
	if v_kind <> 'site' then
		raise exception 'key "%" is a % key: only pages have visitors', p_key, v_kind;
	end if;
	return v_which.api_key;
end
$$;

comment on function banter.key_identity(text, bytea, bytea) is
	'For the operator. Gives a site key the identity secret of these pads (HMAC''s, of 64 bytes each), in place of the one it had; its id.';
