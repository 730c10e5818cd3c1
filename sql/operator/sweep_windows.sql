create or replace function banter.sweep_windows(p_limit integer)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
declare
	v_count bigint;
begin
	with l as materialized (
		select x.workspace, x.chatbot
		from banter_data.rate_window x
		join banter_data.chatbot c on c.workspace = x.workspace and c.chatbot = x.chatbot
		where x.started_at + make_interval(secs => c.rate_window) <= clock_timestamp()
		limit p_limit
		for update of x skip locked)
	delete from banter_data.rate_window w
	using l
	where w.workspace = l.workspace and w.chatbot = l.chatbot;
	get diagnostics v_count = row_count;
	return v_count;
end
$$;

comment on function banter.sweep_windows(integer) is
	'For the operator. Closes some of the rate windows that have ended; how many: fewer than p_limit, there are no more.';
