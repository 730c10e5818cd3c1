"""Connecting to the database, a few at a time: many workers that begin at once, and a server that is full."""

import concurrent.futures
import contextlib
import os
import signal

import psycopg2
import pytest

import servers
from fastcgi import chat
from servers import name, script


@pytest.fixture(scope="module")
def small():
    """12 connections for the application: of 15, three are the superuser's."""
    with contextlib.closing(servers.Postgres(max_connections=15)) as server:
        yield server


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
