create or replace function banter_data.moved()
returns trigger
language plpgsql
as $$
begin
	raise exception 'this partition has moved to %', tg_argv[0] using errcode = 'read_only_sql_transaction';
end
$$;

comment on function banter_data.moved() is 'The trigger of all tables of a database that a partition has moved away from.';
