"""Two application hosts with networks of their own, one nginx before them and one database behind: what is exact everywhere, what
each host counts for itself, and what becomes of a host that is lost. deploy/scale/README.md says the same to operators."""

import contextlib
import json
import signal
import subprocess

import exposition
import hosts
import pytest
import servers
from apis import Chatbot, Headless
from fastcgi import Connection, chat, chat_params
from servers import script, until
from site_client import at_once
from test_attach import TEXT, Talk, begins, heard
from test_stop import exchanges
from test_visitors import PAGE, Pages

CROWD = 24  # who ask at once, half of them of each host
LEASE_S = 3


@pytest.fixture(scope="module")
def network():
    reason = hosts.refusal()
    if reason:
        pytest.skip(hosts.NOT_TESTED + reason)
    with contextlib.closing(hosts.Network()) as made:
        yield made


@pytest.fixture(scope="module")
def services(network):
    """The database and the model: no other test's, since those of the run are out of reach from here."""
    with contextlib.closing(hosts.Postgres()) as postgres, contextlib.closing(hosts.StandIn()) as standin:
        yield postgres, standin


@pytest.fixture(scope="module")
def shared(network, services):
    postgres, standin = services
    with contextlib.closing(hosts.site(network, postgres, [postgres.url()] * 2, standin, workers=6)) as site:
        yield site


@pytest.fixture
def site(shared):
    """The two of all these tests, with a tenant of the test's own."""
    made = shared.for_new_tenant()
    made.hosts = shared.hosts
    return made


@pytest.fixture
def start(network, services):
    """start(**settings) -> a site of the test's own, which it may break."""
    postgres, standin = services
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(contextlib.closing(
            hosts.site(network, postgres, [postgres.url()] * 2, standin, **{"workers": 4, "lease": f"{LEASE_S}s", **settings})))


def ask(host, tenant, message="hello", **more):
    """The chatbot API of one host, in one piece."""
    body = json.dumps({"message": message}).encode()
    return Connection(host.socket).ask(chat_params(
        tenant, body, f"/api/v1/chatbots/{tenant.chatbot}/chat", HTTP_X_API_KEY=None,
        **{"HTTP_AUTHORIZATION": f"Bearer {tenant.workspace_key}", **more}), body)


def on_both(site, work):
    """work(host) so many times at once, on each host as often; what came of it, sorted."""
    return sorted(at_once(CROWD, lambda index: work(site.hosts[index % 2])))


# Exact everywhere


def test_B4_a_chatbots_limit_is_of_all_hosts_together(site):
    site.configure(rate_limit=10, rate_window=1000)

    def work(host):
        reply = ask(host, site.tenant)
        return reply.status, int(reply.headers["X-RateLimit-Remaining"])

    assert on_both(site, work) == [(200, left) for left in range(10)] + [(429, 0)] * (CROWD - 10)
    assert len(site.exchanges()) == 10


def test_B5_credits_are_never_overdrawn(site):
    site.grant(10)
    assert on_both(site, lambda host: ask(host, site.tenant).status) == [200] * 10 + [402] * (CROWD - 10)
    assert site.credits() == 0


def test_G10_places_are_of_all_hosts_together(site, shared):
    """None of them ends before all have been judged."""
    site.sql("update banter_data.workspace set max_open = 3 where workspace = %s", site.tenant.workspace)
    gate = servers.name()
    replies = at_once(CROWD, lambda index: chat(site.hosts[index % 2].socket, site.tenant, script("?", tokens=["a"], gates={"1": gate}),
                                                "/v1/chat/stream", session=servers.name()))
    assert sorted(reply.status for reply in replies) == [200] * 3 + [429] * (CROWD - 3)
    site.model.open_gate(gate)
    assert all(reply.events()[-1]["type"] == "done" for reply in replies if reply.status == 200)


