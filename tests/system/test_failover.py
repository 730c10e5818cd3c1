"""Several model servers, some of which fail (S14). BANTER_TEST_EXCHANGES says with how many exchanges each way of failing is
tried. What a failing server costs is counted in requests that it got, never by clocks."""

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

import servers
from fastcgi import chat, stream
from servers import name, script, until
from site_client import at_once
from test_pool import Single, logged

EXCHANGES = int(os.environ.get("BANTER_TEST_EXCHANGES", "12"))
WORKERS = 2
LATE = 0.3  # seconds after which a server that says nothing is given up
# Of include/chat/breaker.h: failures that open a breaker, seconds of its pauses.
FAILURES, PAUSE, PAUSE_MOST = 3, 5, 300
HELLO = script("hello", tokens=["fi", "ne"])

# What servers say.

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def events(*chunks):
    return STREAM + "".join(f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n" for chunk in chunks).encode()


def choice(**members):
    return {"choices": [{"index": 0, **members}]}


def refusal(status, body, kind="application/json"):
    return (f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            f"{body}").encode()


ANSWER = events(choice(delta={"content": "fine"}), choice(delta={}, finish_reason="stop"), "[DONE]")
AN_ERROR = '{"error":{"message":"it does not work"}}'


class Model:
    """A model's server that says `.says` to whoever asks, whatever it is; then it closes the connection, resets it, holds
    it, or lets spaces drip into it (`.then`). `.asked` counts the requests. "refuse": nobody listens; "ignore": it lets nobody
    connect."""

    def __init__(self, says=ANSWER, then="close"):
        self.says, self.then, self.asked, self.open = says, then, 0, []
        self.lock = threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=0 if then == "ignore" else 128)
        self.address = self.listening.getsockname()
        self.url = f"http://127.0.0.1:{self.address[1]}/v1"
        if then == "refuse":
            self.listening.close()
        elif then == "ignore":
            self.fill()
        else:
            threading.Thread(target=self.serve, daemon=True).start()

    def fill(self):
        """Its queue is full, so the kernel drops who comes: as if the machine were gone."""
        for _ in range(4):
            self.open.append(socket.socket())
            self.open[-1].setblocking(False)
            self.open[-1].connect_ex(self.address)

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client):
        with contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                piece = client.recv(65536)
                if not piece:
                    return
                request += piece
            with self.lock:
                self.asked += 1
            client.sendall(self.says)
            while self.then == "drip":
                client.sendall(b" ")
                time.sleep(0.05)
            if self.then == "hold":
                self.open.append(client)
                return
            if self.then == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
            client.close()

    def mend(self):
        self.says, self.then = ANSWER, "close"

    def close(self):
        # A thread in accept() would keep the socket open.
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        for one in [self.listening, *self.open]:
            one.close()


@pytest.fixture
def made():
    """made(says, then) -> Model"""
    all_of_them = []

    def make(*arguments, **options):
        all_of_them.append(Model(*arguments, **options))
        return all_of_them[-1]

    yield make
    for one in all_of_them:
        one.close()


def listed(tmp_path, more="", late=("bad",), **urls):
    """A file of model servers, each with the lines `more`. Those that are late shall be so soon; a busy machine makes none."""
    path = tmp_path / "servers.conf"
    path.write_text("".join(
        f"[{one}]\nURL={url}\n{more}" + "".join(f"{which}_TIME={LATE if one in late else servers.PATIENCE}\n"
                                                for which in ("CONNECT", "FIRST", "IDLE")) for one, url in urls.items()))
    path.chmod(0o644)
    return path


def ask(socket_path, tenant, streams=False, message=HELLO):
    """One exchange in a conversation of its own; its answer."""
    if not streams:
        reply = chat(socket_path, tenant, message, session=name())
        return reply.json()["message"] if reply.status == 200 else reply.status
    last = stream(socket_path, tenant, message, session=name()).events()[-1]
    return last.get("message", last["type"])


