begin;
select no_plan();

select is(banter_data.ago('18h') between clock_timestamp() - interval '18 hours 1 minute' and clock_timestamp() - interval '18 hours', true, 'hours');
select is(clock_timestamp()::date - banter_data.ago('90d')::date, 90, 'days');
select is(clock_timestamp()::date - banter_data.ago('12w')::date, 84, 'weeks');
select is(clock_timestamp()::date - banter_data.ago('100y')::date, 36525, 'years');
select is(banter_data.ago('0d') <= clock_timestamp(), true, 'none at all');
select is(banter_data.ago('999999y'), '-infinity', 'before all that is');
select is(banter_data.ago(null), null, 'none said');
select throws_ok(format('select banter_data.ago(%L)', a), 'P0001',
	format('an age is a number and h, d, w or y (18h, 90d, 12w, 2y), not "%s"', a), format('%L is none', a))
from unnest(array['', 'd', '7', '7m', '-7d', '7 d', '1.5d', '7d ', '7D', '1234567d', '7 days']) a;

select * from finish();
rollback;
