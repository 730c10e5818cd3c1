-- banter: on a router too
create or replace function banter_data.key_named(p_name text, out workspace bigint, out api_key text)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
	v_found record;
begin
	select count(*) as keys, min(k.workspace) as workspace, min(k.api_key) as api_key,
		string_agg(k.api_key, ', ' order by k.created_at) as ids
	into v_found
	from (
		select x.*, bool_or(x.by_id) over () as has_id
		from banter.keys_called(p_name) x) k
	where k.by_id = k.has_id;

	if v_found.keys = 0 then
		raise exception 'there is no key "%"; see banterctl key list', p_name;
	elsif v_found.keys > 1 then
		raise exception '% keys end in "%"; say which by its id: %', v_found.keys, p_name, v_found.ids;
	end if;
	workspace := v_found.workspace;
	api_key := v_found.api_key;
end
$$;

comment on function banter_data.key_named(text) is
	'The key of that id, or the only one with these last four characters; an error if there is none or several.';
