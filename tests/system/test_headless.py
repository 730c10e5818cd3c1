"""The headless API, how its exchanges end, and retrying: H1 to H4, S10 row by row, I1, through nginx."""

import os
import re
import signal
import subprocess

import pytest
from servers import BUILD, name, script, until
from site_client import Stream, at_once, site_of_its_own

HOUR = 3600  # no test lives to see the end of such a window
PRICE = 3
INTERNAL = {"error": "Internal server error"}
TWIN = {"/v1/chat": "/v1/chat/stream", "/v1/chat/stream": "/v1/chat"}


# H1


def test_H1_the_bodies_of_the_page(site):
    reply = site.chat(script("Hello", tokens=["We are", " here"]), "user-123")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/json")
    conversation = site.exchanges("user-123")[0]["conversation"]
    assert reply.json() == {"conversationId": conversation, "message": "We are here"}
    assert site.chat("More", "user-123").json()["conversationId"] == conversation
    assert site.chat("Other", "user-124").json()["conversationId"] != conversation


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream", "/chat"])
def test_H1_refusals(site, path):
    """All before `start`, so that the stream's paths answer them with a status and JSON as well."""
    poor = site.for_new_tenant()
    poor.grant(0)

    def ask(one=site, headers=None, **options):
        options.setdefault("json", one.body("Hello", "s"))
        return one.request("POST", path, headers, **options)

    assert ask(headers={"Idempotency-Key": "k"}).status_code == 200
    for reply, status, words in (
        (ask(data="{", json=None), 400, "Invalid request payload"),
        (ask(headers={"x-api-key": "no"}), 401, "Unauthorized"),
        (ask(key=False), 401, "Unauthorized"),
        (ask(poor), 402, "Insufficient credits"),
        (site.request("POST", path + "/x", json={}), 404, "Not found"),
        (site.request("GET", path), 405, "Method not allowed"),
        (site.request("PUT", path, json={}), 405, "Method not allowed"),
        (ask(headers={"Idempotency-Key": "k"}, json=site.body("Other", "s")), 409, "Idempotency key reused"),
    ):
        assert (reply.status_code, reply.json()) == (status, {"error": words})
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.headers.get("Allow") == ("POST" if status == 405 else None)
    assert len(site.exchanges()) == 1 and poor.exchanges() == []


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 401}, {"drop": True}, {"cut_after": 1}, {"empty": True}],
                         ids=str)
def test_H1_500(site, fault):
    reply = site.chat(script("Hello", tokens=["a", "b"] if "empty" not in fault else [], **fault))
    assert (reply.status_code, reply.json()) == (500, INTERNAL)


# H2


SESSIONS = {
    "a": True, "user-123": True, "A.b_c:d-9": True, "::": True, "x" * 128: True,
    "": False, "x" * 129: False, "a b": False, "a/b": False, "a\n": False, "é": False, "a,b": False, " a": False,
    "a\u0663": False, "a+b": False, "a@b": False,
}


@pytest.mark.parametrize("session", SESSIONS, ids=lambda text: repr(text[:9]))
def test_H2_session_ids(site, session):
    reply = site.request("POST", "/v1/chat", json={"sessionId": session, "message": "m"})
    assert reply.status_code == (200 if SESSIONS[session] else 400)
    rows = site.sql("select session from banter_data.conversation where workspace = %s", site.tenant.workspace)
    assert rows == ([(session,)] if SESSIONS[session] else [])


def test_H2_sessions_are_per_chatbot_and_told_apart_by_case(site):
    other = site.for_new_tenant()
    ids = {site.chat("m", "s").json()["conversationId"], site.chat("m", "S").json()["conversationId"],
           other.chat("m", "s").json()["conversationId"]}
    assert len(ids) == 3


@pytest.mark.parametrize("x_api_key, x_widget_api_key, status", [
    ("good", None, 200), (None, "good", 200), ("good", "good", 200), ("good", "bad", 200), ("good", "", 200),
    ("bad", "good", 401), ("", "good", 401), ("", None, 401), (None, "", 401), (None, None, 401),
    (None, "bad", 401),
])
@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream", "/chat"])
def test_H2_key_headers(site, path, x_api_key, x_widget_api_key, status):
    values = {"good": site.tenant.widget_key, "bad": "bad", "": ""}
    headers = {header: values[value] for header, value in
               (("x-api-key", x_api_key), ("X-Widget-Api-Key", x_widget_api_key)) if value is not None}
    assert site.request("POST", path, headers, key=False, json=site.body("Hello")).status_code == status


# H3


