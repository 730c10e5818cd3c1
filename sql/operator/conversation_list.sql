create or replace function banter.conversation_list(
	p_chatbot text, p_session text, p_since text, p_limit integer,
	p_visitor text default null, p_user text default null)
returns table (
	conversation text, chatbot text, session text, exchanges bigint, last_at text, created_at text, chatbot_id text,
	user_id text, visitor text, thread text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_since constant timestamptz := banter_data.ago(p_since);
	v_workspace bigint;
	v_chatbot text;
begin
	if p_chatbot is not null then
		select n.workspace, n.chatbot into v_workspace, v_chatbot
		from banter_data.chatbot_named(p_chatbot) n;
	end if;
	return query
		select c.conversation, b.name, c.session, n.exchanges,
			banter_data.stamp(c.last_at), banter_data.stamp(c.created_at), c.chatbot,
			v.user_id, c.visitor, c.thread
		from (
			select * from banter_data.conversation x
			where (p_chatbot is null or (x.workspace = v_workspace and x.chatbot = v_chatbot))
				and (p_session is null or x.session = p_session)
				and (p_visitor is null or x.visitor = p_visitor)
				and (p_user is null or exists (
					select from banter_data.visitor u
					where u.workspace = x.workspace and u.visitor = x.visitor and u.user_id = p_user))
				and (p_since is null or x.last_at >= v_since)
			order by x.last_at desc, x.conversation desc
			limit p_limit) c
		join banter_data.chatbot b on b.workspace = c.workspace and b.chatbot = c.chatbot
		left join banter_data.visitor v on v.workspace = c.workspace and v.visitor = c.visitor
		cross join lateral (
			select count(*) as exchanges from banter_data.exchange e
			where e.workspace = c.workspace and e.conversation = c.conversation
				and e.state <> 'replaced') n
		order by c.last_at desc, c.conversation desc;
end
$$;

comment on function banter.conversation_list(text, text, text, integer, text, text) is
	'For the operator. The conversations that went on last, without their texts; of a chatbot, of a session, of a visitor, of a signed-in user, since an age.';
