"""Full is said: admission, the queue, and the status listener. Gates keep the workers busy."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

import pytest

import servers
from ctl import ctl
from fastcgi import STDIN, Connection, Cut, Reply, begun, chat, chat_body, chat_params, in_time, record, records
from servers import BUILD, name, script, until
from site_client import at_once
from test_fastcgi import BREAKS, SAID, check_no_header_of_theirs
from test_pool import alive, end_of, exchange_state, logged

SHORT = "200ms"
NEVER = name("never")
FULL = {
    "headless": {"error": "Service unavailable"},
    "chatbot": {"success": False, "error": "Service unavailable", "code": "SERVICE_UNAVAILABLE"},
}


HEALTH = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/health", "REMOTE_ADDR": "127.0.0.1"}


def busy(banter, tenant, gate, count):
    """Keeps so many workers busy until the gate opens; the streams, begun."""
    replies = []
    for n in range(count):
        text = script(name("busy"), tokens=["a", "b"], gates={"2": gate})
        replies.append(begun(banter.socket, tenant, text, ["start", "token"], session=name("busy")))
    return replies


def finish(replies):
    """Reads them to their ends, which must be good ones."""
    for reply in replies:
        assert reply.events()[-1]["type"] == "done"
        reply.connection.close()


def told(reply):
    """The status and body of a reply; then its client closes, as a web server does: libfcgi waits for that."""
    try:
        return reply.status, reply.json()
    finally:
        reply.connection.close()


def admission(banter):
    return until(lambda: banter.children("admit"), "the admission process")[0]


def stages(banter):
    """What each of its processes does now, by process id, as the scoreboard says."""
    before = len(banter.text())
    expected = len(banter.children()) + len(banter.children("admit")) + len(banter.children("stopper"))
    banter.process.send_signal(signal.SIGUSR1)

    def shown():
        found = re.findall(r"\(pid (\d+)\): (.*) for .* age ", banter.text()[before:])
        return len(found) >= expected and {int(pid): stage for pid, stage in found}

    return until(shown, "the scoreboard in the log")


def held(banter):
    """Waits until the admission process has let somebody in."""
    pid = admission(banter)
    until(lambda: stages(banter).get(pid) == "hold", "somebody who is held")


@contextlib.contextmanager
def stopped(pid):
    """What happens meanwhile it sees when all of it has happened."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: "\nState:\tT" in open(f"/proc/{pid}/status", encoding="ascii").read(), "its stop")
    yield
    os.kill(pid, signal.SIGCONT)


def wakeups(pid):
    """How often a process gave up the processor by itself, once it does nothing."""
    def asleep():
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            told = dict(line.split(":\t", 1) for line in status)
        return told["State"].startswith("S") and [int(told["voluntary_ctxt_switches"])]

    return until(asleep, "its sleep")[0]


def send(banter, tenant, text, session=None, **more):
    """A request that is sent and not waited for."""
    return chat(banter.socket, tenant, text, session=session or name("s"), **more)


# Refusing


@pytest.mark.parametrize("api", list(FULL))
def test_G6_a_request_that_waited_BANTER_QUEUE_TIME_gets_503(start, model, api):
    """In its API's words, with Retry-After, and with the headers of every reply (G5, G7)."""
    site = start(workers=2, queue_time=SHORT, allowed_origins="https://example.com")
    gate = name("gate")
    running = busy(site.banter, site.tenant, gate, 2)
    headers = {"X-Request-Id": "mine-1", "Origin": "https://example.com"}
    ask = site.chat if api == "headless" else site.chatbot
    refused = ask("Hello", headers=headers)
    assert (refused.status_code, refused.json()) == (503, FULL[api])
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["Content-Type"] == "application/json"
    assert refused.headers["X-Request-Id"] == "mine-1"
    assert refused.headers["Cache-Control"] == "no-store"
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert refused.headers["Referrer-Policy"] == "no-referrer"
    assert refused.headers["Access-Control-Allow-Origin"] == "https://example.com"
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]
    assert refused.headers["Vary"] == "Origin"
    line = logged(site.banter, r"\[(\d+)\] request=mine-1 .* status=503 .*")[0]
    assert int(line[1]) == admission(site.banter)
    assert 'cause="no worker was free in time"' in line[0]
    assert "Hello" not in site.banter.text()
    model.open_gate(gate)
    finish(running)
    until(lambda: ask(script("Hello", tokens=["fine"])).status_code == 200, "an answer")


