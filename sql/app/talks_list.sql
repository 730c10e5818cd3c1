create or replace function banter.talks_list(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_limit integer)
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
		p_reads => true);
begin
	outcome := coalesce(v.outcome, 'found');
	if outcome = 'found' then
		select json_build_object('conversations', coalesce(json_agg(json_build_object(
				'id', t.conversation, 'sessionId', t.name, 'createdAt', banter_data.conversation_time(t.created_at),
				'lastAt', banter_data.conversation_time(t.last_at)) order by t.last_at desc, t.conversation), '[]'))
		into body
		from (
			select c.conversation, c.thread as name, c.created_at, c.last_at
			from banter_data.conversation c
			where c.workspace + 0 = p_workspace and c.visitor = any (v.visitors)
			union all
			select c.conversation, c.session, c.created_at, c.last_at
			from banter_data.conversation c
			where c.workspace + 0 = p_workspace and c.chatbot = v.chatbot and c.session = v.session
			order by last_at desc, conversation
			limit p_limit) t;
	end if;
	return next;
end
$$;

comment on function banter.talks_list(bigint, bytea, text, text, text, bytea, text, bigint, bytea, integer) is
	'The conversations that may be seen with what was presented, as JSON, the latest p_limit of them, newest first. found, or why not: unauthorized, forbidden, visitor_unknown, bad_request (a widget key, and no session).';
