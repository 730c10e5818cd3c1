"""Behind any web server: what a client is promised, through each file of deploy/ as it stands (see fronts/base.py)."""

import concurrent.futures
import contextlib
import email
import email.message
import gzip
import json
import os
import re
import signal
import socket
import threading
import time

import pytest
import requests
from apis import BOTH, Chatbot, Headless, check_headers
from fronts import FRONTS
from servers import PATIENCE, name, script, until
from site_client import Stream
from test_widget_files import EVERY, address, content, get

READ_TIME = 4  # seconds a server waits for a silent program here; its file says far more
BEAT = 0.5
BODY = 65536  # the longest one of most paths
ORIGIN = "https://example.com"


@pytest.fixture(scope="module", params=FRONTS, ids=lambda front: front.name)
def front(request):
    return request.param


@pytest.fixture(scope="module")
def shared_front(front, postgres, database, standin):
    """One of each server, with no heartbeats: nothing else pushes out what a flush forgot."""
    site = front.site(postgres, database.url(), standin, allowed_origins=ORIGIN)
    yield site
    site.close()


@pytest.fixture(scope="module")
def shared_beating(front, postgres, database, standin):
    """One whose own patience is short, with a heartbeat that is shorter."""
    site = front.site(postgres, database.url(), standin, heartbeat=BEAT, read_time=READ_TIME)
    yield site
    site.close()


@pytest.fixture
def site(shared_front):
    return shared_front.for_new_tenant()


@pytest.fixture
def beating(shared_beating):
    return shared_beating.for_new_tenant()