def test_G1_G6_full_comes_after_404_and_405_and_before_all_others(start, model):
    """And a preflight is answered as ever."""
    site = start(workers=1, queue_time=SHORT, allowed_origins="https://example.com")
    gate = name("gate")
    running = busy(site.banter, site.tenant, gate, 1)
    assert site.request("POST", "/nowhere").status_code == 404
    refused = site.request("GET", "/v1/chat")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert site.request("POST", "/v1/chat", key=False, data="no json").status_code == 503
    assert site.request("GET", "/health").status_code == 503
    preflight = site.request("OPTIONS", "/v1/chat", {
        "Origin": "https://example.com", "Access-Control-Request-Method": "POST"}, key=False)
    assert preflight.status_code == 204
    model.open_gate(gate)
    finish(running)


def test_G6_a_body_of_64_KiB_does_not_cost_the_client_its_503(start):
    site = start(workers=1, queue_time=SHORT)
    running = busy(site.banter, site.tenant, NEVER, 1)
    refused = site.request("POST", "/v1/chat", data=b"x" * 65536)
    assert (refused.status_code, refused.json()) == (503, FULL["headless"])
    assert logged(site.banter, "status=503")


def test_G6_many_that_come_at_once_are_all_told(pool, tenant, model):
    banter = pool(workers=2, queue_time="2s")  # time enough to send a request
    gate = name("gate")
    running = busy(banter, tenant, gate, 2)
    replies = [send(banter, tenant, "Hello") for _ in range(200)]
    for reply in replies:
        assert told(reply) == (503, FULL["headless"])
        assert reply.whole
    model.open_gate(gate)
    finish(running)


def test_G6_one_who_does_not_send_its_request_delays_nobody(pool, tenant):
    """Its connection is closed when its time is over."""
    banter = pool(workers=1, queue_time=SHORT)
    running = busy(banter, tenant, NEVER, 1)
    with Connection(banter.socket) as silent, Connection(banter.socket) as half:
        with contextlib.suppress(BrokenPipeError):  # its time may be over already
            half.begin()
        assert in_time(lambda: told(send(banter, tenant, "Hello"))) == (503, FULL["headless"])
        assert silent.ended() and half.ended()


def test_G6_one_whose_body_is_still_on_its_way_is_told(pool, tenant):
    banter = pool(workers=1, queue_time=SHORT)
    running = busy(banter, tenant, NEVER, 1)

    def half():
        with Connection(banter.socket) as slow:
            slow.begin()
            slow.params(chat_params(tenant, b"x" * 100))
            slow.stdin(b"x" * 50, end=False)
            refused = Reply(slow)
            return refused.status, refused.json()

    assert in_time(half) == (503, FULL["headless"])


def test_G6_one_who_sends_on_behind_its_503_is_read(pool, tenant):
    """A web server that finds the connection closed as it writes may drop the reply that it has, as Apache does; one who
    never comes to an end is closed. Others are told meanwhile."""
    banter = pool(workers=1, queue_time=SHORT)
    running = busy(banter, tenant, NEVER, 1)
    body = b"x" * 65536

    def late():
        with Connection(banter.socket) as slow:
            slow.begin()
            slow.params(chat_params(tenant, body))
            slow.stdin(body[:1000], end=False)
            refused = Reply(slow)
            assert (refused.status, refused.json(), refused.whole) == (503, FULL["headless"], True)
            assert slow.ended()
            return slow.socket.dup()

    for _ in range(2):
        slow = in_time(late)
        slow.sendall(records(STDIN, body[1000:30000], end=False))
        assert in_time(lambda: told(send(banter, tenant, "Hello"))) == (503, FULL["headless"])
        slow.sendall(records(STDIN, body[30000:]))
        slow.close()


