"""The FastCGI edge: what web servers send and what they should not, straight to the pool's socket."""

import contextlib
import json
import random
import re
import threading
import time

import pytest

import fastcgi
import servers
from fastcgi import Connection, chat, chat_body, chat_params, health, in_time, record, stream
from servers import name, script, until


@pytest.fixture
def one(pool):
    """One worker, so that whoever harms it is noticed: it must be the same process afterwards. No heartbeat comes to
    flush a token that was held back, or to notice a client that left."""
    banter = pool(workers=1, heartbeat="1h")
    before = banter.children()
    yield banter
    assert health(banter.socket) == 200
    assert banter.children() == before, "the worker was lost"


@pytest.fixture(scope="module")
def one_address(database, standin):
    """A pool that lets each address ask once; whom it believes may say for whom."""
    with contextlib.closing(servers.Banter(database.url(), standin.url, workers=1, address_limit=1, address_window="1h",
                                           trusted_proxies="203.0.113.0/24")) as banter:
        banter.seen = 0
        before = banter.children()
        yield banter
        assert banter.children() == before, "the worker was lost"


def ask(banter, params, body=b""):
    with Connection(banter.socket) as connection:
        reply = connection.ask(params, body)
        return reply.status, reply.body()


def test_S4_each_token_is_in_a_record_before_the_model_sends_the_next(one, tenant, model):
    """Token 3 is withheld until the test holds 1 and 2 from the raw records, and 2 until it holds 1."""
    gates = {str(n): name("gate") for n in (2, 3, 4)}
    reply = stream(one.socket, tenant, script("Hello", tokens=["a", "b", "c"], gates=gates))
    assert reply.event()["type"] == "start"
    for n, text in enumerate(["a", "b", "c"], 2):
        assert reply.event() == {"type": "token", "token": text}
        model.open_gate(gates[str(n)])
    assert reply.event()["message"] == "abc"
    assert reply.event() is None
    assert reply.whole


def test_S1_start_is_sent_before_the_model_has_answered(one, tenant, model):
    gate = name("gate")
    reply = stream(one.socket, tenant, script("Hello", gates={"0": gate}))
    assert reply.event()["type"] == "start"
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"


@pytest.mark.parametrize("size", [1, 7, 8192, 65535])
@pytest.mark.parametrize("padding", [0, 5])
def test_records_of_any_size_make_the_same_request(one, tenant, size, padding):
    body = chat_body(script("ü" * 3000 if size > 1 else "hello", tokens=["fine"]))
    with Connection(one.socket) as connection:
        connection.begin()
        connection.params(chat_params(tenant, body), size=size, padding=padding)
        connection.stdin(body, size=size, padding=padding)
        reply = fastcgi.Reply(connection)
        assert (reply.status, reply.json()["message"], reply.whole) == (200, "fine", True)


@pytest.mark.parametrize("told", ["begin", "header", "params", "stdin"])
def test_half_a_request_is_ended_by_BANTER_REQUEST_TIME(pool, tenant, told):
    banter = pool(workers=1, request_time="200ms")
    before = banter.children()
    body = chat_body("hello")
    params = fastcgi.pairs(chat_params(tenant, body))
    half = {
        "begin": fastcgi.begin(),
        "header": fastcgi.begin()[:5],
        "params": fastcgi.begin() + fastcgi.records(fastcgi.PARAMS, params, end=False),
        "stdin": fastcgi.begin() + fastcgi.records(fastcgi.PARAMS, params)
        + fastcgi.records(fastcgi.STDIN, body[:9], end=False),
    }[told]

    def send():
        with Connection(banter.socket) as connection:
            connection.send(half)
            if told == "stdin":
                reply = fastcgi.Reply(connection)
                assert (reply.status, reply.json()) == (400, {"error": "Invalid request payload"})
            # Of less than that libfcgi makes a request that asks for nothing, or none.
            while not connection.ended():
                pass
            assert in_time(lambda: health(banter.socket)) == 200

    in_time(send)
    assert banter.children() == before
    assert "status=200" not in banter.text().replace("path=/health status=200", "")


