-- The words are chat/attempts': an open or full server was passed over.
create or replace function banter_data.servers_tried(p_tries text)
returns table (server text, times bigint)
language sql
immutable
as $$
	select split_part(t.try, ' ', 1), count(*) filter (where split_part(t.try, ' ', 2) not in ('open', 'full'))
	from unnest(string_to_array(p_tries, ', ')) t (try)
	group by split_part(t.try, ' ', 1)
$$;

comment on function banter_data.servers_tried(text) is
	'The servers that an exchange''s tries name, each of which begins with one, and how often each was asked in vain; 0: it was only passed over.';