def test_G5_G6_no_value_makes_a_header_of_its_own_where_all_are_busy(pool, tenant, model):
    """The admission process says what a worker does."""
    banter, gate = pool(workers=1, queue_time=SHORT, allowed_origins="https://listed.example"), name("gate")
    running = busy(banter, tenant, gate, 1)
    body = chat_body("hello")
    for variable in "HTTP_X_REQUEST_ID", "HTTP_ORIGIN", "REQUEST_URI", "REQUEST_METHOD":
        params = chat_params(tenant, body)
        params[variable] = BREAKS[0].replace(b"%s", SAID[variable])
        with Connection(banter.socket) as connection:
            reply = connection.ask(params, body)
            reply.body()
            assert reply.status in (404, 405, 503)
            check_no_header_of_theirs(reply)
    model.open_gate(gate)
    finish(running)


def test_G6_one_who_sends_on_for_ever_is_closed(pool, tenant):
    """After BANTER_REQUEST_TIME."""
    banter = pool(workers=1, queue_time=SHORT, request_time=0.5)
    running = busy(banter, tenant, NEVER, 1)

    def cut():
        with Connection(banter.socket) as slow:
            slow.begin()
            slow.params(chat_params(tenant, b"x" * 100))
            slow.stdin(b"x" * 50, end=False)
            assert Reply(slow).status == 503
            with pytest.raises(OSError):
                until(lambda: slow.send(record(STDIN, b"x")), "its end")
            return True

    assert in_time(cut)


def test_G6_a_client_that_leaves_while_it_waits_costs_nothing(pool, tenant, model, postgres):
    """No exchange is begun for it, and those behind it are served."""
    banter = pool(workers=1)
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    gone = send(banter, tenant, "gone")
    held(banter)
    gone.connection.close()
    behind = send(banter, tenant, script("behind", tokens=["fine"]))
    model.open_gate(gate)
    assert told(behind)[1]["message"] == "fine"
    finish(running)
    assert exchange_state(postgres, tenant) == ["done"] * 2


# Waiting


def test_G6_one_that_waited_is_served_when_a_worker_becomes_free(start, model):
    site = start(workers=1)
    gate = name("gate")
    running = busy(site.banter, site.tenant, gate, 1)
    waiting = site.call("/v1/chat", site.body(script("Hello", tokens=["fine"])))
    held(site.banter)
    model.open_gate(gate)
    waiting.settimeout(servers.PATIENCE)
    assert waiting.recv(65536).startswith(b"HTTP/1.1 200")
    waiting.close()
    finish(running)


def test_G6_all_20_behind_2_workers_are_served_once_and_in_order(pool, tenant, model, postgres):
    banter = pool(workers=2)
    first, second = name("gate"), name("gate")
    one, other = busy(banter, tenant, first, 1), busy(banter, tenant, second, 1)
    replies = []
    for n in range(20):
        with stopped(admission(banter)):  # who has only connected when it looks waits from their first byte on
            replies.append(send(banter, tenant, script(f"{n}", tokens=[f"answer {n}"])))
        if n in (0, 10):
            held(banter)
    model.open_gate(first)
    assert [told(reply)[1]["message"] for reply in replies] == [f"answer {n}" for n in range(20)]
    finish(one)
    model.open_gate(second)
    finish(other)
    # One worker alone served them: the order of its log is the order it took them in.
    rows = postgres.run(
        "select question from banter_data.exchange where workspace = %s and question like '%%answer%%'"
        " order by started_at", tenant.workspace)
    assert [json.dumps(f"answer {n}") in row[0] for n, row in enumerate(rows)] == [True] * 20
    assert exchange_state(postgres, tenant) == ["done"] * 22


