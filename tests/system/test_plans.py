"""Each statement of an exchange finds its rows by the right index, whatever was known of the tables when it was planned."""

import contextlib
import hashlib

import psycopg2
import pytest

from servers import Postgres

EXCHANGES = 2000
START = """select outcome from banter.exchange_begin(p_workspace => %s, p_key_hash => %s, p_kind => %s, p_chatbot => %s, p_exchange => %s,
    p_answer_id => %s, p_conversation => %s, p_new_conversation => %s, p_session => %s, p_message => 'question', p_metadata => null,
    p_stream => true, p_idempotency_key => %s, p_body_hash => 'body', p_lease_seconds => 300, p_max_messages => 40,
    p_max_chars => 32000, p_request_id => null, p_max_open => %s, p_lock_ms => 600000)"""
CLOSE = """select banter.exchange_end(p_workspace => %s, p_exchange => %s, p_state => 'done', p_answer => 'answer',
    p_finish_reason => 'stop', p_tokens_in => 1, p_tokens_out => 1, p_error => null, p_first_ms => 1, p_total_ms => 1,
    p_server => 'default', p_requests => 1, p_tries => null, p_lock_ms => 600000)"""
RENEW = "select banter.lease_renew(p_workspace => %s, p_exchange => %s, p_lease_seconds => 300, p_lock_ms => 600000)"


@pytest.fixture(scope="module")
def cluster():
    with contextlib.closing(Postgres(max_connections=20)) as postgres:
        for name in ("one", "many", "analyzed"):
            postgres.run(f"create database {name} template banter", database="postgres")
        yield postgres


def exchange(cursor, number, workspaces):
    """A fresh one, of a conversation of four: by a widget key or a workspace's, with an idempotency key or without."""
    workspace = number % workspaces + 1
    turn = number // workspaces
    first = turn - turn % 4
    widget = turn // 4 % 2 == 0
    key, kind = ("widget", "widget") if widget else ("workspace", "workspace")
    again = f"i{number}" if number % 3 == 0 else None
    values = (workspace, hashlib.sha256(f"{key}{workspace}".encode()).digest(), kind, None if widget else "bot",
              f"x{number:08}", f"a{number:08}", None if widget or turn == first else f"c{first}", f"c{turn}",
              f"s{first}" if widget else None, again, 100 if number % 5 == 0 else 0)
    cursor.execute(START, values)
    assert cursor.fetchone() == ("started",)
    if number % 7 == 0:
        cursor.execute(RENEW, (workspace, f"x{number:08}"))
        assert cursor.fetchone() == (True,)
    cursor.execute(CLOSE, (workspace, f"x{number:08}"))
    assert cursor.fetchone() == ("stored",)
    if again and number % 2:
        cursor.execute(START, (*values[:4], f"y{number:08}", *values[5:]))
        assert cursor.fetchone() == ("replay",)


@pytest.mark.parametrize("database, workspaces", [("one", 1), ("many", 400), ("analyzed", 1)])
def test_an_exchange_reads_no_more_of_an_index_the_more_there_are(cluster, database, workspaces):
    cluster.run("""select banter.workspace_create(w, 'w', null), banter.chatbot_create(w, 'bot', 'bot', ''),
        banter.key_create(w, 'widget', 'widget', 'bot', sha256(('widget' || w)::bytea), 'xxxx', ''),
        banter.key_create(w, 'workspace', 'workspace', null, sha256(('workspace' || w)::bytea), 'xxxx', '')
        from generate_series(1, %s) w""", workspaces, database=database)
    for table in ("exchange", "conversation", "idempotency", "api_key", "workspace", "chatbot"):
        cluster.run(f"alter table banter_data.{table} set (autovacuum_enabled = off)", database=database)
    if database == "analyzed":
        cluster.run("vacuum analyze", database=database)
    connection = psycopg2.connect(cluster.url(database=database))
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        for number in range(EXCHANGES):
            exchange(cursor, number, workspaces)
        cursor.execute("select pg_stat_force_next_flush()")
        cursor.execute("select 1")
    read = dict(cluster.run("select indexrelname, idx_tup_read from pg_stat_user_indexes", database=database))
    assert sum(read.values()) > EXCHANGES
    too_much = {name: tuples / EXCHANGES for name, tuples in read.items() if tuples > 5 * EXCHANGES}
    assert not too_much, "entries read of an index for each exchange"
    through = cluster.run("""select relname, seq_tup_read from pg_stat_user_tables where schemaname = 'banter_data'
        and relname in ('exchange', 'conversation', 'idempotency', 'api_key') and seq_tup_read > %s""",
                          EXCHANGES, database=database)
    assert not through, "rows read by going through a whole table"
