-- All of the record or nothing: what is wrong in it undoes what came before.
create or replace function banter.conversation_import(
	p_record text, p_chatbot text, out outcome text, out why text)
language plpgsql
security definer
set search_path = pg_catalog, banter_data, pg_temp
as $$
#variable_conflict use_column
declare
	v_workspace bigint;
	v_chatbot text;
	v_new banter_data.conversation;
	v_there banter_data.conversation;
	v_column text;
	v_constraint text;
begin
	if p_chatbot is not null then
		select n.workspace, n.chatbot into v_workspace, v_chatbot from banter_data.chatbot_named(p_chatbot) n;
	end if;
	outcome := 'refused';
	if json_typeof(p_record::json) <> 'object' or (p_record::json ->> 'version') is distinct from '1' then
		why := 'it is no conversation that this version of banterctl exports';
		return;
	end if;

	v_new := json_populate_record(null::banter_data.conversation, p_record::json);
	if p_chatbot is null then
		select c.workspace, c.chatbot into v_workspace, v_chatbot
		from banter_data.chatbot c
		where c.workspace = v_new.workspace and c.chatbot = v_new.chatbot;
		if not found then
			why := format('there is no chatbot "%s" of workspace %s here; --chatbot CHATBOT puts it into one that is',
				v_new.chatbot, v_new.workspace);
			return;
		end if;
	end if;
	why := banter_data.conversation_fault(v_new, p_record::json -> 'exchanges');
	if why is not null then
		return;
	end if;

	select c.* into v_there
	from banter_data.workspace w
	join banter_data.conversation c on c.workspace = w.workspace and c.conversation = v_new.conversation
	limit 1;
	if found then
		if (v_there.workspace, v_there.chatbot) = (v_workspace, v_chatbot) then
			outcome := 'present';
		else
			why := 'it is here already, with another chatbot';
		end if;
		return;
	end if;

	-- Its visitor's, if that is one of this chatbot's: known by its id alone otherwise, as where its name is taken.
	perform from banter_data.visitor x
	where x.workspace = v_workspace and x.visitor = v_new.visitor and x.chatbot = v_chatbot;
	if not found then
		v_new.visitor := null;
	end if;
	if v_new.visitor is null or exists (
		select from banter_data.conversation c
		where c.workspace = v_workspace and c.visitor = v_new.visitor and c.thread = v_new.thread)
	then
		v_new.thread := null;
	end if;
	insert into banter_data.conversation (
		workspace, conversation, chatbot, session, visitor, thread, next_position, created_at, last_at)
	values (v_workspace, v_new.conversation, v_chatbot, v_new.session, v_new.visitor, v_new.thread, v_new.next_position,
		v_new.created_at, v_new.last_at)
	on conflict do nothing;
	if not found then
		if exists ( -- another import's, made just now
			select from banter_data.conversation c
			where c.workspace = v_workspace and c.conversation = v_new.conversation)
		then
			outcome := 'present';
		else
			why := 'its session has another conversation here';
		end if;
		return;
	end if;
	insert into banter_data.exchange (
		workspace, exchange, conversation, chatbot, api_key, position, attempt, replaces, state,
		started_at, ended_at, lease_until, price, tokens_in, tokens_cached, tokens_out, first_ms, total_ms, stream,
		answer_id, request_id, model, finish_reason, error, server, requests, tries, metadata, question, answer,
		chars)
	select v_workspace, e.exchange, v_new.conversation, v_chatbot, e.api_key, e.position, e.attempt,
		e.replaces, e.state, e.started_at, e.ended_at, coalesce(e.ended_at, e.started_at), e.price, e.tokens_in,
		e.tokens_cached, e.tokens_out, e.first_ms, e.total_ms, e.stream, e.answer_id, e.request_id, e.model, e.finish_reason, e.error,
		e.server, e.requests, e.tries, e.metadata, e.question, e.answer,
		char_length(e.question) + coalesce(char_length(e.answer), 0)
	from json_populate_recordset(null::banter_data.exchange, p_record::json -> 'exchanges') e;
	insert into banter_data.feedback (workspace, exchange, at, thumb, text)
	select v_workspace, e.value ->> 'exchange', f.at, f.thumb, f.text
	from json_array_elements(p_record::json -> 'exchanges') e
	cross join lateral (select e.value -> 'feedback' as said where json_typeof(e.value -> 'feedback') <> 'null') s
	cross join lateral json_populate_record(null::banter_data.feedback, s.said) f;
	outcome := 'imported';
exception
	when not_null_violation then
		get stacked diagnostics v_column = column_name;
		why := format('its %s is missing', v_column);
	when foreign_key_violation then -- its chatbot was deleted meanwhile: as if we came now
		select i.outcome, i.why into outcome, why from banter.conversation_import(p_record, p_chatbot) i;
	when integrity_constraint_violation then
		get stacked diagnostics v_constraint = constraint_name;
		why := case v_constraint
			when 'exchange_pkey' then 'one of its exchanges is another conversation''s'
			else format('it breaks the rule %s', v_constraint) end;
	when data_exception or statement_too_complex then -- their words quote what they are about
		why := 'it is not JSON, or something in it is not of its type';
end
$$;

comment on function banter.conversation_import(text, text) is
	'For the operator. Brings an exported conversation back, under its ids, or into p_chatbot: imported, present (it was there, nothing is changed) or refused, and why.';