@pytest.fixture
def many_descriptors():
    """This process holds the ends of 900 clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.skip(f"this user may have only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_G6_more_than_a_socket_holds_wait_too(many_descriptors, pool, tenant, model, postgres):
    """The queue in the kernel is full at a few hundred; the admission process keeps the others."""
    banter = pool(workers=2, address_limit=0)
    gate = name("gate")
    running = busy(banter, tenant, gate, 2)
    clients = [Connection(banter.socket) for _ in range(900)]
    held(banter)
    until(lambda: servers.descriptors(admission(banter)) > 100, "those the queue has no room for")
    for client in clients:
        client.begin()
        client.params(HEALTH)
        client.stdin()
    model.open_gate(gate)
    assert [told(Reply(client)) for client in clients] == [(200, {"status": "ok"})] * 900


def test_beyond_BANTER_BACKLOG_the_newest_is_refused_and_the_oldest_are_kept(pool, tenant, model):
    banter = pool(workers=1, backlog=50)
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    replies = []

    def refused():
        for _ in range(40):
            replies.append(Connection(banter.socket).ask(HEALTH))
        return "status=503" in banter.text()

    until(refused, "a refusal")
    model.open_gate(gate)
    got = []
    for reply in replies:
        try:
            got.append(told(reply)[0])
        except Cut:
            got.append("cut")  # its request had not come when it was refused
    served = got.index(next(status for status in got if status != 200))
    assert served > 50
    assert set(got[:served]) == {200} and set(got[served:]) <= {503, "cut"} | {200}
    finish(running)


def test_without_BANTER_QUEUE_TIME_there_is_no_admission_process(pool, tenant, model):
    banter = pool(workers=1, queue_time=0)
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    waiting = send(banter, tenant, script("Hello", tokens=["fine"]))
    assert banter.children("admit") == []
    model.open_gate(gate)
    assert told(waiting)[1]["message"] == "fine"
    finish(running)


def test_an_idle_pool_does_not_wake_its_admission_process(pool, tenant, model):
    """Also where the only idle worker is younger than the admission process, once that has seen it."""
    banter = pool(workers=2)
    pid = admission(banter)
    old = banter.children()
    os.kill(old[1], signal.SIGTERM)
    (young,) = until(lambda: len(now := banter.children()) == 2 and set(now) - set(old), "the replacement")
    gate = name("gate")

    def serve():
        """One request, once that worker waits for one."""
        until(lambda: stages(banter)[young] == "idle", "an idle worker")
        assert told(send(banter, tenant, script("Hello", tokens=["fine"])))[1]["message"] == "fine"

    until(lambda: stages(banter)[young] == "idle", "the new worker's start")
    until(lambda: stages(banter)[pid] == "idle", "the start of admission")
    running = busy(banter, tenant, gate, 1)
    serve()
    before, served = wakeups(pid), 20
    for _ in range(served):
        serve()
    assert wakeups(pid) - before < served  # a request that wakes it does so twice or more
    model.open_gate(gate)
    finish(running)
    assert admission(banter) == pid


def test_G6_a_storm_on_few_workers_loses_nothing(pool, tenant, postgres):
    """Workers become free and busy while the queue fills and empties; some are killed by their own count."""
    banter = pool(workers=3, worker_requests=20)

    def ask(n):
        for k in range(15):
            text = f"{n}.{k}"
            status, body = told(send(banter, tenant, script(text, tokens=[text])))
            assert (status, body["message"]) == (200, text)

    at_once(24, ask)
    assert exchange_state(postgres, tenant) == ["done"] * 360
    assert "died" not in banter.text()


# The fate of the admission process itself


def test_a_killed_admission_process_is_replaced_and_nobody_in_the_queue_is_lost(pool, tenant, model):
    banter = pool(workers=1)
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    waiting = [send(banter, tenant, script(f"{n}", tokens=[f"{n}"])) for n in range(5)]
    held(banter)
    old = admission(banter)
    os.kill(old, signal.SIGKILL)
    line = logged(banter, rf"admission process \d+ \(pid {old}\) died: (.*)")[0][1]
    assert line.startswith("killed by signal 9 (Killed)") and "stage hold" in line
    until(lambda: banter.children("admit") not in ([], [old]), "the new admission process")
    waiting += [send(banter, tenant, script(f"{n}", tokens=[f"{n}"])) for n in range(5, 10)]
    held(banter)
    model.open_gate(gate)
    assert [told(reply)[1]["message"] for reply in waiting] == [f"{n}" for n in range(10)]
    finish(running)


def test_G6_the_new_admission_process_knows_since_when_they_wait(pool, tenant):
    """The time counts from their coming, whoever stands at the door."""
    banter = pool(workers=1, queue_time="6s")
    running = busy(banter, tenant, NEVER, 1)
    waiting = send(banter, tenant, "Hello")
    held(banter)
    os.kill(admission(banter), signal.SIGKILL)
    assert told(waiting) == (503, FULL["headless"])


def taken(path):
    """How many connections to a socket have been accepted and live; those in its backlog have another state."""
    with open("/proc/net/unix", encoding="utf-8") as sockets:
        return sum(line.split()[5] == "03" for line in sockets if line.endswith(f" {path}\n"))


def waiting_of(banter):
    """How many are in the queue: not who has said nothing yet, nor for whom it has no room."""
    code, out, err = ctl("status", "--json", "--pid", banter.process.pid)
    assert (code, err) == (0, "")
    return json.loads(out)["pool"]["waiting"]


def test_G6_what_fells_the_admission_process_is_a_503_behind_a_web_server(many_descriptors, start):
    """A request that is lost with it is a cut connection, for which nginx answers."""
    site = start(workers=1, backlog=4000)
    running = busy(site.banter, site.tenant, NEVER, 1)
    crowd = [Connection(site.banter.socket) for _ in range(900)]
    for client in crowd:
        client.begin()  # who says nothing is not in the queue; so it is full
    before = -1
    while waiting_of(site.banter) != before or before < 100:
        before = waiting_of(site.banter)
        time.sleep(0.3)  # the admission process looks anew at those who were silent within a tenth of it
    pid = admission(site.banter)
    waiting = site.call("/v1/chat", site.body("Hello"))
    until(lambda: taken(site.banter.socket) == 902, "the last one at the admission process's")
    os.kill(pid, signal.SIGKILL)
    waiting.settimeout(servers.PATIENCE)
    answer = waiting.recv(65536)
    assert answer.startswith(b"HTTP/1.1 503") and b"Retry-After" in answer
    until(lambda: site.banter.children("admit") not in ([], [pid]), "the new admission process")
    for client in crowd:
        client.close()
    waiting.close()


def test_G6_at_a_drain_those_who_wait_get_503_at_once(pool, tenant, model):
    banter = pool(workers=1)
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    waiting = [send(banter, tenant, "Hello") for _ in range(5)]
    held(banter)
    banter.process.send_signal(signal.SIGTERM)
    assert [told(reply) for reply in waiting] == [(503, FULL["headless"])] * 5
    model.open_gate(gate)
    finish(running)
    assert end_of(banter) == 0


def test_G6_at_a_drain_those_in_the_backlog_get_503_too(pool, tenant, model):
    """Whom the admission process had not let in yet; it does not even run when the pool is told to end."""
    banter = pool(workers=1, queue_time="10m")
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    pid = admission(banter)
    os.kill(pid, signal.SIGSTOP)
    waiting = [send(banter, tenant, "Hello") for _ in range(300)]
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")
    os.kill(pid, signal.SIGCONT)
    assert [told(reply) for reply in waiting] == [(503, FULL["headless"])] * 300
    until(lambda: not servers.listens(banter.socket), "its refusal")
    model.open_gate(gate)
    finish(running)
    assert end_of(banter) == 0


def test_at_a_drain_without_an_admission_process_nobody_is_left_waiting(pool, tenant, model):
    """It was killed, and is not replaced: the connections are cut at once."""
    banter = pool(workers=1)
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    waiting = send(banter, tenant, "Hello")
    held(banter)
    pid = admission(banter)
    os.kill(pid, signal.SIGSTOP)
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(Cut):
        assert waiting.status
    model.open_gate(gate)
    finish(running)
    assert end_of(banter) == 0


def test_a_reload_exchanges_the_admission_process_and_those_who_wait_are_served(pool, tenant, model, tmp_path):
    path = tmp_path / "banter.conf"
    path.write_text("BANTER_MODEL=one\n")
    banter = pool(workers=1, options=("--config", path))
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    waiting = [send(banter, tenant, script(f"{n}", tokens=[f"{n}"])) for n in range(5)]
    held(banter)
    old = admission(banter)
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: len(banter.children("admit")) == 1 and banter.children("admit") != [old], "the new admission process")
    assert [told(reply)[1]["message"] for reply in waiting] == [f"{n}" for n in range(5)]  # a new worker
    model.open_gate(gate)
    finish(running)
    path.write_text("BANTER_QUEUE_TIME=0\n")
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: banter.children("admit") == [], "the admission process's end")
    path.write_text("BANTER_QUEUE_TIME=1\n")
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: banter.children("admit"), "an admission process")
    assert "died" not in banter.text()


def test_the_admission_process_ends_with_a_killed_master(pool, tenant):
    """And those who wait are told, since nobody will come."""
    banter = pool(workers=1, drain_time="0s")
    running = busy(banter, tenant, NEVER, 1)
    waiting = send(banter, tenant, "Hello")
    held(banter)
    pid = admission(banter)
    banter.process.kill()
    banter.process.wait()
    banter.process = None
    assert told(waiting) == (503, FULL["headless"])
    until(lambda: not alive(pid), "the admission process's end")


# The status listener


def ask_status(address, path="/health", method="GET", held=True):
    with Connection(address) as connection:
        connection.held = held
        reply = connection.ask({"REQUEST_METHOD": method, "REQUEST_URI": path, "REMOTE_ADDR": "127.0.0.1"})
        return reply.status, reply.body()


@pytest.fixture
def status_socket(tmp_path):
    return tmp_path / "status"


def test_G8_health_is_answered_while_all_workers_are_busy(pool, tenant, model, status_socket):
    banter = pool(workers=1, queue_time=0, status_listen=f"unix:{status_socket}")
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    for _ in range(3):
        assert ask_status(status_socket) == (200, b'{"status":"ok"}')
    assert ask_status(status_socket, method="HEAD") == (200, b"")
    assert status_socket.stat().st_mode & 0o777 == 0o660
    model.open_gate(gate)
    finish(running)
    assert banter.end() == 0
    assert not status_socket.exists()


def test_the_status_listener_serves_nothing_else(pool, tenant, status_socket):
    banter = pool(workers=1, status_listen=f"unix:{status_socket}")
    assert ask_status(status_socket, "/v1/chat", "POST", held=False)[0] == 404
    assert ask_status(status_socket, "/nowhere")[0] == 404
    assert ask_status(status_socket, method="POST")[0] == 405
    body = chat_body("Hello")
    with Connection(status_socket) as connection:
        connection.held = False
        assert connection.ask(chat_params(tenant, body), body).status == 404
    assert len(banter.children("status")) == 1


def test_G8_the_status_listener_says_503_when_the_database_is_away(pool, model, status_socket):
    """While every worker is busy, too."""
    own = servers.Postgres()
    try:
        banter = pool(workers=1, database_url=own.url(), status_listen=f"unix:{status_socket}", queue_time=0)
        gate = name("gate")
        running = busy(banter, own.demo(), gate, 1)
        assert ask_status(status_socket)[0] == 200
        own.stop()
        assert ask_status(status_socket)[0] == 503
        own.start()
        until(lambda: ask_status(status_socket)[0] == 200, "the database's return")
        model.open_gate(gate)
        finish(running)
        own.stop()
    finally:
        own.close()


def test_the_status_process_is_replaced(pool, tenant, status_socket):
    banter = pool(workers=1, status_listen=f"unix:{status_socket}")
    (old,) = until(lambda: banter.children("status"), "the status process")
    os.kill(old, signal.SIGKILL)
    logged(banter, rf"status process \d+ \(pid {old}\) died: killed by signal 9")
    assert ask_status(status_socket)[0] == 200
    assert banter.children("status") not in ([], [old])


def test_while_draining_the_status_listener_hangs_nobody(pool, tenant, model, status_socket):
    banter = pool(workers=1, status_listen=f"unix:{status_socket}")
    gate = name("gate")
    running = busy(banter, tenant, gate, 1)
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")
    until(lambda: not banter.children("status"), "the status process's end")
    with Connection(status_socket) as late:
        assert late.ended()
    model.open_gate(gate)
    finish(running)
    assert end_of(banter) == 0


def test_the_status_listener_can_be_a_port(pool, tenant):
    address = "127.0.0.1", servers.free_port()
    pool(workers=1, status_listen="%s:%d" % address)
    assert ask_status(address)[0] == 200


def test_a_status_listener_that_is_taken_stops_the_start(database, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        done = subprocess.run(
            [BUILD / "banter.fcgi", "--listen", f"unix:{tmp_path}/socket"], capture_output=True, text=True,
            timeout=servers.PATIENCE, stdin=subprocess.DEVNULL,
            env={"BANTER_DATABASE_URL": database.url(), "BANTER_STATUS_LISTEN": address})
    assert done.returncode == 1
    assert done.stderr.endswith(f"cannot listen on {address}: the port is taken\n")
    assert not (tmp_path / "socket").exists()
