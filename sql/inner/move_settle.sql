-- From here on no change of the old place comes in any more: it could be a straggler's, and older than what is written here.
create or replace function banter_data.move_settle(p_sequences json)
returns void
language plpgsql
as $$
begin
	alter subscription banter_move disable;
	perform setval(format('banter_data.%I', s.key)::regclass, s.value::bigint)
	from json_each_text(p_sequences) s
	where s.value is not null;
end
$$;

comment on function banter_data.move_settle(json) is
	'Follows no changes any more, and numbers go on where the old place was: of each sequence, the last that it gave (null: none).';
