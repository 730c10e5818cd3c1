"""What holds for every request: G1 to G9 and G11, through nginx."""

import itertools
import json
import re

import pytest
from apis import check_headers
from servers import name, script, until
from site_client import Site, at_once, site_of_its_own

JSON = {"Content-Type": "application/json"}
HOUR = 3600  # no test lives to see the end of such a window
INVALID = {"error": "Invalid request payload"}
UNAUTHORIZED = {"error": "Unauthorized"}
TOO_MANY = {"error": "Too many requests"}


def begin(postgres, database, standin, **settings):
    return Site.start(postgres, database.url(), standin, **settings)


@pytest.fixture(scope="module")
def limited_site(postgres, database, standin):
    """Each address may ask three times and fail with three keys; a test takes addresses of its own."""
    site = begin(postgres, database, standin, workers=4, address_limit=3, address_window=HOUR,
                 failed_key_limit=3, trusted_proxies="127.0.0.1/32,10.0.0.0/8,2001:db8:aaaa::/48")
    yield site
    site.close()


@pytest.fixture
def limited(limited_site):
    return limited_site.for_new_tenant()


@pytest.fixture(scope="module")
def broken(standin):
    """A site whose database has gone."""
    with site_of_its_own(standin, workers=2, address_limit=3, address_window=HOUR, trusted_proxies="127.0.0.1",
                         database_time=1, database_connect_time=1) as site:
        until(lambda: site.request("GET", "/health").status_code == 200, "health in so short a time")
        site.postgres.stop()
        yield site


def address(count=[0]):  # noqa: B006  (one counter for all)
    """An address no other test uses."""
    count[0] += 1
    return f"198.18.{count[0] // 250}.{count[0] % 250 + 1}"


def use_up(site, who, times=3):
    for _ in range(times):
        site.request("POST", "/v1/chat", {"X-Forwarded-For": who, "x-api-key": "none"})


# G1


HEADLESS_CHECKS = ["path", "method", "limit", "key", "body", "idempotency", "credits"]
HEADLESS_ANSWERS = {
    "path": (404, {"error": "Not found"}),
    "method": (405, {"error": "Method not allowed"}),
    "limit": (429, TOO_MANY),
    "key": (401, UNAUTHORIZED),
    "body": (400, INVALID),
    "idempotency": (409, {"error": "Idempotency key reused"}),
    "credits": (402, {"error": "Insufficient credits"}),
}


def subsets(checks):
    return [set(chosen) for size in range(len(checks) + 1) for chosen in itertools.combinations(checks, size)]


def test_G1_the_first_failing_check_decides_headless(limited):
    """Every set of checks that a request can fail at once: the first of them is the answer."""
    poor = limited.for_new_tenant()
    for site in (limited, poor):
        used = {"Idempotency-Key": "used", "X-Forwarded-For": address()}
        assert site.chat("Hello", headers=used).status_code == 200
    poor.grant(0)
    used_up = address()
    use_up(limited, used_up)

    for failing in subsets(HEADLESS_CHECKS):
        site = poor if "credits" in failing else limited
        answer = site.request(
            "PUT" if "method" in failing else "POST",
            "/v1/chats" if "path" in failing else "/v1/chat",
            {
                "X-Forwarded-For": used_up if "limit" in failing else address(),
                "x-api-key": "wrong" if "key" in failing else site.tenant.widget_key,
                "Idempotency-Key": "used" if "idempotency" in failing else name(),
            },
            data="{" if "body" in failing else json.dumps(site.body("Hello")),
        )
        first = next((check for check in HEADLESS_CHECKS if check in failing), None)
        if first is None:
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.json()) == HEADLESS_ANSWERS[first], failing
        assert answer.headers.get("Allow") == ("POST" if first == "method" else None), failing


CHATBOT_CHECKS = ["path", "method", "key", "body", "idempotency", "chatbot", "limit", "conversation", "credits"]
CHATBOT_ANSWERS = {
    "path": (404, "NOT_FOUND"),
    "method": (405, "METHOD_NOT_ALLOWED"),
    "key": (401, "INVALID_API_KEY"),
    "body": (400, "INVALID_REQUEST"),
    "idempotency": (409, "IDEMPOTENCY_KEY_REUSED"),
    "chatbot": (404, "CHATBOT_NOT_FOUND"),
    "limit": (429, "RATE_LIMIT_EXCEEDED"),
    "conversation": (404, "CONVERSATION_NOT_FOUND"),
    "credits": (402, "INSUFFICIENT_CREDITS"),
}