def test_P4_a_chatbots_day_is_one(site):
    """However many new visitors come, to whichever host."""
    site.configure(visitor_exchanges=5)
    key = Pages(site, tenant=False).key

    def work(host):
        return chat(host.socket, site.tenant, "hello", HTTP_X_API_KEY=key, HTTP_ORIGIN=PAGE).status

    assert on_both(site, work) == [200] * 5 + [429] * (CROWD - 5)


def test_I1_the_same_key_on_both_at_once_runs_once(site):
    site.grant(10)
    gate, mark = servers.name(), servers.name()
    message = script(mark, tokens=["a"], gates={"1": gate})
    asked = at_once(6, lambda index: ask(site.hosts[index % 2], site.tenant, message, HTTP_IDEMPOTENCY_KEY="once"))
    site.model.wait(mark)
    until(lambda: sum(reply._head is not None or ready(reply) for reply in asked) == 5, "those that were not the first")
    refused = [reply for reply in asked if reply._head is not None or ready(reply)]
    assert [reply.status for reply in refused] == [409] * 5
    site.model.open_gate(gate)
    (first,) = (reply for reply in asked if reply not in refused)
    answer = first.json()
    assert [ask(host, site.tenant, message, HTTP_IDEMPOTENCY_KEY="once").json() for host in site.hosts] == [answer] * 2
    assert len(site.model.requests(mark)) == 1
    assert site.credits() == 9


def ready(reply):
    """Whether something of it has come."""
    return bool(servers.select.select([reply.connection.socket], [], [], 0)[0])


def test_H2_a_conversation_goes_on_at_the_other(site):
    session, answer = servers.name(), servers.name()
    first, other = site.hosts
    assert chat(first.socket, site.tenant, script("?", tokens=[answer]), session=session).status == 200
    after = servers.name()
    assert chat(other.socket, site.tenant, after, session=session).status == 200
    assert answer in json.dumps(site.model.wait(after))


def test_P2_a_visitor_is_known_on_the_other(site):
    key = Pages(site, tenant=False).key
    first, other = site.hosts
    page = {"HTTP_X_API_KEY": key, "HTTP_ORIGIN": PAGE}
    entered = chat(first.socket, site.tenant, "hello", **page)
    conversation, token = entered.json()["conversationId"], entered.headers["X-Visitor-Token"]
    params = chat_params(site.tenant, b"", "/v1/chat/conversations", "GET", HTTP_X_VISITOR_TOKEN=token, **page)
    read = Connection(other.socket).ask(params).json()
    assert [one["id"] for one in read["conversations"]] == [conversation]


def test_R5_a_stop_ends_what_runs_on_the_other(site):
    first, other = site.hosts
    talk = Talk(first, site.model, site.tenant, stands_at=3)
    params = chat_params(site.tenant, b"", f"/v1/chat/conversations/{talk.conversation}/stop", HTTP_X_SESSION_ID=talk.session)
    # 202: it had not ended after 5 s, on a busy machine; asked again, it has.
    told = until(lambda: reply if (reply := Connection(other.socket).ask(params)).status != 202 else None, "its end")
    assert told.status == 200
    assert talk.reply.events()[-1]["message"] == "".join(talk.tokens[:2])
    assert exchanges(site.postgres, talk.conversation)[0][0] == "left"


# Each host's own


def test_L5_a_stream_is_heard_as_it_comes_on_its_own_host_alone(start):
    """On the other there are heartbeats until it has ended, then all of it."""
    site = start(heartbeat="1s")
    first, other = site.hosts
    talk = Talk(first, site.model, site.tenant, stands_at=2)
    near, far = talk.hear(), talk.hear(banter=other)
    begins(near, talk)
    begins(far, talk)
    assert near.event() == {"type": "token", "token": "a", "number": 1}
    before = len(far.bytes)
    until(lambda: far.more() and far.bytes[before:].startswith(b"\n"), "a heartbeat")
    talk.go_on()
    assert heard(near.events(), 1)[1]["message"] == TEXT
    text, last = heard(far.events())
    assert (text, last["message"]) == (TEXT, TEXT)


