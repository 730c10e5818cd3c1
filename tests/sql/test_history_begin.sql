begin;
select no_plan();
\ir include/fixture.sql

-- Turns of workspace 2 (unlimited), each ended at once: how many exchanges each was shown, in one line. Their numbers
-- are their positions, their texts long enough.
create function pg_temp.talk(
	session text, first integer, last integer, messages integer default 8, chars integer default 10000,
	each integer default 2)
returns text language plpgsql as $$
declare
	v_seen text[];
begin
	for i in first..last loop
		v_seen := v_seen || (select count(*) / 2 from pg_temp.turn_rows(session || i, repeat('q', each - 1),
			session => session, max_messages => messages, max_chars => chars, workspace => 2) t
			where t.outcome in ('user', 'assistant'))::text;
		perform pg_temp.finish(session || i, 'done', 'a', 2);
	end loop;
	return array_to_string(v_seen, ' ');
end
$$;
create function pg_temp.from_of(session text) returns bigint language sql as $$
	select c.history_from from banter_data.conversation c where c.workspace = 2 and c.session = $1
$$;
-- What the model of one more exchange, which goes on, is shown: positions.
create function pg_temp.shown(
	exchange text, session text, messages integer default 8, chars integer default 10000, idem text default null)
returns text language sql as $$
	select coalesce(string_agg(t.position::text, ' ' order by t.position) filter (where t.outcome = 'user'), '')
	from pg_temp.turn_rows($1, session => $2, max_messages => $3, max_chars => $4, idem => $5, workspace => 2) t
$$;

select is(pg_temp.talk('m', 1, 14), '0 1 2 3 4 2 3 4 2 3 4 2 3 4', 'it grows until more than four would be there, then half is left');
select is(pg_temp.from_of('m'), 10::bigint, 'the beginning stands with the conversation');
select is(pg_temp.shown('m15', 'm'), '13 14', 'and what is seen are the last ones');

select is(pg_temp.talk('c', 1, 9, 1000, 10), '0 1 2 3 4 5 2 3 4', 'of ten characters five exchanges of two, then those within half of it');
select is(pg_temp.talk('both', 1, 6, 8, 8), '0 1 2 3 4 2', 'where both are exceeded, half of both');
select is(pg_temp.talk('odd', 1, 7, 7), '0 1 2 3 1 2 3', 'half an exchange is none');
select is(pg_temp.talk('two', 1, 5, 2), '0 1 1 1 1', 'the last one is kept, of one that fits');
select is(pg_temp.talk('big', 1, 5, 8, 10, 8), '0 1 1 1 1', 'also where it is longer than half of what fits');
select is(pg_temp.talk('huge', 1, 3, 8, 10, 11), '0 0 0', 'but not where it alone is too long');
select is(pg_temp.from_of('huge'), 0::bigint, 'then nothing is moved');
select is(pg_temp.shown('huge4', 'huge', 8, 33), '1 2 3', 'with more room it is seen again');

-- Limits that change.
select is(pg_temp.talk('limit', 1, 6), '0 1 2 3 4 2', 'as above');
select is(pg_temp.talk('limit', 7, 7, 40), '3', 'a higher limit does not bring back what was cut');
select is(pg_temp.talk('limit', 8, 12, 40), '4 5 6 7 8', 'but lets it grow');
select is(pg_temp.talk('limit', 13, 13, 8), '2', 'a lower one cuts at once');
select is(pg_temp.talk('limit', 14, 14, 0), '0', 'none at all');
select is(pg_temp.talk('limit', 15, 15, 1), '0', 'less than an exchange');
select is(pg_temp.talk('limit', 16, 16, 8, 0), '0', 'no characters');
select is(pg_temp.talk('limit', 17, 17, 40), '6', 'which moved nothing');

-- What failed, or runs, takes no room; a new beginning is an exchange that is shown.
select is(pg_temp.talk('gaps', 1, 2), '0 1');
select pg_temp.turn('gaps3', session => 'gaps', workspace => 2), pg_temp.finish('gaps3', 'failed', 'a', 2);
select pg_temp.turn('gaps4', session => 'gaps', workspace => 2);
select is(pg_temp.talk('gaps', 5, 7), '2 3 4');
select is(pg_temp.shown('gaps8', 'gaps'), '6 7', 'it is cut by those that are shown');
select pg_temp.finish('gaps4', 'done', 'a', 2);
select is(pg_temp.shown('gaps9', 'gaps'), '6 7', 'one that ends behind the beginning stays there');

