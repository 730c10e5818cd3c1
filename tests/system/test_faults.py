"""Faults: the database away, slow, wrong or restarted; the model away, wrong, slow, cut, endless; TLS."""

import contextlib
import os
import re
import socket
import subprocess

import psycopg2
import pytest

import servers
from fastcgi import Connection, chat, health, stream
from servers import BUILD, name, script, until

ERROR = {"type": "error", "error": "Internal server error"}


def logged(banter, text):
    until(lambda: text in banter.text(), f"{text!r} in the log")


def rows_of(postgres, tenant):
    return postgres.run(
        "select state, answer from banter_data.exchange where workspace = %s order by started_at", tenant.workspace)


def ended_rows(postgres, tenant, count=1):
    """The exchanges, once none runs any more."""

    def ended():
        rows = rows_of(postgres, tenant)
        return rows if len(rows) == count and all(state != "running" for state, _ in rows) else None

    return until(ended, "the exchanges' end")


# The database


@pytest.fixture(scope="module")
def cluster():
    """A PostgreSQL that this file's tests may stop."""
    server = servers.Postgres()
    yield server
    server.close()


@pytest.fixture
def door(cluster):
    """What Banter connects to: the cluster, or a pooler of its own in front of it."""
    if cluster.process is None:
        cluster.start()
    with contextlib.ExitStack() as stack:
        if os.environ.get("BANTER_TEST_THROUGH") == "pgbouncer":
            server = servers.Pooler(cluster)
            stack.callback(server.close)
            yield server
        else:
            yield cluster


@pytest.fixture
def lodger(cluster, door):
    """A tenant of that cluster."""
    return cluster.demo()


def test_S10_what_was_refused_with_503_does_not_begin_behind_the_clients_back(pool, cluster, door, lodger):
    """A lock is held for longer than the database has: once it is gone, the same Idempotency-Key runs anew."""
    banter = pool(workers=1, database_url=door.url(), database_time="500ms")
    text = script(name("stalled"), tokens=["fine"])
    with contextlib.closing(psycopg2.connect(cluster.url("owner"))) as blocker:
        with blocker.cursor() as cursor:
            cursor.execute("lock table banter_data.exchange in access exclusive mode")
            refused = chat(banter.socket, lodger, text, HTTP_IDEMPOTENCY_KEY="k")
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
            # Those that waited for the lock have given up, and none is left to begin once it is gone.
            waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%exchange_begin%'"
            until(lambda: not cluster.run(waiting), "the end of the waiting calls")
            blocker.rollback()

    def again():
        reply = chat(banter.socket, lodger, text, HTTP_IDEMPOTENCY_KEY="k")
        return reply.status != 503 and reply.json()["message"]

    assert until(again, "an answer in so short a time") == "fine"
    assert rows_of(cluster, lodger) == [("done", "fine")]


# As if a lock were not had in time; what it might have waited is kept, since a sequence is never rolled back.
NO_LOCK = """
    create sequence tries;
    create sequence try_1;
    create sequence try_2;
    create function no_lock() returns trigger language plpgsql as $$
    declare
        v_try constant bigint := nextval('public.tries');
        v_most constant interval := current_setting('lock_timeout');
    begin
        if v_try <= 2 then
            perform setval('public.try_' || v_try, (extract(epoch from v_most) * 1000)::bigint);
        end if;
        perform pg_sleep(0.05);
        raise 'no lock' using errcode = 'lock_not_available';
    end $$;
    create trigger no_lock before {} on banter_data.exchange for each row execute function no_lock();
"""


@contextlib.contextmanager
def no_lock(cluster, event):
    cluster.run(NO_LOCK.format(event))
    try:
        yield lambda: cluster.run("select a.last_value, b.last_value from try_1 a, try_2 b")[0]
    finally:
        cluster.run("drop trigger no_lock on banter_data.exchange; drop function no_lock(); "
                    "drop sequence tries, try_1, try_2")


