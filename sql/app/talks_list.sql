create or replace function banter.talks_list(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_before text, p_limit integer)
returns table (
	outcome text, body text, limit_max integer, limit_remaining integer, limit_reset bigint, retry_after integer)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
	v record := banter_data.talk_holder(
		p_workspace => p_workspace, p_key_hash => p_key_hash, p_kind => p_kind, p_chatbot => p_chatbot,
		p_session => p_session, p_origin => p_origin, p_token => p_token, p_user => p_user, p_expires => p_expires,
		p_signature => p_signature, p_does => 'reads', p_good => (p_before ~ '^[0-9]{1,18}-[0-9A-Za-z_-]{1,40}$') is not false,
		p_conversation => null);
begin
	outcome := coalesce(v.outcome, 'found');
	limit_max := v.limit_max;
	limit_remaining := v.limit_remaining;
	limit_reset := v.limit_reset;
	retry_after := v.retry_after;
	if outcome = 'found' then
		select json_build_object(
				'conversations', coalesce(json_agg(json_build_object(
					'id', p.conversation, 'sessionId', p.name, 'createdAt', banter_data.conversation_time(p.created_at),
					'lastAt', banter_data.conversation_time(p.last_at)) order by p.row), '[]'),
				'before', min((extract(epoch from p.last_at) * 1000000)::bigint || '-' || p.conversation)
					filter (where p.earlier and p.row = p_limit))
		into body
		from (
			select t.*, count(*) over () > p_limit as earlier, row_number() over (order by t.last_at desc, t.conversation desc) as row
			from (
				select a.*
				from (
					select c.conversation, c.thread as name, c.created_at, c.last_at
					from banter_data.conversation c
					where c.workspace + 0 = p_workspace and c.visitor = any (v.visitors)
					union all
					select c.conversation, c.session, c.created_at, c.last_at
					from banter_data.conversation c
					where c.workspace + 0 = p_workspace and c.chatbot = v.chatbot and c.session = v.session
					union all
					select c.conversation, coalesce(ltrim(c.session, '/'), c.thread), c.created_at, c.last_at
					from banter_data.conversation c
					where c.workspace + 0 = p_workspace and c.chatbot = v.chatbot and p_kind = 'workspace') a
				where p_before is null or (a.last_at, a.conversation) < (
					timestamptz 'epoch' + split_part(p_before, '-', 1)::bigint * interval '1 microsecond',
					substr(p_before, strpos(p_before, '-') + 1))
				order by a.last_at desc, a.conversation desc
				limit p_limit + 1) t) p
		where p.row <= p_limit;
	end if;
	return next;
end
$$;

comment on function banter.talks_list(
	bigint, bytea, text, text, text, text, bytea, text, bigint, bytea, text, integer) is
	'The conversations that may be seen with what was presented, as JSON, the latest p_limit of them before that place (null: of all), newest first; `before`: for the ones before these, null: there are none. found, or why not: as messages_read.';
