create or replace function banter_data.words(p_error text)
returns text
language sql
immutable
as $$
	select regexp_replace(p_error, '^banter_shards\.\w+\(\d+\): \[[^]]*\] REMOTE ERROR: ', '')
$$;

comment on function banter_data.words(text) is 'What a partition''s function raised, in its own words.';