def ask_often(socket_path, tenant, count):
    """So many, by as many clients as there are workers, in one piece and as streams."""
    def some(client):
        return [ask(socket_path, tenant, n // WORKERS % 2 == 1) for n in range(client, count, WORKERS)]

    return [answer for answers in at_once(WORKERS, some) for answer in answers]


def rows(postgres, tenant):
    """Who was asked last, and how often: a row each exchange."""
    return postgres.run("select server, requests from banter_data.exchange where workspace = %s", tenant.workspace)


def opened(banter, server="bad"):
    """How often its breaker opened, as the log says."""
    return banter.text().count(f"model server {server} failed {FAILURES} times in a row")


def probes(seconds):
    """How often a server may have been tried again in that time, while its pause grew."""
    count, pause = 0, PAUSE
    while seconds > pause:
        seconds, pause, count = seconds - pause, min(2 * pause, PAUSE_MOST), count + 1
    return count


WAYS = {
    "refuses": (b"", "refuse"),
    "does not accept": (b"", "ignore"),
    "resets": (b"", "reset"),
    "closes": (b"", "close"),
    "401": (refusal(401, AN_ERROR), "close"),
    "403": (refusal(403, AN_ERROR), "close"),
    "404": (refusal(404, AN_ERROR), "close"),
    "429": (refusal(429, AN_ERROR), "close"),
    "500": (refusal(500, AN_ERROR), "close"),
    "502 HTML": (refusal(502, "<html><h1>502 Bad Gateway</h1></html>", "text/html"), "close"),
    "503 without a word": (refusal(503, ""), "close"),
    "an error in a 200": (events(AN_ERROR), "close"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "close"),
    "stalls before headers": (b"", "hold"),
    "stalls before the first token": (events(choice(delta={"role": "assistant"})), "hold"),
}


def costs_little(postgres, tenant, banter, count):
    """`count` exchanges are answered. Returns how many of them asked more than one server: a few."""
    began = time.monotonic()
    assert ask_often(banter.socket, tenant, count) == ["fine"] * count
    done = rows(postgres, tenant)
    assert len(done) == count and {server for server, _ in done} == {"default"}
    cost = [requests for _, requests in done if requests > 1]
    # Those that were on their way when it opened, and who tried whether it is back.
    assert FAILURES <= len(cost) <= FAILURES + WORKERS - 1 + probes(time.monotonic() - began)
    assert set(cost) == {2}
    assert opened(banter) == 1
    return len(cost)


@pytest.mark.parametrize("way", WAYS)
def test_S14_a_server_that_fails_costs_the_first_few_time_and_none_its_answer(made, pool, postgres, tmp_path, way):
    bad = made(*WAYS[way])
    banter = pool(workers=WORKERS, model_servers=listed(tmp_path, bad=bad.url))
    cost = costs_little(postgres, postgres.demo(servers=["bad", "default"]), banter, EXCHANGES)
    assert bad.asked == (0 if bad.then in ("refuse", "ignore") else cost)


RESOLVER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
		(int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");

	while (node && !strcmp(node, "hangs.test"))
		pause();
	return real(node, service, hints, out);
}
"""


@pytest.fixture
def hanging_resolver(tmp_path):
    """Settings with which the name hangs.test is never found, nor not found."""
    source, library = tmp_path / "resolver.c", tmp_path / "resolver.so"
    source.write_text(RESOLVER)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": library, "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"}


def test_S14_a_resolver_that_hangs_costs_no_more(pool, postgres, tmp_path, hanging_resolver):
    """Nor does a worker wait for it at its end, when the thread that asked it is still there."""
    banter = pool(workers=WORKERS, model_servers=listed(tmp_path, bad="http://hangs.test/v1"), **hanging_resolver)
    costs_little(postgres, postgres.demo(servers=["bad", "default"]), banter, EXCHANGES)
    assert banter.end() == 0
    assert "did not end in its time" not in banter.text()


def test_S14_a_server_that_never_closes_is_no_failure(made, pool, postgres, tmp_path):
    first = made(ANSWER, "hold")
    banter = pool(workers=WORKERS, model_servers=listed(tmp_path, first=first.url))
    tenant = postgres.demo(servers=["first", "default"])
    assert ask_often(banter.socket, tenant, EXCHANGES) == ["fine"] * EXCHANGES
    assert rows(postgres, tenant) == [("first", 1)] * EXCHANGES
    assert first.asked == EXCHANGES


@pytest.mark.parametrize("then", ["hold", "drip"])
def test_S13_an_error_whose_body_does_not_end_gives_way(made, pool, postgres, tmp_path, then):
    bad, good = made(refusal(429, AN_ERROR + " " * 100000)[:-100000], then), made()
    banter = pool(workers=1, model_servers=listed(tmp_path, bad=bad.url, good=good.url))
    tenant = postgres.demo(servers=["bad", "good"])
    assert [ask(banter.socket, tenant, streams) for streams in (True, False)] == ["fine"] * 2
    assert bad.asked == 2


def test_S14_after_the_first_token_none_gives_way(made, pool, postgres, tmp_path):
    bad, good = made(events(choice(delta={"content": "a half"})), "close"), made()
    banter = pool(workers=1, model_servers=listed(tmp_path, late=(), bad=bad.url, good=good.url))
    tenant = postgres.demo(servers=["bad", "good"])
    assert [ask(banter.socket, tenant, streams) for streams in (True, False)] == ["error", 500]
    assert (bad.asked, good.asked) == (2, 0)


def test_S14_a_server_that_is_back_is_asked_again(made, pool, postgres, tmp_path):
    bad = made(refusal(500, AN_ERROR))
    banter = pool(workers=1, model_servers=listed(tmp_path, bad=bad.url))
    tenant = postgres.demo(servers=["bad", "default"])
    assert [ask(banter.socket, tenant) for _ in range(FAILURES)] == ["fine"] * FAILURES
    assert opened(banter) == 1
    bad.mend()
    until(lambda: ask(banter.socket, tenant) == "fine" and "model server bad answers again" in banter.text(), "its return")
    before = bad.asked
    assert ask(banter.socket, tenant) == "fine"
    assert bad.asked == before + 1


def test_S14_what_is_known_outlives_workers_and_a_reload(made, pool, postgres, tmp_path):
    bad = made(refusal(503, ""))
    path = listed(tmp_path, bad=bad.url)
    banter = pool(workers=WORKERS, model_servers=path)
    tenant = postgres.demo(servers=["bad", "default"])
    assert [ask(banter.socket, tenant) for _ in range(FAILURES)] == ["fine"] * FAILURES
    assert bad.asked == FAILURES
    began = time.monotonic()
    old = banter.children()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(banter.children()) - set(old)) == WORKERS, "new workers")
    assert ask(banter.socket, tenant) == "fine"
    assert bad.asked <= FAILURES + probes(time.monotonic() - began)
    # A reload that changes another server leaves it as it is; one that changes it begins anew.
    old, asked = banter.children(), bad.asked
    path.write_text(path.read_text() + "[other]\nURL=http://127.0.0.1:1/v1\n")
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: len(banter.children()) == WORKERS and not set(banter.children()) & set(old), "the exchange of workers")
    assert ask(banter.socket, tenant) == "fine"
    assert bad.asked <= asked + probes(time.monotonic() - began)
    old, asked = banter.children(), bad.asked
    path.write_text(path.read_text().replace("[bad]\n", "[bad]\nKEY=another\n"))
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: len(banter.children()) == WORKERS and not set(banter.children()) & set(old), "the exchange of workers")
    assert ask(banter.socket, tenant) == "fine"
    assert bad.asked == asked + 1


def test_S14_another_host_finds_out_for_itself(made, pool, postgres, tmp_path):
    bad = made(refusal(500, AN_ERROR))
    path = listed(tmp_path, bad=bad.url)
    tenant = postgres.demo(servers=["bad", "default"])
    for hosts in (1, 2):
        banter = pool(workers=1, model_servers=path)
        assert [ask(banter.socket, tenant) for _ in range(FAILURES)] == ["fine"] * FAILURES
        assert bad.asked == hosts * FAILURES
        assert opened(banter) == 1


def test_S14_workers_of_a_web_server_know_it_together(made, database, standin, postgres, tmp_path):
    bad = made(refusal(500, AN_ERROR))
    settings = {"shared_file": tmp_path / "shared", "model_servers": listed(tmp_path, bad=bad.url)}
    tenant = postgres.demo(servers=["bad", "default"])
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(contextlib.closing(Single(database.url(), standin.url, **settings))) for _ in range(2)]
        for n in range(FAILURES):
            assert ask(workers[n % 2].socket, tenant) == "fine"
        began = time.monotonic()
        workers.append(stack.enter_context(contextlib.closing(Single(database.url(), standin.url, **settings))))
        assert [ask(one.socket, tenant) for one in workers] == ["fine"] * 3
        assert bad.asked <= FAILURES + probes(time.monotonic() - began)
        assert sum(opened(one) for one in workers) == 1
    assert (tmp_path / "shared.models").stat().st_mode & 0o777 == 0o600


def test_S14_a_lone_server_is_asked_however_often_it_failed(made, pool, tenant):
    """Nobody else could answer: it is not waited for that its pause is over."""
    lone = made(refusal(403, AN_ERROR))
    banter = pool(workers=1, model_url=lone.url)
    assert [ask(banter.socket, tenant) for _ in range(2 * FAILURES)] == [500] * 2 * FAILURES
    assert opened(banter, "default") == 1
    assert lone.asked == 2 * FAILURES
    lone.mend()
    assert ask(banter.socket, tenant) == "fine"
    assert "model server default answers again" in banter.text()


def test_S14_where_all_have_failed_one_is_asked(made, pool, postgres, tmp_path):
    """So that nobody waits for more than one of them."""
    first, second = made(b"", "hold"), made(b"", "hold")
    banter = pool(workers=1, model_servers=listed(tmp_path, late=("first", "second"), first=first.url, second=second.url))
    tenant = postgres.demo(servers=["first", "second"])
    until(lambda: ask(banter.socket, tenant) == 500 and opened(banter, "first") and opened(banter, "second"), "both to be open")
    began, before = time.monotonic(), first.asked + second.asked
    assert ask(banter.socket, tenant) == 500
    assert first.asked + second.asked <= before + 1 + 2 * probes(time.monotonic() - began + PAUSE)
    first.mend()
    second.mend()
    until(lambda: ask(banter.socket, tenant) == "fine", "an answer in its time")


def held_at(banter, tenant):
    """An exchange whose answer is held at the gate that it returns."""
    gate = name("gate")
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}), session=name())
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    return reply, gate


def test_S14_a_server_that_has_as_many_requests_as_it_may_gives_way(made, pool, postgres, standin, model, tmp_path):
    second = made()
    banter = pool(workers=3, model_servers=listed(tmp_path, "OPEN=1\n", first=standin.url, second=second.url))
    tenant = postgres.demo(servers=["first", "second"])
    reply, gate = held_at(banter, tenant)
    assert ask(banter.socket, tenant) == "fine"
    assert second.asked == 1
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    assert ask(banter.socket, tenant) == "fine"
    assert second.asked == 1
    assert opened(banter, "first") == 0


def test_S14_where_all_are_full_it_waits_for_a_place(pool, postgres, standin, model, tmp_path):
    banter = pool(workers=2, model_servers=listed(tmp_path, "OPEN=1\n", only=standin.url))
    tenant = postgres.demo(servers=["only"])
    first, gate = held_at(banter, tenant)
    second = stream(banter.socket, tenant, HELLO, session=name())
    assert second.event()["type"] == "start"
    model.open_gate(gate)
    assert [reply.events()[-1]["type"] for reply in (first, second)] == ["done", "done"]


@pytest.mark.parametrize("broken", [False, True], ids=["fails", "is open"])
@pytest.mark.parametrize("status", [401, 500])
def test_S14_where_the_others_fail_a_full_one_is_waited_for(made, pool, postgres, standin, model, tmp_path, status, broken):
    """It is well: whom it has no place for is better off waiting than with an error."""
    bad = made(refusal(status, AN_ERROR))
    banter = pool(workers=2, model_servers=listed(tmp_path, "OPEN=1\n", first=standin.url, bad=bad.url))
    if broken:
        alone = postgres.demo(servers=["bad"])
        until(lambda: ask(banter.socket, alone) == 500 and opened(banter), "its breaker to open")
    tenant = postgres.demo(servers=["first", "bad"])
    reply, gate = held_at(banter, tenant)
    second = stream(banter.socket, tenant, HELLO, session=name())
    assert second.event()["type"] == "start"
    if not broken:
        until(lambda: bad.asked, "the other to be asked")
    model.open_gate(gate)
    assert [one.events()[-1]["type"] for one in (reply, second)] == ["done", "done"]
    assert [server for server, _ in rows(postgres, tenant)] == ["first", "first"]


def test_S14_where_all_stay_full_it_fails(pool, postgres, standin, model, tmp_path):
    banter = pool(workers=2, queue_time="1s", model_servers=listed(tmp_path, "OPEN=1\n", only=standin.url))
    tenant = postgres.demo(servers=["only"])
    first, gate = held_at(banter, tenant)
    assert [ask(banter.socket, tenant, streams) for streams in (True, False)] == ["error", 503]
    model.open_gate(gate)
    assert first.events()[-1]["type"] == "done"


def test_S14_what_a_killed_worker_held_there_is_free_again(made, pool, postgres, standin, tmp_path):
    second = made()
    banter = pool(workers=2, model_servers=listed(tmp_path, "OPEN=1\n", first=standin.url, second=second.url))
    tenant = postgres.demo(servers=["first", "second"])
    held_at(banter, tenant)
    for pid in banter.children():
        os.kill(pid, signal.SIGKILL)
    logged(banter, r"died: killed", 2)
    assert ask(banter.socket, tenant) == "fine"
    assert second.asked == 0


def test_S14_SIGUSR1_shows_what_is_passed_over(made, pool, postgres, tmp_path):
    bad = made(refusal(500, AN_ERROR))
    banter = pool(workers=1, model_servers=listed(tmp_path, bad=bad.url))
    tenant = postgres.demo(servers=["bad", "default"])
    assert [ask(banter.socket, tenant) for _ in range(FAILURES)] == ["fine"] * FAILURES
    banter.process.send_signal(signal.SIGUSR1)
    logged(banter, r"model server default: its breaker is closed; 0 failures in a row")
    logged(banter, r"model server bad: its breaker is open for \d\.\d s more")


def test_the_log_says_which_server_answered_and_why_it_was_not_another(made, pool, postgres, tmp_path):
    bad = made(refusal(500, AN_ERROR))
    banter = pool(workers=1, model_servers=listed(tmp_path, bad=bad.url))
    tenant = postgres.demo(servers=["bad", "default"])
    for _ in range(FAILURES):
        assert ask(banter.socket, tenant) == "fine"
    logged(banter, r'server=default tries="bad 500"\n', FAILURES)
    assert ask(banter.socket, tenant) == "fine"
    logged(banter, r'server=default tries="bad (open|500)"\n', FAILURES + 1)
