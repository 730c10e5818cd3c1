"""One of a router's partitions fails, in every way there is: those whose workspaces are in it are refused in time, nobody else notices,
and once it is back so are they, by the same workers. The router itself is away, and each partition."""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import re
import signal
import threading
import time
import types

import psycopg2
import pytest
import servers
from ctl import ctl
from database import Failing, Road
from fastcgi import Connection, chat, chat_params, health
from servers import until
from tenants import new_key
from test_database_fails import (
    REFUSED_S, SETTINGS, Asked, House, Plays, all_still, ended, ends, fault, full, packets_dropped, postmaster_still, read_only,
    sessions_still, wanted,
)
from test_stop import Talk

COUNT = 4
LAST = COUNT - 1  # the partition that is on a server of its own


class Router:
    """A server with a router and three partitions, and one whose database is the fourth; a road leads to each partition."""

    def __init__(self, enter, far=None, last=None):
        self.near = enter(servers.Postgres())
        self.far = far or enter(Failing(max_connections=40))
        self.partitions = ["banter", "one", "two"]
        for other in self.partitions[1:]:
            self.near.run(f"create database {other} template banter", database="postgres")
        self.roads = [enter(Road(server.folder / ".s.PGSQL.5432")) for server in (*[self.near] * LAST, self.far)]
        self.near.run("create database router", database="postgres")
        addresses = [f"host=127.0.0.1 port={road.port} dbname={database} tcp_user_timeout=2000"
                     for road, database in zip(self.roads, [*self.partitions, "banter"], strict=True)]
        code, _, err = self.ctl("shards", "make", "--role", "banter_app", *addresses[:LAST], last or addresses[LAST])
        assert (code, err) == (0, "")

    def url(self, user="banter_app"):
        return self.near.url(user, "router")

    def ctl(self, *words):
        return ctl(*words, url=self.url("owner"))

    def demo(self, partition=0, **chatbot):
        """A tenant of that partition."""
        tenant = next(one for one in iter(servers.Tenant.new, None) if one.workspace % COUNT == partition)
        if partition == LAST:
            self.far.run(*tenant.statements())
        else:
            self.near.run(*tenant.statements(), database=self.partitions[partition])
        return tenant

    def sessions(self):
        """The application's, at the router."""
        return [pid for (pid,) in self.near.run(
            "select pid from pg_stat_activity where datname = 'router' and usename = 'banter_app'", database="postgres")]


class Apart(House):
    """A house whose database is a router; what fails is the last partition."""

    def __init__(self, standin):
        self.standin, self.stack = standin, contextlib.ExitStack()
        with contextlib.ExitStack() as unless_done:
            unless_done.callback(self.stack.close)
            self.router = Router(self.enter)
            self.postgres, self.door = self.router.far, self.router.roads[LAST]
            self.tenant = self.router.demo(LAST)
            self.others = [self.router.demo(partition) for partition in range(LAST)]
            self.banter = self.pool(self.router, workers=14)
            unless_done.pop_all()

    def pool(self, door, **settings):
        return self.enter(servers.Banter(door.url(), self.standin.url, **{**SETTINGS, **settings}))

    def use(self, between):
        pass

    @property
    def shown_servers(self):
        return [self.router.near, self.postgres, self.banter]

    def ask_others(self):
        return [Asked(self.banter, tenant, "/v1/chat") for tenant in self.others]


def unnoticed(how):
    """While those whose partition it is wait to be refused, the others are served, and `/health` is well."""
    @contextlib.contextmanager
    def both(house):
        assert ends(house.ask_others()) == ["done"] * LAST
        with how(house):
            waiting = house.ask()
            assert ends(house.ask_others() + house.ask_others()) == ["done"] * 2 * LAST
            assert health(house.banter.socket) == 200
            came = ends(waiting)
            assert "error" not in came
            assert all(one.took < REFUSED_S for one, how in zip(waiting, came, strict=True) if how == 503)
            yield
    return both


@contextlib.contextmanager
def slow(house):
    """Each exchange takes it a second."""
    house.postgres.run("""create function sleep() returns trigger language plpgsql as 'begin perform pg_sleep(1); return new; end';
        create trigger slow before insert on banter_data.exchange for each row execute function sleep()""")
    yield
    house.postgres.run("drop function sleep cascade")


