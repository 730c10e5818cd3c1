"""The database fails in every way there is, each made on purpose: who asks meanwhile is refused in time, what cannot be
stored is never called done, what was refused never begins, and once psql is answered again so is whoever asks first, by the
same workers. What is peculiar to one of the ways is test_faults.py's and test_database.py's."""

import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import queue
import random
import select
import signal
import time
import types

import psycopg2
import pytest

import servers
from database import Failing, Road
from fastcgi import Connection, chat, chat_params
from servers import name, script, until

# More time than by default, since a busy machine has less.
SETTINGS = {"workers": 6, "queue_time": "5s", "database_time": "5s", "database_connect_time": "4s"}
REFUSED_S = 5 + 3  # G6: within the queueing time and 3 s
STORED_S = 10 + 10  # S2: so long storing is tried; and a busy machine's
AT_ONCE = 4  # faults, each with a database of its own: most of the time they wait
CLIENTS = ("/v1/chat/stream", "/v1/chat", "chatbot")
APIS = CLIENTS[::2]
# No page of the database has room for it, however it is packed.
LARGE = "".join(chr(random.Random(7).randrange(0x20000, 0x2A6DF)) for _ in range(3300))


class Asked:
    """A request of one kind of client to a pool, on its way. Its answer's second token waits for `gate`; what has the same
    `text` is the same request, and `key` is its Idempotency-Key."""

    def __init__(self, banter, tenant, client, text=None, second="b", gate=None, key=None):
        self.text, self.began = text or name("asked"), time.monotonic()
        message = script(self.text, tokens=["a", second], **({"gates": {"2": gate}} if gate else {}))
        path, more, body = client, {"HTTP_IDEMPOTENCY_KEY": key}, {"sessionId": self.text, "message": message}
        if client == "chatbot":
            path = f"/api/v1/chatbots/{tenant.chatbot}/chat"
            more |= {"HTTP_X_API_KEY": None, "HTTP_AUTHORIZATION": f"Bearer {tenant.workspace_key}"}
            body = {"message": message, "stream": True}
        body = json.dumps(body, ensure_ascii=False).encode()
        self.reply = Connection(banter.socket).ask(chat_params(tenant, body, path, **more), body)

    def ended(self):
        """How, and `.took` until then: done, error, or the status that refused it."""
        how = self.reply.status
        lines = [line.removeprefix(b"data: ") for line in self.reply.body().splitlines() if line.strip(b": ")]
        if how == 503:
            assert int(self.reply.headers["Retry-After"]) >= 1
        elif how == 500:
            how = "error"
        else:
            how = json.loads(lines[-1]).get("type", "done")
        self.took = time.monotonic() - self.began
        return how


def begun(banter, tenant, client, model, gate, second="b"):
    """A request whose first token came. One that a busy machine refused is made again."""
    while True:
        asked = Asked(banter, tenant, client, gate=gate, second=second)
        socket = asked.reply.connection.socket
        until(lambda: model.requests(asked.text) or select.select([socket], [], [], 0)[0], "its beginning")  # noqa: B023
        if model.requests(asked.text) or asked.reply.status == 200:
            model.wait(asked.text, tokens_sent=1)
            return asked
        asked.reply.connection.close()


class House:
    """A database that can fail, and a pool on it; `.door` is what that connects to."""

    def __init__(self, standin):
        self.standin, self.stack = standin, contextlib.ExitStack()
        with contextlib.ExitStack() as unless_done:
            unless_done.callback(self.stack.close)
            self.postgres = self.enter(Failing(max_connections=40))
            self.tenant = self.postgres.demo()
            self.straight = self.pool(self.postgres)
            unless_done.pop_all()

    def enter(self, server):
        return self.stack.enter_context(contextlib.closing(server))

    def pool(self, door):
        return self.enter(servers.Banter(door.url(), self.standin.url, **SETTINGS))

    def use(self, between):
        """A pool with that between it and the database, or with nothing."""
        self.door = self.enter(between(self.postgres)) if between else self.postgres
        self.banter = self.pool(self.door) if between else self.straight

    @property
    def shown_servers(self):
        return [self.postgres, self.banter]

    def ask(self, **how):
        return [Asked(self.banter, self.tenant, client, second=LARGE, **how) for client in CLIENTS]

    def begun(self):
        """One of each client's, whose first token came; what lets them go on."""
        gate = name("gate")
        asked = [begun(self.banter, self.tenant, client, self.standin.control, gate, LARGE) for client in CLIENTS]
        return asked, lambda: self.standin.control.open_gate(gate)

    def sessions(self):
        """The application's, at the database."""
        return [pid for (pid,) in self.postgres.run("select pid from pg_stat_activity where usename = 'banter_app'")]

    def end_sessions(self):
        self.postgres.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'banter_app'")
        until(lambda: not self.sessions(), "the sessions' end")

    def answers(self):
        """What psql is told. A pooler refuses each role by itself for a while (server_login_retry)."""
        with contextlib.suppress(psycopg2.Error):
            with contextlib.closing(psycopg2.connect(self.door.url(), connect_timeout=2)) as one:
                one.cursor().execute("select 1")
                return True
        return False

    def states(self, asked):
        """What is stored of them."""
        stored = dict(self.postgres.run("select split_part(question, ' ', 1), state from banter_data.exchange"))
        return [stored.get(one.text) for one in asked]