@pytest.mark.parametrize("path", ["/v1/chat/stream", "/chat"])
def test_H3_events_of_the_page(site, path):
    """Members, and one JSON object a line, each line ended."""
    reply = site.stream(script("Hello", tokens=["a\nb", "c"]), path=path).response
    conversation = site.exchanges()[0]["conversation"]
    assert reply.headers["Content-Type"] == "application/x-ndjson"
    assert reply.content.decode() == (
        '{"type":"start","conversationId":"%s"}\n{"type":"token","token":"a\\nb"}\n{"type":"token","token":"c"}\n'
        '{"type":"done","message":"a\\nbc","conversationId":"%s"}\n' % (conversation, conversation))


def test_H3_after_start_a_failure_is_an_event(site):
    stream = site.stream(script("Hello", status=500))
    assert stream.status == 200
    events = stream.rest()
    assert [sorted(event) for event in events] == [["conversationId", "type"], ["error", "type"]]
    assert events[1] == {"type": "error", "error": "Internal server error"}


# H4


@pytest.mark.parametrize("workers", [1, 4])
def test_H4_exactly_as_many_as_the_limit_pass(start, workers):
    """However many come at once, to whichever worker and path."""
    site = start(workers=workers, address_limit=7, address_window=HOUR)
    paths = ["/v1/chat", "/v1/chat/stream", "/chat"]
    replies = at_once(30, lambda n: site.request("POST", paths[n % 3], json=site.body("Hello")))
    assert sorted(reply.status_code for reply in replies) == [200] * 7 + [429] * 23
    for reply in replies:
        if reply.status_code == 429:
            assert reply.json() == {"error": "Too many requests"}
            assert 1 <= int(reply.headers["Retry-After"]) <= HOUR
        else:
            assert "Retry-After" not in reply.headers
    assert len(site.exchanges()) == 7


def test_H4_a_new_window_after_retry_after(start):
    """The shortest window there is: a refusal comes, says one second, and passes."""
    site = start(workers=2, address_limit=1, address_window=1)
    assert site.chat("Hello").status_code == 200

    def ask(status):
        reply = site.chat("Hello")
        return [reply.headers] if reply.status_code == status else None

    (headers,) = until(lambda: ask(429), "a refusal")  # the first request's window may be over just now
    assert headers["Retry-After"] == "1"
    until(lambda: ask(200), "the next window")


def test_H4_zero_is_no_limit(start):
    site = start(workers=2, address_limit=0)
    assert [site.chat("Hello").status_code for _ in range(40)] == [200] * 40


