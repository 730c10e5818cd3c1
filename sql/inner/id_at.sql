-- Ids begin with their time: ten characters of Crockford's base 32 for the milliseconds (base/secret.c). Rows of
-- a time are thus found by their primary key, without an index of its own that every exchange would pay for.
create or replace function banter_data.id_at(p_at timestamptz)
returns text
language sql
immutable
as $$
	select string_agg(
		substr('0123456789abcdefghjkmnpqrstvwxyz',
			((floor(extract(epoch from p_at) * 1000)::bigint >> (5 * place)) & 31)::integer + 1, 1),
		'' order by place desc)
	from generate_series(0, 9) place
$$;

comment on function banter_data.id_at(timestamptz) is
	'What ids made at that time, or up to a millisecond later, begin with; to be compared in collation "C".';
