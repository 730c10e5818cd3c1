-- banter: on a router too
create or replace function banter_data.settings_read(p_what text, p_changes json)
returns jsonb
language plpgsql
immutable
as $$
declare
	v record;
	v_fits boolean;
	v_read jsonb := '{}';
begin
	for v in
		select c.key, c.value, r.*
		from json_each_text(p_changes) c
		left join banter_data.setting_rules() r on r.what = p_what and r.setting = c.key
	loop
		if v.setting is null then
			raise exception 'a % has no setting "%"; it has %', p_what, v.key, (
				select string_agg(r.setting, ', ' order by r.place)
				from banter_data.setting_rules() r
				where r.what = p_what);
		end if;
		v_fits := v.value = v.word;
		if v_fits then
			v_read := v_read || jsonb_build_object(v.key, v.meant);
			continue;
		end if;
		v_fits := case v.kind
			when 'yes or no' then v.value in ('yes', 'no')
			when 'name' then char_length(v.value) between v.low and v.high
				and v.value !~ '[\u0001-\u001f\u007f-\u009f]'
			when 'text' then char_length(v.value) between v.low and v.high
			when 'names' then v.value ~ '^[A-Za-z0-9._-]{1,64}(,[A-Za-z0-9._-]{1,64})*$' and (
				select count(*) between v.low and v.high and count(*) = count(distinct n.name)
				from unnest(string_to_array(v.value, ',')) n (name))
			-- As a browser writes them: in lower case, without the port that goes without saying.
			when 'origins' then (
				select count(*) between v.low and v.high and count(*) = count(distinct o.origin)
					and bool_and(o.origin ~ '^[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$'
						and o.origin !~ '^(http://.*:80|https://.*:443)$')
				from unnest(string_to_array(v.value, ',')) o (origin))
			when 'remove, keep or begins' then v.value in ('remove', 'keep', 'begins')
			when 'stop or finish' then v.value in ('stop', 'finish')
			when 'refuse or attach' then v.value in ('refuse', 'attach')
			when 'whole' then case when v.value ~ '^[0-9]{1,16}$' then v.value::bigint between v.low and v.high end
			when 'number' then
				case when v.value ~ '^[0-9]{1,9}([.][0-9]{1,9})?$' then v.value::numeric between v.low and v.high end
		end;
		if v_fits is not true then
			raise exception '% must be %', v.key, banter_data.setting_words(
				p_kind => v.kind, p_low => v.low, p_high => v.high, p_word => v.word);
		end if;
		v_read := v_read || jsonb_build_object(v.key, case v.kind
			when 'yes or no' then to_jsonb(v.value = 'yes')
			when 'whole' then to_jsonb(v.value::bigint)
			when 'number' then to_jsonb(v.value::numeric)
			when 'names' then to_jsonb(string_to_array(v.value, ','))
			when 'origins' then to_jsonb(string_to_array(v.value, ','))
			else to_jsonb(v.value)
		end);
	end loop;
	return v_read;
end
$$;

comment on function banter_data.settings_read(text, json) is
	'The operator''s words for settings as values of their columns; an error if one is wrong.';
