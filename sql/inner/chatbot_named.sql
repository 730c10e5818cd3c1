-- banter: on a router too
-- An id first, then a name, then WORKSPACE/CHATBOT, for names that many workspaces use.
create or replace function banter_data.chatbot_named(p_name text, out workspace bigint, out chatbot text)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
	v_cut constant integer := strpos(p_name, '/');
	v_name text := p_name;
	v_of bigint;
	v_workspaces bigint[];
	v_chatbots text[];
begin
	loop
		select array_agg(c.workspace order by c.created_at, c.chatbot), array_agg(c.chatbot order by c.created_at, c.chatbot)
		into v_workspaces, v_chatbots
		from (
			select x.*, bool_or(x.by_id) over () as has_id
			from banter.chatbots_called(v_name, v_of) x) c
		where c.by_id = c.has_id;
		exit when v_chatbots is not null or v_of is not null or coalesce(v_cut, 0) = 0;
		v_of := banter_data.workspace_named(left(p_name, v_cut - 1));
		v_name := substr(p_name, v_cut + 1);
	end loop;

	if v_chatbots is null then
		raise exception 'there is no chatbot "%"; see banterctl chatbot list', p_name;
	elsif cardinality(v_chatbots) > 1 then
		raise exception '% chatbots have the name "%"; say which by WORKSPACE/CHATBOT: %',
			cardinality(v_chatbots), p_name, (
				select string_agg(f.w || '/' || f.c, ', ' order by f.n)
				from unnest(v_workspaces, v_chatbots) with ordinality f (w, c, n)
				where f.n <= 5)
			|| case when cardinality(v_chatbots) > 5 then ', ...' else '' end;
	end if;
	workspace := v_workspaces[1];
	chatbot := v_chatbots[1];
end
$$;

comment on function banter_data.chatbot_named(text) is
	'The chatbot of that id, or the only one of that name, or WORKSPACE/CHATBOT; an error if there is none or several.';
