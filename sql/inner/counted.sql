create or replace function banter_data.counted(p_count bigint, p_what text)
returns text
language sql
immutable
as $$
	select p_count || ' ' || p_what || case when p_count = 1 then '' else 's' end
$$;

comment on function banter_data.counted(bigint, text) is 'Such as "1 key" or "2 keys".';