@pytest.fixture
def begin(front, postgres, database, standin):
    """begin(**settings) -> Site: one of the test's own."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            contextlib.closing(front.site(postgres, database.url(), standin, **settings)))


@pytest.fixture(params=BOTH, ids=lambda api: api.name)
def api(request, site):
    return request.param(site)


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def streams(request):
    return request.param


def needs_pool(front):
    if front.owns_processes:
        pytest.skip("the server starts the program itself: there is no pool to take away")


# Streams


def test_each_token_arrives_as_it_is_sent(front, api):
    """Each token waits at a gate that is opened when the client holds what came before."""
    gates = [name("gate") for _ in range(4)]
    if front.holds_tokens_back:
        for gate in gates:
            api.site.model.open_gate(gate)
    stream = api.stream(script("Hello", tokens=list("abcd"), gates={n + 1: gate for n, gate in enumerate(gates)}))
    assert next(stream)["type"] == "start"
    for gate, token in zip(gates, "abcd"):
        api.site.model.open_gate(gate)
        assert next(stream) == {"type": "token", "token": token}
    (done,) = stream.rest()
    assert (done["type"], done["message"]) == ("done", "abcd")


def test_a_long_answer_comes_whole(api, streams):
    """`done` is one event, longer than any buffer on the way."""
    assert api.answered(script("Hello", tokens=14000), streams).endswith("word14000 ")
    tokens = ["caf\u00e9 ", "\U0001f600"]
    assert api.answered(script("Hello", tokens=tokens), streams) == "".join(tokens)


def test_a_stream_is_not_compressed(api):
    stream = api.stream(script("Hello", tokens=3), headers={"Accept-Encoding": "gzip, deflate, br"})
    assert "Content-Encoding" not in stream.headers
    assert stream.rest()[-1]["type"] == "done"


def test_a_client_that_leaves_ends_the_models_transfer(front, request, streams):
    """At once where the server tells, though no heartbeat says anything; else with the next heartbeat."""
    if not front.tells_at_once and not streams:
        pytest.skip("a JSON exchange writes nothing meanwhile: BANTER_JSON_TIME ends it")
    if front.holds_tokens_back:
        pytest.skip("heartbeats stay in the server's buffer: BANTER_EXCHANGE_TIME ends it")
    site = request.getfixturevalue("site" if front.tells_at_once else "beating")
    for api in (Headless(site), Chatbot(site)):
        mark = name()
        with api.call(script(mark, silence=True), streams):
            site.model.wait(mark)
        site.model.wait(mark, ended="client_left")


def test_silence_beyond_the_servers_patience(front, beating):
    """Heartbeats arrive, and keep the server from giving up. The sleep is the silence, not a measure."""
    gate = name("gate")
    message = script("Hello", tokens=["a", "b"], gates={"2": gate})
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        if front.holds_tokens_back:
            endings = [threads.submit(Api(beating).answered, message, True) for Api in BOTH]
        else:
            streams = [Api(beating).stream(message) for Api in BOTH]
            for stream in streams:
                assert [next(stream)["type"], next(stream)["type"]] == ["start", "token"]
                stream.wait_beats(2)
            endings = [threads.submit(lambda stream=stream: stream.rest()[-1]["message"]) for stream in streams]
        time.sleep(1.25 * READ_TIME)
        beating.model.open_gate(gate)
        assert [ending.result() for ending in endings] == ["ab", "ab"]


# Requests


def test_either_key_header_reaches_the_program(site):
    for header in ("x-api-key", "x-widget-api-key"):
        reply = site.request("POST", "/v1/chat", {header: site.tenant.widget_key}, key=False, json=site.body("Hello"))
        assert reply.status_code == 200
    assert site.chatbot("Hello").status_code == 200
    assert site.chatbot("Hello", {"Authorization": "Bearer none"}).status_code == 401


def test_the_clients_own_address_is_what_counts(begin):
    """Each of two addresses is refused for its own requests only. (Two hosts count by themselves.)"""
    site = begin(address_limit=1, address_window="1h")
    ask = {"method": "POST", "target": site.nginx.path + "/v1/chat", "body": "{}"}
    for source in ("127.0.0.1", "127.0.0.2"):
        statuses = [site.raw(**ask, source=source)[0] for _ in range(4)]
        assert (statuses[0], statuses[-1]) == (401, 429)


# What a client writes itself beside the line that a proxy adds for it.
FORGED = {
    "in the same line": ["X-Forwarded-For: {forged}, {own}"],
    "in a line before it": ["X-Forwarded-For: {forged}", "X-Forwarded-For: {own}"],
    "spelled otherwise, before": ["X_Forwarded_For: {forged}", "X-Forwarded-For: {own}"],
    "spelled otherwise, behind": ["X-Forwarded-For: {own}", "X_Forwarded_For: {forged}"],
    "half of it": ["X-Forwarded-For: {own}", "X-Forwarded_For: {forged}"],
}


def test_G9_behind_a_proxy_no_forged_address_counts(begin):
    """The tests are the proxy. (Two hosts count by themselves.)"""
    site = begin(address_limit=1, address_window="1h", trusted_proxies="127.0.0.1")

    def ask(lines, **values):
        headers = email.message.Message()
        for line in lines:
            header, value = line.format(**values).split(": ")
            headers[header] = value
        return site.raw("POST", site.nginx.path + "/v1/chat", headers, "{}")[0]

    for n in range(3):
        assert ask(["X-Forwarded-For: {own}"], own=f"198.18.0.{n}") == 401
    for n, (kind, lines) in enumerate(FORGED.items()):
        statuses = [ask(lines, forged=f"198.19.{n}.{at}", own=f"203.0.113.{n}") for at in range(4)]
        assert statuses[-1] == 429, (kind, statuses)


def of_size(members, size):
    """A body with those members, of exactly that size."""
    start = json.dumps(members)[:-1] + ', "padding": "'
    return (start + "x" * (size - len(start) - 2) + '"}').encode()


def padded(api, size):
    """A good body of exactly that size."""
    return of_size(api.body("Hello", False), size)


def pieces(body, size=8192):
    """A body that requests sends chunked."""
    return iter([body[at:at + size] for at in range(0, len(body), size)])


def send(api, body, chunked):
    headers = {**api.key(), "Content-Type": "application/json"}
    return api.site.request("POST", api.path(False), headers, key=False, data=pieces(body) if chunked else body)


@pytest.fixture(params=[False, True], ids=["length", "chunked"])
def chunked(request):
    return request.param


@pytest.mark.parametrize("size", [200, BODY])
def test_a_body_up_to_64_KiB_passes(api, chunked, size):
    body = padded(api, size)
    assert len(body) == size
    reply = send(api, body, chunked)
    assert reply.status_code == 200, reply.text
    assert api.text(reply)


def test_a_larger_body_is_400(api, chunked):
    assert api.refuses(send(api, padded(api, BODY + 1), chunked), "invalid")


def complete(site, size, chunked, message="Hello"):
    """A completion that is asked for in a body of exactly that size."""
    history = [{"role": role, "content": "x" * 500} for role in ("user", "assistant")] * (size // 1500)
    members = {"model": site.tenant.chatbot, "messages": [*history, {"role": "user", "content": message}]}
    headers = {"Authorization": f"Bearer {site.tenant.workspace_key}", "Content-Type": "application/json"}
    body = of_size(members, size)
    assert len(body) == size
    return site.request("POST", "/v1/chat/completions", headers, key=False, data=pieces(body) if chunked else body)


def test_O5_a_whole_history_passes(front, site, chunked):
    """In memory, where the server's file promises that: nginx would warn of what it puts to disk."""
    reply = complete(site, front.longest_body, chunked, script("Hello", tokens=["fine"]))
    assert reply.status_code == 200, reply.text
    assert reply.json()["choices"][0]["message"]["content"] == "fine"
    assert "to a temporary file" not in site.nginx.text()


