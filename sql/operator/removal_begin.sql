-- Once we have the lock that each exchange_begin shares, those before us have committed, and whoever comes later sees that
-- it is shut. It is asked for in short tries, since behind us all requests of the workspace wait.
create or replace function banter.removal_begin(p_workspace bigint, p_chatbot text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
begin
	perform set_config('lock_timeout', '200', true);
	for v_try in 1..100 loop
		begin
			perform pg_advisory_xact_lock(hashtextextended('exchanges begin', p_workspace));
			update banter_data.workspace w set active = false
			where w.workspace = p_workspace and p_chatbot is null;
			update banter_data.chatbot c set active = false
			where c.workspace = p_workspace and c.chatbot = p_chatbot;
			return;
		exception
			when lock_not_available then
				null; -- and with the block the lock is let go
		end;
		perform pg_sleep(0.1);
	end loop;
	raise exception 'it is in use all the time and cannot be shut; try again';
end
$$;

comment on function banter.removal_begin(bigint, text) is
	'For the operator. Shuts a workspace (p_chatbot null), or a chatbot, before it is deleted: from then on no exchange begins in it.';