@contextlib.contextmanager
def packets_of_old_dropped(house):
    """In the middle of calls, and of those that are there alone."""
    house.door.drop()
    yield
    house.door.let_through()


FAULTS = {
    "refused": fault(unnoticed(ended(signal.SIGINT))),
    "all of it stands still": fault(unnoticed(all_still)),
    "its sessions stand still": fault(unnoticed(sessions_still), begins=(503, "done"), stored="done"),
    "its postmaster stands still": fault(unnoticed(postmaster_still)),
    "packets dropped": fault(unnoticed(packets_dropped)),
    "packets of old connections dropped": fault(unnoticed(packets_of_old_dropped), begins=(503, "done"), stored="done"),
    "read-only": fault(unnoticed(read_only)),
    "no connection left": fault(unnoticed(full)),
    "slow": fault(unnoticed(slow), begins=("done",), stored="done"),
}


@pytest.fixture(scope="module")
def plays(request, standin):
    with contextlib.closing(Plays(wanted(request), lambda: Apart(standin), FAULTS)) as begun:
        yield begun


@pytest.mark.parametrize("which", FAULTS)
def test_G6_a_partition_that_fails_harms_its_own_alone(plays, which, record_property):
    took = plays.futures[which].result()
    record_property("served_after_ms", round(1000 * took))


@pytest.fixture(scope="module")
def house(standin):
    one = Apart(standin)
    with one.stack:
        yield one


# Who waits for it


def at_work(house):
    """Sessions of the router in the middle of a call."""
    return {pid for (pid,) in house.router.near.run(
        "select pid from pg_stat_activity where datname = 'router' and usename = 'banter_app' and state = 'active'", database="postgres")}


def test_the_routers_session_of_who_was_killed_or_waits_no_more_does_not_wait_on(house):
    """Each would be one of the router's connections until the partition is back."""
    banter = house.pool(house.router, workers=2)
    others = house.router.demo()
    with all_still(house):
        before = at_work(house)
        asked = [Asked(banter, house.tenant, "/v1/chat") for _ in range(2)]
        until(lambda: len(at_work(house) - before) == 2, "the router's wait")
        os.kill(banter.children()[0], signal.SIGKILL)
        until(lambda: not at_work(house) - before, "the end of both sessions")
        assert chat(banter.socket, others, "hello").status == 200
    for one in asked:
        one.reply.connection.close()
    banter.close()


def test_who_connects_and_is_not_answered_keeps_nobody_from_connecting(house):
    """Connecting goes by turns, which are few; a partition's silence takes none of them."""
    banter = house.pool(house.router, workers=24, database_time="60s", database_connect_time="60s")
    with all_still(house):
        before = at_work(house)
        asked = [Asked(banter, house.tenant, "/v1/chat") for _ in range(20)]
        until(lambda: len(at_work(house) - before) == 20, "the router's wait")
        assert chat(banter.socket, house.others[0], "hello").status == 200
        assert len(at_work(house) - before) >= 20
    assert ends(asked) == ["done"] * 20
    banter.close()


def test_others_are_served_as_long_as_a_worker_is_free(house):
    """Requests for it keep a worker for BANTER_DATABASE_TIME: rate times that time is how many."""
    banter = house.pool(house.router, workers=4)
    over, refused, served = threading.Event(), [], []

    def ask(tenant, into):
        while not over.is_set():
            into.append(chat(banter.socket, tenant, "hello").status)

    with all_still(house), concurrent.futures.ThreadPoolExecutor(4) as threads:
        with contextlib.ExitStack() as ending:
            ending.callback(over.set)
            # Three of four workers at a time, all the time.
            asking = [threads.submit(ask, house.tenant, refused) for _ in range(3)] + [threads.submit(ask, house.others[0], served)]
            until(lambda: len(refused) >= 6 and len(served) > 12, "some traffic")
        for one in asking:
            one.result()
    assert set(refused) == {503} and set(served) == {200}
    banter.close()


# /health


