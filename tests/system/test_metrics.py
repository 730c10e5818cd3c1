"""What the pool shows of itself: /metrics, /status, `banterctl metrics` and `status`. Every counter is held against what its
clients counted, after a worker was killed too."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess

import exposition
import pytest
import servers
from ctl import Terminal, ctl
from fastcgi import Connection, chat, chat_body, chat_params, stream
from servers import name, script, until

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


def ask(address, path="/metrics", method="GET", **more):
    """Status, type and text."""
    with Connection(address) as connection:
        reply = connection.ask({"REQUEST_METHOD": method, "REQUEST_URI": path, "REMOTE_ADDR": "127.0.0.1", **more})
        return reply.status, reply.headers.get("Content-Type"), reply.body().decode()


@pytest.fixture
def shown(pool, tmp_path):
    """A pool that shows itself: its status listener is .status."""
    def begin(**settings):
        where = tmp_path / name("status")
        settings.setdefault("status_shows", "all")
        banter = pool(status_listen=f"unix:{where}", **settings)
        banter.status = where
        return banter
    return begin


def metrics(banter):
    status, kind, text = ask(banter.status)
    assert (status, kind) == (200, PLAIN)
    return exposition.read(text)


def of(banter, *words):
    code, out, err = ctl(*words, "--pid", banter.process.pid)
    assert (code, err) == (0, ""), (code, out, err)
    return out


def counted(banter, family, expected, *names):
    """Waits until that is what is counted: a request is counted after its client has its reply."""
    until(lambda: metrics(banter).by(family, *names) == expected,
          f"{family} of {expected}, not of {metrics(banter).by(family, *names)}", 20)


def route(path, status, api="headless"):
    return (api, path, str(status))


STREAM, WHOLE = "/v1/chat/stream", "/v1/chat"


def played(banter, tenant, *tokens, **how):
    reply = stream(banter.socket, tenant, script(name("hello"), tokens=list(tokens), **how))
    return [event["type"] for event in reply.events()]


def test_every_counter_is_what_its_clients_counted(shown, tenant, model, postgres):
    """And stays so when a worker is killed."""
    banter = shown(workers=3)
    tokens, statuses = 0, {}

    def heard(path, status, api="headless"):
        statuses[route(path, status, api)] = statuses.get(route(path, status, api), 0) + 1

    for count in (1, 3, 5):
        types = played(banter, tenant, *"abcde"[:count])
        assert types == ["start", *["token"] * count, "done"]
        tokens += types.count("token")
        heard(STREAM, 200)
    assert chat(banter.socket, tenant, script("whole", tokens=["a", "b"])).status == 200
    tokens += 2
    heard(WHOLE, 200)
    body = chat_body("Hello")
    for params, path, status in (
        ({**chat_params(tenant, body), "HTTP_X_API_KEY": "wrong"}, WHOLE, 401),
        ({**chat_params(tenant, body), "REQUEST_URI": "/nowhere/" + name()}, "none", 404),
        ({**chat_params(tenant, body), "REQUEST_METHOD": "PUT"}, WHOLE, 405),
    ):
        with Connection(banter.socket) as connection:
            assert connection.ask(params, body).status == status
        heard(path, status)
    with Connection(banter.socket) as connection:
        assert connection.ask(chat_params(tenant, b"no json"), b"no json").status == 400
    heard(WHOLE, 400)

    # One that breaks off with its worker: its tokens were seen, its end was not.
    gate = name("gate")
    reply = stream(banter.socket, tenant, script("cut", tokens=["a", "b", "c"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    tokens += 1
    until(lambda: metrics(banter).value("banter_streams_open") == 1, "the open stream")
    (busy,) = [one for one in json.loads(of(banter, "status", "--json"))["processes"] if one["stage"] == "stream"]
    assert (busy["state"], busy["kind"]) == ("busy", "worker") and busy["request"]
    os.kill(busy["pid"], signal.SIGKILL)
    model.open_gate(gate)
    until(lambda: metrics(banter).value("banter_deaths", process="worker", cause="SIGKILL") == 1, "the counted death")
    until(lambda: len(banter.children()) == 3, "the one in its place")
    for _ in range(4):
        assert played(banter, tenant, "x") == ["start", "token", "done"]
        tokens += 1
        heard(STREAM, 200)

    seen = {key: count for key, count in statuses.items()}
    until(lambda: {key: count for key, count in metrics(banter).by("banter_requests", "api", "route", "status").items()
                   if key[1] not in ("/metrics", "/status")} == seen, "all requests", 20)
    now = metrics(banter)
    assert now.value("banter_tokens") == tokens
    assert now.value("banter_exchanges_begun") == 9
    assert now.by("banter_exchanges", "end") == {"done": 8}
    assert now.by("banter_model_requests", "server") == {"default": 9}
    assert now.value("banter_model_failures") == now.value("banter_model_requests_again") == 0
    assert now.value("banter_first_token_seconds", "_count") == 9
    assert now.value("banter_exchange_seconds", "_count") == 8
    assert now.value("banter_token_gap_seconds", "_count") == 2 + 4
    assert now.value("banter_database_call_seconds", "_count", call="exchange_begin") == 9 + 1  # the wrong body's key was judged
    assert now.value("banter_database_call_seconds", "_count", call="exchange_end") == 8
    assert now.value("banter_database_failures") == 0
    assert now.value("banter_streams_open") == 0
    assert now.by("banter_deaths", "process", "cause") == {("worker", "SIGKILL"): 1}
    assert now.value("banter_workers") == 3
    assert now.value("banter_breaker_open", server="default") == 0


def test_each_end_and_each_failure_is_counted(shown, tenant, model):
    banter = shown(workers=2)
    assert played(banter, tenant, "a", "b", cut_after=1) == ["start", "token", "error"]
    assert played(banter, tenant, "a", status=401) == ["start", "error"]
    counted(banter, "banter_exchanges", {"failed": 2}, "end")
    assert metrics(banter).by("banter_model_failures", "server", "cause") == {
        ("default", "status"): 1, ("default", "reset"): 1}
    body = chat_body(script("again", tokens=["a"]))
    for _ in range(2):
        with Connection(banter.socket) as connection:
            reply = connection.ask({**chat_params(tenant, body), "HTTP_IDEMPOTENCY_KEY": "one"}, body)
            assert reply.status == 200
    counted(banter, "banter_exchanges", {"failed": 2, "done": 1, "replayed": 1}, "end")
    assert metrics(banter).value("banter_exchanges_begun") == 3


def test_who_waits_and_who_is_refused_is_counted(shown, tenant, model):
    """While the pool is full the listener says so: /health, /metrics and /status."""
    banter = shown(workers=1, queue_time="1s")
    gate = name("gate")
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    waited = metrics(banter).value("banter_queue_wait_seconds", "_count")  # the first one may have, for the worker's start
    assert chat(banter.socket, tenant, "refused").status == 503
    assert ask(banter.status, "/health")[0] == 200
    now = metrics(banter)
    assert now.value("banter_requests_refused") == 1
    assert now.value("banter_workers", state="busy") == 1
    assert json.loads(ask(banter.status, "/status")[2])["pool"]["refused"] == 1
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    assert metrics(banter).value("banter_queue_wait_seconds", "_count") == waited


def test_who_waited_is_counted_and_seen_waiting(shown, tenant, model):
    banter = shown(workers=1)
    gate = name("gate")
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    waited = metrics(banter).value("banter_queue_wait_seconds", "_count")
    body = chat_body(script("second", tokens=["x"]))
    with Connection(banter.socket) as second:
        second.begin()
        second.params(chat_params(tenant, body))
        second.stdin(body)
        until(lambda: metrics(banter).value("banter_queue_requests") == 1, "the one who waits")
        until(lambda: metrics(banter).value("banter_queue_oldest_seconds") > 0, "its time")
        assert json.loads(of(banter, "status", "--json"))["pool"]["waiting"] == 1
        model.open_gate(gate)
        assert reply.events()[-1]["type"] == "done"
        assert second.record()
    until(lambda: metrics(banter).value("banter_queue_wait_seconds", "_count") == waited + 1, "the one who waited")


def test_G8_nothing_is_shown_unless_a_setting_says_so(shown, tenant):
    """An upgrade publishes nothing, and the web server's own way in never does."""
    banter = shown(workers=1, status_shows="health")
    for path in ("/metrics", "/status"):
        assert ask(banter.status, path)[0] == ask(banter.socket, path)[0] == 404
    assert ask(banter.status, "/health")[0] == 200
    banter = shown(workers=1)
    for path in ("/metrics", "/status"):
        assert ask(banter.status, path)[0] == 200
        assert ask(banter.socket, path)[0] == 404
        assert ask(banter.status, path, "POST")[0] == 405
        assert ask(banter.status, path, "HEAD")[2] == ""


