"""SIGTERM, whatever a worker is at: what runs may finish, has its time, and is ended by a second one. And a worker that is
to end holds nothing that keeps web servers waiting, or the next pool out."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import sys
import termios

import psycopg2
import pytest

import servers
from fastcgi import Connection, Cut, Reply, chat, chat_body, chat_params, health, stream
from servers import name, script, until
from test_pool import Single, alive, end_of, logged

NEVER = name("never")  # a gate that nobody opens
ERROR = {"type": "error", "error": "Internal server error"}


class State:
    """An exchange that stands at one stage, until it may go on."""

    at = "stream"  # as SIGUSR1's lines name it

    def __init__(self, address, tenant, model, postgres):
        self.address, self.tenant, self.model, self.postgres = address, tenant, model, postgres
        self.gate, self.text = name("gate"), name("text")
        self.begin()

    def go_on(self):
        self.model.open_gate(self.gate)

    def finished(self):
        """Asserts that it came to its end."""
        assert self.reply.events()[-1]["type"] == "done"
        assert self.reply.whole

    def ended(self):
        """Asserts that it was told of an end before its time."""
        assert self.reply.events() == [ERROR]
        assert self.reply.whole

    def close(self):
        self.reply.connection.close()


class Streaming(State):
    def begin(self):
        text = script(self.text, tokens=["a", "b"], gates={"2": self.gate})
        self.reply = stream(self.address, self.tenant, text)
        assert [self.reply.event()["type"] for _ in range(2)] == ["start", "token"]


class Silent(State):
    at = "first byte"

    def begin(self):
        self.reply = stream(self.address, self.tenant, script(self.text, tokens=["a"], gates={"0": self.gate}))
        assert self.reply.event()["type"] == "start"
        self.model.wait(self.text)


def waiting(connection, which=termios.FIONREAD):
    """How many bytes wait to be read by us, or (TIOCOUTQ) by the other side."""
    count = bytearray(4)
    fcntl.ioctl(connection, which, count)
    return int.from_bytes(count, sys.byteorder)


class InOnePiece(State):
    at = "first byte"

    def begin(self):
        self.reply = chat(self.address, self.tenant, script(self.text, tokens=["a"], gates={"0": self.gate}))
        self.model.wait(self.text)

    def finished(self):
        assert (self.reply.status, self.reply.json()["message"]) == (200, "a")

    def ended(self):
        assert (self.reply.status, self.reply.json()) == (500, {"error": "Internal server error"})


class Refused(State):
    """One that has not begun yet is no failed exchange: it may be asked again."""

    def finished(self):
        assert (self.reply.status, self.reply.json()["message"]) == (200, "a")

    def ended(self):
        assert (self.reply.status, self.reply.json()) == (503, {"error": "Service unavailable"})
        assert self.reply.headers["Retry-After"]


class Arriving(Refused):
    at = "request"

    def begin(self):
        self.body = chat_body(script(self.text, tokens=["a"]))
        connection = Connection(self.address)
        connection.begin()
        connection.params(chat_params(self.tenant, self.body))
        connection.stdin(self.body[:20], end=False)
        until(lambda: not waiting(connection.socket, termios.TIOCOUTQ), "a worker that reads it")
        self.reply = Reply(connection)

    def go_on(self):
        self.reply.connection.stdin(self.body[20:])


class InTheDatabase(InOnePiece):
    """Its beginning is not broken off, or nobody would know whether it has begun: it takes BANTER_DATABASE_TIME at most."""

    at = "begin"

    def begin(self):
        self.lock = psycopg2.connect(self.postgres.url("owner"))
        self.lock.cursor().execute("lock table banter_data.exchange in access exclusive mode")
        self.reply = chat(self.address, self.tenant, script(self.text, tokens=["a"], gates={"0": self.gate}))

    def go_on(self):
        self.lock.close()
        super().go_on()

    def ended(self):
        self.lock.close()
        super().ended()

    def close(self):
        self.lock.close()
        super().close()


class Blocked(State):
    """Its client takes nothing, so it can be told nothing either."""

    def begin(self):
        self.reply = stream(self.address, self.tenant, script(self.text, tokens=20000))
        assert self.reply.event()["type"] == "start"
        there = [0]

        def stands():
            there.append(waiting(self.reply.connection.socket))
            return there[-1] == there[-2] > 10000

        until(stands, "a full connection")

    def go_on(self):
        pass  # who asks for its end reads

    def ended(self):
        assert not [event for event in self.reply_events() if event["type"] in ("done", "error")]
        assert not self.reply.whole
        until(lambda: [row[0] for row in self.postgres.run(
            "select state from banter_data.exchange where workspace = %s", self.tenant.workspace)] == ["failed"], "its end")

    def reply_events(self):
        with contextlib.suppress(AssertionError):  # it is cut within a line
            yield from iter(self.reply.event, None)


STATES = [Streaming, Silent, InOnePiece, Arriving, InTheDatabase, Blocked]
of_all_states = pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
# What else would end it does not.
PATIENT = dict(request_time="1h", write_time="1h", database_time="60s", answer_bytes=4 << 20, lease="1h", queue_time="1s")


def stands_at(banter, stage):
    def seen():
        banter.process.send_signal(signal.SIGUSR1)
        return re.search(rf"worker \d \(pid \d+\): {stage} for ", banter.text())

    until(seen, f"a worker at {stage!r}")


@pytest.fixture
def at(pool, tenant, model, postgres):
    """at(state, …): a pool, and an exchange that stands there."""
    with contextlib.ExitStack() as stack:
        def begin(state, **settings):
            banter = pool(**{"workers": 2, **PATIENT, **settings})
            one = stack.enter_context(contextlib.closing(state(banter.socket, tenant, model, postgres)))
            stands_at(banter, state.at)
            return banter, one

        yield begin


def told_to_end(banter):
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")


def ended_well(banter):
    assert end_of(banter) == 0
    assert "killed" not in banter.text() and "died" not in banter.text()


@of_all_states
def test_SIGTERM_lets_finish_what_runs(at, state):
    banter, one = at(state, drain_time="1h")
    told_to_end(banter)
    until(lambda: len(banter.children()) == 1, "the idle worker's end")
    one.go_on()
    one.finished()
    ended_well(banter)


@of_all_states
def test_S1_G6_what_does_not_finish_in_BANTER_DRAIN_TIME_ends_in_error(at, state):
    banter, one = at(state, drain_time="300ms")
    told_to_end(banter)
    if state is Blocked:
        ended_well(banter)
        one.ended()
    else:
        one.ended()
        ended_well(banter)


@of_all_states
def test_a_second_SIGTERM_ends_it_now(at, state):
    banter, one = at(state, drain_time="1h")
    told_to_end(banter)
    until(lambda: len(banter.children()) == 1, "the idle worker's end")
    banter.process.send_signal(signal.SIGTERM)
    if state is not Blocked:
        one.ended()
    ended_well(banter)
    if state is Blocked:
        one.ended()


def test_an_idle_pool_ends_at_once(pool):
    banter = pool(workers=3, drain_time="1h")
    told_to_end(banter)
    ended_well(banter)


@of_all_states
def test_a_killed_masters_workers_hold_no_listening_socket(at, state, tenant):
    """Nobody hangs before a pool that is no more, and the next one listens at once; what runs may finish."""
    banter, one = at(state, drain_time="1h", status_listen=f"127.0.0.1:{servers.free_port()}")
    children = banter.children()
    banter.process.kill()
    banter.process.wait()
    banter.process = None
    until(lambda: sum(map(alive, children)) == 1, "the end of all but the busy one")

    def refused():
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(banter.socket))
            except ConnectionRefusedError:
                return True
            return False

    until(refused, "a socket that nobody listens on")
    banter.start()
    assert health(banter.socket) == 200
    if state is not InTheDatabase:
        assert chat(banter.socket, tenant, script("new", tokens=["fine"]), session="other").json()["message"] == "fine"
    one.go_on()
    one.finished()
    until(lambda: not any(map(alive, children)), "its end")


def test_G6_behind_nginx_a_killed_masters_pool_is_a_503_at_once(start, model):
    site = start(workers=1, drain_time="1h")
    gate = name("gate")
    running = site.stream(script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [next(running)["type"] for _ in range(2)] == ["start", "token"]
    banter = site.banter
    banter.process.kill()
    banter.process.wait()
    banter.process = None
    refused = site.chat(script("hello", tokens=["fine"]), timeout=servers.PATIENCE)
    assert (refused.status_code, refused.json()) == (503, {"error": "Service unavailable"})
    banter.start()
    assert site.chat(script("hello", tokens=["fine"])).json()["message"] == "fine"
    model.open_gate(gate)
    assert running.rest()[-1]["type"] == "done"


def test_stray_signals_harm_no_worker(pool, tenant, model):
    """Those by which masters ask for things are none for a worker."""
    banter = pool(workers=1)
    gate = name("gate")
    running = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [running.event()["type"] for _ in range(2)] == ["start", "token"]
    old = banter.children()
    for number in (signal.SIGUSR2, signal.SIGUSR1, signal.SIGHUP):
        os.kill(old[0], number)
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    assert chat(banter.socket, tenant, script("new", tokens=["fine"]), session="s").json()["message"] == "fine"
    assert banter.children() == old
    assert "died" not in banter.text()


# One worker of a caller's pool


def test_a_kept_connection_is_closed_by_SIGTERM(database, standin, tenant):
    with contextlib.closing(Single(database.url(), standin.url, drain_time="1h")) as one:
        body = chat_body(script("hello", tokens=["fine"]))
        with Connection(one.socket) as connection:
            assert connection.ask(chat_params(tenant, body), body, keep=True).json()["message"] == "fine"
            one.process.send_signal(signal.SIGTERM)
            assert connection.ended()
        assert end_of(one) == 0


@pytest.mark.parametrize("state", [Streaming, Arriving, Blocked], ids=lambda state: state.__name__)
def test_a_callers_worker_is_ended_by_a_second_SIGTERM_too(database, standin, tenant, model, postgres, state):
    settings = {**PATIENT, "drain_time": "1h"}
    with contextlib.closing(Single(database.url(), standin.url, **settings)) as one:
        until(lambda: health(one.socket) == 200, "the worker")
        with contextlib.closing(state(one.socket, tenant, model, postgres)) as running:
            one.process.send_signal(signal.SIGTERM)
            signal_again(one)
            if state is not Blocked:
                running.ended()
            assert end_of(one) == 0


def signal_again(one):
    """Until the first one was taken, a second is the same one."""
    status = servers.pathlib.Path(f"/proc/{one.process.pid}/status")

    def taken():
        pending = re.search(r"^ShdPnd:\s*([0-9a-f]+)$", status.read_text(), re.MULTILINE)[1]
        return not int(pending, 16) & 1 << (signal.SIGTERM - 1)

    until(taken, "the first SIGTERM's arrival")
    one.process.send_signal(signal.SIGTERM)


def test_about_to_accept_it_serves_the_one_it_takes(database, standin, tenant):
    """A connection and SIGTERM at once: it is either served or left to who comes next, and never cut."""
    with contextlib.closing(Single(database.url(), standin.url, drain_time="1h")) as one:
        until(lambda: health(one.socket) == 200, "the worker")
        one.process.send_signal(signal.SIGSTOP)
        waits = chat(one.socket, tenant, script("hello", tokens=["fine"]))
        one.process.send_signal(signal.SIGTERM)
        one.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(Cut):
            assert waits.json()["message"] == "fine"
        assert end_of(one) == 0
