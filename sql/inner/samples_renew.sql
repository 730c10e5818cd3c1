-- ANALYZE keeps what it had taken of a table that is empty now: so each has a row in it that says nothing, while it is
-- looked at. Nobody else sees that row.
create or replace function banter_data.samples_renew()
returns void
language plpgsql
as $$
declare
	v_none constant bigint := -9223372036854775808;
begin
	insert into banter_data.workspace (workspace, name) values (v_none, '');
	insert into banter_data.chatbot (workspace, chatbot, name) values (v_none, '-', '');
	insert into banter_data.api_key (workspace, api_key, kind, hash) values (v_none, '-', 'workspace', sha256(''));
	insert into banter_data.rate_window (workspace, chatbot, started_at, count) values (v_none, '-', now(), 1);
	insert into banter_data.visitor_day (workspace, chatbot, day, exchanges, credits) values (v_none, '-', now(), 1, 0);
	insert into banter_data.ledger (workspace, delta, kind, balance_after) values (v_none, 0, 'grant', 0);
	insert into banter_data.visitor (workspace, visitor, chatbot, hash) values (v_none, '-', '-', '');
	insert into banter_data.conversation (workspace, conversation, chatbot, next_position) values (v_none, '-', '-', 2);
	insert into banter_data.exchange (
		workspace, exchange, conversation, chatbot, api_key, position, lease_until, price, answer_id, stream, question)
	values (v_none, '-', '-', '-', '-', 1, 'infinity', 0, '-', false, '');
	insert into banter_data.idempotency (workspace, api_key, key, body_hash, chatbot, exchange)
	values (v_none, '-', '-', '', '-', '-');
	insert into banter_data.feedback (workspace, exchange, thumb) values (v_none, '-', 'up');
	analyze banter_data.workspace, banter_data.chatbot, banter_data.api_key, banter_data.rate_window, banter_data.ledger,
		banter_data.visitor_day, banter_data.visitor, banter_data.conversation, banter_data.exchange, banter_data.idempotency, banter_data.feedback;
	delete from banter_data.workspace w where w.workspace = v_none;
end
$$;

comment on function banter_data.samples_renew() is
	'Has PostgreSQL take its samples of the tables anew (pg_statistic), so that nothing deleted is left in them.';