def test_G1_the_first_failing_check_decides_chatbot(site):
    tenants = {}
    for limit, credits in itertools.product([False, True], repeat=2):
        tenants[limit, credits] = one = site.for_new_tenant()
        assert one.chatbot("Hello", {"Idempotency-Key": "used"}).status_code == 200
        if credits:
            one.grant(0)
        if limit:
            one.configure(rate_limit=0)

    for failing in subsets(CHATBOT_CHECKS):
        one = tenants["limit" in failing, "credits" in failing]
        body = {"message": "Another", **({"conversationId": "nobodys"} if "conversation" in failing else {})}
        answer = one.request(
            "DELETE" if "method" in failing else "POST",
            f"/api/v1/chatbots/{'another' if 'chatbot' in failing else one.tenant.chatbot}"
            f"/{'chats' if 'path' in failing else 'chat'}",
            {
                "Authorization": "Bearer " + ("wrong" if "key" in failing else one.tenant.workspace_key),
                "Idempotency-Key": "used" if "idempotency" in failing else name(),
            },
            data="[]" if "body" in failing else json.dumps(body),
        )
        first = next((check for check in CHATBOT_CHECKS if check in failing), None)
        if first is None:
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.json().get("code")) == CHATBOT_ANSWERS[first], (failing, answer.text)
            assert answer.json()["success"] is False and answer.json()["error"]


def test_G1_what_counts_against_the_address_limit(limited):
    """404, 405, preflights, health and the chatbot API do not; a refusal for the key or the body does."""
    who = {"X-Forwarded-For": address()}
    for _ in range(4):
        assert limited.request("POST", "/nothing", who).status_code == 404
        assert limited.request("GET", "/v1/chat", who).status_code == 405
        assert limited.request("GET", "/health", who).status_code == 200
        assert limited.chatbot("Hello", who).status_code == 200
    assert limited.request("POST", "/v1/chat", who, data="{").status_code == 400
    assert limited.request("POST", "/chat", who, key=False, data="{}").status_code == 401
    assert limited.chat("Hello", headers=who).status_code == 200
    assert limited.chat("Hello", headers=who).status_code == 429
    assert limited.stream("Hello", headers=who).status == 429


def test_G1_refused_for_the_limit_counts_too(start):
    """The count goes on beyond the limit: raising it for one more request lets none through."""
    site = start(address_limit=2, address_window=HOUR, workers=1)
    assert [site.chat("Hello").status_code for _ in range(4)] == [200, 200, 429, 429]
    # What is refused by the chatbot's own limit is counted in its window as well.
    site.configure(rate_limit=1, rate_window=HOUR)
    assert [site.chatbot("Hello").status_code for _ in range(3)] == [200, 429, 429]
    assert site.sql("select count from banter_data.rate_window where chatbot = %s", site.tenant.chatbot) == [(3,)]


# G2


@pytest.mark.parametrize("target, status", [
    ("/v1/chat", 200),
    ("/v1/chat/", 200),
    ("/v1/chat?x=1", 200),
    ("/v1/chat/?x=/v1/nothing", 200),
    ("/v1/chat?", 200),
    ("/v1/chat/stream/", 200),
    ("/chat/?a", 200),
    ("/v1/chat//", 404),
    ("//v1/chat", 404),
    ("/v1//chat", 404),
    ("/v1/%63hat", 404),
    ("/v1%2Fchat", 404),
    ("/v1/./chat", 404),
    ("/v1/x/../chat", 404),
    ("/V1/chat", 404),
    ("/v1/chat/stream/more", 404),
    ("/v1", 404),
    ("/", 404),
    ("/?/v1/chat", 404),
    ("/sub/v1/chat", 404),
])
def test_G2_paths_compare_undecoded(site, target, status):
    body = json.dumps(site.body("Hello"))
    assert site.raw("POST", target, {"x-api-key": site.tenant.widget_key}, body)[0] == status


def test_G2_the_absolute_form_names_the_same_path(site):
    target = f"http://anything.example/v1/chat/?{name()}"
    assert site.raw("POST", target, {"x-api-key": site.tenant.widget_key}, json.dumps(site.body("Hello")))[0] == 200


def test_G2_behind_a_prefix(start):
    site = start(workers=1, path_prefix="/my/bot")
    headers, body = {"x-api-key": site.tenant.widget_key}, json.dumps(site.body("Hello"))
    for target, status in {
        "/my/bot/v1/chat": 200,
        "/my/bot/v1/chat/?q": 200,
        "/my/bot/chat": 200,
        "/v1/chat": 404,
        "/my/bot": 404,
        "/my/botv1/chat": 404,
        "/my/bot/my/bot/v1/chat": 404,
        "/my/bo%74/v1/chat": 404,
    }.items():
        assert site.raw("POST", target, headers, body)[0] == status, target
    assert site.raw("GET", "/my/bot/health")[0] == 200
    assert site.raw("GET", "/health")[0] == 404


