-- banter: on a router too
create or replace function banter.settings_refusal(p_what text, p_changes json, p_name text)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	if p_name is not null then
		perform banter_data.settings_read(p_what, json_build_object('name', p_name));
	end if;
	perform banter_data.settings_read(p_what, p_changes);
	return null;
exception
	when raise_exception then
		return sqlerrm;
end
$$;

comment on function banter.settings_refusal(text, json, text) is
	'For the operator. What is wrong with settings (and the name; null: none is given) for a workspace, chatbot or key; null: nothing.';
