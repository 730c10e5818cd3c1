-- The one statement that counts waits for the row and then reads the clock, once: exact however many come
-- at a time, and a window never ends between two looks at the clock. One that begins in the future was begun
-- before the clock was set back.
create or replace function banter_data.rate_judge(
	p_workspace bigint, p_chatbot text, p_limit integer, p_seconds integer, p_count boolean,
	out allowed boolean, out remaining integer, out reset bigint, out retry_after integer)
language plpgsql
as $$
declare
	v_length constant interval := make_interval(secs => p_seconds);
	v_started timestamptz;
	v_count bigint;
	v_left double precision;
begin
	if p_count then
		insert into banter_data.rate_window as w (workspace, chatbot, started_at, count)
		values (p_workspace, p_chatbot, clock_timestamp(), 1)
		on conflict (workspace, chatbot) do update
			set (started_at, count) = (
				select case when c.runs then w.started_at else c.now end, case when c.runs then w.count + 1 else 1 end
				from (select n.now, n.now >= w.started_at and n.now < w.started_at + v_length as runs
					from (select clock_timestamp() as now) n) c)
		returning w.started_at, w.count into v_started, v_count;
	else
		select w.started_at, w.count into v_started, v_count
		from banter_data.rate_window w
		where w.workspace = p_workspace and w.chatbot = p_chatbot
			and w.started_at <= clock_timestamp() and w.started_at + v_length > clock_timestamp();
		if not found then
			v_started := clock_timestamp();
			v_count := 0;
		end if;
	end if;

	v_left := extract(epoch from v_started + v_length - clock_timestamp());
	allowed := v_count <= p_limit;
	remaining := greatest(p_limit - v_count, 0);
	reset := ceil(extract(epoch from v_started + v_length));
	retry_after := greatest(ceil(v_left), 1);
end
$$;

comment on function banter_data.rate_judge(bigint, text, integer, integer, boolean) is
	'Where a chatbot''s rate window stands, in whole seconds; with p_count this request is counted first.';
