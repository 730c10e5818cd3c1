create or replace function banter.chatbot_new(p_workspace text, p_chatbot text, p_name text, p_changes json)
returns text
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_workspace constant bigint := banter_data.workspace_named(p_workspace);
begin
	perform banter_data.settings_read('chatbot', json_build_object('name', p_name));
	perform from banter_data.workspace w where w.workspace = v_workspace for key share;
	if not found then -- deleted meanwhile: as if we came now
		return banter.chatbot_new(
			p_workspace => p_workspace, p_chatbot => p_chatbot, p_name => p_name, p_changes => p_changes);
	end if;
	perform banter.chatbot_create(
		p_workspace => v_workspace, p_chatbot => p_chatbot, p_name => p_name,
		p_system_prompt => '');
	return banter.chatbot_set(p_chatbot, p_changes);
end
$$;

comment on function banter.chatbot_new(text, text, text, json) is
	'For the operator. Makes a chatbot with these settings; its id.';