def test_G8_health_is_well_while_one_partition_answers(house):
    """However many say nothing, it is told in time; where none answers it is 503, until one is back."""
    with contextlib.ExitStack() as opening:
        for road in house.router.roads[1:]:
            opening.callback(setattr, road, "closed", False)
            road.closed = True
            road.silence()
        for _ in range(6):
            began = time.monotonic()
            assert health(house.banter.socket) == 200
            assert time.monotonic() - began < REFUSED_S
        house.router.roads[0].closed = True
        opening.callback(setattr, house.router.roads[0], "closed", False)
        until(lambda: health(house.banter.socket) == 503, "what all of it is like")
        house.router.roads[0].closed = False
        until(lambda: health(house.banter.socket) == 200, "the one that is back")


# The stop poll


def test_R5_a_stop_is_noticed_while_another_partition_says_nothing(house):
    """The pool's poll asks for all that run on it at once."""
    talks = [Talk(house.banter, tenant) for tenant in (*house.others, house.tenant)]
    with all_still(house):
        for talk in talks[:-1]:
            assert talk.stop(house.banter) == (200, ["left"])
            assert talk.is_done()
    assert talks[-1].stop(house.banter) == (200, ["left"])
    assert talks[-1].is_done()


# Clocks


def test_G6_a_partition_with_another_clock_is_a_503_that_says_so(house):
    """It takes each call for one that nobody waits for any more."""
    house.postgres.clock.write_text("3600")
    try:
        reply = Asked(house.banter, house.tenant, "/v1/chat")
        assert reply.ended() == 503
        assert f"by the clock of partition {LAST} it is too late already" in house.banter.text()
        assert ends(house.ask_others()) == ["done"] * LAST
        code, _, err = house.router.ctl("shards", "check")
        assert code == 1 and re.search(rf"partition {LAST} .*: its clock differs from the router's by (3600|3599\.\d|3600\.\d) s", err), err
    finally:
        house.postgres.clock.unlink()
    assert Asked(house.banter, house.tenant, "/v1/chat").ended() == "done"


def test_a_check_names_who_says_nothing(house):
    with all_still(house):
        code, _, err = house.router.ctl("shards", "check")
    assert code == 1
    assert [line for line in err.splitlines() if "it does not answer" not in line] == []
    assert err.startswith(f"banterctl: partition {LAST} ")


# It is another, or begins anew


def test_the_router_begins_anew(house):
    """And three partitions with it: in the middle of a crash, or at its end."""
    tenants, children = [*house.others, house.tenant], house.banter.children()
    for how in (signal.SIGINT, signal.SIGQUIT):
        house.router.near.end(how)
        assert {chat(house.banter.socket, tenant, "hello").status for tenant in tenants} == {503}
        assert health(house.banter.socket) == 503
        house.router.near.start()
        assert [chat(house.banter.socket, tenant, "hello").status for tenant in tenants] == [200] * COUNT
        assert health(house.banter.socket) == 200
    assert house.banter.children() == children


def writable(url):
    with contextlib.suppress(psycopg2.Error), contextlib.closing(psycopg2.connect(url)) as one:
        with one.cursor() as cursor:
            cursor.execute("show transaction_read_only")
            return cursor.fetchone() == ("off",)


@pytest.mark.parametrize("way", ["two hosts", "an address that moves"])
def test_a_partition_that_is_failed_over_is_served_by_its_new_server(standin, way):
    """Its address names both servers, and the old one is gone; or leads to the one that may be written, and the old one says
    nothing any more."""
    with contextlib.ExitStack() as stack:
        def enter(one):
            return stack.enter_context(contextlib.closing(one))

        primary = enter(servers.Postgres())
        standby = enter(servers.Postgres(standby_of=primary))
        names_both = f"host={primary.folder},{standby.folder} dbname=banter target_session_attrs=read-write"
        router = Router(enter, primary, names_both if way == "two hosts" else None)
        tenant, other = router.demo(LAST), router.demo()
        banter = enter(servers.Banter(router.url(), standin.url, **SETTINGS))
        children = banter.children()
        for _ in range(8):
            assert chat(banter.socket, tenant, "hello").status == 200
        until(lambda: standby.run("select count(*) from banter_data.exchange") == [(8,)], "the standby's copy")
        gone = ended(signal.SIGQUIT) if way == "two hosts" else all_still
        with gone(types.SimpleNamespace(postgres=primary)):
            assert chat(banter.socket, tenant, "hello").status == 503
            assert chat(banter.socket, other, "hello").status == 200
            standby.promote()
            if way != "two hosts":
                router.roads[LAST].path = standby.folder / ".s.PGSQL.5432"
                router.roads[LAST].reset()
            until(lambda: writable(standby.url()), "the new server")
            assert chat(banter.socket, tenant, "hello").status == 200
        assert banter.children() == children
        assert standby.run("select count(*) from banter_data.exchange where state = 'done'") == [(9,)]


