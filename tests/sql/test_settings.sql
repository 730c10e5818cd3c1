-- What may be set to what: refused as a whole, in words that say what is allowed.
begin;
select no_plan();
\ir include/tap.sql

create function pg_temp.refusal(what text, setting text, value text) returns text
language sql as $$ select banter.settings_refusal($1, json_build_object($2, $3), null) $$;

select pg_temp.rows_are($$ select format('%s %s=%s', w, s, left(v, 9)) from (values
	('workspace', 'name', 'Größe 1'), ('workspace', 'name', repeat('ü', 200)), ('workspace', 'credits', '0'),
	('workspace', 'credits', '1000000000000000'), ('workspace', 'credits', 'unlimited'), ('workspace', 'max_open', '1'),
	('workspace', 'max_open', 'none'), ('workspace', 'active', 'no'), ('chatbot', 'system_prompt', ''),
	('chatbot', 'system_prompt', E'two\nlines\t\u0001'), ('chatbot', 'temperature', '0'), ('chatbot', 'temperature', '2.0'),
	('chatbot', 'temperature', 'none'), ('chatbot', 'price', '0'), ('chatbot', 'price', 'none'), ('chatbot', 'stream', 'none'),
	('chatbot', 'rate_limit', '0'), ('chatbot', 'rate_window', 'none'), ('key', 'label', ''), ('key', 'active', 'yes'),
	('chatbot', 'servers', 'a'), ('chatbot', 'servers', 'a,B-1,c.d_e,default'), ('chatbot', 'servers', 'none'), ('chatbot', 'servers', repeat('x', 64)),
	('chatbot', 'servers', (select string_agg('s' || n, ',') from generate_series(1, 16) n)), ('chatbot', 'reasoning', 'remove'),
	('chatbot', 'reasoning', 'keep'), ('chatbot', 'reasoning', 'begins'), ('chatbot', 'reasoning', 'none')
	) t (w, s, v) where pg_temp.refusal(w, s, v) is not null $$, $$ select 1 where false $$, 'taken');
select is_empty($$ select w, s, v from (values
	('workspace', 'name', ''), ('workspace', 'name', repeat('x', 201)), ('workspace', 'name', E'a\nb'), ('workspace', 'name', E'\u009b31m'),
	('workspace', 'credits', '-1'), ('workspace', 'credits', 'none'), ('workspace', 'credits', '1e3'), ('workspace', 'credits', ' 1'),
	('workspace', 'credits', '1000000000000001'), ('workspace', 'credits', repeat('9', 30)), ('workspace', 'credits', E'1\n'),
	('workspace', 'max_open', '0'), ('workspace', 'max_open', '2147483648'), ('workspace', 'max_open', ''), ('workspace', 'active', 'true'),
	('workspace', 'active', 'none'), ('workspace', 'workspace', '1'), ('workspace', 'Name', 'x'), ('workspace', 'price', '1'),
	('chatbot', 'temperature', '2.1'), ('chatbot', 'temperature', '-0.1'), ('chatbot', 'temperature', 'NaN'), ('chatbot', 'temperature', '.5'),
	('chatbot', 'servers', ''), ('chatbot', 'servers', 'a,'), ('chatbot', 'servers', ',a'), ('chatbot', 'servers', 'a, b'), ('chatbot', 'servers', 'a,b,a'),
	('chatbot', 'servers', 'ä'), ('chatbot', 'servers', 'a/b'), ('chatbot', 'servers', repeat('x', 65)), ('chatbot', 'servers', E'a\n'),
	('chatbot', 'servers', (select string_agg('s' || n, ',') from generate_series(1, 17) n)), ('chatbot', 'reasoning', 'Keep'), ('chatbot', 'reasoning', ''),
	('chatbot', 'price', '1.5'), ('chatbot', 'rate_window', '0'), ('chatbot', 'retention_days', '0'), ('chatbot', 'model', ''),
	('chatbot', 'system_prompt', repeat('x', 200001)), ('key', 'revoked_at', 'none'), ('key', 'hash', 'x'), ('other', 'name', 'x')
	) t (w, s, v) where pg_temp.refusal(w, s, v) is null $$, 'refused');

select is(pg_temp.refusal('chatbot', 'rate_window', 'x'), 'rate_window must be a whole number from 1 to 31536000, or none');
select is(pg_temp.refusal('chatbot', 'temperature', '3'), 'temperature must be a number from 0 to 2, or none');
select is(pg_temp.refusal('chatbot', 'servers', 'a,a'),
	'servers must be 1 to 16 names of letters, digits and ._- with commas between, none of them twice, or none');
select is(pg_temp.refusal('chatbot', 'reasoning', 'x'), 'reasoning must be remove, keep or begins, or none');
select is(pg_temp.refusal('chatbot', 'on_leave', 'x'), 'on_leave must be stop or finish, or none');
select is(pg_temp.refusal('chatbot', 'on_repeat', 'x'), 'on_repeat must be refuse or attach, or none');
select is(pg_temp.refusal('chatbot', 'detached_time', '0'), 'detached_time must be a whole number from 1 to 86400, or none');
select is(pg_temp.refusal('workspace', 'credits', 'x'), 'credits must be a whole number from 0 to 1000000000000000, or unlimited');
select is(pg_temp.refusal('workspace', 'active', 'x'), 'active must be yes or no');
select is(pg_temp.refusal('workspace', 'name', ''), 'name must be 1 to 200 characters without control characters');
select is(pg_temp.refusal('key', 'x', ''), 'a key has no setting "x"; it has label, active, origins');
select is(banter.settings_refusal('workspace', '{}', ''), 'name must be 1 to 200 characters without control characters', 'the name it is made with');
select is(banter.settings_refusal('workspace', '{"active":"x"}', 'good'), 'active must be yes or no', 'settings beside a good name');
select is(banter.settings_refusal('workspace', '{}', 'good'), null, 'nothing is wrong');

select is(banter_data.settings_read('chatbot', '{"price":"3","temperature":"0.70","stream":"yes","model":"none","rate_window":"none","name":"1",
		"servers":"b,a","reasoning":"none"}'),
	'{"price":3,"temperature":0.70,"stream":true,"model":null,"rate_window":60,"name":"1","servers":["b","a"],"reasoning":"remove"}'::jsonb, 'words become values');
select is_empty($$ select r.setting from banter_data.setting_rules() r where not exists (
	select from pg_attribute a where a.attname = r.setting
		and a.attrelid = format('banter_data.%s', replace(r.what, 'key', 'api_key'))::regclass) $$, 'every setting is a column');
select * from finish();
rollback;
