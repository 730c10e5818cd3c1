"""A primary that waits for its standby (synchronous_standby_names): nothing is told as stored that is not on both. That one
takes the other's place under load is tests/storm/test_failover.py's."""

import contextlib
import os
import select
import signal

import pytest

import servers
from fastcgi import begun, chat
from servers import name, script, until


@pytest.fixture(scope="module")
def primary():
    with contextlib.closing(servers.Postgres()) as server:
        server.run("alter system set synchronous_standby_names = '*'")
        yield server


@pytest.fixture(scope="module")
def standby(primary):
    with contextlib.closing(servers.Postgres(standby_of=primary)) as server:
        primary.run("select pg_reload_conf()")
        until(lambda: primary.run("select 1 from pg_stat_replication where sync_state = 'sync'"), "a synchronous standby")
        yield server


def waiting(primary):
    """The sessions that wait for the standby."""
    return {pid for (pid,) in primary.run("select pid from pg_stat_activity where wait_event = 'SyncRep'")}


def stored(primary, tenant):
    return primary.run("select state from banter_data.exchange where workspace = %s", tenant.workspace)


def speaks(reply):
    return select.select([reply.connection.socket], [], [], 0)[0]


def stores_alone(primary, standby, model, gate):
    """The standby goes away, and an answer is to be stored: the session that does it, which waits."""
    standby.stop()
    model.open_gate(gate)
    (session,) = until(lambda: waiting(primary), "a session that waits for the standby")
    return session


def end_session(primary, session):
    """Now it is stored, on the primary only."""
    primary.run("select pg_terminate_backend(%s)", session)
    until(lambda: session not in waiting(primary), "the session's end")


def test_S2_already_is_as_durable_as_stored(pool, primary, standby, model):
    """What asks again whether it was stored waits for the standby too."""
    gate, tenant = name("gate"), primary.demo()
    banter = pool(workers=1, database_url=primary.url())
    reply = begun(banter.socket, tenant, script(name("stored"), tokens=["a", "b"], gates={"2": gate}), ["start", "token"])
    session = stores_alone(primary, standby, model, gate)
    end_session(primary, session)
    assert reply.event() == {"type": "token", "token": "b"}
    until(lambda: waiting(primary) - {session} or speaks(reply), "the second try")
    assert not speaks(reply)
    assert stored(primary, tenant) == [("done",)]
    standby.start()
    assert [(event["type"], event.get("message")) for event in reply.events()] == [("done", "ab")]


def test_I1_what_is_given_again_is_as_durable_as_stored(pool, primary, standby, model):
    """Its first client may have seen nothing."""
    gate, tenant = name("gate"), primary.demo()
    banter = pool(workers=1, database_url=primary.url())
    question = script(name("stored"), tokens=["a", "b"], gates={"2": gate})
    key = {"HTTP_IDEMPOTENCY_KEY": name("key")}
    first = chat(banter.socket, tenant, question, **key)
    model.wait(tokens_sent=1)
    session = stores_alone(primary, standby, model, gate)
    for worker in banter.children():  # it asks no second time
        os.kill(worker, signal.SIGKILL)
    end_session(primary, session)
    assert first.bytes == b""
    again = chat(banter.socket, tenant, question, **key)
    until(lambda: waiting(primary) or speaks(again), "the answer that is there")
    assert not speaks(again)
    standby.start()
    assert (again.status, again.json()["message"]) == (200, "ab")
    assert stored(primary, tenant) == [("done",)]
