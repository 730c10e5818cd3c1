"""A database with something in it: as many exchanges as a site of some months has, spread over all chatbots there are."""

EXCHANGES = 4000

FILL = f"""
with bots as (
    select c.*, row_number() over (order by c.chatbot) - 1 as nth, count(*) over () as bots from banter_data.chatbot c),
talks as (
    insert into banter_data.conversation (workspace, conversation, chatbot, session, next_position)
    select b.workspace, format('filled-%s', n), b.chatbot, 'filled-' || n, 11
    from generate_series(1, {EXCHANGES} / 10) n join bots b on b.nth = n % b.bots
    returning *),
said as (
    insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, lease_until, ended_at, price,
        answer_id, state, stream, question, answer, tokens_in, tokens_out, error)
    select t.workspace, t.conversation || '-' || p, t.conversation, t.chatbot, 'k', p, now(), now(), 0, 'a' || p,
        case p when 3 then 'failed' when 4 then 'left' when 5 then 'lost' else 'done' end, p % 2 = 0, 'question ' || p,
        case when p <> 5 then repeat('answer ', p::integer) end, p, p, case p when 3 then 'it failed' end
    from talks t cross join generate_series(1, 10) p
    returning *)
insert into banter_data.idempotency (workspace, api_key, key, body_hash, chatbot, exchange)
select s.workspace, s.api_key, s.exchange, '\\x00', s.chatbot, s.exchange from said s where s.position % 4 = 0
"""
