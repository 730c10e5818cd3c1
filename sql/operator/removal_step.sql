create or replace function banter.removal_step(
	p_workspace bigint, p_chatbot text, p_keep_totals boolean, p_after text, p_limit integer,
	out removed bigint, out next text, out ended boolean)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_active boolean;
begin
	removed := 0;
	select case when p_chatbot is null then w.active else c.active end into v_active
	from banter_data.workspace w
	left join banter_data.chatbot c on c.workspace = w.workspace and c.chatbot = p_chatbot
	where w.workspace = p_workspace;
	ended := v_active is null; -- another's run, or this very step sent again
	if ended then
		return;
	elsif v_active then
		raise exception 'it was opened again meanwhile; what was deleted by then is gone';
	end if;

	select t.removed, t.next into removed, next
	from banter_data.removal_talks(
		p_workspace => p_workspace, p_chatbot => p_chatbot, p_after => p_after, p_limit => p_limit) t;
	if removed = 0 and next is null and p_chatbot is null then
		-- Whoever books holds its row: behind this nobody books any more, and nothing goes that was not counted.
		perform from banter_data.workspace w where w.workspace = p_workspace for no key update;
		removed := banter_data.removal_ledger(p_workspace, p_keep_totals, p_limit);
	end if;
	if removed > 0 or next is not null then
		return;
	end if;

	-- The rest is few: all else hangs on it by foreign keys.
	if p_chatbot is null then
		delete from banter_data.workspace w where w.workspace = p_workspace;
	else
		delete from banter_data.chatbot c where c.workspace = p_workspace and c.chatbot = p_chatbot;
	end if;
	perform banter_data.samples_renew();
	ended := true;
end
$$;

comment on function banter.removal_step(bigint, text, boolean, text, integer) is
	'For the operator. Deletes some of a workspace (p_chatbot null), or of a chatbot, that removal_begin has shut: how many rows, and where to go on; at last the thing itself, and it has ended.';