def test_H4_the_default_is_thirty_a_minute(start):
    """The number in a window that no test outlives; the minute by what the program says of itself."""
    site = start(workers=2, address_window=HOUR)
    site.banter.end()
    del site.banter.env["BANTER_ADDRESS_LIMIT"]
    site.banter.start()
    assert [site.chat("Hello").status_code for _ in range(35)] == [200] * 30 + [429] * 5
    said = subprocess.run([BUILD / "banter.fcgi", "--help"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^ +BANTER_ADDRESS_WINDOW=(\S+)$", said, re.M)[1] in ("60s", "1m")


def test_H4_the_chatbots_own_limit_does_not_apply_but_credits_do(site):
    site.configure(rate_limit=0, price=3)
    site.grant(6)
    replies = [site.chat("Hello") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 402]
    assert not [header for reply in replies for header in reply.headers if header.lower().startswith("x-ratelimit")]
    assert site.chatbot("Hello").status_code == 429


def test_H4_a_flood_never_reaches_the_database(standin):
    """Beyond the limit 429 is told though there is no database to ask."""
    with site_of_its_own(standin, workers=2, address_limit=2, address_window=HOUR) as site:
        assert [site.chat("Hello").status_code for _ in range(2)] == [200, 200]
        site.postgres.stop()
        assert [site.chat("Hello").status_code for _ in range(20)] == [429] * 20


# S10. Each row: what the client sees, what is charged, what the next request's history holds, what the same
# Idempotency-Key gives later. A tenant here has 100 credits and its chatbot costs 3.


@pytest.fixture
def metered(site):
    return meter(site)


def meter(site):
    site.configure(price=PRICE)
    site.grant(100)
    return site


def spent(site):
    return 100 - site.credits()


def history(site, session):
    """What the model sees of this session, without the system prompt and directives. It leaves no trace."""
    mark, workspace = name("look"), site.tenant.workspace
    assert site.chat(mark, session).status_code == 200
    (record,) = [one for one in site.model.requests(mark) if mark in one["body"]["messages"][-1]["content"]]
    site.sql("delete from banter_data.exchange where workspace = %s and question = %s", workspace, mark)
    site.sql("update banter_data.workspace set credits = credits + %s where workspace = %s", PRICE, workspace)
    site.sql("""insert into banter_data.ledger (workspace, delta, balance_after, kind)
        select workspace, %s, credits, 'grant' from banter_data.workspace where workspace = %s""", PRICE, workspace)
    return [message["content"].split(" @@")[0] for message in record["body"]["messages"][1:-1]]


class Attempt:
    """One request that can be sent again, byte for byte, with its Idempotency-Key."""

    def __init__(self, site, message, path="/v1/chat/stream"):
        self.site, self.path = site, path
        self.session, self.key = name(), name("key")
        self.body = site.body(message, self.session)

    def send(self, path=None, stream=False):
        return self.site.request(
            "POST", path or self.path, {"Idempotency-Key": self.key}, json=self.body, stream=stream)

    def ends(self, path=None):
        """("done", text), ("error", None), or the status of a JSON reply with its text."""
        path = path or self.path
        reply = self.send(path)
        if path == "/v1/chat" or reply.status_code != 200:
            return reply.status_code, reply.json().get("message")
        last = Stream(reply).rest()[-1]
        return last["type"], last.get("message")

    def begin(self):
        """The reply as a Stream, not yet read."""
        return Stream(self.send(stream=True))

    def question(self):
        return self.body["message"].split(" @@")[0]

    def asked(self):
        """How often the model was asked this."""
        return len([one for one in self.site.model.requests(self.question())
                    if one["body"]["messages"][-1]["content"] == self.body["message"]])

    def states(self):
        return [(row["state"], row["answer"] or "") for row in self.site.exchanges(self.session)]


@pytest.mark.parametrize("path", TWIN)
@pytest.mark.parametrize("finish", ["stop", "length", "content_filter", "never_heard_of", None])
def test_S10_finished_with_text(metered, finish, path):
    """done; charged; in history; the same answer again, in either form, without another of anything."""
    attempt = Attempt(metered, script(name(), tokens=["a", "b"], finish=finish), path)
    end = "done" if path.endswith("stream") else 200
    assert attempt.ends() == (end, "ab")
    assert (attempt.states(), spent(metered)) == ([("done", "ab")], PRICE)
    assert metered.exchanges(attempt.session)[0]["finish_reason"] == finish
    assert attempt.ends() == (end, "ab")
    assert attempt.ends(TWIN[path]) == (200 if path.endswith("stream") else "done", "ab")
    assert (attempt.states(), spent(metered), attempt.asked()) == ([("done", "ab")], PRICE, 1)
    assert history(metered, attempt.session) == [attempt.question(), "ab"]


def leave(attempt, tokens):
    """The client goes once it holds so many tokens; returns when the exchange has ended."""
    stream = attempt.begin()
    assert [next(stream)["type"] for _ in range(tokens + 1)] == ["start"] + ["token"] * tokens
    stream.close()
    until(lambda: attempt.states()[-1][0] != "running", "the exchange's end")


def test_S10_client_left_after_some_text(metered):
    """charged; in history as far as it came; the same key runs anew in its place, without a second charge."""
    gate = name("gate")
    attempt = Attempt(metered, script(name(), tokens=["a", "b", "c"], gates={"3": gate}))
    leave(attempt, 2)
    assert (attempt.states(), spent(metered)) == ([("left", "ab")], PRICE)
    assert history(metered, attempt.session) == [attempt.question(), "ab"]
    metered.chat(script("between", tokens=["x"]), attempt.session)
    assert spent(metered) == 2 * PRICE

    metered.model.open_gate(gate)
    assert attempt.ends() == ("done", "abc")
    assert attempt.asked() == 2
    assert attempt.states() == [("replaced", "ab"), ("done", "abc"), ("done", "x")]
    assert spent(metered) == 2 * PRICE
    assert history(metered, attempt.session) == [attempt.question(), "abc", "between", "x"]
    # And from here on it is the finished one's.
    assert attempt.ends() == ("done", "abc")
    assert (attempt.asked(), spent(metered)) == (2, 2 * PRICE)


def test_S10_client_left_and_the_next_run_fails(metered):
    """What came the first time stays, and stays charged, until a run with text takes its place."""
    gate = name("gate")
    attempt = Attempt(metered, script(name(), tokens=["a", "b"], gates={"2": gate}, cut_after=1))
    leave(attempt, 1)
    metered.model.open_gate(gate)
    assert attempt.ends() == ("error", None)
    assert attempt.states() == [("left", "a"), ("failed", "a")]
    assert (spent(metered), history(metered, attempt.session)) == (PRICE, [attempt.question(), "a"])


FAILED = {
    "cut": {"cut_after": 2},
    "ended early": {"end_after": 2},
    "an error event": {"error_after": 2},
    "given up": {"finish": "error"},
    "no end": {"finish": None, "no_done": True},
}


@pytest.mark.parametrize("path", TWIN)
@pytest.mark.parametrize("fault", FAILED)
def test_S10_failed_after_some_text(metered, fault, path):
    """error; no charge; not in history, kept as partial; the same key runs anew."""
    attempt = Attempt(metered, script(name(), tokens=["a", "b"], **FAILED[fault]), path)
    end = ("error", None) if path.endswith("stream") else (500, None)
    for run in (1, 2):
        assert attempt.ends() == end
        assert (attempt.states(), spent(metered), attempt.asked()) == ([("failed", "ab")] * run, 0, run)
    assert all(row["error"] for row in metered.exchanges(attempt.session))
    assert history(metered, attempt.session) == []


@pytest.mark.parametrize("path", TWIN)
def test_S10_capped(start, path):
    """Longer than BANTER_ANSWER_BYTES: what fitted is the partial answer."""
    site = meter(start(workers=1, answer_bytes=1024))
    attempt = Attempt(site, script(name(), tokens=["x" * 600, "y" * 600]), path)
    assert attempt.ends() == (("error", None) if path.endswith("stream") else (500, None))
    assert (attempt.states(), spent(site)) == ([("failed", "x" * 600)], 0)


def test_S10_drained(start):
    """A pool that has to stop ends what does not finish in time, and says so."""
    site = meter(start(workers=1, drain_time=0.2))
    attempt = Attempt(site, script(name(), tokens=["a", "b"], gates={"2": name("gate")}))
    stream = attempt.begin()
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    site.banter.process.send_signal(signal.SIGTERM)
    assert [event["type"] for event in stream.rest()] == ["error"]
    assert (attempt.states(), spent(site)) == ([("failed", "a")], 0)


# ... and how many requests to the model they cost.
SILENT = {
    "status 500": ({"status": 500}, 4),
    "status 401": ({"status": 401}, 1),
    "dropped": ({"drop": True}, 4),
    "cut at once": ({"cut_after": 0}, 4),
    "finished empty": ({"empty": True}, 1),
    "deltas without text": ({"tokens": ["", None]}, 1),
}


@pytest.mark.parametrize("path", TWIN)
@pytest.mark.parametrize("fault", SILENT)
def test_S10_without_any_text(metered, fault, path):
    """error, JSON 500; no charge; not in history; the same key runs anew."""
    directive, requests = SILENT[fault]
    attempt = Attempt(metered, script(name(), **directive), path)
    end = ("error", None) if path.endswith("stream") else (500, None)
    for run in (1, 2):
        assert attempt.ends() == end
        assert (attempt.states(), spent(metered)) == ([("failed", "")] * run, 0)
        assert attempt.asked() == run * requests
    assert history(metered, attempt.session) == []


def test_S10_client_left_before_any_text(metered):
    """Failed without text, though nobody is there to be told."""
    attempt = Attempt(metered, script(name(), tokens=["a"], gates={"1": name("gate")}))
    leave(attempt, 0)
    assert (attempt.states(), spent(metered)) == ([("failed", "")], 0)
    assert history(metered, attempt.session) == []


def test_S10_worker_died(start):
    """A cut stream; 409 until the lease ends, then anew; the reservation returns."""
    site = meter(start(workers=1))
    gate = name("gate")
    attempt = Attempt(site, script(name(), tokens=["a", "b"], gates={"2": gate}))
    stream = attempt.begin()
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    (worker,) = site.banter.children()
    os.kill(worker, signal.SIGKILL)
    assert stream.rest() == []
    site.model.open_gate(gate)
    reply = attempt.send()
    assert (reply.status_code, reply.json()) == (409, {"error": "Request in progress"})
    assert int(reply.headers["Retry-After"]) > 0
    assert (attempt.states(), spent(site)) == ([("running", "")], PRICE)
    assert history(site, attempt.session) == []

    site.sql("""update banter_data.exchange set lease_until = now() - interval '1 s'
        where workspace = %s and state = 'running'""", site.tenant.workspace)
    assert attempt.ends() == ("done", "ab")
    assert (attempt.states(), spent(site)) == ([("lost", ""), ("done", "ab")], PRICE)
    assert history(site, attempt.session) == [attempt.question(), "ab"]


def test_S10_refused_before_start(metered):
    """A status; not remembered: the same key is new when the reason has gone."""
    metered.grant(PRICE - 1)
    attempt = Attempt(metered, script(name(), tokens=["a"]))
    assert attempt.ends() == (402, None)
    assert (attempt.states(), metered.credits(), attempt.asked()) == ([], PRICE - 1, 0)
    workspace = metered.tenant.workspace
    assert metered.sql("select 1 from banter_data.conversation where workspace = %s", workspace) == []
    metered.grant(PRICE)
    assert attempt.ends() == ("done", "a")
    assert (attempt.states(), metered.credits()) == ([("done", "a")], 0)


def test_S10_credits_of_many_at_once(metered):
    """Four are paid for; never below zero, and all else is 402."""
    metered.grant(4 * PRICE + 1)
    replies = at_once(16, lambda n: metered.chat(script("Hello", tokens=["a"])))
    assert sorted(reply.status_code for reply in replies) == [200] * 4 + [402] * 12
    assert metered.credits() == 1


# I1


@pytest.mark.parametrize("path", TWIN)
def test_I1_a_stream_replays_as_events(metered, path):
    """The same conversation and text; joined tokens are the message."""
    attempt = Attempt(metered, script(name(), tokens=["a", "b"]), path)
    first = attempt.send("/v1/chat").json()
    events = Stream(attempt.send("/v1/chat/stream")).rest()
    assert events[0] == {"type": "start", "conversationId": first["conversationId"]}
    assert "".join(event["token"] for event in events[1:-1]) == first["message"]
    assert events[-1] == {"type": "done", "message": first["message"], "conversationId": first["conversationId"]}
    assert attempt.send("/v1/chat").json() == first


def test_I1_while_the_first_runs(metered):
    gate = name("gate")
    attempt = Attempt(metered, script(name(), tokens=["a", "b"], gates={"2": gate}))
    stream = attempt.begin()
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    for path in TWIN:
        reply = attempt.send(path)
        assert (reply.status_code, reply.json()) == (409, {"error": "Request in progress"})
        assert int(reply.headers["Retry-After"]) > 0
    metered.model.open_gate(gate)
    assert [event["type"] for event in stream.rest()] == ["token", "done"]
    assert (attempt.ends(), attempt.asked(), spent(metered)) == (("done", "ab"), 1, PRICE)


def test_I1_many_at_once_run_once(metered):
    attempt = Attempt(metered, script(name(), tokens=["a"]), "/v1/chat")
    replies = at_once(8, lambda n: attempt.send())
    assert {reply.status_code for reply in replies} <= {200, 409}
    assert (attempt.states(), attempt.asked(), spent(metered)) == ([("done", "a")], 1, PRICE)
    assert attempt.ends() == (200, "a")


def test_I1_another_body(metered):
    """Even one that means the same; the first answer stays."""
    attempt = Attempt(metered, script(name(), tokens=["a"]), "/v1/chat")
    assert attempt.ends() == (200, "a")
    same = dict(reversed(attempt.body.items()))
    reply = metered.request("POST", "/v1/chat", {"Idempotency-Key": attempt.key}, json=same)
    assert (reply.status_code, reply.json()) == (409, {"error": "Idempotency key reused"})
    assert (attempt.ends(), attempt.asked()) == ((200, "a"), 1)


@pytest.mark.parametrize("key, status", [
    ("x", 200), ("x" * 255, 200), ("~ !\"#", 200), ("", 400), ("x" * 256, 400), ("é".encode(), 400), ("a\tb", 400),
], ids=["one", "255", "printable", "empty", "256", "é", "tab"])
def test_I1_what_a_key_may_be(site, key, status):
    assert site.chat("Hello", headers={"Idempotency-Key": key}).status_code == status


def test_I1_keys_are_per_api_key(site):
    """Another tenant's same key is another, and without one nothing is remembered."""
    other = site.for_new_tenant()
    body = site.body("Hello", "s")
    ids = {one.request("POST", "/v1/chat", headers, json=body).json()["conversationId"]
           for one in (site, other) for headers in ({"Idempotency-Key": "k"}, {})}
    assert len(ids) == 2
    assert [len(one.exchanges()) for one in (site, other)] == [2, 2]


def test_I1_remembered_for_a_day(metered):
    attempt = Attempt(metered, script(name(), tokens=["a"]), "/v1/chat")
    for age, asked in (("23 hours 59 minutes", 1), ("24 hours 1 second", 2)):
        attempt.ends()
        metered.sql("update banter_data.idempotency set created_at = now() - %s::interval where workspace = %s",
                    age, metered.tenant.workspace)
        assert attempt.ends() == (200, "a")
        assert attempt.asked() == asked
