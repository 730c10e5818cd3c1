create or replace function banter_data.conversation_time(p_at timestamptz)
returns text
language sql
stable
as $$
	select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

comment on function banter_data.conversation_time(timestamptz) is
	'A time in an export, to the microsecond: as exactly as the database has it.';