def test_O5_a_longer_history_is_400(front, site, chunked, monkeypatch):
    """In the form of the protocol: the program says so, not the server, unless it takes no more itself."""
    if front.longest_body < 1 << 20:
        monkeypatch.setattr(site.http, "held", False)  # words of the server's own
        with contextlib.suppress(requests.ConnectionError):
            assert complete(site, front.longest_body + 1, chunked).status_code in (400, 500)
        return
    reply = complete(site, front.longest_body + 1, chunked)
    assert (reply.status_code, reply.json()["error"]["type"]) == (400, "invalid_request_error")
    check_headers(reply)


def test_a_body_that_the_server_refuses_is_400(front, api, chunked):
    """The server bounds what it reads; where it can it says so in the API's words, else in some way of its own."""
    body = padded(api, 3 << 20)
    if front.says_too_large:
        reply = send(api, body, chunked)
        assert api.refuses(reply, "invalid")
        check_headers(reply)
    else:
        with contextlib.suppress(requests.ConnectionError):
            assert send(api, body, chunked).status_code in (400, 413, 500)


def test_a_client_that_asks_before_it_sends(api):
    assert send(api, padded(api, BODY), False).status_code == 200
    reply = api.json("Hello", headers={"Expect": "100-continue"})
    assert reply.status_code == 200


# What is nearly a path of ours and is not: the program compares undecoded. `*` is ours without its first slash.
ODD = ["//*", "/./*", "/x/../*", "/../*", "/%2e%2e/*", "/%2F*", "/*%2F", "/*%00", "/*%20", "/*%3Fx", "/*;x",
       "/*/..", "/*/x/..", "/*/%2e",
       # Whoever decodes a second time finds our path in these.
       "/%252e%252e/*", "/x/%252e%252e/*", "/*%252F", "/*%2500", "/*%253Fx", "/%252F*"]
# What may stand in place of its last slash.
BETWEEN = ["//", "/./", "/x/../", "%2F", "%2f", "%5C", "/%00/", "/%63hat/../", "%252F", "%255C", "/%252e/"]


# In the headless API's form, and in that of whatever begins with /api/.
NOT_FOUND = b'{"error":"Not found"}', b'{"success":false,"error":"No such path","code":"NOT_FOUND"}'


def odd_paths(path):
    head, tail = path.rsplit("/", 1)
    yield from (odd.replace("*", path[1:]) for odd in ODD)
    yield from (head + between + tail for between in BETWEEN)
    yield f"{head}/%63{tail[1:]}"
    yield f"{head}/%2563{tail[1:]}"
    yield f"{head}/%25%36%33{tail[1:]}"
    yield path.upper()


def test_odd_paths_are_404_or_the_servers_own_400(front, api):
    site = api.site
    for path in odd_paths(api.path(False)):
        mark = name()
        status, headers, body = site.raw(
            "POST", site.nginx.path + path, api.key(), json.dumps(api.body(mark, False)))
        assert status in (400, 404), (path, status, body)
        if status == 404 and front.says_not_found:
            # A server that cannot take %00 knows no path in whose form to answer.
            assert body in ([NOT_FOUND[path.startswith("/api/")]] if "%00" not in path else NOT_FOUND), path
        assert not site.model.requests(mark), path