def ends(asked):
    with concurrent.futures.ThreadPoolExecutor(len(asked)) as many:
        return list(many.map(Asked.ended, asked))


# The faults: each lasts as long as its `with`.


def ended(how):
    @contextlib.contextmanager
    def fault(house):
        house.postgres.end(how)
        yield
        house.postgres.start()
    return fault


@contextlib.contextmanager
def still(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def all_still(house):
    """The crew of PostgreSQL with it, or it would begin to mend."""
    server = house.postgres.process.pid
    return still([server, *map(int, pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split())])


def sessions_still(house):
    return still(house.sessions())


@contextlib.contextmanager
def postmaster_still(house):
    """Nobody can come any more, and who was there is gone."""
    house.sessions()  # from now on there is a connection to ask on
    with still([house.postgres.process.pid]):
        house.end_sessions()
        yield


@contextlib.contextmanager
def full(house):
    """Others have all connections that it may have. The pool's workers try to get one all the time (a lease wants to be
    renewed), so who got one is ended until nobody does."""
    with contextlib.ExitStack() as taken:
        ours, quiet = set(), 0
        while quiet < 10:  # in a row: a session that was ended leaves when it can
            quiet += 1
            with contextlib.suppress(psycopg2.OperationalError):
                one = taken.enter_context(contextlib.closing(psycopg2.connect(house.postgres.url())))
                ours.add(one.info.backend_pid)
                quiet = 0
                continue
            for pid in set(house.sessions()) - ours:
                house.postgres.run("select pg_terminate_backend(%s)", pid)
                quiet = 0
            time.sleep(0.1)
        yield


@contextlib.contextmanager
def read_only(house):
    for change in ("set default_transaction_read_only = on", "reset default_transaction_read_only"):
        house.postgres.run(f"alter system {change}")
        house.postgres.run("select pg_reload_conf()")
        last = change.startswith("reset")
        until(lambda: house.postgres.run("show default_transaction_read_only") == [("off" if last else "on",)], "the reload")  # noqa: B023
        if not last:
            yield


# One more exchange like another one.
FILL = """insert into banter_data.exchange
    select (jsonb_populate_record(e, jsonb_build_object('exchange', gen_random_uuid(), 'position', %s,
        'answer', 'a'))).*
    from banter_data.exchange e where e.state = 'done' limit 1"""


@contextlib.contextmanager
def no_room_for_rows(house):
    """What room there is in pages that there are is found, and used up."""
    house.end_sessions()
    house.postgres.run("vacuum banter_data.exchange")
    house.postgres.full.write_text("/base/")
    with pytest.raises(psycopg2.errors.DiskFull):
        for position in itertools.count(10**6):
            house.postgres.run(FILL, position)
    yield
    house.postgres.full.unlink()


@contextlib.contextmanager
def no_room_for_the_log(house):
    """PostgreSQL panics, and again and again where it mends itself, until there is room."""
    house.postgres.full.write_text("/pg_wal/")
    with contextlib.suppress(psycopg2.Error):
        house.postgres.run("select pg_switch_wal()")
    yield
    house.postgres.full.unlink()


@contextlib.contextmanager
def locked(house):
    with contextlib.closing(psycopg2.connect(house.postgres.url("owner"))) as other:
        other.cursor().execute("lock table banter_data.exchange in access exclusive mode")
        yield


@contextlib.contextmanager
def packets_dropped(house):
    house.door.drop(newcomers=True)
    yield
    house.door.let_through()


@contextlib.contextmanager
def pooler_ended(house):
    house.door.end()
    yield
    house.door.start()


def road(postgres):
    return Road(postgres.folder / ".s.PGSQL.5432")


def fault(how, between=None, begins=(503,), stored="error"):
    """What comes of who asks meanwhile, and of what had begun."""
    return types.SimpleNamespace(how=how, between=between, begins=begins, stored=stored)


FAULTS = {
    "stopped fast": fault(ended(signal.SIGINT)),
    "stopped at once": fault(ended(signal.SIGQUIT)),
    "all of it stands still": fault(all_still),
    "all of it stands still behind its pooler": fault(all_still, between=servers.Pooler),
    # A new session is as good as ever, where there is time left for one.
    "its sessions stand still": fault(sessions_still, begins=(503, "done"), stored="done"),
    "its postmaster stands still": fault(postmaster_still),
    "no connection left": fault(full),
    "read-only": fault(read_only),
    # One may still find room for its question, but none for its answer.
    "disk full": fault(no_room_for_rows, begins=(503, "error")),
    "disk of its log full": fault(no_room_for_the_log),
    "a table locked": fault(locked),
    "packets dropped": fault(packets_dropped, between=road),
    "its pooler ended": fault(pooler_ended, between=servers.Pooler),
}


def play(house, one):
    """Has it happen between the beginning and the end of three exchanges, and to three that come meanwhile. How many seconds
    the first that come then take."""
    house.use(one.between)
    children = house.banter.children()
    running, go_on = house.begun()
    warm, let_end = house.begun()  # or the other workers had no session that could fail
    let_end()
    assert ends(warm) == ["done"] * 3
    with one.how(house):
        go_on()
        opened, refused = time.monotonic(), house.ask()
        came = ends(refused)
        assert set(came) <= set(one.begins) and (503 in came or "done" in one.begins), came
        assert all(asked.took < REFUSED_S for asked, how in zip(refused, came, strict=True) if how == 503)
        assert ends(running) == [one.stored] * 3
        assert time.monotonic() - opened < STORED_S
    until(house.answers, "psql's answer")
    first = house.ask()
    assert ends(first) == ["done"] * 3
    assert house.banter.children() == children
    assert [state == "done" for state in house.states(running)] == [one.stored == "done"] * 3
    for how, state in zip(came, house.states(refused), strict=True):
        assert (state is None, state == "done") == (how == 503, how == "done"), (how, state)
    assert house.states(first) == ["done"] * 3
    return max(asked.took for asked in first)


class Plays:
    """Those that this run's tests want to see, some at once."""

    def __init__(self, wanted, build, faults):
        self.build, self.houses, self.idle = build, [], queue.LifoQueue()
        self.executor = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        self.futures = {which: self.executor.submit(self.play, faults[which]) for which in wanted}

    def play(self, one):
        try:
            house = self.idle.get_nowait()
        except queue.Empty:
            house = self.build()
            self.houses.append(house)
        took = play(house, one)
        self.idle.put(house)  # unless it failed: then nobody knows what it is like
        return took

    @property
    def shown_servers(self):
        return [server for house in self.houses for server in house.shown_servers]

    def close(self):
        self.executor.shutdown(cancel_futures=True)
        with concurrent.futures.ThreadPoolExecutor(len(self.houses)) as many:
            list(many.map(lambda house: house.stack.close(), self.houses))


def wanted(request):
    """Of the faults those that this run's tests ask for."""
    return [item.callspec.params["which"] for item in request.session.items
            if item.module is request.module and "which" in item.fixturenames]


@pytest.fixture(scope="module")
def plays(request, standin):
    with contextlib.closing(Plays(wanted(request), lambda: House(standin), FAULTS)) as begun:
        yield begun


@pytest.mark.parametrize("which", FAULTS)
def test_G6_S2_a_database_that_fails_is_a_503_in_time_and_its_return_needs_nothing(plays, which, record_property):
    took = plays.futures[which].result()
    record_property("served_after_ms", round(1000 * took))
    print(f"{which}: the first request behind psql's answer took {took:.3f} s")


@pytest.fixture
def cluster():
    with contextlib.closing(Failing()) as one:
        yield one


def test_a_database_whose_clock_is_set_costs_no_answer(cluster, pool):
    """By its clock it is told when nobody waits any more; where an answer does not come for that, it is asked what it is."""
    tenant, banter = cluster.demo(), pool(workers=1, database_url=cluster.url(), log_level="debug")
    for ahead in (0, 3600, 0):
        cluster.clock.write_text(str(ahead))
        for _ in range(2):
            assert chat(banter.socket, tenant, script(name("asked"), tokens=["a"])).json()["message"] == "a"
    assert banter.text().count("exchange_begin: sent again, the server's clock") == 1


# A connection that is cut inside a call


class Stretch:
    """A road to a database, and a pool at its end."""

    def __init__(self, postgres, standin):
        self.postgres, self.standin = postgres, standin
        self.stack = contextlib.ExitStack()
        with contextlib.ExitStack() as unless_done:
            unless_done.callback(self.stack.close)
            self.road = self.stack.enter_context(contextlib.closing(road(postgres)))
            self.banter = self.stack.enter_context(contextlib.closing(
                servers.Banter(self.road.url(), standin.url, **{**SETTINGS, "workers": 1})))
            unless_done.pop_all()

    def customer(self):
        """One with 10 credits, whose first answer costs one of them: then the worker has a connection, and has kept both calls."""
        tenant = self.postgres.demo(price=1)
        self.postgres.run("update banter_data.workspace set credits = 10 where workspace = %s", tenant.workspace)
        for _ in range(2):
            until(lambda: Asked(self.banter, tenant, "/v1/chat").ended() == "done", "an answer")
        return tenant

    def stored(self, tenant, text):
        """Of that question (state, price), and the credits that are left."""
        rows = self.postgres.run("select state, price from banter_data.exchange where workspace = %s and question like %s",
                                 tenant.workspace, text + "%")
        return rows, self.postgres.run("select credits from banter_data.workspace where workspace = %s", tenant.workspace)[0][0]


@pytest.fixture(scope="module")
def stretch(postgres, standin):
    one = Stretch(postgres, standin)
    yield one
    one.stack.close()


@pytest.mark.parametrize("client", APIS)
@pytest.mark.parametrize("behind", [False, True], ids=["never came", "committed, unheard"])
@pytest.mark.parametrize("call", ["exchange_begin", "exchange_end"])
def test_S2_I1_a_connection_that_is_cut_inside_a_call_costs_nothing(stretch, call, behind, client):
    tenant, text, key = stretch.customer(), name("cut"), name("key")
    stretch.road.cut(call, behind)
    assert Asked(stretch.banter, tenant, client, text, key=key).ended() == "done"
    assert stretch.road.was_cut()
    assert stretch.stored(tenant, text) == ([("done", 1)], 7)
    assert Asked(stretch.banter, tenant, client, text, key=key).ended() == "done"
    assert stretch.stored(tenant, text) == ([("done", 1)], 7)
    assert len(stretch.standin.control.requests(text)) == 1


@pytest.mark.parametrize("client", APIS)
def test_S2_an_exchange_that_was_given_up_between_two_tries_to_store_it_is_an_error(stretch, client):
    """Sent again, its end finds another one than its own: nothing is stored then, and nothing charged."""
    tenant, gate = stretch.customer(), name("gate")
    asked = begun(stretch.banter, tenant, client, stretch.standin.control, gate)
    stretch.road.closed = True
    stretch.road.cut("exchange_end", behind=False)
    stretch.standin.control.open_gate(gate)
    until(stretch.road.was_cut, "the first try's end")
    stretch.postgres.run("update banter_data.exchange set lease_until = now() where workspace = %s and ended_at is null",
                         tenant.workspace)
    stretch.postgres.run("select banter_data.lease_release(%s)", tenant.workspace)
    stretch.road.closed = False
    assert asked.ended() == "error"
    assert stretch.stored(tenant, asked.text)[0][0][0] == "lost"
    assert stretch.stored(tenant, asked.text)[1] == 8


# Packets that are lost for real


def test_packets_that_nobody_acknowledges_are_not_waited_for(stretch):
    """The connection had been used this moment, so its silence is not doubted; but the kernel says that nothing arrives."""
    tenant = stretch.customer()
    stretch.road.drop()
    asked = Asked(stretch.banter, tenant, "/v1/chat")
    assert asked.ended() == "done"
    assert "in time" not in stretch.banter.text()


@pytest.mark.parametrize("client", APIS)
def test_S2_packets_lost_in_the_middle_of_an_answer_cost_nothing(stretch, client):
    tenant, gate = stretch.customer(), name("gate")
    asked = begun(stretch.banter, tenant, client, stretch.standin.control, gate)
    stretch.road.drop()
    stretch.standin.control.open_gate(gate)
    assert asked.ended() == "done"
    assert stretch.stored(tenant, asked.text) == ([("done", 1)], 7)