def test_S10_a_second_try_to_begin_waits_for_locks_only_as_long_as_is_left(pool, cluster, door, lodger):
    """Else it would begin after its 503. A worker whose connection was there before tries twice."""
    banter = pool(workers=1, database_url=door.url(), database_time="20s")
    assert chat(banter.socket, lodger, script("warm", tokens=["a"])).status == 200
    with no_lock(cluster, "insert") as waits:
        assert chat(banter.socket, lodger, "hello").status == 503
        first, second = waits()
        assert 1 < second <= first - 40 and first <= 16000
    assert [state for state, _ in rows_of(cluster, lodger)] == ["done"]


def test_S10_so_does_every_try_to_store_an_answer(pool, cluster, door, lodger, model):
    """Else it would be stored, and charged, after its `error`."""
    banter = pool(workers=1, database_url=door.url(), database_time="20s")
    gate = name("gate")
    reply = stream(banter.socket, lodger, script(name("stored"), tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    with no_lock(cluster, "update of answer") as waits:
        model.open_gate(gate)
        until(lambda: cluster.run("select 1 from tries where is_called and last_value > 2"), "two tries")
        first, second = waits()
        assert 1 < second <= first - 40 and first <= 8000
    assert reply.events()[-1]["message"] == "ab"


def test_an_exchange_that_was_given_up_ends_its_stream(pool, postgres, tenant, model):
    """Its lease's renewal says so; the model is silent and would be for long."""
    banter = pool(workers=1, lease="1s", heartbeat="1h")
    text = script(name("given-up"), tokens=["a", "b"], gates={"2": name("gate")})
    reply = stream(banter.socket, tenant, text)
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    postgres.run(
        "update banter_data.exchange set state = 'lost', ended_at = now() where workspace = %s", tenant.workspace)
    assert reply.event() == ERROR
    logged(banter, "the exchange was gone")


def test_G8_a_monitor_that_hangs_up_says_nothing_about_the_database(pool, tenant):
    banter = pool(workers=1)
    with Connection(banter.socket) as connection:
        connection.begin()
        connection.params({"REQUEST_METHOD": "GET", "REQUEST_URI": "/health", "REMOTE_ADDR": "127.0.0.1"})
        connection.stdin(b"")
    assert health(banter.socket) == 200
    until(lambda: banter.text().count("path=/health") == 2 or None, "both log lines")
    assert "the database is away" not in banter.text()


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
def test_G6_G8_a_stopped_database_is_a_503_and_its_return_needs_nothing(pool, cluster, door, lodger, path):
    banter = pool(workers=2, database_url=door.url())
    before = banter.children()
    assert chat(banter.socket, lodger, script("hello", tokens=["a"]), path).status == 200
    cluster.stop()
    for _ in range(3):
        reply = chat(banter.socket, lodger, script("hello", tokens=["a"]), path)
        assert (reply.status, reply.json()) == (503, {"error": "Service unavailable"})
        assert int(reply.headers["Retry-After"]) >= 1
    assert health(banter.socket) == 503
    cluster.start()
    until(lambda: health(banter.socket) == 200, "the database's return")
    assert chat(banter.socket, lodger, script("hello", tokens=["a"]), path).status == 200
    assert banter.children() == before


def test_S2_an_answer_is_stored_by_a_database_that_was_restarted_in_the_middle(pool, cluster, door, lodger, model):
    banter = pool(workers=1, database_url=door.url())
    gate, text = name("gate"), name("restarted")
    reply = stream(banter.socket, lodger, script(text, tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    cluster.stop()
    model.open_gate(gate)
    assert reply.event() == {"type": "token", "token": "b"}
    model.wait(text, ended="complete")
    cluster.start()
    assert reply.event()["message"] == "ab"
    assert rows_of(cluster, lodger) == [("done", "ab")]


def test_S2_what_cannot_be_stored_ends_in_error_and_heartbeats_go_on_meanwhile(pool, cluster, door, lodger, model):
    banter = pool(workers=1, database_url=door.url(), heartbeat="500ms")
    gate = name("gate")
    reply = stream(banter.socket, lodger, script("lost", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    cluster.stop()
    model.open_gate(gate)
    assert reply.event() == {"type": "token", "token": "b"}
    before = reply.bytes.count(b"\n\n")
    assert reply.event() == ERROR
    assert reply.event() is None
    assert reply.bytes.count(b"\n\n") > before
    logged(banter, 'cause="the answer could not be stored"')
    cluster.start()
    assert rows_of(cluster, lodger) == [("running", None)]  # until its lease ends


SLOW = """
    create sequence stored;
    create function slow() returns trigger language plpgsql as $$
    begin
        perform nextval('public.stored'), pg_sleep(1.5);
        return new;
    end $$;
    create trigger slow before update of answer on banter_data.exchange for each row execute function slow();
"""


def test_S2_storing_has_more_time_than_a_beginning_and_is_not_broken_off(pool, cluster, door, lodger):
    """A full machine is slow: who sends it again makes it slower."""
    banter = pool(workers=1, database_url=door.url(), database_time="500ms")
    until(lambda: health(banter.socket) == 200, "the database")
    cluster.run(SLOW)
    try:
        reply = stream(banter.socket, lodger, script(name("slow"), tokens=["a", "b"]))
        assert [event["type"] for event in reply.events()] == ["start", "token", "token", "done"]
        assert cluster.run("select last_value from stored") == [(1,)]
    finally:
        cluster.run("drop trigger slow on banter_data.exchange; drop function slow(); drop sequence stored")
    assert rows_of(cluster, lodger) == [("done", "ab")]


def test_connections_that_were_ended_while_idle_cost_no_request(pool, cluster, door, lodger):
    """pg_terminate_backend, a failover, a firewall: the next request is served on a new connection."""
    banter = pool(workers=3, database_url=door.url())
    before = banter.children()
    for _ in range(6):
        assert chat(banter.socket, lodger, script("hello", tokens=["a"])).json()["message"] == "a"
    for _ in range(3):
        cluster.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'banter_app'")
        for _ in range(4):
            assert chat(banter.socket, lodger, script("hello", tokens=["a"])).json()["message"] == "a"
    assert banter.children() == before
    assert len(set(rows_of(cluster, lodger))) == 1


def test_a_connection_ended_in_the_middle_of_an_exchange_costs_nothing(pool, cluster, door, lodger, model):
    banter = pool(workers=1, database_url=door.url())
    gate = name("gate")
    reply = stream(banter.socket, lodger, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    cluster.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'banter_app'")
    model.open_gate(gate)
    assert reply.events()[-1]["message"] == "ab"
    assert rows_of(cluster, lodger) == [("done", "ab")]


def test_a_restarted_pooler_costs_no_answer(pool, cluster, lodger, model):
    pooler = servers.Pooler(cluster)
    try:
        banter = pool(workers=1, database_url=pooler.url())
        gate = name("gate")
        reply = stream(banter.socket, lodger, script("hello", tokens=["a", "b"], gates={"2": gate}))
        assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
        pooler.end()
        model.open_gate(gate)
        assert reply.event() == {"type": "token", "token": "b"}
        pooler.start()
        assert reply.event()["message"] == "ab"
        pooler.end()
        assert chat(banter.socket, lodger, "hello").status == 503
        pooler.start()
        assert chat(banter.socket, lodger, script("hello", tokens=["a"])).status == 200
    finally:
        pooler.close()


def test_G6_G8_a_database_that_was_never_there(pool, lodger, tmp_path):
    """The pool starts all the same."""
    banter = pool(workers=1, database_url=f"postgresql://banter_app@/banter?host={tmp_path}")
    assert "the database cannot be reached: requests get 503 until it can" in banter.text()
    reply = chat(banter.socket, lodger, "hello")
    assert (reply.status, int(reply.headers["Retry-After"]) >= 1) == (503, True)
    assert health(banter.socket) == 503


def test_G6_a_database_that_accepts_and_says_nothing(pool, lodger, tmp_path):
    tmp_path.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / ".s.PGSQL.5432"))
        silent.listen(64)
        url = f"postgresql://banter_app@/banter?host={tmp_path}"
        banter = pool(workers=1, database_url=url, database_connect_time="300ms")
        assert chat(banter.socket, lodger, "hello").status == 503
        assert health(banter.socket) == 503
        logged(banter, "no answer within 300 ms")


def test_G6_a_database_that_does_not_answer_in_BANTER_DATABASE_TIME(pool, cluster, door, lodger, model):
    banter = pool(workers=1, database_url=door.url(), database_time="500ms")

    def answered():
        return chat(banter.socket, lodger, script("hello", tokens=["a"])).status == 200

    until(answered, "an answer in so short a time")
    text = name("late")
    with contextlib.closing(psycopg2.connect(cluster.url("owner"))) as blocking:
        blocking.cursor().execute("lock table banter_data.api_key in access exclusive mode")
        reply = chat(banter.socket, lodger, script(text, tokens=["a"]))
        assert (reply.status, int(reply.headers["Retry-After"]) >= 1) == (503, True)
        # The last one: the second try has to connect, and a loaded machine needs all of the time for it.
        until(lambda: re.search(r"exchange_begin: (no answer from the database in time|.* SQLSTATE 55P03)"
                                r"|the database cannot be reached: no answer within \d+ ms", banter.text()), "the reason in the log")
    until(answered, "an answer")
    assert model.requests(text) == []


def refused_start(url, tmp_path):
    done = subprocess.run(
        [BUILD / "banter.fcgi", "--listen", f"unix:{tmp_path}/socket"], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=servers.PATIENCE,
        env={"PATH": os.environ["PATH"], **servers.settings_for_tests(url, "http://127.0.0.1:9/v1")})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "socket").exists()
    return done.stderr


@pytest.fixture
def other_database(postgres):
    other = name("other").replace("-", "_")
    postgres.run(f"create database {other}", database="postgres")
    yield other
    postgres.run(f"drop database {other} with (force)", database="postgres")


def declare_version(postgres, database, version):
    """Migrates it, and has its functions say that they are of another version."""
    subprocess.run([BUILD / "banterctl", "migrate"], check=True, stdout=subprocess.DEVNULL,
                   env={"BANTER_DATABASE_URL": postgres.url("owner", database)})
    postgres.run(
        f"create or replace function banter.schema_version() returns integer language sql as 'select {version}'",
        database=database)


def test_a_database_without_the_schema_refuses_the_start(postgres, other_database, tmp_path):
    line = refused_start(postgres.url("owner", other_database), tmp_path)
    assert line.endswith(f"the database's schema has version 0, this program needs {servers.SCHEMA_VERSION}: run banterctl migrate\n")


def test_a_database_with_an_older_schema_refuses_the_start(postgres, other_database, tmp_path):
    url = postgres.url("owner", other_database)
    declare_version(postgres, other_database, 0)
    assert refused_start(url, tmp_path).endswith(f"this program needs {servers.SCHEMA_VERSION}: run banterctl migrate\n")


def test_a_newer_schema_is_served_with_a_warning(pool, postgres, other_database):
    """During an upgrade old workers run beside it."""
    declare_version(postgres, other_database, 999)
    banter = pool(workers=1, database_url=postgres.url("owner", other_database))
    assert f"has version 999, newer than this program's {servers.SCHEMA_VERSION}: install the newer program" in banter.text()
    assert health(banter.socket) == 200


# The model


def failed_both_ways(banter, postgres, tenant, question, text="", cause=None, refusal=(500, "Internal server error")):
    """S10: a stream ends in `error` after what came, a JSON exchange in its refusal; both are kept as failed."""
    reply = stream(banter.socket, tenant, question)
    events = reply.events()
    assert (events[0]["type"], events[-1]) == ("start", ERROR)
    assert "".join(event["token"] for event in events[1:-1]) == text
    assert reply.whole
    whole = chat(banter.socket, tenant, question, session="json")
    assert (whole.status, whole.json()["error"]) == refusal
    assert ended_rows(postgres, tenant, 2) == [("failed", text)] * 2
    if cause:
        until(lambda: banter.text().count(f'cause="{cause}') == 2, f"{cause!r} in two lines of the log")


def test_S10_a_model_that_cannot_be_reached(pool, postgres, tenant):
    banter = pool(workers=1, model_url=f"http://127.0.0.1:{servers.free_port()}/v1")
    failed_both_ways(banter, postgres, tenant, "hello", cause="Failed to connect")


@pytest.mark.parametrize("directive, text, cause", [
    ({"status": 500}, "", "the model's server answered with HTTP status 500"),
    ({"status": 401}, "", "the model's server answered with HTTP status 401"),
    ({"status": 429, "headers": {"Retry-After": "99"}}, "", "the model's server answered with HTTP status 429"),
    ({"status": 301, "headers": {"Location": "http://127.0.0.1:9/"}}, "",
     "the model's server answered with HTTP status 301"),
    ({"drop": True}, "", ""),
    ({"tokens": ["a", "b", "c"], "cut_after": 2}, "ab", ""),
    ({"tokens": ["a", "b", "c"], "end_after": 2}, "ab", "the model's answer ended in the middle"),
    ({"tokens": ["a", "b", "c"], "error_after": 2}, "ab", "the model's server sent an error in its stream"),
    ({"empty": True}, "", "the model answered without any text"),
    ({"body": "<html>"}, "", ""),
], ids=repr)
def test_S10_a_model_that_fails(pool, postgres, tenant, directive, text, cause):
    banter = pool(workers=1)
    refusal = (503, "Service unavailable") if directive.get("status") == 429 else (500, "Internal server error")
    failed_both_ways(banter, postgres, tenant, script("hello", **directive), text, cause, refusal)


@pytest.mark.parametrize("settings, directive, text, cause", [
    ({"model_first_time": "300ms"}, {"hang": True}, "",
     "the model did not begin to answer in time (BANTER_MODEL_FIRST_TIME)"),
    ({"model_idle_time": "300ms"}, {"silence": True}, "", "the model fell silent (BANTER_MODEL_IDLE_TIME)"),
    ({"model_idle_time": "2s"}, {"tokens": ["a", "b"], "gates": {"2": "never-opened"}}, "a", "the model fell silent"),
    ({"exchange_time": "4s", "json_time": "4s"}, {"tokens": ["a", "b"], "gates": {"2": "never-opened"}}, "a",
     "the exchange took too long"),
], ids=["first", "idle", "idle after a token", "whole"])
def test_S10_a_model_that_takes_too_long(pool, postgres, tenant, model, settings, directive, text, cause):
    banter = pool(workers=1, **settings)
    mark = name("slow")
    failed_both_ways(banter, postgres, tenant, script(mark, **directive), text, cause)
    until(lambda: len(model.requests(mark, ended="client_left")) == 2, "the transfers' end")


def test_S7_BANTER_JSON_TIME_ends_a_json_exchange_and_no_stream(pool, tenant, model):
    banter = pool(workers=1, json_time="500ms")
    gate = name("gate")
    question = script("hello", tokens=["a", "b"], gates={"2": gate})
    assert chat(banter.socket, tenant, question).status == 500
    reply = stream(banter.socket, tenant, question)
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    model.open_gate(gate)
    assert reply.events()[-1]["message"] == "ab"


def test_bytes_that_keep_coming_are_no_silence(pool, tenant):
    """BANTER_MODEL_IDLE_TIME is between two bytes, not for the whole."""
    banter = pool(workers=1, model_idle_time="5s")
    reply = stream(banter.socket, tenant, script("hello", tokens=55, delay_ms=100))
    assert reply.events()[-1]["type"] == "done"


def test_S10_an_answer_beyond_BANTER_ANSWER_BYTES_ends_in_error(pool, postgres, tenant, model):
    """Kept as partial, not charged, not in the history, and the rest is not waited for."""
    postgres.run("update banter_data.workspace set credits = 5 where workspace = %s", tenant.workspace)
    postgres.run("update banter_data.chatbot set price = 1 where chatbot = %s", tenant.chatbot)
    banter = pool(workers=1, answer_bytes=1024)
    text = name("long")
    reply = stream(banter.socket, tenant, script(text, tokens=["x" * 500] * 3 + ["y"], gates={"4": name("never")}))
    events = reply.events()
    assert [event["type"] for event in events] == ["start", "token", "token", "error"]
    model.wait(text, ended="client_left")
    [(state, answer)] = ended_rows(postgres, tenant)
    assert (state, answer) == ("failed", "x" * 1000)
    assert postgres.run("select credits from banter_data.workspace where workspace = %s", tenant.workspace) == [(5,)]
    logged(banter, 'cause="the answer is longer than BANTER_ANSWER_BYTES"')
    after = name("after")
    assert chat(banter.socket, tenant, script(after, tokens=["fine"])).status == 200
    assert [m["role"] for m in model.wait(after)["body"]["messages"]].count("user") == 1


def test_an_answer_of_exactly_BANTER_ANSWER_BYTES_is_whole(pool, tenant):
    banter = pool(workers=1, answer_bytes=1024)
    reply = stream(banter.socket, tenant, script("hello", tokens=["x" * 512] * 2))
    assert reply.events()[-1]["message"] == "x" * 1024


def test_a_model_that_was_restarted_is_found_again(pool, tenant):
    """The connection that was kept is dead; its address is the same."""
    port = servers.free_port()
    first = servers.StandIn("--listen", f"127.0.0.1:{port}")
    second = None
    try:
        banter = pool(workers=1, model_url=first.url)
        for _ in range(2):
            assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 200
        first.end()
        assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 500
        second = servers.StandIn("--listen", f"127.0.0.1:{port}")
        for _ in range(2):
            assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 200
    finally:
        first.close()
        if second:
            second.close()


def test_the_models_error_text_reaches_neither_the_client_nor_the_log(pool, tenant):
    """Some servers quote the prompt."""
    banter = pool(workers=1, log_level="debug")
    error = {"message": "you said SECRETWORD", "type": "x"}
    for directive in ({"status": 400, "error": error}, {"tokens": ["a"], "error_after": 1, "error": error}):
        reply = stream(banter.socket, tenant, script("hello", **directive))
        assert reply.events()[-1] == ERROR
        assert b"SECRETWORD" not in reply.bytes
    until(lambda: banter.text().count(" request=") == 2, "the log's lines")
    assert "SECRETWORD" not in banter.text()


# TLS


def test_https_with_BANTER_MODEL_CA(pool, tenant, tls):
    assert tls.url.startswith("https://")
    banter = pool(workers=1, model_url=tls.url, model_ca=tls.certificates / "ours.pem")
    gate = name("gate")
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    tls.control.open_gate(gate)
    assert reply.events()[-1]["message"] == "ab"


@pytest.mark.parametrize("ca", ["other.pem", None])
def test_https_that_nobody_trusted_vouches_for_is_refused(pool, postgres, tenant, tls, ca):
    text = name("untrusted")
    banter = pool(workers=1, model_url=tls.url, model_ca=tls.certificates / ca if ca else "")
    failed_both_ways(banter, postgres, tenant, text, cause="SSL certificate problem")
    assert tls.control.requests(text) == []


def test_https_with_another_hosts_certificate_is_refused(pool, postgres, tenant, tls):
    text = name("misnamed")
    url = tls.url.replace("127.0.0.1", "localhost")
    banter = pool(workers=1, model_url=url, model_ca=tls.certificates / "ours.pem")
    failed_both_ways(banter, postgres, tenant, text, cause="SSL:")
    assert tls.control.requests(text) == []


def test_a_ca_file_that_is_not_there_fails_exchanges_and_says_so(pool, tenant, tls, tmp_path):
    banter = pool(workers=1, model_url=tls.url, model_ca=tmp_path / "none.pem")
    assert chat(banter.socket, tenant, "hello").status == 500
    logged(banter, 'cause="')
