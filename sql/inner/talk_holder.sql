-- The one place that says who may see which conversations.
create or replace function banter_data.talk_holder(
	p_workspace bigint, p_key_hash bytea, p_kind text, p_session text, p_origin text, p_token bytea,
	p_user text, p_expires bigint, p_signature bytea, p_reads boolean,
	out outcome text, out chatbot text, out session text, out visitors text[])
language plpgsql
stable
as $$
#variable_conflict use_column
declare
	v record;
begin
	if p_kind = 'widget' then
		select c.chatbot into chatbot
		from banter_data.api_key k
		join banter_data.workspace w on w.workspace = k.workspace and w.active
		join banter_data.chatbot c on c.workspace = k.workspace and c.chatbot = k.chatbot and c.active
		where k.workspace + 0 = p_workspace and k.hash = p_key_hash and k.kind = 'widget'
			and k.active and k.revoked_at is null;
		session := p_session;
		outcome := case when chatbot is null then 'unauthorized' when p_session is null then 'bad_request' end;
		return;
	end if;

	v := banter_data.visitor_judge(
		p_workspace => p_workspace, p_key_hash => p_key_hash, p_origin => p_origin, p_token => p_token,
		p_user => p_user, p_expires => p_expires, p_signature => p_signature, p_reads => p_reads);
	chatbot := v.chatbot;
	outcome := coalesce(v.outcome, case when num_nonnulls(p_token, p_user) = 0 then 'visitor_unknown' end);
	-- What the token holds will be the user's with the next question.
	visitors := array_remove(array[v.signed_in, v.visitor], null);
end
$$;

comment on function banter_data.talk_holder(bigint, bytea, text, text, text, bytea, text, bigint, bytea, boolean) is
	'Whose conversations may be seen with what was presented: a widget key''s one named session, or (site) those of these visitors; outcome null: all is good. p_reads: no origin will do.';
