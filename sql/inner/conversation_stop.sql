create or replace function banter_data.conversation_stop(p_workspaces bigint[], p_conversations text[])
returns jsonb
language sql
as $$
	select jsonb_agg(to_jsonb(l))
	from (
		select e.workspace, e.exchange, e.price
		from banter_data.exchange e
		join unnest(p_workspaces, p_conversations) k (workspace, conversation)
			on k.workspace = e.workspace and k.conversation = e.conversation
		where e.ended_at is null
		order by e.workspace, e.exchange
		for update of e) l
$$;

comment on function banter_data.conversation_stop(bigint[], text[]) is
	'Locks the exchanges that run in these conversations, so that none of them ends any more; they, with what they reserved.';