def test_a_slash_at_the_end_and_a_query_are_nothing(api):
    for tail in ("", "/", "?x=%2F..//", "/?"):
        reply = api.site.request("POST", api.path(False) + tail, api.key(), key=False, json=api.body("Hello", False))
        assert reply.status_code == 200, (tail, reply.text)


# A client that sends what no server knows a path of.
HEADS = {
    "no request at all": b"NONSENSE\r\n\r\n",
    "a control character in the method": b"G\x01T {path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a header that is none": b"GET {path} HTTP/1.1\r\nHost: {host}\r\na\x01b: c\r\n\r\n",
    "no host": b"GET {path} HTTP/1.1\r\n\r\n",
    "a length that is none": b"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: x\r\n\r\n",
    "a cookie of 40 KB": b"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {long}\r\n\r\n",
    "an address of 40 KB": b"GET {path}?{long} HTTP/1.1\r\nHost: {host}\r\n\r\n",
}


def said(site, head):
    """What comes back for those bytes: status, headers, body. The server may close before it has read them all."""
    with socket.create_connection(("127.0.0.1", site.nginx.port), timeout=PATIENCE) as client:
        with contextlib.suppress(OSError):
            client.sendall(head)
        reply = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                reply += piece
    head, _, body = reply.partition(b"\r\n\r\n")
    status, _, lines = head.decode().partition("\r\n")
    return int(status.split()[1]), email.message_from_string(lines), body


@pytest.mark.parametrize("kind", HEADS)
def test_G5_a_head_that_cannot_be_read_is_refused_in_the_APIs_form(front, shared_front, kind):
    """Where the server's own site is Banter's and it has a way to say so: its page tells."""
    head = HEADS[kind]
    for piece, value in {"path": f"{front.path}/v1/chat", "host": "chat.example.com", "long": "a" * 40960}.items():
        head = head.replace(b"{%s}" % piece.encode(), value.encode())
    if not front.says_early:
        pytest.skip("it has words of its own: its page tells")
    status, headers, body = said(shared_front, head)
    assert (status in (400, 414), json.loads(body)) == (True, {"error": "Invalid request payload"}), (status, body)
    assert headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", headers["X-Request-Id"]), headers["X-Request-Id"]
    assert headers["Cache-Control"] == "no-store"


def test_a_head_of_20_KB_passes(front, api):
    if not front.takes_long_heads:
        pytest.skip("it takes 8 KB: its page tells")
    long = "a" * 20480
    for headers, query in ({"Cookie": f"of-the-domain={long}"}, ""), ({}, f"?{long}"):
        reply = api.site.request("POST", api.path(False) + query, {**api.key(), **headers}, key=False, json=api.body("Hello", False))
        assert reply.status_code == 200, (len(query), reply.text)