# G3


def nested(depth):
    """A body that is `depth` deep."""
    return b'{"sessionId":"s","message":"m","x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def padded(size):
    text = b'{"sessionId":"s","message":"m","pad":"%s"}'
    return text % (b"x" * (size - len(text) + 2))


GOOD_BODIES = {
    "plain": b'{"sessionId":"s","message":"m"}',
    "white space around": b' \t\r\n{ "sessionId" : "s" , "message" : "m" } \n',
    "unknown members": b'{"sessionId":"s","message":"m","conversationId":5,"stream":"no","x":{"y":[1,null,true]}}',
    "numbers beyond doubles": b'{"sessionId":"s","message":"m","x":[1e999999,-0,1E+2,12345678901234567890123]}',
    "the last of equal names": b'{"message":5,"sessionId":"!","message":null,"sessionId":"s","message":"m"}',
    "equal unknown names": b'{"x":1,"sessionId":"s","x":2,"message":"m"}',
    "names in escapes": b'{"\\u0073essionId":"s","m\\u0065ssage":"m"}',
    "32 deep": nested(32),
    "65,536 bytes": padded(65536),
}


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("body", GOOD_BODIES.values(), ids=GOOD_BODIES.keys())
def test_G3_bodies_that_pass(site, body, chunked):
    """With a length or chunked, and with no Content-Type at all."""
    answer = site.request("POST", "/v1/chat", data=(iter([body[:9], body[9:]]) if chunked else body))
    assert "Content-Type" not in answer.request.headers
    assert (answer.status_code, site.exchanges()[-1]["question"]) == (200, "m"), answer.text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense", ""])
def test_G3_content_type_is_not_checked(site, kind):
    assert site.request("POST", "/v1/chat", {"Content-Type": kind}, data=GOOD_BODIES["plain"]).status_code == 200


def of_message(value):
    return b'{"sessionId":"s","message":' + value + b"}"


def of_other(value):
    return b'{"sessionId":"s","message":"m","x":' + value + b"}"


BAD_BODIES = {
    "nothing": b"",
    "blanks": b" \n",
    "half": b'{"sessionId":"s","message":"m"',
    "an array": b'[{"sessionId":"s","message":"m"}]',
    "a string": b'"m"',
    "null": b"null",
    "two objects": b'{"sessionId":"s","message":"m"}{}',
    "a trailing letter": b'{"sessionId":"s","message":"m"}x',
    "a trailing zero byte": b'{"sessionId":"s","message":"m"}\0',
    "a trailing comma": b'{"sessionId":"s","message":"m",}',
    "a byte order mark": b'\xef\xbb\xbf{"sessionId":"s","message":"m"}',
    "single quotes": b"{'sessionId':'s','message':'m'}",
    "a name without quotes": b'{sessionId:"s","message":"m"}',
    "a comment": b'{"sessionId":"s",/* */"message":"m"}',
    "NaN": of_other(b"NaN"),
    "Infinity": of_other(b"-Infinity"),
    "a number ending in a point": of_other(b"1."),
    "a number beginning with a point": of_other(b".5"),
    "a plus sign": of_other(b"+1"),
    "a leading zero": of_other(b"01"),
    "hexadecimal": of_other(b"0x1"),
    "True": of_other(b"True"),
    "33 deep": nested(33),
    "a thousand deep": nested(1000),
    "a raw line feed": of_message(b'"a\nb"'),
    "a raw tab": of_other(b'"a\tb"'),
    "an unknown escape": of_message(b'"\\x41"'),
    "a short escape": of_message(b'"\\u00e"'),
    "overlong zero": of_message(b'"a\xc0\x80b"'),
    "overlong slash": of_other(b'"\xe0\x80\xaf"'),
    "invalid UTF-8": of_message(b'"\xff"'),
    "invalid UTF-8 in an unknown name": b'{"sessionId":"s","message":"m","\xff":1}',
    "cut UTF-8": of_message(b'"\xf0\x9f\x98"'),
    "a surrogate in UTF-8": of_message(b'"\xed\xa0\xbd"'),
    "beyond Unicode": of_message(b'"\xf4\x90\x80\x80"'),
    "Latin-1": of_message("é".join('""').encode("latin-1")),
    "UTF-16": '{"sessionId":"s","message":"m"}'.encode("utf-16"),
    "U+0000": of_message(b'"a\\u0000b"'),
    "a raw U+0000": of_message(b'"a\0b"'),
    "U+0000 in an unknown string": of_other(b'"\\u0000"'),
    "U+0000 in an unknown name": b'{"sessionId":"s","message":"m","a\\u0000":1}',
    "a lone high surrogate": of_message(b'"\\ud83d"'),
    "a lone low surrogate": of_message(b'"\\ude00"'),
    "surrogates the wrong way round": of_message(b'"\\ude00\\ud83d"'),
    "a lone surrogate in an unknown string": of_other(b'["\\ud83dx"]'),
    "no message": b'{"sessionId":"s"}',
    "no session": b'{"message":"m"}',
    "message null": of_message(b"null"),
    "message a number": of_message(b"5"),
    "message an array": of_message(b'["m"]'),
    "session null": b'{"sessionId":null,"message":"m"}',
    "session a number": b'{"sessionId":5,"message":"m"}',
    "the last of equal names is bad": b'{"message":"m","sessionId":"s","message":5}',
    "names in other case": b'{"sessionid":"s","Message":"m"}',
    "65,537 bytes": padded(65537),
    "65,537 bytes, blanks at the end": padded(65000) + b" " * 537,
    "a megabyte": padded(1 << 20),
    "more than the web server takes": padded(3 << 20),
}


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_G3_bodies_that_are_refused(site, body, chunked):
    if chunked and not body:
        pytest.skip("an empty chunked body is an empty body")
    answer = site.request("POST", "/v1/chat", data=(iter([body[:9], body[9:]]) if chunked else body))
    assert (answer.status_code, answer.json()) == (400, INVALID)
    assert site.exchanges() == []


