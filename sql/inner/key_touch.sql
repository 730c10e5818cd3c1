-- Whoever finds the row locked leaves the note to the one that holds it.
create or replace function banter_data.key_touch(p_workspace bigint, p_api_key text)
returns void
language sql
as $$
	update banter_data.api_key k
	set last_used_at = clock_timestamp()
	from (
		select x.workspace, x.api_key
		from banter_data.api_key x
		where x.workspace = p_workspace and x.api_key = p_api_key
			and (x.last_used_at is null or x.last_used_at < clock_timestamp() - interval '1 minute')
		for no key update skip locked) l
	where k.workspace = l.workspace and k.api_key = l.api_key
$$;

comment on function banter_data.key_touch(bigint, text) is 'Notes that a key was used, at most once a minute.';