def test_H4_P4_G10_G11_an_address_has_on_each_host_what_it_may(start):
    """The database knows no address (P5): with N hosts an address may have up to N times as much."""
    site = start(address_limit=4, address_open=1, failed_key_limit=2, visitor_new_limit=2)
    key, gate = Pages(site, tenant=False).key, servers.name()
    held = script("?", tokens=["a"], gates={"1": gate})
    for host in site.hosts:
        def asked(address, message="hello", path="/v1/chat", host=host, **more):
            return chat(host.socket, site.tenant, message, path, servers.name(), REMOTE_ADDR=address, **more)

        assert [asked("198.51.100.1").status for _ in range(5)] == [200] * 4 + [429]
        running = asked("198.51.100.2", held, "/v1/chat/stream")
        assert running.status == 200
        assert asked("198.51.100.2").status == 429
        running.connection.close()
        assert [ask(host, site.tenant, REMOTE_ADDR="198.51.100.3", HTTP_AUTHORIZATION="Bearer " + "sk-workspace_" + "x" * 51).status
                for _ in range(3)] == [401, 401, 429]
        page = {"HTTP_X_API_KEY": key, "HTTP_ORIGIN": PAGE}
        assert [asked("198.51.100.4", **page).status for _ in range(3)] == [200, 200, 429]
    site.model.open_gate(gate)


def metrics(host):
    """As its operator sees them, who is on that host."""
    shown = subprocess.run([*host.inside, servers.BUILD / "banterctl", "metrics", "--pid", str(host.process.pid)], check=True,
                           capture_output=True, text=True)
    return exposition.read(shown.stdout)


def test_S14_G8_breakers_and_metrics_are_a_hosts_own(start):
    """The other finds out for itself."""
    site = start(model_url=f"http://{hosts.SERVICES}:9/v1")
    first, other = site.hosts
    until(lambda: ask(first, site.tenant).status == 500 and metrics(first).value("banter_breaker_open", server="default") == 1,
          "its breaker to open")
    assert metrics(other).value("banter_breaker_open", server="default") == 0
    assert metrics(other).value("banter_breakers_opened", server="default") == 0
    assert sum(metrics(first).by("banter_requests", "status").values()) > 0
    assert not metrics(other).by("banter_requests", "status")


# A host is lost


class Pair:
    """Two streams by nginx, which gives each host one, at a gate; of a workspace that may have no third."""

    def __init__(self, site):
        self.site, self.gate = site, servers.name()
        site.grant(10)
        site.sql("update banter_data.workspace set max_open = 2 where workspace = %s", site.tenant.workspace)
        self.marks = servers.name(), servers.name()
        self.streams = []
        for mark in self.marks:
            self.streams.append(Headless(site).stream(script(mark, tokens=["a", "b"], gates={"2": self.gate})))
            assert [next(self.streams[-1])["type"] for _ in range(2)] == ["start", "token"]
        assert Headless(site).json("a third").status_code == 429
        assert site.credits() == 8

    def are_asked_once(self):
        return [len(self.site.model.requests(mark)) for mark in self.marks] == [1, 1]

    def wait_for_a_place(self):
        """Of one that is lost: once its lease has ended."""
        until(lambda: Chatbot(self.site).json("hello").status_code == 200, "a place", 20 * LEASE_S)


def test_a_host_that_dies_costs_its_own_streams_alone(start):
    """They are cut, and asked nowhere else; what they held comes back with their leases. Others are served by the other host."""
    site = start()
    pair = Pair(site)
    lost, left = site.hosts
    lost.cut_power()
    tenant = site.for_new_tenant()
    assert [Headless(tenant).json("hello").status_code for _ in range(8)] == [200] * 8
    pair.wait_for_a_place()
    site.model.open_gate(pair.gate)
    ends = sorted(stream.rest()[-1:] for stream in pair.streams)
    assert [[event["type"] for event in end] for end in ends] == [[], ["done"]]
    assert pair.are_asked_once()
    assert sorted(one["state"] for one in site.exchanges()) == ["done", "done", "lost"]
    assert site.credits() == 8
    lost.start()
    until(lambda: Headless(tenant).json("hello").ok and metrics(lost).by("banter_requests", "status"), "the host found again")