def test_G3_no_body_at_all(site):
    assert site.raw("POST", "/v1/chat", {"x-api-key": site.tenant.widget_key})[0] == 400


def test_G3_fewer_bytes_than_announced(site):
    """nginx tells such a client 400 or nothing; what came never becomes an exchange."""
    body = GOOD_BODIES["plain"]
    client = site.call("/v1/chat", body, {"Content-Length": str(len(body) + 1)})
    client.shutdown(1)
    reply = b""
    while piece := client.recv(65536):
        reply += piece
    client.close()
    assert reply == b"" or reply.startswith(b"HTTP/1.1 400 ")
    assert site.chat("after it").status_code == 200
    assert [row["question"] for row in site.exchanges()] == ["after it"]


def test_G3_null_for_an_optional_member_is_absent(site):
    answer = site.chatbot("Hello", conversationId=None, stream=None, metadata=None)
    assert answer.status_code == 200
    stored = site.sql("select metadata from banter_data.exchange where workspace = %s", site.tenant.workspace)
    assert stored == [(None,)]


# G4


@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "raw"])
@pytest.mark.parametrize("message, status", [
    ("", 400),
    ("x", 200),
    ("\U0001f600" * 4000, 200),
    ("\U0001f600" * 4001, 400),
    ("x" * 4000, 200),
    ("x" * 4001, 400),
    ("e\u0301" * 2000, 200),  # characters are code points
    ("e\u0301" * 2000 + "x", 400),
], ids=["none", "one", "4,000 of 4 bytes", "4,001 of 4 bytes", "4,000", "4,001", "4,000 combined", "4,001 combined"])
def test_G4_length_of_a_message(site, message, status, ascii_only):
    body = json.dumps({"sessionId": "s", "message": message}, ensure_ascii=ascii_only).encode()
    assert site.request("POST", "/v1/chat", data=body).status_code == status
    assert [row["question"] for row in site.exchanges()] == ([message] if status == 200 else [])


@pytest.mark.parametrize("message", [
    " ", "\n", "  two before, two behind  ", "\ttab\r\nline\n\n", "\u00a0\u3000", "\u2028\ufeff\ufffd",
    "\u0001\u001b\u007f", 'quotes " \\ / <b> & %s $1 {}', "e\u0301 is not \u00e9",
    "שלום 你好 \U0001f468\u200d\U0001f469",
], ids=repr)
def test_G4_a_message_is_kept_as_sent(site, message):
    """In the database, and in what the model was asked."""
    mark = name()
    assert site.chat(mark, "one").status_code == 200
    assert site.chat(message, "one").status_code == 200
    assert site.chat(mark + "-after", "one").status_code == 200
    assert [row["question"] for row in site.exchanges()] == [mark, message, mark + "-after"]
    asked = [record["body"]["messages"][-1]["content"] for record in site.model.requests(mark)]
    assert asked == [mark, message, mark + "-after"]


def test_G4_ids_are_opaque(site):
    ids = set()
    for _ in range(20):
        events = site.stream("Hello").rest()
        reply = site.chatbot("Hello").json()["data"]
        ids |= {events[0]["conversationId"], reply["conversationId"], reply["messageId"]}
    assert len(ids) == 60
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16,40}", one) for one in ids), ids
    # They may begin with a clock, but no two share how they go on.
    assert len({one[-12:] for one in ids}) == 60
    assert all(len({one[-place] for one in ids}) > 5 for place in range(1, 13)), ids


