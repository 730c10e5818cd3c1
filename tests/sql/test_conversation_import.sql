begin;
select no_plan();
\ir include/fixture.sql

create temp table record (line text);
select pg_temp.turn('x1', session => 's', metadata => '{"n":1e999999}'), pg_temp.turn('x2', session => 's');
select pg_temp.finish('x1'), pg_temp.finish('x2', 'left', 'some');
update banter_data.exchange set server = 'b', requests = 2, tries = 'a 503', tokens_cached = 9 where exchange = 'x1';
insert into banter_data.feedback (workspace, exchange, thumb, text) values (1, 'x1', 'up', E'good\n');
insert into record
select min(head) || string_agg(body, ',' order by position) || ']}'
from banter.conversation_export('jsonl', null, null, 'x1-c', false, null, null, null, null, 9);
create temp view stored as select to_json(c)::text || e.whole as whole
from banter_data.conversation c cross join (
	select string_agg(row(e.exchange, e.state, e.position, e.started_at, e.ended_at, e.price, e.metadata::text, e.question,
		e.answer, e.finish_reason, e.server, e.requests, e.tries, e.tokens_cached, f)::text, ' ' order by e.exchange) as whole
	from banter_data.exchange e left join banter_data.feedback f on f.workspace = e.workspace and f.exchange = e.exchange) e;
create temp table before as select * from stored;

select is(outcome, 'present', 'what is there is left alone') from record, banter.conversation_import(line, null);
delete from banter_data.conversation;
select is(outcome, 'imported', 'what is gone comes back') from record, banter.conversation_import(line, null);
select is(s.whole, b.whole, 'as it was') from stored s, before b;
select is(pg_temp.credits(), 8::bigint, 'and costs nothing');
select is(pg_temp.ledger(), 8::bigint);
select is((select outcome from pg_temp.turn('x3', session => 's')), 'started', 'and goes on');
select is((select position from banter_data.exchange where exchange = 'x3'), 3::bigint, 'where it was');
select pg_temp.lapse('x1');
select pg_temp.turn('x4', session => 't');
select is(pg_temp.state('x1'), 'done', 'an imported one does not run');

select pg_temp.row_is($$ select outcome, why from record, banter.conversation_import(line, '2/bot') $$,
	row('refused'::text, 'it is here already, with another chatbot'::text), 'ids are one conversation''s');
delete from banter_data.conversation;
select is(outcome, 'imported', 'into another chatbot') from record, banter.conversation_import(line, '2/other');
select pg_temp.row_is($$ select workspace, chatbot from banter_data.conversation $$, row(2::bigint, 'other'::text));
select throws_ok($$ select banter.conversation_import('{}', 'nowhere') $$, 'P0001', null, 'which must be there');
delete from banter_data.conversation;

-- Whose it is stays so, where they are still there.
create function pg_temp.owned(outcome text, visitor text, thread text, said text) returns text language plpgsql as $$
declare
	v_got text;
begin
	select i.outcome into v_got from record, banter.conversation_import(replace(line, '"session":"s","visitor":null,"thread":null', '"session":null,"visitor":"v1","thread":"main"'), null) i;
	select concat_ws(' ', v_got, c.visitor, c.thread, c.session) into v_got from banter_data.conversation c where c.conversation = 'x1-c';
	delete from banter_data.conversation c where c.conversation = 'x1-c';
	return is(v_got, concat_ws(' ', $1, $2, $3), $4);
end
$$;
select pg_temp.owned('imported', null, null, 'nobody has that id: it is known by its own');
insert into banter_data.visitor (workspace, visitor, chatbot, hash) values (1, 'v1', 'other', 'h'), (2, 'v1', 'bot', 'h');
select pg_temp.owned('imported', null, null, 'another chatbot''s visitor, another workspace''s');
update banter_data.visitor set chatbot = 'bot' where workspace = 1;
select pg_temp.owned('imported', 'v1', 'main', 'the visitor has it again');
insert into banter_data.conversation (workspace, conversation, chatbot, visitor, thread, next_position) values (1, 'taken', 'bot', 'v1', 'main', 1);
select pg_temp.owned('imported', 'v1', null, 'and has another of that name');
delete from banter_data.conversation;

