create or replace function banter_data.stamp(p_at timestamptz)
returns text
language sql
stable
as $$
	select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;

comment on function banter_data.stamp(timestamptz) is 'A time as people and programs read it: RFC 3339, UTC, to the second.';
