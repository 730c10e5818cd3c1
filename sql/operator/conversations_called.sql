-- An id is nobody's choice and is one conversation's; workspaces are few, so each is asked by its index.
create or replace function banter.conversations_called(p_conversations text[])
returns table (workspace bigint, conversation text)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
begin
	return query
		select c.workspace, c.conversation
		from unnest(p_conversations) i (conversation)
		cross join banter_data.workspace w
		cross join lateral (
			select x.workspace, x.conversation from banter_data.conversation x
			where x.workspace = w.workspace and x.conversation = i.conversation
			offset 0) c;
end
$$;

comment on function banter.conversations_called(text[]) is
	'For the operator. The conversations of these ids, and the workspaces they are of.';
