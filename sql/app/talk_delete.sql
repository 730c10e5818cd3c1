-- Lock order: conversation_remove's.
create or replace function banter.talk_delete(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_conversation text, p_lock_ms integer)
returns table (outcome text, body text)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v record := banter_data.talk_holder(
		p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => p_kind, p_session => p_session,
		p_origin => p_origin, p_token => p_token, p_user => p_user, p_expires => p_expires, p_signature => p_signature,
		p_reads => false);
begin
	outcome := coalesce(v.outcome, case when p_kind <> 'site' then 'forbidden' end);
	if outcome is null then
		perform set_config('lock_timeout', p_lock_ms::text, true);
		perform banter_data.conversation_remove(array[c.workspace], array[c.conversation], array['infinity'::timestamptz])
		from banter_data.conversation c
		where c.workspace = p_workspace and c.conversation = p_conversation and c.visitor = any (v.visitors);
		outcome := case when found then 'found' else 'conversation_not_found' end;
	end if;
	return next;
end
$$;

comment on function banter.talk_delete(
	bigint, bytea, text, text, text, bytea, text, bigint, bytea, text, integer) is
	'Erases a visitor''s own conversation with all that is in it; what runs in it ends as one that failed. found, or why not: as messages_read, forbidden to a widget key too. The locks are waited for no longer than p_lock_ms, one by one.';