def test_a_sender_that_trickles_is_ended_by_BANTER_REQUEST_TIME(pool, tenant):
    """Each byte comes within the time, the whole does not: it must not hold its worker."""
    banter = pool(workers=1, request_time="300ms")
    body = chat_body("hello")
    head = fastcgi.begin() + fastcgi.records(fastcgi.PARAMS, fastcgi.pairs(chat_params(tenant, body)))

    def trickle():
        with Connection(banter.socket) as connection:
            connection.send(head)
            reply = fastcgi.Reply(connection)
            told = threading.Event()

            def send():
                for byte in body[:-1]:
                    if told.wait(0.1):
                        return
                    try:
                        connection.stdin(bytes([byte]), end=False)
                    except OSError:
                        return

            sender = threading.Thread(target=send)
            sender.start()
            try:
                assert (reply.status, reply.json()) == (400, {"error": "Invalid request payload"})
            finally:
                told.set()
                sender.join()

    in_time(trickle)


GARBAGE = {
    "an HTTP request": b"POST /v1/chat HTTP/1.1\r\nHost: a\r\n\r\n{}",
    "a TLS hello": bytes.fromhex("16030100a5010000a10303") + bytes(160),
    "zeros": bytes(4096),
    "an unknown version": b"\2" + record(fastcgi.BEGIN, b"\0\1\0\0\0\0\0\0")[1:],
    "a stream before its request": record(fastcgi.PARAMS, b"\1\1ab") + record(fastcgi.PARAMS),
    "a name longer than its stream": record(fastcgi.BEGIN, b"\0\1\0\0\0\0\0\0")
    + record(fastcgi.PARAMS, b"\xff\xff\xff\xf0\1ab")
    + record(fastcgi.PARAMS),
    "a begin of the wrong size": record(fastcgi.BEGIN, b"\0\1"),
    "a question for values": record(fastcgi.GET_VALUES, fastcgi.pairs({"FCGI_MPXS_CONNS": ""}), request=0),
    "another role": record(fastcgi.BEGIN, b"\0\x63\0\0\0\0\0\0"),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_ends_the_connection_and_nothing_else(pool, tenant, what):
    banter = pool(workers=1, request_time="200ms")

    def send():
        with Connection(banter.socket) as connection:
            connection.send(GARBAGE[what])
            while not connection.ended():
                pass

    in_time(send)
    assert in_time(lambda: chat(banter.socket, tenant, script("after it", tokens=["fine"])).json())["message"] == "fine"
    assert "died" not in banter.text()


def test_random_bytes_cost_at_most_a_worker(pool, tenant):
    """libfcgi may give up on a hostile record; whoever does is replaced, and the pool serves on."""
    banter = pool(workers=2, request_time="100ms")
    dice = random.Random(7)
    for _ in range(40):
        with Connection(banter.socket) as connection:
            data = dice.randbytes(dice.randrange(1, 400))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(fastcgi.begin() + b"\1\4\0\1" + data)
    assert in_time(lambda: chat(banter.socket, tenant, script("after it", tokens=["fine"])).json())["message"] == "fine"
    assert banter.end() == 0
    banter.log.unlink()  # what a sanitizer says there is of libfcgi


def test_a_second_request_on_a_busy_connection_does_not_mix_with_the_first(one, tenant):
    """Web servers do not multiplex; libfcgi says so to who does."""
    body = chat_body(script("hello", tokens=["fine"]))
    with Connection(one.socket) as connection:
        connection.begin()
        connection.params(chat_params(tenant, body))
        connection.send(record(fastcgi.BEGIN, b"\0\1\0\0\0\0\0\0", request=2))
        connection.stdin(body)
        told = [connection.record() for _ in range(1)]
        if told[0][0] == fastcgi.END:
            assert told[0][1][4] == 1  # FCGI_CANT_MPX_CONN
        reply = fastcgi.Reply(connection)
        if told[0][0] == fastcgi.STDOUT:
            reply.bytes = told[0][1]
        assert reply.json()["message"] == "fine"


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
def test_S7_a_client_that_closes_in_the_middle_ends_the_models_transfer(one, tenant, model, path):
    """The model is silent: nothing but the client's leaving can end it."""
    text = name("leaves")
    reply = chat(one.socket, tenant, script(text, silence=True), path)
    model.wait(text)
    reply.connection.close()
    assert model.wait(text, ended="client_left")["ended"] == "client_left"


def test_S7_a_client_that_closes_between_two_tokens(one, tenant, model, postgres):
    """S10: as far as it came, it is stored."""
    text = name("leaves")
    reply = stream(one.socket, tenant, script(text, tokens=["a", "b", "c"], gates={"3": name("never")}))
    assert [reply.event()["type"] for _ in range(3)] == ["start", "token", "token"]
    reply.connection.close()
    assert model.wait(text, ended="client_left")["tokens_sent"] == 2
    rows = until(
        lambda: postgres.run(
            "select state, answer from banter_data.exchange where workspace = %s and state <> 'running'",
            tenant.workspace),
        "the exchange's end")
    assert rows == [("left", "ab")]


def test_a_client_that_closes_before_its_exchange_begins_asks_the_model_nothing(pool, tenant, model):
    """It waited in the backlog behind another, and left."""
    banter = pool(workers=1)
    gate, text = name("gate"), name("left")
    first = stream(banter.socket, tenant, script("busy", tokens=["a", "b"], gates={"2": gate}))
    assert first.event()["type"] == "start"
    chat(banter.socket, tenant, script(text)).connection.close()
    model.open_gate(gate)
    assert first.events()[-1]["type"] == "done"
    until(lambda: "left before its exchange" in banter.text(), "the log's line of the one who left")
    assert model.requests(text) == []


def test_an_abort_record_and_the_close_that_follows_it_end_the_models_transfer(one, tenant, model):
    text = name("aborts")
    reply = stream(one.socket, tenant, script(text, silence=True))
    model.wait(text)
    reply.connection.send(record(fastcgi.ABORT))
    reply.connection.close()
    model.wait(text, ended="client_left")


@pytest.mark.parametrize("script_name, path_info", [
    ("/v1/chat", None), ("", "/v1/chat"), ("/v1", "/chat"), (None, "/v1/chat/"),
])
def test_G2_without_REQUEST_URI_the_path_is_SCRIPT_NAME_and_PATH_INFO(one, tenant, script_name, path_info):
    body = chat_body(script("hello", tokens=["fine"]))
    params = chat_params(tenant, body, REQUEST_URI=None, SCRIPT_NAME=script_name, PATH_INFO=path_info)
    status, answer = ask(one, params, body)
    assert (status, json.loads(answer)["message"]) == (200, "fine")


@pytest.mark.parametrize("announced, status", [
    (None, 200), ("-1", 200), ("", 200), ("1000", 400), ("99999999999999999999", 200), ("x", 200),
])
def test_G3_the_body_is_what_stdin_holds_but_never_less_than_announced(one, tenant, announced, status):
    body = chat_body(script("hello", tokens=["fine"]))
    assert ask(one, chat_params(tenant, body, CONTENT_LENGTH=announced), body)[0] == status


def test_an_answered_request_keeps_no_worker_until_the_web_server_closes(one, tenant):
    """libfcgi's own close would wait for the other side's, up to two seconds; here nobody ever closes. The end is told with
    the last event, and the next request is served at once by the same worker."""
    answered, began = [], time.monotonic()
    for _ in range(20):
        reply = stream(one.socket, tenant, script("Hello", tokens=["a"]), session=name())
        assert reply.events()[-1]["type"] == "done"
        assert reply.whole
        answered.append(reply)  # and its connection stays open
    assert all(reply.connection.ended() for reply in answered)
    assert time.monotonic() - began < len(answered), "each has waited for its web server"


def test_a_connection_that_the_web_server_wants_kept_is_closed_by_our_own_pool(one, tenant):
    """A kept connection would pin its worker."""
    body = chat_body(script("hello", tokens=["fine"]))
    with Connection(one.socket) as connection:
        reply = connection.ask(chat_params(tenant, body), body, keep=True)
        assert reply.json()["message"] == "fine"
        assert reply.whole
        assert connection.ended()


ODD_PATHS = [
    "/", "//", "", "*", "v1/chat", "//v1/chat", "/v1//chat", "/v1/./chat", "/a/../v1/chat", "/v1/chat/..",
    "/v1%2Fchat", "/v1/ch%61t", "/V1/CHAT", "/v1/chat//", "/v1/chat;x", "/v1/chat#x", "/v1/chat/stream/x",
    "/v1%252Fchat", "/v1/%2563hat", "/v1/%25%36%33hat", "/%252e%252e/v1/chat", "/v1/chat%252F", "/v1/chat%2500", "/v1/chat%25",
    b"/v1/chat\xff", b"\xff\xfe", "/" + "a" * 30000, "/api/v1/chatbots//chat/x", "/v1/chat\r\nX: y", "/chät",
]


@pytest.mark.parametrize("path", ODD_PATHS, ids=lambda path: repr(path)[:24])
def test_G2_odd_paths_are_404(one, tenant, path):
    body = chat_body("hello")
    status, answer = ask(one, chat_params(tenant, body, REQUEST_URI=path, SCRIPT_NAME=None), body)
    assert status == 404
    assert json.loads(answer).get("code") == ("NOT_FOUND" if path[:5] == "/api/" else None)


# Line breaks in every form that anybody takes for one, and what ends a string elsewhere.
BREAKS = [b"%s\r\nX-Evil: 1", b"%s\nX-Evil: 1", b"%s\rX-Evil: 1", b"%s\r\n\r\nevil", b"%s\0\r\nX-Evil: 1", b"%s\x85X-Evil: 1",
          "%s\u2028X-Evil: 1".encode(), b"X-Evil: 1\r\n%s"]
# What of a request comes back in a reply, or is asked before one is made, with a value that is good before it is broken.
SAID = {
    "HTTP_X_REQUEST_ID": b"request-1", "HTTP_ORIGIN": b"https://listed.example", "REQUEST_METHOD": b"POST",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD": b"POST", "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": b"x-api-key",
    "REQUEST_URI": b"/v1/chat", "HTTP_IDEMPOTENCY_KEY": b"key-1", "HTTP_X_API_KEY": b"sk-widget_1", "HTTP_IF_NONE_MATCH": b'"tag"',
    "HTTP_ACCEPT": b"text/plain", "HTTP_HOST": b"host.example", "REMOTE_ADDR": b"127.0.0.1", "HTTP_X_FORWARDED_FOR": b"192.0.2.1",
    "CONTENT_TYPE": b"application/json", "SERVER_PROTOCOL": b"HTTP/1.1",
}
ALWAYS = {"Status", "Content-Type", "X-Request-Id", "Cache-Control", "X-Content-Type-Options", "Referrer-Policy", "Vary"}
SOMETIMES = {"X-Accel-Buffering", "Allow", "Retry-After", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"}


def check_no_header_of_theirs(reply):
    """Only lines that we write, each of one header that we know, and an id of the contract's form."""
    head = reply.bytes.partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    assert not re.search(rb"[\0-\x08\x0a-\x1f\x7f-\xff]", b"".join(lines)), head
    names = [line.partition(b":")[0].decode() for line in lines]
    assert len(names) == len(set(names)) and ALWAYS <= set(names) <= ALWAYS | SOMETIMES, head
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", reply.headers["X-Request-Id"])
    assert reply.headers.get("Access-Control-Allow-Origin") in (None, "https://listed.example")


@pytest.mark.parametrize("variable", SAID)
def test_G5_G7_no_value_of_a_request_makes_a_header_of_its_own(pool, tenant, variable):
    """On every kind of reply, and no line of the log either."""
    banter = pool(workers=1, allowed_origins="https://listed.example", trusted_proxies="127.0.0.1")
    body = chat_body(script("hello", tokens=["a"]))
    kinds = [
        {}, {"REQUEST_URI": "/v1/chat/stream"}, {"REQUEST_URI": "/none"}, {"REQUEST_METHOD": "GET"}, {"HTTP_X_API_KEY": "none"},
        {"HTTP_ORIGIN": "https://listed.example"}, {"HTTP_IDEMPOTENCY_KEY": "x" * 256}, {"CONTENT_LENGTH": len(body) + 1},
    ]
    for kind in kinds:
        for broken in BREAKS:
            params = {**chat_params(tenant, body), **kind, variable: broken.replace(b"%s", SAID[variable])}
            with Connection(banter.socket) as connection:
                reply = connection.ask(params, body)
                reply.body()
                check_no_header_of_theirs(reply)
                assert b"X-Evil" not in reply.bytes
    assert not re.search(r"^X-Evil", banter.text(), re.M)


@pytest.mark.parametrize("hostile", [
    b"unknown", b"%s%n%x", b"192.0.2.1\r\nX-Evil: 1", b"\0", b"'; drop table banter_data.exchange; --",
    b"999.1.1.1", b"[::1", b"1.2.3.4.5", b"0x7f.1", b"127.1", b"::ffff:1.2.3.4.5", b",", b" ,\t,", b"x" * 60000,
    b"192.0.2.1, " * 5000 + b"unknown", b"\xff\xfe", "\u0661.1.1.1".encode(),
], ids=lambda hostile: repr(hostile)[:24])
def test_G9_a_hostile_X_Forwarded_For_counts_as_who_passed_it_on(one_address, tenant, hostile):
    """It is no address: the one from whom it comes counts, and nobody else."""
    one_address.seen += 1
    who, another = f"203.0.113.{one_address.seen}", f"198.51.100.{one_address.seen}"
    body = chat_body(script("hello", tokens=["a"]))

    def status(value):
        return ask(one_address, chat_params(tenant, body, REMOTE_ADDR=who, HTTP_X_FORWARDED_FOR=value), body)[0]

    assert [status(hostile), status(None), status(hostile), status(another)] == [200, 429, 429, 200]
    assert not re.search(r"^X-Evil", one_address.text(), re.M)


@pytest.mark.parametrize("uri, path_info", [
    (b"/v1/%00chat", b"/v1/chat"), (b"/%00", b"/\0"), (None, b"/\0v1/chat"), (b"/\0", None), (None, b"/v1\0/chat"),
])
def test_G2_a_path_with_a_NUL_names_nothing_of_ours(one, tenant, uri, path_info):
    """h2o decodes %00 for PATH_INFO; it gives REQUEST_URI too, which is what counts."""
    body = chat_body("hello")
    params = chat_params(tenant, body, REQUEST_URI=uri, SCRIPT_NAME=None, PATH_INFO=path_info)
    assert ask(one, params, body)[0] == 404


def test_200_headers_and_long_ones_are_borne(one, tenant):
    body = chat_body(script("hello", tokens=["fine"]))
    more = {f"HTTP_X_{n}": "v" * 50 for n in range(200)}
    more["HTTP_COOKIE"] = "c" * 32768
    more["HTTP_X_REQUEST_ID"] = "mine"
    with Connection(one.socket) as connection:
        reply = connection.ask(chat_params(tenant, body, **more), body)
        assert (reply.status, reply.headers["X-Request-Id"]) == (200, "mine")
        assert reply.json()["message"] == "fine"


@pytest.mark.parametrize("params", [
    {}, {"REQUEST_METHOD": ""}, {"REQUEST_METHOD": "GET"}, {"REQUEST_METHOD": "x" * 60000, "REQUEST_URI": "/"},
    {"": ""}, {"REQUEST_URI": "/nothing", "HTTP_X_FORWARDED_FOR": "," * 30000, "REMOTE_ADDR": ""},
], ids=lambda params: repr(params)[:30])
def test_a_request_without_the_usual_variables_is_404(one, params):
    assert ask(one, params)[0] == 404


def test_no_stdin_at_all_is_an_empty_body(one, tenant):
    assert ask(one, chat_params(tenant, b""))[0] == 400


@pytest.mark.parametrize("size", [65537, 1 << 20])
def test_G3_a_body_that_is_too_long_is_answered(one, tenant, size):
    body = b'{"sessionId":"s","message":"hello"}'.ljust(size)
    assert ask(one, chat_params(tenant, body), body) == (400, b'{"error":"Invalid request payload"}')


def test_G3_a_body_of_65536_bytes_is_taken(one, tenant):
    body = chat_body(script("hello", tokens=["fine"])).ljust(65536)
    assert ask(one, chat_params(tenant, body), body)[0] == 200


def test_a_client_that_reads_nothing_is_given_up_after_BANTER_WRITE_TIME(pool, tenant, model):
    """The answer is far larger than any socket holds."""
    banter = pool(workers=1, write_time="200ms")
    text = name("blocked")
    reply = stream(banter.socket, tenant, script(text, tokens=200000))
    assert health(banter.socket) == 200  # the only worker is free again
    assert 'cause="the client left"' in banter.text()
    reply.connection.close()


def test_clients_without_a_request_keep_no_worker(pool, tenant):
    """Connections that are opened and left, silent ones among them, and the pool serves on."""
    banter = pool(workers=2, request_time="200ms")
    before = banter.children()
    silent = [Connection(banter.socket) for _ in range(10)]
    for _ in range(50):
        Connection(banter.socket).close()
    assert in_time(lambda: chat(banter.socket, tenant, script("after them", tokens=["fine"])).json())["message"] == "fine"
    for connection in silent:
        assert connection.ended()
        connection.close()
    assert banter.children() == before


def test_a_worker_keeps_no_descriptor_of_a_request(one, tenant):
    pid = one.children()[0]
    body = chat_body(script("hello", tokens=["fine"]))

    def some():
        for _ in range(10):
            assert ask(one, chat_params(tenant, body), body)[0] == 200
            stream(one.socket, tenant, script("cut", tokens=["a"], cut_after=1)).events()
            with Connection(one.socket) as connection:
                connection.begin()
        assert health(one.socket) == 200
        return servers.descriptors(pid)

    # One more or less: libfcgi ends a connection a moment before it closes it.
    assert abs(some() - some()) <= 1
