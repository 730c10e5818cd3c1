-- Names are an operator's, and may be several workspaces': they are looked for everywhere, and what was found is then
-- asked for by what is its alone.
create or replace function banter_data.place(
	p_workspace text, p_chatbot text, p_key text,
	out at integer, out workspace text, out chatbot text, out key text)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
	v_workspace bigint;
	v record;
begin
	if p_workspace is not null then
		v_workspace := banter_data.workspace_named(p_workspace);
		workspace := v_workspace;
	end if;
	if p_chatbot is not null then
		v := banter_data.chatbot_named(p_chatbot);
		v_workspace := v.workspace;
		chatbot := v.workspace || '/' || v.chatbot;
	end if;
	if p_key is not null then
		v := banter_data.key_named(p_key);
		v_workspace := v.workspace;
		key := v.api_key;
	end if;
	at := case when v_workspace is not null then banter_shards.partition_of(v_workspace) end;
end
$$;

comment on function banter_data.place(text, text, text) is
	'Which partition has what an operator named (null: nothing was), and what it is called there; an error if there is none or several.';
