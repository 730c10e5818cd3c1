-- One step: looks through the next exchanges from a place on, newest first in each workspace (ids begin with their
-- time), and ends with a row that says where the next step goes on. No index is needed, and no step takes long.
create or replace function banter.conversation_search(
	p_text text, p_chatbot text, p_workspace bigint, p_exchange text, p_limit integer)
returns table (
	conversation text, started_at text, found_in text, excerpt text, chatbot text, chatbot_id text,
	next_workspace bigint, next_exchange text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_text constant text := lower(p_text);
	v_workspace bigint;
	v_chatbot text;
begin
	if v_text = '' then
		raise exception 'there is nothing to search for';
	end if;
	if p_chatbot is not null then
		select n.workspace, n.chatbot into v_workspace, v_chatbot from banter_data.chatbot_named(p_chatbot) n;
	end if;
	select w.workspace into next_workspace
	from banter_data.workspace w
	where w.workspace >= coalesce(p_workspace, -9223372036854775808)
		and (v_workspace is null or w.workspace = v_workspace)
	order by w.workspace
	limit 1;
	if not found then
		return;
	end if;
	v_workspace := next_workspace;
	if p_workspace is distinct from v_workspace then
		p_exchange := null; -- the next workspace, from its newest
	end if;

	for conversation, started_at, found_in, excerpt, chatbot, chatbot_id, next_exchange in
		select e.conversation, banter_data.stamp(e.started_at), t.part,
			banter_data.conversation_excerpt(t.content, v_text), b.name, e.chatbot, e.exchange
		from (
			select x.* from banter_data.exchange x
			where x.workspace = v_workspace and (p_exchange is null or x.exchange < p_exchange)
			order by x.exchange desc
			limit p_limit) e
		join banter_data.chatbot b on b.workspace = e.workspace and b.chatbot = e.chatbot
		left join lateral (values ('question', e.question), ('answer', e.answer)) t (part, content)
			on strpos(lower(t.content), v_text) > 0 and (v_chatbot is null or e.chatbot = v_chatbot)
		order by e.exchange desc, t.part desc
	loop
		p_exchange := next_exchange;
		if found_in is not null then
			return next;
		end if;
	end loop;

	conversation := null; started_at := null; found_in := null; excerpt := null; chatbot := null; chatbot_id := null;
	if next_exchange is null then -- nothing more here
		if v_chatbot is not null or v_workspace = 9223372036854775807 then
			return;
		end if;
		next_workspace := v_workspace + 1;
	else
		next_exchange := p_exchange;
	end if;
	return next;
end
$$;

comment on function banter.conversation_search(text, text, bigint, text, integer) is
	'For the operator. Looks for a text, whatever its case, in the next questions and answers, newest first; the last row says where to go on, no such row: there is no more.';
