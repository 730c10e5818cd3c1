"""A model's server that fails in every way it can: each way gives the contract's answer within the time that the settings say,
by both APIs and in both forms at once, and the very same workers serve the next requests."""

import contextlib
import gzip
import json
import socket
import struct
import time

import pytest

import servers
from fastcgi import Connection, chat_params, health
from servers import name
from site_client import at_once
from test_failover import AN_ERROR, ANSWER, STREAM, Model, choice, events, refusal

TIME = 2  # seconds: of the exchange, and with it of all else
LATER = 3 + 3  # how long after that the end may come; and of a busy machine
MOST_KIB = 1500  # of a worker's own, afterwards
PIECE = 65536
TEXT = events(choice(delta={"content": "some text"}))
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
PACKED = STREAM.replace(b"Connection", b"Content-Encoding: gzip\r\nConnection")


def event(**delta):
    return b"data: " + json.dumps(choice(delta=delta)).encode() + b"\n\n"


def many(piece):
    return piece * (PIECE // len(piece) + 1)


class Endless(Model):
    """Says `.says`, and then the same again and again, at once or a byte now and then, until nobody listens."""

    def __init__(self, says, again, pause=0):
        self.again, self.pause = again, pause
        super().__init__(says)

    def answer(self, client):
        again = self.again  # who is mended meanwhile goes on with those it has
        if again is None:
            super().answer(client)
            return
        with contextlib.suppress(OSError), client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(65536)
            with self.lock:
                self.asked += 1
            client.sendall(self.says)
            while not self.pause:
                client.sendall(again)
            for byte in again:
                client.sendall(bytes([byte]))
                time.sleep(self.pause)
            while client.recv(65536):
                pass

    def mend(self):
        self.again = None
        super().mend()


class Cut(Model):
    """Says `.says`, and resets the connection once that was read."""

    def answer(self, client):
        if self.then == "close":
            super().answer(client)
            return
        with contextlib.suppress(OSError):
            client.recv(65536)
            with self.lock:
                self.asked += 1
            client.sendall(self.says)
            time.sleep(0.2)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()


def says(*how):
    return lambda: Model(*how)


def repeats(begin, piece):
    return lambda: Endless(begin, many(piece))


def trickles(begin, rest):
    return lambda: Endless(begin, rest, 0.05)


def packed_without_end():
    packer = gzip.compress(many(b": a comment\n\n") * 100)
    return Endless(PACKED + packer[:-8], packer[10:-8][:PIECE])


# What makes the server, and what JSON says where it is not 500.
FAILS = {
    "refuses": (says(b"", "refuse"), 500),
    "resets each time": (says(b"", "reset"), 500),
    "resets in mid-stream": (lambda: Cut(TEXT, "reset"), 500),
    "closes in mid-stream": (says(TEXT), 500),
    "401": (says(refusal(401, AN_ERROR)), 500),
    "429": (says(refusal(429, AN_ERROR)), 503),
    "500": (says(refusal(500, AN_ERROR)), 500),
    "502 in HTML": (says(refusal(502, "<html><h1>502 Bad Gateway</h1></html>", "text/html")), 500),
    "stalls before its headers": (says(b"", "hold"), 500),
    "stalls before the first token": (says(STREAM, "hold"), 500),
    "stalls in mid-stream": (says(TEXT, "hold"), 500),
    "trickles its status": (trickles(b"", b"HTTP/1.1 200 " + b"O" * 1000), 500),
    "trickles a header": (trickles(b"HTTP/1.1 200 OK\r\n", b"X-Long: " + b"x" * 1000), 500),
    "trickles before the first token": (trickles(STREAM, b": wait\n\n" * 100), 500),
    "trickles in a token": (trickles(TEXT, b'data: {"choices":[{"delta":{"content":"' + b"x" * 1000), 500),
    "an endless header": (repeats(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"), 500),
    "endless headers": (repeats(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), 500),
    "an endless line": (repeats(STREAM + b"data: ", b"x"), 500),
    "an endless event": (repeats(STREAM, b"data: x\n"), 500),
    "an endless token": (repeats(STREAM + b'data: {"choices":[{"delta":{"content":"', b"x"), 500),
    "endless tokens": (repeats(STREAM, event(content="x")), 500),
    "endless reasoning": (repeats(STREAM, event(reasoning_content="x")), 500),
    "endless reasoning within the content": (repeats(STREAM + event(content="<think>"), event(content="x")), 500),
    "endless null deltas": (repeats(STREAM, event(content=None)), 500),
    "endless comments": (repeats(STREAM, b": nothing\n\n"), 500),
    "endless JSON": (repeats(PLAIN + b'{"choices":[{"message":{"content":"', b"x"), 500),
    "endless gzip": (packed_without_end, 500),
    "endless HTML of a 500": (repeats(b"HTTP/1.1 500 X\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n", b"<p>"), 500),
}
# What is an answer all the same.
BORNE = {
    "invalid UTF-8": (says(STREAM + b'data: {"choices":[{"delta":{"content":"a\xff\xc3b"}}]}\n\n' + ANSWER[len(STREAM):]),
                      "a��bfine"),
    "never closes": (says(ANSWER, "hold"), "fine"),
    "never closes, and never stops": (lambda: Endless(ANSWER, many(b": more\n\n")), "fine"),
}


def forms(tenant):
    """Both APIs in both forms: what is asked of each."""
    workspace = {"HTTP_X_API_KEY": None, "HTTP_AUTHORIZATION": f"Bearer {tenant.workspace_key}"}
    path = f"/api/v1/chatbots/{tenant.chatbot}/chat"
    return [("/v1/chat/stream", {}, {"sessionId": name()}), ("/v1/chat", {}, {"sessionId": name()}),
            (path, workspace, {"stream": True}), (path, workspace, {"stream": False})]


def ask(banter, tenant, form):
    """One exchange: its status, and its last event or its body."""
    path, headers, members = forms(tenant)[form]
    body = json.dumps({"message": "hello", **members}).encode()
    with Connection(banter.socket) as connection:
        reply = connection.ask(chat_params(tenant, body, path, **headers), body)
        lines = [line.removeprefix(b"data: ") for line in reply.body().split(b"\n") if line.strip() and line[:1] != b":"]
        assert reply.whole
        return reply.status, json.loads(lines[-1])


def ask_all(banter, tenant):
    """All forms at once."""
    return at_once(4, lambda form: ask(banter, tenant, form))


def text_of(answer):
    """What a good answer says, whatever its form."""
    status, said = answer
    assert status == 200, answer
    return said.get("message") or said["data"]["response"]


@pytest.fixture
def asked(pool, tenant):
    """asked(make) -> the server, the pool, and the answers of all forms; then all is well again, with the same workers."""
    with contextlib.ExitStack() as stack:
        def ask_of(make):
            model = stack.enter_context(contextlib.closing(make()))
            banter = pool(workers=4, model_url=model.url, exchange_time=TIME, json_time=TIME, model_connect_time=TIME,
                          model_first_time=TIME, model_idle_time=TIME, answer_bytes=4096)
            pids = banter.children()
            assert at_once(4, lambda _: health(banter.socket)) == [200] * 4
            began = time.monotonic()
            answers = ask_all(banter, tenant)
            assert time.monotonic() - began < TIME + LATER
            # What a worker had of the failure is gone with it, and not only with its next exchange.
            with contextlib.suppress(pytest.skip.Exception):
                servers.until(lambda: max(map(servers.own_kib, pids)) <= MOST_KIB, f"{MOST_KIB} KiB of a worker's own")
            if model.then != "refuse":
                model.mend()
                assert [text_of(answer) for answer in ask_all(banter, tenant)] == ["fine"] * 4
            assert at_once(4, lambda _: health(banter.socket)) == [200] * 4
            assert banter.children() == pids
            for pid in pids:
                with contextlib.suppress(pytest.skip.Exception):
                    assert servers.own_kib(pid) <= MOST_KIB
            return answers

        yield ask_of


@pytest.mark.parametrize("way", FAILS)
def test_S10_S12_a_model_that_fails_ends_in_an_error_in_time(asked, way):
    make, status = FAILS[way]
    stream, one, events_of_chatbot, chatbot = asked(make)
    assert stream == (200, {"type": "error", "error": "Internal server error"})
    assert events_of_chatbot == (200, {"type": "error", "error": "Internal server error", "code": "INTERNAL_ERROR"})
    text, code = {500: ("Internal server error", "INTERNAL_ERROR"), 503: ("Service unavailable", "SERVICE_UNAVAILABLE")}[status]
    assert one == (status, {"error": text})
    assert chatbot == (status, {"success": False, "error": text, "code": code})


@pytest.mark.parametrize("way", BORNE)
def test_S12_a_model_that_is_odd_is_answered_in_time(asked, way):
    make, text = BORNE[way]
    assert [text_of(answer) for answer in asked(make)] == [text] * 4
