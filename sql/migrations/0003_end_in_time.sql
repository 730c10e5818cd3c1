-- Two functions of the operator's return more than at first, and that no "or replace" can: where they still are as
-- they were, they go, and are made again with all the others. Nothing else: turn_end and lease_renew are new names.
do $$
declare
	v_function regprocedure;
begin
	for v_function in
		select p.oid
		from pg_catalog.pg_proc p
		where p.oid in (
				to_regprocedure('banter.conversation_list(text, text, text, integer)'),
				to_regprocedure('banter.conversation_search(text, text, bigint, text, integer)'))
			and 'chatbot_id' <> all (p.proargnames)
	loop
		execute format('drop function %s', v_function);
	end loop;
end
$$;
