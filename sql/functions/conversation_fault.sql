-- What no constraint of the tables says: they hold what the application writes, not what a file may claim.
create or replace function banter_data.conversation_fault(p_conversation banter_data.conversation, p_exchanges json)
returns text
language sql
stable
as $$
	select case
		when json_typeof(p_exchanges) is distinct from 'array' then 'it has no list of exchanges'
		when coalesce(p_conversation.conversation !~ '^[A-Za-z0-9_-]{1,40}$', true) then 'its id cannot be one'
		when exists (
			select from json_populate_recordset(null::banter_data.exchange, p_exchanges) e
			where e.state = 'running')
		then 'one of its exchanges had not ended'
		when exists (
			select from json_populate_recordset(null::banter_data.exchange, p_exchanges) e
			where e.position not between 1 and p_conversation.next_position - 1 or e.price < 0
				or e.attempt < 0 or e.exchange !~ '^[A-Za-z0-9_-]{1,40}$')
		then 'one of its exchanges has no place in it'
	end
$$;

comment on function banter_data.conversation_fault(banter_data.conversation, json) is
	'Why a record cannot be a conversation; null: it can.';