-- What is refused leaves nothing; tests/system has more of it.
create function pg_temp.refused(line text, why text) returns setof text language plpgsql as $$
begin
	return next pg_temp.row_is(format('select outcome, why from banter.conversation_import(%L, null)', line), row('refused'::text, why), why);
	return next is_empty('select from banter_data.conversation union all select from banter_data.exchange', 'and nothing is stored');
end
$$;
select pg_temp.refused('{', 'it is not JSON, or something in it is not of its type');
select pg_temp.refused('null', 'it is no conversation that this version of banterctl exports');
select pg_temp.refused(replace(line, '"version":1', '"version":2'), 'it is no conversation that this version of banterctl exports') from record;
select pg_temp.refused(replace(line, '"exchanges"', '"others"'), 'it has no list of exchanges') from record;
select pg_temp.refused(replace(line, '"visitor":null', '"visitor":"v1"'), 'it cannot be of such a visitor') from record;
select pg_temp.refused(replace(line, '"thread":null', '"thread":"a b"'), 'it cannot be of such a visitor') from record;
select pg_temp.refused(replace(line, '"position":2', '"position":3'), 'one of its exchanges has no place in it') from record;
select pg_temp.refused(replace(line, '"position":2', '"position":1'), 'it breaks the rule exchange_place') from record;
select pg_temp.refused(replace(line, '"position":2', '"position":null'), 'its position is missing') from record;
select pg_temp.refused(replace(line, '"state":"left"', '"state":"running"'), 'one of its exchanges had not ended') from record;
select pg_temp.refused(replace(line, '"answer":"some"', '"answer":""'), 'one of its exchanges ended in no way that one can') from record;
select pg_temp.refused(replace(line, '"exchange":"x2"', '"exchange":"x/2"'), 'one of its exchanges has no place in it') from record;
select pg_temp.refused(replace(line, '"price":1', '"price":-1'), 'one of its exchanges has a number below zero') from record;
select pg_temp.refused(replace(line, '{"n":1e999999}', '[1]'), 'one of its exchanges has metadata that are no object') from record;
select pg_temp.refused(regexp_replace(line, '"ended_at":"[^"]*"', '"ended_at":null'), 'one of its exchanges ended in no way that one can') from record;
select pg_temp.refused(regexp_replace(line, '"started_at":"[^"]*"', '"started_at":"infinity"'), 'one of its exchanges has a time that cannot be one') from record;
select pg_temp.refused(regexp_replace(line, '"at":"[^"]*"', '"at":"infinity"'), 'the feedback on one of its answers has a time that cannot be one')
from (select replace(line, '"at" : ', '"at":') as line from record) r;
select pg_temp.refused(replace(line, '"thumb" : "up"', '"thumb" : "big"'), 'it breaks the rule feedback_thumb_known') from record;
select pg_temp.refused(replace(line, '"good\n"', to_json(repeat('x', 2001))::text), 'it breaks the rule feedback_text_fits') from record;
select pg_temp.refused(regexp_replace(line, '"feedback":{[^}]*}', '"feedback":5'), 'it is not JSON, or something in it is not of its type') from record;
select pg_temp.refused(regexp_replace(line, '"feedback":{[^}]*}', '"feedback":{}'), 'its at is missing') from record;
select pg_temp.refused(regexp_replace(line, '"last_at":"[^"]*"', '"last_at":"infinity"'), 'its next position or one of its times cannot be one') from record;
select pg_temp.refused(replace(line, '"next_position":3', '"next_position":9223372036854775807'), 'its next position or one of its times cannot be one') from record;
select pg_temp.refused(replace(line, '"session":"s"', '"session":"s\n# Conversation"'), 'its session cannot be one') from record;
select pg_temp.refused(repeat('[', 100000), 'it is not JSON, or something in it is not of its type');

select * from finish();
rollback;