def test_I1_what_ran_on_a_lost_host_runs_anew_on_the_other(start):
    """In its place, once its lease has ended; until then it is in progress."""
    site = start()
    site.grant(10)
    lost, left = site.hosts
    gate, mark = servers.name(), servers.name()
    message = script(mark, tokens=["a"], gates={"1": gate})
    asked = ask(lost, site.tenant, message, HTTP_IDEMPOTENCY_KEY="once")
    site.model.wait(mark)
    lost.cut_power()
    assert not asked.more()
    assert ask(left, site.tenant, message, HTTP_IDEMPOTENCY_KEY="once").status == 409
    site.model.open_gate(gate)
    again = until(lambda: reply if (reply := ask(left, site.tenant, message, HTTP_IDEMPOTENCY_KEY="once")).status != 409 else None,
                  "its lease's end", 20 * LEASE_S)
    assert again.json()["data"]["response"] == "a"
    assert len(site.model.requests(mark)) == 2
    assert [one["state"] for one in site.exchanges()] == ["lost", "done"]
    assert site.credits() == 9


def test_G6_a_host_that_nginx_was_told_of_drains_and_costs_nobody_anything(start):
    """What runs on it ends well, and who comes is served by the other."""
    site = start()
    pair = Pair(site)
    drained, _ = site.hosts
    site.nginx.leave_out(drained)
    drained.process.send_signal(signal.SIGTERM)
    until(lambda: "draining" in drained.text(), "its drain")
    tenant = site.for_new_tenant()
    assert [Headless(tenant).json("hello").status_code for _ in range(8)] == [200] * 8
    site.model.open_gate(pair.gate)
    assert [stream.rest()[-1]["type"] for stream in pair.streams] == ["done", "done"]
    assert drained.end() == 0
    assert pair.are_asked_once() and site.credits() == 8


def test_G6_a_host_that_drains_unannounced_costs_nobody_anything(start):
    """Nobody can connect to it: nginx, which has sent it nothing, asks the other."""
    site = start()
    pair = Pair(site)
    drained, _ = site.hosts
    drained.process.send_signal(signal.SIGTERM)
    until(lambda: not servers.listens(drained.socket), "its refusal")
    tenant = site.for_new_tenant()
    assert [Headless(tenant).json("hello").status_code for _ in range(20)] == [200] * 20
    site.model.open_gate(pair.gate)
    assert [stream.rest()[-1]["type"] for stream in pair.streams] == ["done", "done"]
    assert drained.end() == 0
    assert pair.are_asked_once() and site.credits() == 8


def test_G6_a_host_whose_cable_is_pulled_out(start):
    """Nobody tells nginx: who is sent there waits until that has found out, and is served by the other. What the host held comes
    back, and when it is back itself, it tells nobody that an answer is stored which is not."""
    site = start(database_time="2s", database_connect_time="2s")
    pair = Pair(site)
    lost, _ = site.hosts
    lost.host.pull_out()
    tenant = site.for_new_tenant()
    assert [Headless(tenant).json("hello").status_code for _ in range(8)] == [200] * 8
    pair.wait_for_a_place()
    lost.host.plug_in()
    site.model.open_gate(pair.gate)
    ends = sorted(stream.rest()[-1]["type"] for stream in pair.streams)
    assert ends == ["done", "error"]
    assert pair.are_asked_once()
    assert sorted(one["state"] for one in site.exchanges()) == ["done", "done", "lost"]
    assert site.credits() == 8
    until(lambda: Headless(tenant).json("hello").ok and servers.listens(lost.socket), "the host found again")