-- An answer in place of a left one.
select is(pg_temp.talk('in', 1, 3), '0 1 2');
select is(pg_temp.shown('in4', 'in', idem => 'in-k'), '1 2 3');
select pg_temp.finish('in4', 'left', 'a', 2);
select is(pg_temp.shown('in4b', 'in', idem => 'in-k'), '1 2 3', 'sees what the left one saw');
select pg_temp.finish('in4b', 'left', 'a', 2);
select is(pg_temp.talk('in', 5, 9), '4 2 3 4 2');
select is(pg_temp.from_of('in'), 7::bigint);
select is(pg_temp.shown('in4c', 'in', idem => 'in-k'), '1 2 3', 'also where all of that was cut meanwhile');
select is(pg_temp.shown('in4c', 'in', 4, idem => 'in-k'), '3', 'within the limits');
select is(pg_temp.from_of('in'), 7::bigint, 'and moves nothing');

-- Asked again with less.
create function pg_temp.close(exchange text, begins bigint, state text default 'done') returns text language sql as $$
	select banter.exchange_end(2, $1, $3, 'a', null, null, null, null, null, 1, 'default', 2, null, 600000, p_history_from => $2)
$$;
select is(pg_temp.talk('less', 1, 4), '0 1 2 3');
select is(pg_temp.shown('less5', 'less', 40), '1 2 3 4');
select is(pg_temp.close('less5', 3), 'stored');
select is(pg_temp.shown('less6', 'less', 40), '3 4 5', 'half of it was enough: that is where it begins from now on');
select is(pg_temp.close('less6', 6, 'left'), 'stored');
select is(pg_temp.shown('less7', 'less', 40), '6', 'none of it: this exchange is the first');
select is(pg_temp.close('less7', 7, 'failed'), 'stored');
select is(pg_temp.shown('less8', 'less', 40), '6', 'where less did not help nothing moves');
select is(pg_temp.close('less8', 2), 'stored');
select is(pg_temp.shown('less9', 'less', 40), '6 8', 'never back');
select is(pg_temp.close('less9', null), 'stored');
select is(pg_temp.from_of('less'), 6::bigint);

-- From before there were beginnings, or brought back.
select pg_temp.turn('old1', session => 'old', workspace => 2), pg_temp.finish('old1', workspace => 2);
update banter_data.conversation c set next_position = 501 where c.workspace = 2 and c.session = 'old';
insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, state, started_at, ended_at, lease_until,
	price, stream, answer_id, question, answer)
select 2, 'old' || i, 'old1-c', 'bot', 'wk-bot', i, 'done', now(), now(), now(), 0, true, 'old' || i || '-a', 'q', 'a'
from generate_series(2, 500) i;
select is(pg_temp.shown('old501', 'old'), '499 500', 'a long one is cut at once');
select is(pg_temp.from_of('old'), 499::bigint);

-- Who is refused leaves no trace.
select pg_temp.turn('poor' || i, session => 'poor'), pg_temp.finish('poor' || i) from generate_series(1, 5) i;
update banter_data.workspace set credits = 0 where workspace = 1;
select is((select t.outcome from pg_temp.turn('poor6', session => 'poor', max_messages => 8) t), 'no_credit');
select is((select c.history_from from banter_data.conversation c where c.workspace = 1 and c.session = 'poor'), 0::bigint);

-- The row that all of a conversation's exchanges want is written once, but for a cut.
create temporary table written (history_from bigint);
create function pg_temp.note_written() returns trigger language plpgsql as $$
begin
	insert into written values (new.history_from);
	return new;
end
$$;
create trigger note_written after update on banter_data.conversation for each row execute function pg_temp.note_written();
select is(pg_temp.talk('w', 1, 5), '0 1 2 3 4');
select is((select count(*) from written), 4::bigint, 'one write for each exchange but the first');
truncate written;
select is(pg_temp.talk('w', 6, 6), '2');
select results_eq('select history_from from written', 'values (0::bigint), (4)', 'a cut is one more');

select * from finish();
rollback;
