-- Asked when somebody leaves, and not before: nothing that is listened to pays for it.
create or replace function banter.exchange_leave(p_workspace bigint, p_exchange text)
returns integer
language sql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
as $$
	select case when c.on_leave = 'finish' then coalesce(c.detached_time, 60) else 0 end
	from banter_data.exchange e
	join banter_data.chatbot c on c.workspace = e.workspace and c.chatbot = e.chatbot
	where e.workspace = p_workspace and e.exchange = p_exchange
$$;

comment on function banter.exchange_leave(bigint, text) is
	'For how many seconds an exchange goes on whose client has left: its chatbot says so; 0: it ends. null: there is none.';