# G5


REPLIES = {
    "JSON": (200, lambda site: site.chat("Hello")),
    "JSON of the chatbot API": (200, lambda site: site.chatbot("Hello")),
    "health": (200, lambda site: site.request("GET", "/health")),
    "400": (400, lambda site: site.request("POST", "/v1/chat", data="{")),
    "400 of nginx": (400, lambda site: site.request("POST", "/v1/chat", data=b" " * (2 << 20))),
    "400 of the chatbot API": (400, lambda site: site.chatbot("")),
    "401": (401, lambda site: site.request("POST", "/v1/chat", key=False)),
    "401 of the chatbot API": (401, lambda site: site.chatbot("Hello", {"Authorization": "Bearer none"})),
    "402": (402, lambda site: site.grant(0) or site.chat("Hello")),
    "404": (404, lambda site: site.request("GET", "/nothing")),
    "404 under /api/": (404, lambda site: site.request("GET", "/api/nothing")),
    "405": (405, lambda site: site.request("GET", "/v1/chat")),
    "409": (409, lambda site: [site.chat(text, headers={"Idempotency-Key": "k"}) for text in "ab"][-1]),
    "429": (429, lambda site: use_up(site, site.http.headers["X-Forwarded-For"]) or site.chat("Hello")),
    "500": (500, lambda site: site.chat(script("Hello", status=500))),
}


@pytest.mark.parametrize("kind", REPLIES)
def test_G5_headers_of_every_reply(limited, kind):
    limited.http.headers["X-Forwarded-For"] = address()
    status, ask = REPLIES[kind]
    reply = ask(limited)
    assert reply.status_code == status
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json()
    check_headers(reply)


@pytest.mark.parametrize("ask, kind", [
    (lambda site: site.stream("Hello"), "application/x-ndjson"),
    (lambda site: site.stream("Hello", path="/chat"), "application/x-ndjson"),
    (lambda site: site.stream(script("Hello", status=500)), "application/x-ndjson"),
    (lambda site: site.chatbot("Hello", stream=True), "text/event-stream"),
], ids=["NDJSON", "/chat", "of an error", "SSE"])
def test_G5_headers_of_streams(site, ask, kind):
    stream = ask(site)
    assert (stream.status, stream.headers["Content-Type"]) == (200, kind)
    check_headers(stream, stream=True)


def test_G5_headers_of_503(broken):
    for reply in (broken.request("GET", "/health"), broken.chatbot("Hello"),
                  broken.chat("Hello", headers={"X-Forwarded-For": address()})):
        assert reply.status_code == 503
        assert reply.headers["Content-Type"] == "application/json"
        check_headers(reply)


def test_G5_headers_of_a_pool_that_is_away(start):
    """nginx answers in the words of the API that was asked."""
    site = start(workers=1)
    site.banter.end()
    for path, words in {
        "/v1/chat": {"error": "Service unavailable"},
        "/api/v1/chatbots/x/chat": {
            "success": False, "error": "Service unavailable", "code": "SERVICE_UNAVAILABLE"},
    }.items():
        reply = site.request("POST", path, {"X-Request-Id": "mine"}, data="{}")
        assert (reply.status_code, reply.json()) == (503, words)
        assert int(reply.headers["Retry-After"]) > 0
        assert reply.headers["X-Request-Id"] == "mine"
        check_headers(reply)


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream", "/health", "/nothing"])
def test_G5_request_id(site, path):
    def ask(own):
        reply = site.request("POST", path, {} if own is None else {"X-Request-Id": own}, json=site.body("Hello"))
        return reply.headers["X-Request-Id"]

    for own in ("a", "a" * 128, "A.b_c-9", "-"):
        assert ask(own) == own
    made = {ask(own) for own in (None, "", "a" * 129, "with blank", "a,b", "a/b", "caf\u00e9".encode(), "a:b")}
    assert len(made) == 8
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{16,128}", one) for one in made)


# G6


@pytest.mark.parametrize("ask, words", [
    (lambda site, who: site.chat("Hello", headers=who), {"error": "Service unavailable"}),
    (lambda site, who: site.stream("Hello", headers=who).response, {"error": "Service unavailable"}),
    (lambda site, who: site.chatbot("Hello", who), "SERVICE_UNAVAILABLE"),
], ids=["JSON", "stream", "chatbot"])
def test_G6_database_away(broken, ask, words):
    reply = ask(broken, {"X-Forwarded-For": address()})
    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) > 0
    assert words in (reply.json(), reply.json().get("code"))


