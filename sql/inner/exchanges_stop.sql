-- Waits for no exchange: one that is locked just ends, or is renewed, and is marked when this is asked again.
create or replace function banter_data.exchanges_stop(
	p_workspace bigint, p_exchanges text[], out messages json, out running boolean)
language plpgsql
as $$
begin
	-- Nobody else would end what a dead worker left.
	perform banter_data.lease_release(p_workspace);
	update banter_data.exchange e
	set stopped_at = clock_timestamp()
	from (
		select x.workspace, x.exchange
		from banter_data.exchange x
		where x.workspace = p_workspace and x.exchange = any (p_exchanges) and x.ended_at is null and x.stopped_at is null
		for no key update skip locked) r
	where e.workspace = r.workspace and e.exchange = r.exchange;

	select coalesce(json_agg(json_build_object('id', e.answer_id, 'status', case e.state
				when 'lost' then 'failed'
				when 'replaced' then 'left'
				else e.state end) order by e.position, e.attempt), '[]'),
		coalesce(bool_or(e.ended_at is null), false)
	into messages, running
	from banter_data.exchange e
	where e.workspace = p_workspace and e.exchange = any (p_exchanges);
end
$$;

comment on function banter_data.exchanges_stop(bigint, text[]) is
	'Says of these exchanges that somebody wants them to end, and what became of them, as JSON: their answers'' ids, each with its status; running: one has not ended yet.';
