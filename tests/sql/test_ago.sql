begin;
select no_plan();

-- Of a time between the transaction's beginning and the moment after, exactly.
select is(a.ago between now() - a.age and clock_timestamp() - a.age, true, a.word)
from (select v.word, v.age, banter_data.ago(v.word) as ago from (values
	('18h', interval '18 hours'), ('90d', interval '2160 hours'), ('12w', interval '2016 hours'), ('100y', interval '876600 hours'),
	('0d', interval '0')) v (word, age) offset 0) a;
select is(banter_data.ago('999999y'), '-infinity', 'before all that is');
select is(banter_data.ago(null), null, 'none said');
select throws_ok(format('select banter_data.ago(%L)', a), 'P0001',
	format('an age is a number and h, d, w or y (18h, 90d, 12w, 2y), not "%s"', a), format('%L is none', a))
from unnest(array['', 'd', '7', '7m', '-7d', '7 d', '1.5d', '7d ', '7D', '1234567d', '7 days']) a;

select * from finish();
rollback;
