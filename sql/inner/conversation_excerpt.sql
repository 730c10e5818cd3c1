create or replace function banter_data.conversation_excerpt(p_content text, p_found text)
returns text
language sql
immutable
as $$
	select case when s.start > 1 then '…' else '' end
		|| regexp_replace(substr(p_content, s.start, s.length), '\s+', ' ', 'g')
		|| case when s.start + s.length <= char_length(p_content) then '…' else '' end
	from (
		select greatest(strpos(lower(p_content), p_found) - 20, 1) as start,
			least(char_length(p_found), 100) + 50 as length) s
$$;

comment on function banter_data.conversation_excerpt(text, text) is
	'The piece of a text around what was found in it (in lower case), on one line.';