# What is refused


def test_no_refusal_costs_the_router_its_connection(house):
    """An exception would, so refusals are rows."""
    banter, tenant, poor, limited = house.pool(house.router, workers=2), *(house.router.demo(LAST) for _ in range(3))
    site_key = new_key("site", tenant.workspace)
    hashed = hashlib.sha256(site_key.encode()).digest()
    house.postgres.run("select banter.key_create(%s, %s, 'site', %s, %s, %s, 'pages', %s)", tenant.workspace, hashed[:13].hex(),
                       tenant.chatbot, hashed, site_key[-4:], ["https://a.example"])
    house.postgres.run("update banter_data.workspace set credits = 0 where workspace = %s", poor.workspace)
    house.postgres.run("update banter_data.chatbot set rate_limit = 1 where workspace = %s", limited.workspace)

    def ask(path="/v1/chat", method="POST", of=tenant, body=None, **headers):
        body = json.dumps({"sessionId": "s", "message": "hello"} if body is None else body).encode() if method == "POST" else b""
        return Connection(banter.socket).ask(chat_params(of, body, path, method, **headers), body).status

    def sessions():
        return {pid for (pid,) in house.postgres.run("select pid from pg_stat_activity where usename = 'banter_app'")}

    others = sessions()
    talk = Talk(banter, tenant, HTTP_IDEMPOTENCY_KEY="running")  # the other worker answers all else
    assert ask(HTTP_IDEMPOTENCY_KEY="used") == 200
    ours = sessions() - others
    page = {"HTTP_X_API_KEY": site_key, "HTTP_ORIGIN": "https://a.example"}
    whole = {"HTTP_X_API_KEY": None, "HTTP_AUTHORIZATION": f"Bearer {tenant.workspace_key}"}
    chatbot, nowhere = f"/api/v1/chatbots/{tenant.chatbot}", "/v1/chat/conversations/none"
    session = {"HTTP_X_SESSION_ID": "s"}
    assert [
        ask(HTTP_X_API_KEY=new_key("widget", tenant.workspace)),
        ask(**{**page, "HTTP_ORIGIN": "https://b.example"}),
        ask(**page, HTTP_X_VISITOR_TOKEN="vt_" + "0" * 43),
        ask(HTTP_IDEMPOTENCY_KEY="used", body={"sessionId": "s", "message": "another"}),
        ask(HTTP_IDEMPOTENCY_KEY="running", body={"sessionId": talk.session, "message": talk.message}),
        ask(f"/api/v1/chatbots/{servers.Tenant.new().chatbot}/chat", **whole),
        ask(f"{chatbot}/chat", body={"message": "hello", "conversationId": "none"}, **whole),
        [ask(f"/api/v1/chatbots/{limited.chatbot}/chat", body={"message": "hello"}, HTTP_X_API_KEY=None,
             HTTP_AUTHORIZATION=f"Bearer {limited.workspace_key}") for _ in range(2)][-1],
        ask(of=poor),
        ask("/v1/chat/completions", body={"model": "none", "messages": [{"role": "user", "content": "hello"}]}, **whole),
        ask(nowhere + "/messages", "GET", **session),
        ask(nowhere, "DELETE", **session),
        ask(nowhere + "/messages/none/feedback", body={"rating": "good"}, **session),
        ask(nowhere + "/stop", **session),
        ask("/v1/models", "GET", HTTP_X_API_KEY=new_key("workspace", tenant.workspace)),
    ] == [401, 403, 401, 409, 409, 404, 404, 429, 402, 404, 404, 403, 404, 404, 401]
    assert ours and ours <= sessions()
    house.standin.control.open_gate(talk.gate)
    assert talk.reply.events()[-1]["type"] == "done"
    banter.close()