def test_health(site):
    reply = site.request("GET", "/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    head = site.request("HEAD", "/health")
    assert (head.status_code, head.content, head.headers["Content-Type"]) == (200, b"", "application/json")
    check_headers(head)


# Replies


def test_request_ids_pass_both_ways(api, streams):
    own = name("request")
    reply = api.post(api.body("Hello", streams), streams, {"X-Request-Id": own})
    assert reply.headers["X-Request-Id"] == own
    made = {api.post(api.body("Hello", streams), streams).headers["X-Request-Id"] for _ in range(2)}
    assert len(made) == 2


def test_every_reply_has_its_headers(api):
    for streams, kind in (False, "application/json"), (True, None):
        reply = api.post(api.body("Hello", streams), streams)
        assert reply.status_code == 200
        check_headers(reply, streams)
        assert reply.headers["Content-Type"] == (kind or reply.headers["Content-Type"])
        assert not streams or Stream(reply).rest()[-1]["type"] == "done"


def test_the_kinds_of_streams(site):
    assert Headless(site).stream("Hello").headers["Content-Type"] == "application/x-ndjson"
    assert Chatbot(site).stream("Hello").headers["Content-Type"] == "text/event-stream"


def test_the_programs_own_refusals_pass(api):
    """With the body and the headers that are theirs: no page of the server's takes their place."""
    site = api.site
    assert api.refuses(api.post(b"{"), "invalid")
    wrong = dict.fromkeys(api.key(), "Bearer none")
    assert api.refuses(api.json("Hello", headers=wrong), "key")
    refused = site.request("GET", api.path(False))
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert refused.json()["error"] == "Method not allowed"
    site.grant(0)
    assert api.refuses(api.json("Hello"), "no_credit")
    assert api.refuses(api.post(api.body("Hello", True), True), "no_credit")
    site.grant(100)
    assert api.refuses(api.json(script("Hello", status=500)), "internal")


def test_limits_reach_the_client(site):
    site.configure(rate_limit=1, rate_window=3600)
    replies = [site.chatbot("Hello") for _ in range(2)]
    assert [reply.headers["X-RateLimit-Remaining"] for reply in replies] == ["0", "0"]
    assert Chatbot(site).refuses(replies[1], "too_many")


def test_cors(site):
    """A preflight, and a reply that the page may read."""
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    preflight = site.request("OPTIONS", "/v1/chat/stream", asks, key=False)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-api-key" in preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    for reply in site.chat("Hello", headers={"Origin": ORIGIN}), site.chat("", headers={"Origin": ORIGIN}):
        assert (reply.headers["Access-Control-Allow-Origin"], reply.headers["Vary"].count("Origin")) == (ORIGIN, 1)
        assert "X-RateLimit-Limit" in reply.headers["Access-Control-Expose-Headers"]


def test_W1_W2_W3_W4_the_widgets_files(site):
    """Bytes, types, tags and what a cache may keep are the program's: no server packs them, or unpacks them, once more."""
    for path in EVERY:
        for encoding, read in (("identity", bytes), ("gzip", gzip.decompress)):
            reply, came = get(site, path, encoding)
            assert (reply.status_code, read(came)) == (200, content(path))
            assert reply.headers.get("Content-Encoding", "identity") == encoding
            assert "Accept-Encoding" in reply.headers["Vary"]
            assert reply.headers["Content-Type"].startswith("text/css" if path.suffix == ".css" else "text/javascript")
            assert reply.headers["Cache-Control"].startswith("public, max-age=3")
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
            head, nothing = get(site, path, encoding, "HEAD")
            assert (head.status_code, nothing, head.headers["ETag"]) == (200, b"", reply.headers["ETag"])
            had, nothing = get(site, path, encoding, If_None_Match=reply.headers["ETag"])
            assert (had.status_code, nothing, had.headers["ETag"]) == (304, b"", reply.headers["ETag"])
            assert had.headers["Cache-Control"] == reply.headers["Cache-Control"]
        refused = site.request("POST", address(path), key=False)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    missing = site.request("GET", "/banter/0/nothing.js", key=False)
    assert (missing.status_code, missing.json(), missing.headers["Cache-Control"]) == (404, {"error": "Not found"}, "no-store")


def test_a_retry_is_answered_from_memory(api, streams):
    mark, headers = name(), {"Idempotency-Key": name("key")}
    own, message = api.conversation(), script(mark, tokens=["a", "b"])
    assert [api.answered(message, streams, own, headers) for _ in range(2)] == ["ab", "ab"]
    assert len(api.site.model.requests(mark)) == 1


# Pools that are full, away or hang


def test_a_full_pool_says_so(front, begin):
    """The 503 of admission, which comes before the request is read, passes too."""
    needs_pool(front)
    site = begin(workers=1, queue_time=0.2)
    gate = name("gate")
    body = Headless(site).body(script("Hello", tokens=["a"], gates={"1": gate}), True)

    def begun():
        reply = Headless(site).post(body, True)
        return reply.ok and Stream(reply)

    # A worker that a busy machine wakes too late has its request refused.
    running = [until(begun, "a stream") for _ in site.nginx.pools]
    assert [next(stream)["type"] for stream in running] == ["start"] * len(running)
    for Api in BOTH:
        assert Api(site).refuses(send(Api(site), padded(Api(site), BODY), False), "unavailable")
    site.model.open_gate(gate)
    assert [stream.rest()[-1]["type"] for stream in running] == ["done"] * len(running)


def unavailable(front, reply, api, status=503):
    if front.says_unavailable:
        assert reply.status_code == status, reply.text
        reply.status_code = 503  # some servers cannot change the status; all else is as it should be
        assert api.refuses(reply, "unavailable")
        check_headers(reply)
    else:
        assert reply.status_code in (500, 502, 503, 504)


def test_a_pool_that_is_away_is_503(front, begin, streams):
    """And it is found again when it is back."""
    needs_pool(front)
    site = begin()
    for pool in site.nginx.pools:
        pool.end()
    for Api in BOTH:
        api = Api(site)
        unavailable(front, api.post(api.body("Hello", streams), streams), api)
        # Not the query but the path says whose form it has.
        unavailable(front, site.request("POST", api.path(streams) + "?from=/api/v1", api.key(), key=False, data="{}"), api)
    for pool in site.nginx.pools:
        pool.start()
    for Api in BOTH:
        until(lambda: Api(site).json("Hello").status_code == 200, "the pool found again")


def own_answers(front, api, headers):
    """What the server says itself, its pool being away."""
    if not front.owns_processes:
        yield api.json("Hello", headers=headers)
    if front.says_too_large:
        yield api.post(b" " * (3 << 20), headers=headers)


def test_G7_pages_of_a_listed_origin_may_read_what_the_server_says(front, begin):
    if not front.says_origins:
        pytest.skip("it has no way to say so: its page tells")
    site = begin()
    for pool in site.nginx.pools:
        pool.end()
    for origin in ORIGIN, "https://example.com.net", "null", None:
        listed = origin == ORIGIN
        for Api in BOTH:
            for reply in own_answers(front, Api(site), {"Origin": origin} if origin else {}):
                assert reply.status_code in (400, 503)
                assert reply.headers.get("Access-Control-Allow-Origin") == (ORIGIN if listed else None)
                assert reply.headers.get("Vary") == ("Origin" if listed else None)
                exposed = reply.headers.get("Access-Control-Expose-Headers", "").split(", ")
                assert ("Retry-After" in exposed) == listed


def test_P1_pages_may_read_what_the_server_says_to_a_site_key(front, begin):
    if not front.says_origins:
        pytest.skip("it has no way to say so: its page tells")
    site = begin()
    for pool in site.nginx.pools:
        pool.end()
    for key in {"x-api-key": "pk-site_1"}, {"Authorization": "Bearer pk-site_1"}:
        headers = {"Origin": "https://any.example", "Content-Type": "application/json", **key}
        for body in [] if front.owns_processes else [b"{}"], [b" " * (3 << 20)] if front.says_too_large else []:
            for one in body:
                reply = site.request("POST", "/v1/chat", headers, key=False, data=one)
                assert reply.status_code in (400, 503)
                assert reply.headers.get("Access-Control-Allow-Origin") == "*" and "Vary" not in reply.headers
                assert "Retry-After" in reply.headers["Access-Control-Expose-Headers"]


@contextlib.contextmanager
def hanging(pool):
    """Its processes stand still: the kernel goes on taking connections."""
    pids = [pool.process.pid, *pool.children(), *pool.children("admit")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_worker_that_dies_before_it_answers_is_503(front, begin):
    needs_pool(front)
    site = begin(workers=1)
    for Api in BOTH:
        api, mark, replies = Api(site), name(), []
        asking = threading.Thread(target=lambda: replies.append(api.json(script(mark, hang=True))))
        asking.start()
        site.model.wait(mark)
        for pool in site.nginx.pools:
            for worker in pool.children():
                os.kill(worker, signal.SIGKILL)
        asking.join(PATIENCE)
        unavailable(front, *replies, api)


def test_a_pool_that_hangs_is_503(front, begin):
    needs_pool(front)
    site = begin(read_time=1)
    mark = name()
    with contextlib.ExitStack() as stack:
        for pool in site.nginx.pools:
            stack.enter_context(hanging(pool))
        for Api in BOTH:
            unavailable(front, Api(site).json(mark), Api(site), front.hang_status)
    for Api in BOTH:
        until(lambda: Api(site).json("Hello").status_code == 200, "the pool found again")
    assert not site.model.requests(mark)
