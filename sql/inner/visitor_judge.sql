-- A signed-in user is named by the key too: two sites of one chatbot may number their users alike.
create or replace function banter_data.visitor_judge(
	p_workspace bigint, p_key_hash bytea, p_origin text, p_token bytea, p_user text, p_expires bigint, p_signature bytea,
	p_reads boolean,
	out outcome text, out api_key text, out chatbot text, out max_exchanges integer, out max_credits integer,
	out visitor text, out user_hash bytea, out signed_in text)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
	v record;
begin
	select k.*, c.visitor_exchanges, c.visitor_credits into v
	from banter_data.api_key k
	join banter_data.workspace w on w.workspace = k.workspace and w.active
	join banter_data.chatbot c on c.workspace = k.workspace and c.chatbot = k.chatbot and c.active
	where k.workspace + 0 = p_workspace and k.hash = p_key_hash and k.kind = 'site'
		and k.active and k.revoked_at is null;
	api_key := v.api_key;
	chatbot := v.chatbot;
	max_exchanges := v.visitor_exchanges;
	max_credits := v.visitor_credits;
	if api_key is null then
		outcome := 'unauthorized';
	-- Browsers send none to their own site with a GET.
	elsif (p_origin = any (v.origins) or p_reads and p_origin is null) is not true then
		outcome := 'forbidden';
	elsif p_user is not null and (p_signature = sha256(v.identity_outer || sha256(v.identity_inner || convert_to(
			api_key || E'\n' || p_expires || E'\n' || p_user, 'UTF8')))
		and p_expires between extract(epoch from clock_timestamp()) and extract(epoch from clock_timestamp()) + 86400)
		is not true
	then
		outcome := 'visitor_unknown';
	else
		user_hash := sha256(convert_to('user ' || api_key || ' ' || p_user, 'UTF8'));
		visitor := banter_data.visitor_named(p_workspace => p_workspace, p_chatbot => v.chatbot, p_hash => p_token);
		signed_in := banter_data.visitor_named(p_workspace => p_workspace, p_chatbot => v.chatbot, p_hash => user_hash);
		if visitor is null and p_token is not null and p_user is null then
			outcome := 'visitor_unknown';
		end if;
	end if;
end
$$;

comment on function banter_data.visitor_judge(bigint, bytea, text, bytea, text, bigint, bytea, boolean) is
	'Whom a page speaks for: outcome null: its site key and origin are good, and so are its token (null: it has none; whose, says visitor) and its signed identity (null: it has none; whose, says signed_in, null: one who comes for the first time), which alone will do. p_reads: no origin will do too. Else unauthorized, forbidden (the origin) or visitor_unknown.';