def test_G6_all_workers_wait_for_a_database_that_is_away(broken):
    """More requests than workers: each is answered, none hangs."""
    replies = at_once(6, lambda n: broken.chat("Hello", headers={"X-Forwarded-For": f"198.19.0.{n}"}))
    assert [reply.status_code for reply in replies] == [503] * 6


def test_G6_no_harm_is_left_when_the_database_returns(standin):
    with site_of_its_own(standin, workers=2) as site:
        site.postgres.stop()
        assert site.chat("Hello").status_code == 503
        site.postgres.start()
        until(lambda: site.request("GET", "/health").status_code == 200, "health")  # a pooler needs a moment
        assert site.chat("Hello").status_code == 200


def test_G6_no_capacity(start):
    """The only worker is busy: 503 once the queueing time is over."""
    site = start(workers=1, queue_time=1)
    gate = name("gate")

    def begun():
        stream = site.stream(script("Hello", tokens=["a"], gates={"1": gate}))
        return stream if stream.status == 200 else None

    stream = until(begun, "a worker that is in time")
    assert next(stream)["type"] == "start"
    reply = site.chat("Hello")
    assert (reply.status_code, reply.json()) == (503, {"error": "Service unavailable"})
    assert int(reply.headers["Retry-After"]) > 0
    site.model.open_gate(gate)
    assert [event["type"] for event in stream.rest()] == ["token", "done"]


# G7


APP, OTHER = "https://app.example", "https://other.example:8443"


@pytest.fixture(scope="module")
def cors_site(postgres, database, standin):
    site = begin(postgres, database, standin, workers=2, allowed_origins=f"{APP},{OTHER}",
                 address_limit=3, address_window=HOUR, trusted_proxies="127.0.0.1")
    yield site
    site.close()


@pytest.fixture
def cors(cors_site):
    return cors_site.for_new_tenant()


CORS_REPLIES = {
    "200": lambda site, headers: site.chat("Hello", headers=headers),
    "stream": lambda site, headers: site.stream("Hello", headers=headers),
    "SSE": lambda site, headers: site.chatbot("Hello", headers, stream=True),
    "health": lambda site, headers: site.request("GET", "/health", headers),
    "400": lambda site, headers: site.request("POST", "/chat", headers, data="{"),
    "401": lambda site, headers: site.request("POST", "/chat", headers, key=False),
    "404": lambda site, headers: site.request("POST", "/nothing", headers),
    "405": lambda site, headers: site.request("GET", "/chat", headers),
    "405 of OPTIONS": lambda site, headers: site.request("OPTIONS", "/chat", headers),
    "500": lambda site, headers: site.chat(script("Hello", status=500), headers=headers),
}


