begin;
select plan(6);
\ir include/fixture.sql

create function pg_temp.seen(have text) returns text language plpgsql as $$
declare v text;
begin
	execute 'select string_agg(exchange || '' '' || state, '','') from (' || have || ') t' into v;
	return v;
end
$$;

select pg_temp.turn('z1'), pg_temp.turn('z2', session => 'b'), pg_temp.turn('z3', session => 'c'), pg_temp.turn('z4', workspace => 2);
select pg_temp.finish('z2'), pg_temp.finish('z1', 'left', 'some'), pg_temp.finish('z4', workspace => 2);

select is(pg_temp.seen($$ select * from banter.tail(10, null, null) $$), 'z2 done,z1 left,z4 done,z3 running',
	'those that ended, the latest last, and then those that run');
select is(pg_temp.seen($$ select * from banter.tail(1, null, null) $$), 'z4 done,z3 running',
	'no more of those that ended than asked for, and all that run');
update banter_data.chatbot set name = 'mine' where workspace = 1 and chatbot = 'bot';
select is(pg_temp.seen($$ select * from banter.tail(10, 'mine', null) $$), 'z2 done,z1 left,z3 running', 'of one chatbot');
update banter_data.exchange set ended_at = clock_timestamp() - interval '1 hour' where exchange = 'z2';
select is(pg_temp.seen($$ select * from banter.tail(10, null, clock_timestamp() - interval '30 minutes') $$), 'z1 left,z4 done',
	'since a time: those that ended after it, and none that run');
update banter_data.exchange set server = 'b', requests = 2, tries = 'a 503' where exchange = 'z4';
select pg_temp.rows_are($$ select exchange, server, requests, tries, finish_reason from banter.tail(1, null, null) $$,
	$$ values ('z4', 'b', 2, 'a 503', 'stop'), ('z3', null, null, null, null) $$, 'what was asked, and why it moved');
select is_empty($$ select 1 from banter.tail(10, null, null) t where t::text like '%hello%' or t::text like '%some%' or t::text like '%hi%' $$,
	'no text of anybody');

select * from finish();
rollback;
