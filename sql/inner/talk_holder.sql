-- The one place that says who may see which conversations, and what asking for them uses up.
--
-- The order is an exchange's: the key, its page, its visitor, what was sent, the chatbot, its window, the conversation.
create or replace function banter_data.talk_holder(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_chatbot text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_does text, p_good boolean, p_conversation text,
	out outcome text, out chatbot text, out session text, out visitors text[],
	out limit_max integer, out limit_remaining integer, out limit_reset bigint, out retry_after integer)
language plpgsql
as $$
#variable_conflict use_column
declare
	v record;
	v_rate record;
begin
	if p_kind = 'site' then
		v := banter_data.visitor_judge(
			p_workspace => p_workspace, p_key_hash => p_key_hash, p_origin => p_origin, p_token => p_token,
			p_user => p_user, p_expires => p_expires, p_signature => p_signature, p_reads => p_does in ('reads', 'listens'));
		chatbot := v.chatbot;
		outcome := coalesce(v.outcome, case
			when num_nonnulls(p_token, p_user) = 0 then 'visitor_unknown'
			when not p_good then 'bad_request' end);
		-- What the token holds will be the user's with the next question.
		visitors := array_remove(array[v.signed_in, v.visitor], null);
	else
		select k.api_key, c.chatbot, case k.kind when 'workspace' then c.rate_limit end as rate_limit, c.rate_window
		into v
		from banter_data.api_key k
		join banter_data.workspace w on w.workspace = k.workspace and w.active
		left join banter_data.chatbot c on c.workspace = k.workspace and c.active
			and c.chatbot = case k.kind when 'widget' then k.chatbot else p_chatbot end
		where k.workspace + 0 = p_workspace and k.hash = p_key_hash and k.kind = p_kind
			and k.active and k.revoked_at is null;
		chatbot := v.chatbot;
		session := case p_kind when 'widget' then p_session end;
		outcome := case
			when v.api_key is null or p_kind = 'widget' and chatbot is null then 'unauthorized'
			when not p_good or p_kind = 'widget' and p_session is null then 'bad_request'
			when chatbot is null then 'chatbot_not_found'
			when p_kind = 'widget' and p_does = 'erases' then 'forbidden' end;
		if outcome is null and v.rate_limit is not null and p_does <> 'listens' then
			-- An exchange is locked before a window.
			if p_does = 'erases' then
				perform banter_data.conversation_stop(array[p_workspace], array[p_conversation]);
			end if;
			v_rate := banter_data.rate_judge(
				p_workspace => p_workspace, p_chatbot => chatbot, p_limit => v.rate_limit,
				p_seconds => v.rate_window, p_count => true);
			limit_max := v.rate_limit;
			limit_remaining := v_rate.remaining;
			limit_reset := v_rate.reset;
			if not v_rate.allowed then
				outcome := 'limited';
				retry_after := v_rate.retry_after;
			end if;
		end if;
	end if;

	if outcome is null and p_conversation is not null then
		perform from banter_data.conversation c
		where c.workspace = p_workspace and c.conversation = p_conversation and c.chatbot || '' = talk_holder.chatbot
			and case p_kind
				when 'site' then c.visitor = any (visitors)
				when 'widget' then c.session = talk_holder.session
				else true end;
		outcome := case when not found then 'conversation_not_found' end;
	end if;
end
$$;

comment on function banter_data.talk_holder(
	bigint, bytea, text, text, text, text, bytea, text, bigint, bytea, text, boolean, text) is
	'Whose conversations may be seen with what was presented: all of p_chatbot''s (workspace), a widget key''s one named session, or (site) those of these visitors. outcome null: all is good, and p_conversation (null: none is named) is one of them. p_does: reads (no origin will do), listens (the same, and no window counts it), writes or erases. p_good: what was sent is well-formed; else bad_request, once the key is good. A chatbot''s rate window counts it, where it has one, and says where it stands.';
