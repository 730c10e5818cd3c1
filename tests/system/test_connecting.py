"""Connecting to the database, a few at a time: many workers that begin at once, and a server that is full."""

import concurrent.futures
import contextlib
import os
import pathlib
import signal
import socket
import struct
import tempfile
import threading
import time

import psycopg2
import pytest

import servers
from fastcgi import chat, health
from servers import name, script


@pytest.fixture(scope="module")
def small():
    """12 connections for the application: of 15, three are the superuser's."""
    with contextlib.closing(servers.Postgres(max_connections=15)) as server:
        yield server


def sessions(cluster, role):
    return [pid for (pid,) in cluster.run("select pid from pg_stat_activity where usename = %s", role)]


def session_of_start(cluster, role):
    (one,) = servers.until(lambda: sessions(cluster, role), "the start's session")
    return one


@pytest.fixture
def lodger_url(small):
    """(A role of the test's own, its URL): what is connected by it is counted."""
    role = name("role").replace("-", "_")
    small.run(f"create role {role} login in role banter_app")
    return role, small.url(role)


def ask(banter, tenant):
    return chat(banter.socket, tenant, script(name("asked"), tokens=["a"])).json().get("message")


def ask_at_once(banter, tenant, count):
    with concurrent.futures.ThreadPoolExecutor(count) as many:
        return list(many.map(lambda _: ask(banter, tenant), range(count)))


def test_60_workers_that_begin_at_once_are_all_served(pool, tenant):
    banter = pool(workers=60)
    assert ask_at_once(banter, tenant, 60) == ["a"] * 60
    assert "cannot be reached" not in banter.text()


def test_more_workers_than_the_server_has_connections_are_all_served(small, pool):
    """Who finds it full waits inside its time, and who has a connection and does not need it gives it up."""
    tenant = small.demo()
    banter = pool(workers=24, database_url=small.url())
    assert ask_at_once(banter, tenant, 24) == ["a"] * 24
    assert "cannot be reached" not in banter.text()


def test_a_server_that_was_full_is_asked_again_in_time(small, pool):
    tenant = small.demo()
    with contextlib.ExitStack() as stack:
        taken = []
        with contextlib.suppress(psycopg2.OperationalError):
            while True:
                taken.append(stack.enter_context(contextlib.closing(psycopg2.connect(small.url()))))
        banter = pool(workers=1, database_url=small.url())
        with concurrent.futures.ThreadPoolExecutor(1) as one:
            asked = one.submit(ask, banter, tenant)
            servers.until(lambda: small.text().count("remaining connection slots are reserved") >= 3, "asking again")
            taken[0].close()
            assert asked.result() == "a"


class Ending:
    """A server that is about to end: it lets nobody in. `.asked`: how often it was; `.most`: by how many at once."""

    SAYS = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is shutting down\0\0"

    def __init__(self, path):
        self.asked = self.most = 0
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen(128)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """One after the other: who comes late to look sees fewer at once, never more."""
        there = []
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                there = [*(one for one in there if not self.left(one)), client]
                self.asked += 1
                self.most = max(self.most, len(there))
                with contextlib.suppress(OSError):
                    client.recv(8192)
                    client.sendall(b"E" + struct.pack("!I", 4 + len(self.SAYS)) + self.SAYS)
                    client.shutdown(socket.SHUT_WR)

    @staticmethod
    def left(client):
        try:
            return not client.recv(8192, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self):
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


def test_a_server_that_lets_nobody_in_is_asked_by_one_at_a_time(pool, tenant, postgres):
    """PostgreSQL 15 does not end while newcomers keep coming: so they pause, and who is there when it is back is served."""
    with tempfile.TemporaryDirectory(prefix="banter-ending-") as folder:
        path = pathlib.Path(folder) / f".s.PGSQL.{postgres.port}"
        with contextlib.closing(Ending(path)) as ending:
            banter = pool(workers=12, database_url=postgres.url().replace(str(postgres.folder), folder),
                          database_time="2500ms", database_connect_time="2s")
            assert health(banter.socket) == 503  # now they know
            before, ending.most, began = ending.asked, 0, time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(12) as many:
                statuses = list(many.map(lambda _: chat(banter.socket, tenant, "hello").status, range(12)))
            took = time.monotonic() - began
        assert statuses == [503] * 12
        assert ending.most == 1
        assert ending.asked - before <= took / 0.05 + 2
        assert "the database system is shutting down" in banter.text()
        path.unlink()
        path.symlink_to(postgres.folder / path.name)
        assert ask_at_once(banter, tenant, 12) == ["a"] * 12


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_is_killed_or_stopped_as_it_connects_holds_nobody_up(pool, tenant, number):
    banter = pool(workers=12)
    workers = banter.children()
    try:
        for pid in workers[:4]:
            os.kill(pid, number)
        assert ask_at_once(banter, tenant, 8) == ["a"] * 8
    finally:
        for pid in workers[:4]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


# The start's own connection


@pytest.mark.parametrize("workers", [1, 4])
def test_a_start_and_the_first_answer_cost_one_session(small, lodger_url, pool, workers):
    """A new session is most of what a first answer waits for: the one in which the schema was looked at is a worker's."""
    role, url = lodger_url
    banter = pool(workers=workers, database_url=url)
    of_start = session_of_start(small, role)
    assert health(banter.socket) == 200
    assert of_start in sessions(small, role)
    if workers == 1:
        assert sessions(small, role) == [of_start]


def test_the_starts_session_ends_with_the_worker_that_has_it(small, lodger_url, pool, tmp_path):
    """Nobody else holds it open, and whoever follows makes one of its own."""
    role, url = lodger_url
    banter = pool(workers=1, status_listen=f"unix:{tmp_path / 'status'}", database_url=url)
    assert health(banter.socket) == 200
    (of_start,) = sessions(small, role)
    os.kill(banter.children()[0], signal.SIGKILL)
    servers.until(lambda: not sessions(small, role), "the session's end")
    assert health(banter.socket) == 200
    (later,) = sessions(small, role)
    assert later != of_start
