create or replace function banter.removal_question(p_workspace text, p_chatbot text)
returns table (workspace bigint, chatbot text, entries bigint, question text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_workspace bigint;
	v_chatbot text;
	v record;
begin
	if p_chatbot is null then
		v_workspace := banter_data.workspace_named(p_workspace);
	else
		select n.workspace, n.chatbot into v_workspace, v_chatbot from banter_data.chatbot_named(p_chatbot) n;
	end if;

	select w.name as workspace, b.name as chatbot, w.credits,
		(select count(*) from banter_data.chatbot c where c.workspace = w.workspace) as chatbots,
		(select count(*) from banter_data.api_key k
			where k.workspace = w.workspace and (v_chatbot is null or k.chatbot = v_chatbot)) as keys,
		(select count(*) from banter_data.ledger l where l.workspace = w.workspace and v_chatbot is null) as ledger,
		(select count(*) from banter_data.conversation c
			where c.workspace = w.workspace and (v_chatbot is null or c.chatbot = v_chatbot)) as conversations,
		e.exchanges, e.running
	into v
	from banter_data.workspace w
	left join banter_data.chatbot b on b.workspace = w.workspace and b.chatbot = v_chatbot
	cross join lateral (
		select count(*) as exchanges, count(*) filter (where x.ended_at is null) as running
		from banter_data.exchange x
		where x.workspace = w.workspace and (v_chatbot is null or x.chatbot = v_chatbot)) e
	where w.workspace = v_workspace;

	workspace := v_workspace;
	chatbot := v_chatbot;
	entries := v.conversations + v.exchanges + v.ledger;
	question := 'delete ' || case
			when v_chatbot is null
			then format('workspace "%s" with %s, ', v.workspace, banter_data.counted(v.chatbots, 'chatbot'))
			else format('chatbot "%s" of workspace "%s" with ', v.chatbot, v.workspace) end
		|| format('%s, %s and %s%s', banter_data.counted(v.keys, 'key'),
			banter_data.counted(v.conversations, 'conversation'), banter_data.counted(v.exchanges, 'exchange'),
			case when v.running > 0 then format(' (%s running)', v.running) end)
		|| case when v_chatbot is null and v.credits > 0
			then format(', and %s unspent', banter_data.counted(v.credits, 'credit')) else '' end
		|| '? it is shut at once, and nothing brings it back';
	return next;
end
$$;

comment on function banter.removal_question(text, text) is
	'For the operator. Before a workspace (p_chatbot null), or a chatbot, is deleted: its number and its id, how many entries there are of all that is deleted step by step, and what to ask.';
