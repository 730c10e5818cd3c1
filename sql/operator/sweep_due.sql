create or replace function banter.sweep_due(
	out lost_exchanges bigint, out idempotency_keys bigint, out rate_windows bigint,
	out conversations bigint, out exchanges bigint, out visitors bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
begin
	select count(*) into lost_exchanges
	from banter_data.exchange e
	where e.ended_at is null and banter_data.lease_ended(e.lease_until, clock_timestamp());
	select count(*) into idempotency_keys
	from banter_data.idempotency i
	where i.created_at <= clock_timestamp() - interval '24 hours';
	select count(*) into rate_windows
	from banter_data.rate_window w
	join banter_data.chatbot c on c.workspace = w.workspace and c.chatbot = w.chatbot
	where w.started_at + make_interval(secs => c.rate_window) <= clock_timestamp();
	select n.conversations, n.exchanges into conversations, exchanges
	from banter.conversation_erase_count(
		p_conversations => null, p_chatbot => null, p_session => null, p_metadata => null, p_age => null,
		p_retention => true) n;
	select count(*) into visitors
	from banter_data.visitor x
	where not exists (
		select from banter_data.conversation c where c.visitor = x.visitor and c.workspace = x.workspace);
end
$$;

comment on function banter.sweep_due() is
	'For the operator. What a sweep would find: exchanges of dead workers, idempotency keys and rate windows that count no more, conversations that their chatbots keep no longer, visitors who have no conversation.';
