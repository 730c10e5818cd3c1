-- banter: on a router too
create or replace function banter_data.setting_words(p_kind text, p_low bigint, p_high bigint, p_word text)
returns text
language sql
immutable
as $$
	select case p_kind
		when 'name' then format('%s to %s characters without control characters', p_low, p_high)
		when 'text' then format('at most %s characters', p_high)
		when 'whole' then format('a whole number from %s to %s', p_low, p_high)
		when 'number' then format('a number from %s to %s', p_low, p_high)
		when 'names' then format('%s to %s names of letters, digits and ._- with commas between, none of them twice', p_low, p_high)
		when 'origins' then format(
			'%s to %s origins as browsers send them (https://shop.example), with commas between, none of them twice',
			p_low, p_high)
		else p_kind
	end || coalesce(', or ' || p_word, '')
$$;

comment on function banter_data.setting_words(text, bigint, bigint, text) is 'What may be said for a setting, in words.';