@pytest.mark.parametrize("kind", CORS_REPLIES)
@pytest.mark.parametrize("origin", [APP, OTHER])
def test_G7_a_listed_origin_on_every_reply(cors, kind, origin):
    reply = CORS_REPLIES[kind](cors, {"Origin": origin, "X-Forwarded-For": address()})
    assert reply.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in reply.headers["Vary"].split(", ")
    exposed = set(reply.headers["Access-Control-Expose-Headers"].lower().split(", "))
    assert exposed >= {"x-request-id", "retry-after"}
    assert exposed >= {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_G7_a_listed_origin_on_429(cors):
    who = address()
    use_up(cors, who)
    reply = cors.chat("Hello", headers={"Origin": APP, "X-Forwarded-For": who})
    assert (reply.status_code, reply.headers["Access-Control-Allow-Origin"]) == (429, APP)


@pytest.mark.parametrize("origin", [
    None, "", "null", "*", "https://app.example.evil.example", "https://evil.example", "http://app.example",
    "https://app.example:443", "https://other.example", "https://APP.example", "https://app.example/",
    f"{APP},{OTHER}", f"{APP} {OTHER}",
])
def test_G7_others_get_no_cors_headers_and_are_served(cors, origin):
    headers = {"X-Forwarded-For": address(), **({} if origin is None else {"Origin": origin})}
    for reply in (cors.chat("Hello", headers=headers), cors.stream("Hello", headers=headers)):
        assert getattr(reply, "status_code", None) or reply.status == 200
        assert not [one for one in reply.headers if one.lower().startswith("access-control-")]
        assert "Origin" in reply.headers["Vary"], "a cache would give this reply to a listed origin"


@pytest.mark.parametrize("path, methods, readers", [
    ("/v1/chat", {"POST"}, "*"), ("/v1/chat/stream", {"POST"}, "*"), ("/chat/", {"POST"}, "*"),
    ("/api/v1/chatbots/x/chat", {"POST"}, APP), ("/health", {"GET", "HEAD"}, APP),
])
def test_G7_preflight(cors, path, methods, readers):
    headers = {"Origin": APP, "Access-Control-Request-Method": "POST", "X-Forwarded-For": "198.18.201.1",
               "Access-Control-Request-Headers": "x-api-key,content-type"}
    for _ in range(4):  # it has no key, and counts against no limit
        reply = cors.request("OPTIONS", path, headers, key=False)
        assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["Access-Control-Allow-Origin"] == readers
    assert set(reply.headers["Access-Control-Allow-Methods"].split(", ")) == methods
    allowed = {one.strip().lower() for one in reply.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"x-api-key", "x-widget-api-key", "content-type", "idempotency-key", "authorization"}
    assert int(reply.headers["Access-Control-Max-Age"]) > 0
    assert "Origin" in reply.headers["Vary"]
    check_headers(reply)


def test_G7_preflight_of_another_origin(cors):
    """Where no page can have a key of its own (P1)."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    reply = cors.request("OPTIONS", "/api/v1/chatbots/x/chat", headers, key=False)
    assert not [one for one in reply.headers if one.lower().startswith("access-control-")]


def test_G7_preflight_of_a_path_that_is_none(cors):
    headers = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    assert cors.request("OPTIONS", "/nothing", headers, key=False).status_code == 404


def test_G7_no_list_no_headers(site):
    reply = site.chat("Hello", headers={"Origin": APP})
    assert reply.status_code == 200
    assert not [one for one in reply.headers if one.lower().startswith("access-control-")]


# G8


def test_G8_health(site):
    reply = site.request("GET", "/health", key=False)
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    assert reply.text == '{"status":"ok"}'
    head = site.request("HEAD", "/health", key=False)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == "application/json"
    assert site.request("GET", "/health/?from=monitor", key=False).status_code == 200


def test_G8_other_methods(site):
    reply = site.request("POST", "/health", key=False)
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_G8_database_away(broken, method):
    reply = broken.request(method, "/health", key=False)
    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) > 0


# G9


# Both of a pair are one client, or two. Trusted are 127.0.0.1, from where the tests call, and what limited_site names.
ADDRESSES = {
    "an address": ("203.0.113.1", "203.0.113.1", True),
    "another": ("203.0.113.2", "203.0.113.3", False),
    "what the client wrote itself": ("8.8.8.8, 203.0.113.4", "9.9.9.9, 203.0.113.4", True),
    "a trusted proxy on the way": ("203.0.113.5, 10.1.2.3", "203.0.113.5", True),
    "two, of both families": ("203.0.113.6, 2001:db8:aaaa::1, 10.0.0.1", "203.0.113.6", True),
    "a proxy that is not trusted": ("203.0.113.7, 11.0.0.1", "203.0.113.8, 11.0.0.1", True),
    "behind it, all are one": ("203.0.113.9, 11.0.0.2", "203.0.113.9", False),
    "with a port": ("203.0.113.10:1234", "203.0.113.10:99", True),
    "blanks": ("203.0.113.11   ,  10.0.0.3", "203.0.113.11", True),
    "empty elements": ("203.0.113.12,,", "203.0.113.12", True),
    "IPv4 in IPv6": ("::ffff:203.0.113.13", "203.0.113.13", True),
    "IPv6 by /64": ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
    "IPv6 of two /64": ("2001:db8:1:3::1", "2001:db8:1:4::1", False),
    "IPv6 in brackets": ("[2001:db8:1:5::1]:443", "2001:db8:1:5::9", True),
    "no address: the one who passed it on": ("unknown, 10.9.9.9", "203.0.113.14, junk, 10.9.9.9", True),
}


@pytest.mark.parametrize("kind", ADDRESSES)
def test_G9_x_forwarded_for_from_a_trusted_proxy(limited, kind):
    first, second, same = ADDRESSES[kind]
    use_up(limited, first)
    assert limited.chat("Hello", headers={"X-Forwarded-For": first}).status_code == 429
    assert limited.chat("Hello", headers={"X-Forwarded-For": second}).status_code == (429 if same else 200)


def test_G9_x_forwarded_for_is_believed_from_nobody_else(limited, start):
    """127.0.0.9 is no trusted proxy; and where none is configured, nobody is."""
    body = json.dumps(limited.body("Hello"))
    nobody = start(workers=1, address_limit=3, address_window=HOUR)
    for site, source in ((limited, "127.0.0.9"), (nobody, "127.0.0.1")):
        for status in (200, 200, 200, 429):
            headers = {"x-api-key": site.tenant.widget_key, "X-Forwarded-For": address()}
            assert site.raw("POST", "/v1/chat", headers, body, source)[0] == status


def test_G9_the_address_is_what_the_web_server_says(start):
    site = start(workers=1, address_limit=1, address_window=HOUR)
    headers, body = {"x-api-key": site.tenant.widget_key}, json.dumps(site.body("Hello"))
    for source, status in (("127.0.0.2", 200), ("127.0.0.3", 200), ("127.0.0.2", 429), ("127.0.0.4", 200)):
        assert site.raw("POST", "/v1/chat", headers, body, source)[0] == status


# G11


def both(site):
    headless = site.chat("Hello")
    chatbot = site.chatbot("Hello")
    return (headless.status_code, headless.json().get("error")), (chatbot.status_code, chatbot.json().get("code"))


OFF = {
    "inactive key": ("api_key set active = false", 401, "INVALID_API_KEY"),
    "revoked key": ("api_key set revoked_at = now()", 401, "INVALID_API_KEY"),
    "inactive workspace": ("workspace set active = false", 401, "INVALID_API_KEY"),
    "inactive chatbot": ("chatbot set active = false", 404, "CHATBOT_NOT_FOUND"),
}


@pytest.mark.parametrize("kind", OFF)
def test_G11_what_is_switched_off(site, kind):
    assert both(site) == ((200, None), (200, None))
    change, status, code = OFF[kind]
    site.sql(f"update banter_data.{change} where workspace = %s", site.tenant.workspace)
    assert both(site) == ((401, "Unauthorized"), (status, code))
    assert len(site.exchanges()) == 2


def bad_keys(site):
    """Keys of every way to be wrong; the last two are well made."""
    own = site.tenant.widget_key
    other = "A" if own[-1] != "A" else "B"
    return ["x", own[:-1], own + "A", own[:-1] + other, own.lower(), "é".encode(), "a" * 5000,
            site.tenant.workspace_key, f"{own} {own}"]


def test_G11_keys_that_are_none(site):
    for key in bad_keys(site):
        reply = site.request("POST", "/v1/chat", {"x-api-key": key}, json=site.body("Hello"))
        assert (reply.status_code, reply.json()) == (401, UNAUTHORIZED), key
    for header, code in {
        None: "MISSING_AUTH_HEADER",
        "": "MISSING_AUTH_HEADER",
        "Bearer": "MALFORMED_AUTH_HEADER",
        "Bearer ": "MALFORMED_AUTH_HEADER",
        f"Basic {site.tenant.workspace_key}": "MALFORMED_AUTH_HEADER",
        site.tenant.workspace_key: "MALFORMED_AUTH_HEADER",
        f"Bearer {site.tenant.widget_key}": "INVALID_API_KEY",
        f"Bearer {site.tenant.workspace_key}x": "INVALID_API_KEY",
    }.items():
        headers = {} if header is None else {"Authorization": header}
        path = f"/api/v1/chatbots/{site.tenant.chatbot}/chat"
        reply = site.request("POST", path, headers, json={"message": "Hello"})
        assert (reply.status_code, reply.json()["code"]) == (401, code), header
    assert site.exchanges() == []


@pytest.mark.parametrize("well_made", [False, True], ids=["malformed", "revoked"])
def test_G11_failed_keys_are_limited_and_good_ones_never(start, well_made):
    """Three may fail; then it is 429 for keys that fail, in both APIs, and never for one that does not."""
    site = start(workers=2, failed_key_limit=3, address_window=HOUR)
    good = site.for_new_tenant()
    if well_made:
        site.sql("update banter_data.api_key set revoked_at = now() where workspace = %s", site.tenant.workspace)
        widget, workspace = site.tenant.widget_key, site.tenant.workspace_key
    else:
        widget = workspace = "none"

    def fail(headless):
        if headless:
            return site.request("POST", "/v1/chat", {"x-api-key": widget}, json=site.body("Hello"))
        return site.chatbot("Hello", {"Authorization": f"Bearer {workspace}"})

    assert [fail(n % 2 == 0).status_code for n in range(3)] == [401] * 3
    for headless in (True, False):
        reply = fail(headless)
        assert reply.status_code == 429
        assert 1 <= int(reply.headers["Retry-After"]) <= HOUR
    assert both(good) == ((200, None), (200, None))
    assert fail(True).status_code == 429
    # A neighbour has a count of its own.
    body = json.dumps(site.body("Hello"))
    assert site.raw("POST", "/v1/chat", {"x-api-key": widget}, body, source="127.0.0.7")[0] == 401


def test_G11_a_bad_body_does_not_hide_a_bad_key(start):
    """The key is judged first, and counted."""
    site = start(workers=1, failed_key_limit=2, address_window=HOUR)
    site.sql("update banter_data.api_key set active = false where workspace = %s", site.tenant.workspace)
    assert [site.request("POST", "/v1/chat", data="{").status_code for _ in range(3)] == [401, 401, 429]
