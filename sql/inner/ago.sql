create or replace function banter_data.ago(p_age text)
returns timestamptz
language plpgsql
stable
strict
as $$
declare
	v_part constant text[] := regexp_match(p_age, '^([0-9]{1,6})([hdwy])$');
begin
	if v_part is null then
		raise exception 'an age is a number and h, d, w or y (18h, 90d, 12w, 2y), not "%"', p_age;
	end if;
	return clock_timestamp() - v_part[1]::integer * case v_part[2]
		when 'h' then interval '1 hour'
		when 'd' then interval '24 hours'
		when 'w' then interval '168 hours'
		else interval '8766 hours' end;
exception
	when datetime_field_overflow or interval_field_overflow then
		return '-infinity';
end
$$;

comment on function banter_data.ago(text) is 'The time that lies an age such as 90d in the past; an error if it is none.';
