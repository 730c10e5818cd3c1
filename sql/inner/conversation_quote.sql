create or replace function banter_data.conversation_quote(p_text text)
returns text
language sql
immutable
as $$
	select '> ' || regexp_replace(p_text, '\r\n?|\n', E'\n> ', 'g')
$$;

comment on function banter_data.conversation_quote(text) is
	'A text as a quotation in Markdown: nothing in it can pass for what stands around it.';