@pytest.mark.parametrize("accept, kind", [
    (None, PLAIN), ("*/*", PLAIN), ("text/plain", PLAIN), (OPENMETRICS, OPENMETRICS),
    # Prometheus 2's own, and 3's.
    ("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
     "text/plain;version=0.0.4;q=0.3,*/*;q=0.2", OPENMETRICS),
    ("application/openmetrics-text;q=0.2, text/plain;q=0.9", PLAIN), ("application/openmetrics-text;q=0", PLAIN),
    ("application/openmetrics-textual", PLAIN),
])
def test_the_form_is_what_Accept_asks_for(accept, kind, shown):
    banter = shown(workers=1)
    status, given, text = ask(banter.status, **({"HTTP_ACCEPT": accept} if accept else {}))
    assert (status, given) == (200, kind)
    exposition.read(text, openmetrics=kind == OPENMETRICS)


def test_no_word_of_a_client_is_a_label(shown, tenant):
    secret = name("mine")
    banter = shown(workers=1)
    body = chat_body(script(secret, tokens=[secret]), session=secret)
    for path in (WHOLE, f"/{secret}", f"/api/v1/chatbots/{secret}/chat"):
        with Connection(banter.socket) as connection:
            connection.ask({**chat_params(tenant, body), "REQUEST_URI": path, "HTTP_X_REQUEST_ID": secret}, body).body()
    until(lambda: metrics(banter).value("banter_requests", api="chatbot", route="/api/v1/chatbots/{chatbot}/chat") == 1,
          "the request of the chatbot API")
    text = ask(banter.status)[2]
    assert secret not in text and tenant.widget_key not in text and tenant.chatbot not in text


def test_promtool_finds_nothing(shown, tenant):
    banter = shown(workers=1)
    assert played(banter, tenant, "a") == ["start", "token", "done"]
    if not shutil.which("promtool"):
        pytest.skip("promtool (Debian's prometheus) is not installed")
    done = subprocess.run(["promtool", "check", "metrics"], input=ask(banter.status)[2], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_banterctl_metrics_says_the_same_without_HTTP(pool, tenant):
    """Where there is no status listener."""
    banter = pool(workers=1)
    assert played(banter, tenant, "a", "b") == ["start", "token", "token", "done"]
    until(lambda: exposition.read(of(banter, "metrics")).value("banter_exchanges") == 1, "the exchange")
    now = exposition.read(of(banter, "metrics", "--openmetrics"), openmetrics=True)
    assert now.value("banter_tokens") == 2
    code, out, err = ctl("metrics", BANTER_LISTEN=f"unix:{banter.socket}")
    assert (code, err) == (0, "") and exposition.read(out).value("banter_tokens") == 2
    code, out, err = ctl("metrics", "--pid", os.getpid())
    assert (code, out) == (1, "") and "is no pool" in err
