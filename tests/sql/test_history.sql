begin;
select no_plan();
\ir include/fixture.sql

-- A turn of workspace 2 (unlimited) and the history it was given, in one line.
create function pg_temp.seen(exchange text, messages integer default 20, chars integer default 10000)
returns text language sql as $$
	select coalesce(string_agg(left(t.outcome, 1) || ':' || t.content, ' ' order by t.n), '')
	from (select *, row_number() over () as n from pg_temp.turn_rows($1, message => $1, max_messages => $2, max_chars => $3, workspace => 2)) t
	where t.n > 1
$$;
create function pg_temp.end(exchange text, state text default 'done', answer text default null)
returns text language sql as $$ select pg_temp.finish($1, $2, coalesce($3, upper($1)), 2) $$;

select is(pg_temp.seen('a'), '', 'a first message has no history');
select pg_temp.end('a');
select is(pg_temp.seen('b'), 'u:a a:A', 'then question and answer');
select is(pg_temp.seen('c'), 'u:a a:A', 'what still runs is not in it');
select pg_temp.end('b', 'failed', 'half');
select is(pg_temp.seen('d'), 'u:a a:A', 'what failed is not, even with text');
select pg_temp.end('c', 'left', 'as far');
select is(pg_temp.seen('e'), 'u:a a:A u:c a:as far', 'what the client left is, as far as it came');
select is(pg_temp.seen('a2', 20, 10000), 'u:a a:A u:c a:as far', 'sent with the same limits');
select pg_temp.end('a2');
select pg_temp.end('e');
select pg_temp.end('d');
select is(pg_temp.seen('f'), 'u:a a:A u:c a:as far u:d a:D u:e a:E u:a2 a:A2', 'in the order of arrival, not of the answers');
select is(pg_temp.seen('d'), '', 'a done one sent again is a replay without history');

-- Sent again sees what it saw.
select is(pg_temp.seen('g', 4), 'u:a2 a:A2', 'where more than two exchanges would be there, the newer half of two');
select pg_temp.end('f');
select is(pg_temp.seen('g', 4), 'u:a2 a:A2', 'sent again: not what ended meanwhile');

select is(pg_temp.seen('h', 3), 'u:f a:F', 'half an exchange is not shown');
select is(pg_temp.seen('i', 0), '', 'none of it');
select is(pg_temp.seen('j', 20, 2), 'u:f a:F', 'as many characters as fit, exactly');
select is(pg_temp.seen('k', 20, 5), 'u:f a:F', 'the first that does not fit ends it');
select is(pg_temp.seen('l', 20, 1), '', 'not one fits');
select is(pg_temp.seen('m', 20, 0), '', 'no characters');
update banter_data.chatbot set history_messages = 2 where workspace = 2;
select is(pg_temp.seen('n'), 'u:f a:F', 'the chatbot''s own limit of messages');
update banter_data.chatbot set history_messages = 50, history_chars = 2 where workspace = 2;
select is(pg_temp.seen('o'), 'u:f a:F', 'the chatbot''s own limit of characters');
update banter_data.chatbot set history_chars = 100000 where workspace = 2;
select is(pg_temp.seen('p', 2), 'u:f a:F', 'the server''s limit caps it');

-- Characters, not bytes.
select is((select outcome from pg_temp.turn('w1', message => 'ä€😀', session => 'wide', workspace => 2)), 'started');
select pg_temp.finish('w1', 'done', '日本', 2);
select is((select count(*)::integer from pg_temp.turn_rows('w2', session => 'wide', workspace => 2, max_chars => 5)), 3, 'five characters fit in five');
select is((select count(*)::integer from pg_temp.turn_rows('w3', session => 'wide', workspace => 2, max_chars => 4)), 1, 'and not in four');
select is((select count(*)::integer from pg_temp.turn_rows('w4', session => 'elsewhere', workspace => 2)), 1, 'another session''s is not seen');

select * from finish();
rollback;
