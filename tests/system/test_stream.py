"""Streams: S1 to S9, through nginx. How an exchange ends, S10, is test_headless.py's."""

import base64
import contextlib
import json
import os
import re
import signal

import servers
import psycopg2
import pytest
from fastcgi import health
from servers import name, script, until
from site_client import Site, at_once, site_of_its_own

REPLACEMENT = "\ufffd"


def tokens_of(events):
    return [event["token"] for event in events if event["type"] == "token"]


def finished(events):
    """The tokens of a stream that ended well; checks S1 and S3 on the way."""
    assert [event["type"] for event in events] == ["start"] + ["token"] * (len(events) - 2) + ["done"]
    assert events[-1]["message"] == "".join(tokens_of(events))
    return tokens_of(events)


def asked(site, mark):
    """What the model was asked in the one request whose new message holds `mark`: [(role, content)]."""
    asked_so = [record["body"]["messages"] for record in site.model.requests(mark)]
    (messages,) = [messages for messages in asked_so if mark in messages[-1]["content"]]
    return [(message["role"], message["content"]) for message in messages]


@pytest.fixture
def own_database(standin):
    """start(**settings) -> Site with a PostgreSQL of the test's own, which it may stop."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(site_of_its_own(standin, **settings))


# S1


def test_the_first_exchange(site):
    """S1, S2, S3, H3: start, tokens, done; the answer is stored."""
    events = site.stream(script("Hello", tokens=["We", " are", " here"]), "user-1").rest()
    assert [event["type"] for event in events] == ["start", "token", "token", "token", "done"]
    conversation = events[0]["conversationId"]
    assert events[-1] == {"type": "done", "message": "We are here", "conversationId": conversation}
    assert "".join(event["token"] for event in events[1:-1]) == "We are here"


def test_S1_start_means_recorded(site):
    """When the client holds `start` the exchange is in the database, though the model has not said a word."""
    gate = name("gate")
    stream = site.stream(script("Hello", tokens=["a"], gates={"0": gate}))
    start = next(stream)
    assert start["type"] == "start"
    (row,) = site.exchanges()
    assert (row["state"], row["conversation"]) == ("running", start["conversationId"])
    site.model.open_gate(gate)
    assert finished([start] + stream.rest()) == ["a"]


@pytest.mark.parametrize("fault", [
    {"status": 500}, {"status": 401}, {"drop": True}, {"empty": True}, {"cut_after": 0}, {"cut_after": 2},
    {"end_after": 2}, {"error_after": 0}, {"error_after": 2}, {"raw": ["data: {\n\n"]},
    {"raw": ["data: nonsense\n\n"]}, {"raw": ["no events"]},
    {"body": "<html>", "content_type": "text/html"}, {"finish": None, "no_done": True},
], ids=json.dumps)
def test_S1_a_failed_stream_ends_with_one_error(site, fault):
    events = site.stream(script("Hello", **fault)).rest()
    assert [event["type"] for event in events if event["type"] != "token"] == ["start", "error"]
    assert events[-1] == {"type": "error", "error": "Internal server error"}


@pytest.mark.parametrize("ending", [
    {"finish": "stop"}, {"finish": "length"}, {"finish": None}, {"no_done": True}, {"usage": None}, {"crlf": True},
    {"comments": True}, {"no_space": True}, {"split": 1}, {"split": 7, "crlf": True},
], ids=json.dumps)
def test_S1_a_stream_that_finished_ends_with_one_done(site, ending):
    assert finished(site.stream(script("Hello", tokens=["a", "b"], **ending)).rest()) == ["a", "b"]


def test_S1_a_killed_worker_leaves_a_stream_with_neither(start):
    site = start(workers=1)
    stream = site.stream(script("Hello", tokens=["a", "b"], gates={"2": name("gate")}))
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    (worker,) = site.banter.children()
    os.kill(worker, signal.SIGKILL)
    assert stream.rest() == []
    until(lambda: site.banter.children() not in ([], [worker]), "another worker")
    assert finished(site.stream(script("Hello", tokens=["c"])).rest()) == ["c"]


# S2


@contextlib.contextmanager
def row_locked(site, after):
    """Another transaction holds the tenant's exchange; after() is done, and exchange_end waits for it."""
    blocker = psycopg2.connect(site.postgres.url("owner"))
    try:
        with blocker.cursor() as cursor:
            cursor.execute("select 1 from banter_data.exchange where workspace = %s for update",
                           (site.tenant.workspace,))
        after()
        until(lambda: site.sql("""select 1 from pg_stat_activity
            where wait_event_type = 'Lock' and query ~ 'exchange_end'"""), "exchange_end waiting for the row")
        yield
        assert site.exchanges()[0]["state"] == "running"
    finally:
        blocker.close()


def test_S2_done_means_stored(site):
    for end in (lambda m: finished(site.stream(m, "s").rest()), lambda m: site.chat(m, "s").json()["message"]):
        mark = name()
        end(script(mark, tokens=["a", "b"]))
        row = site.exchanges()[-1]
        assert (row["state"], row["answer"], mark in row["question"]) == ("done", "ab", True)


@pytest.mark.parametrize("chatbot", [False, True], ids=["NDJSON", "SSE"])
def test_S2_no_done_before_the_commit(start, chatbot):
    """Another transaction holds the exchange's row: storing waits, heartbeats go on, `done` comes after."""
    site = start(workers=1, heartbeat=0.1)
    gate = name("gate")
    message = script("Hello", tokens=["a", "b"], gates={"2": gate})
    stream = site.chatbot(message, stream=True) if chatbot else site.stream(message)
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    with row_locked(site, lambda: site.model.open_gate(gate)):
        assert next(stream)["token"] == "b"
        stream.wait_beats(3)
    assert [event["type"] for event in stream.rest()] == ["done"]
    assert [(row["state"], row["answer"]) for row in site.exchanges()] == [("done", "ab")]


def test_S2_no_json_200_before_the_commit(start):
    """Two readings of the reply's socket around the commit: nothing, then 200."""
    site = start(workers=1)
    gate = name("gate")
    client = site.call("/v1/chat", site.body(script("Hello", tokens=["a", "b"], gates={"0": gate})))
    with client:
        until(site.exchanges, "the exchange")
        with row_locked(site, lambda: site.model.open_gate(gate)):
            client.setblocking(False)
            with pytest.raises(BlockingIOError):
                client.recv(1)
        client.settimeout(servers.PATIENCE)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_S2_done_survives_a_crash_of_the_database(own_database):
    """Killed the moment `done` is here; nothing but the commit itself can have written it to the log."""
    site = own_database(workers=1)
    site.sql("alter system set wal_writer_delay = '10s'")
    site.sql("alter system set bgwriter_delay = '10s'")
    site.sql("select pg_reload_conf()")
    for turn in range(3):
        stream = site.stream(script("Hello", tokens=[f"answer {turn}"]), "s")
        assert next(event for event in stream if event["type"] == "done")
        site.postgres.end(signal.SIGQUIT)
        site.postgres.start()
        until(lambda: health(site.banter.socket) == 200, "the database's return, for a pooler too")
        rows = until(lambda: site.exchanges("s"), "the exchanges")
        assert [(row["state"], row["answer"]) for row in rows] == [("done", f"answer {n}") for n in range(turn + 1)]


def test_S2_a_database_that_returns_in_time_gets_the_answer(own_database):
    """It goes away before the last token; storing is tried again until it is back, and only then `done`."""
    site = own_database(workers=1, heartbeat=0.1)
    gate = name("gate")
    stream = site.stream(script("Hello", tokens=["a", "b"], gates={"2": gate}))
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    site.postgres.stop()
    site.model.open_gate(gate)
    assert next(stream)["token"] == "b"
    stream.wait_beats(2)
    site.postgres.start()
    assert [event["type"] for event in stream.rest()] == ["done"]
    assert [(row["state"], row["answer"]) for row in site.exchanges()] == [("done", "ab")]


def test_S2_a_database_that_stays_away_ends_in_error(own_database):
    """After the ten seconds of trying; the exchange is not stored as answered."""
    site = own_database(workers=1, heartbeat=0.2)
    gate = name("gate")
    stream = site.stream(script("Hello", tokens=["a", "b"], gates={"2": gate}))
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    site.postgres.stop()
    site.model.open_gate(gate)
    assert [event["type"] for event in stream.rest()] == ["token", "error"]
    assert stream.beats > 3
    site.postgres.start()
    assert [row["state"] for row in until(site.exchanges, "the exchanges")] == ["running"]


# S3


@pytest.mark.parametrize("tokens", [
    ["We", " are", " here"],
    ["one"],
    ["  leading", "\n\n", "trailing  "],
    ['"quotes"', "\\n", "</script>", "\u2028"],
    ["e", "\u0301", "\U0001f468", "\u200d", "\U0001f469"],
    20000,
], ids=["plain", "one", "blanks", "quotes", "Unicode", "180 kB"])
def test_S3_done_is_the_joined_tokens_and_json_the_same(site, tokens):
    message = script("Hello", tokens=tokens)
    if isinstance(tokens, int):
        tokens = [f"word{n} " for n in range(1, tokens + 1)]
    events = site.stream(message).rest()
    assert finished(events) == tokens
    assert events[-1]["message"] == "".join(tokens)
    assert site.chat(message).json()["message"] == "".join(tokens)
    assert site.chatbot(message).json()["data"]["response"] == "".join(tokens)
    assert [row["answer"] for row in site.exchanges()] == ["".join(tokens)] * 3


# S4


@pytest.mark.parametrize("chatbot", [False, True], ids=["NDJSON", "SSE"])
def test_S4_a_token_is_sent_on_while_the_next_is_withheld(site, chatbot):
    """Each of ten: the model's next token does not exist before the client holds this one."""
    gates = {str(n): name("gate") for n in range(1, 11)}
    message = script("Hello", tokens=10, gates=gates)
    stream = site.chatbot(message, stream=True) if chatbot else site.stream(message)
    assert next(stream)["type"] == "start"
    for n in range(1, 11):
        site.model.open_gate(gates[str(n)])
        assert next(stream)["token"] == f"word{n} "
    assert [event["type"] for event in stream.rest()] == ["done"]


def test_S4_the_model_is_asked_to_stream_for_json_too(site):
    mark = name()
    site.chat(script(mark, tokens=["a"]))
    (record,) = site.model.requests(mark)
    assert record["body"]["stream"] is True and record["ended"] == "complete"


def test_S4_one_event_for_each_delta_with_text(site):
    """Deltas without text are no events, whatever else they hold; blanks are text."""
    tokens = ["a", None, "", {"delta": {"role": "assistant"}}, " ", {"delta": {"reasoning_content": "hm"}},
              "\n", "b", {"delta": {"refusal": None, "content": "c"}}]
    assert finished(site.stream(script("Hello", tokens=tokens)).rest()) == ["a", " ", "\n", "b", "c"]


def test_S4_events_of_one_read_stay_events(site):
    """Three deltas in one write of the model's are three tokens."""
    def delta(text):
        return 'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % text

    raw = [delta("a") + delta("b") + delta("c"), delta("d") + "data: [DONE]\n\n" + delta("never")]
    assert finished(site.stream(script("Hello", raw=raw)).rest()) == ["a", "b", "c", "d"]


# S5


def escaped(text):
    return {"escaped": text}


def b64(raw):
    return {"b64": base64.b64encode(raw).decode()}


HALVES = {
    "surrogates": ([escaped("\\ud83d"), escaped("\\ude00")], ["\U0001f600"]),
    "surrogates within texts": ([escaped("a\\ud83d"), escaped("\\ude00b")], ["a", "\U0001f600b"]),
    "a high one alone": ([escaped("\\ud83d"), "x"], [REPLACEMENT + "x"]),
    "a high one at the end": (["a", escaped("\\ud83d")], ["a", REPLACEMENT]),
    "a low one alone": (["a", escaped("\\ude00")], ["a", REPLACEMENT]),
    "two high ones": ([escaped("\\ud83d"), escaped("\\ud83d"), escaped("\\ude00")], [REPLACEMENT, "\U0001f600"]),
    "two bytes": ([b64(b"\xc3"), b64(b"\xa9")], ["é"]),
    "four bytes, one by one": ([b64(b"\xf0"), b64(b"\x9f"), b64(b"\x98"), b64(b"\x80")], ["\U0001f600"]),
    "with an empty delta between": ([b64(b"\xf0\x9f"), "", None, b64(b"\x98\x80")], ["\U0001f600"]),
    "a cut sequence at the end": (["a", b64(b"\xf0\x9f\x98")], ["a", REPLACEMENT]),
    "a cut sequence, then text": ([b64(b"\xf0\x9f"), "x"], [REPLACEMENT + "x"]),
    "an invalid byte": (["a", b64(b"\xff"), "b"], ["a", REPLACEMENT, "b"]),
    "U+0000": (["a", escaped("\\u0000"), "b"], ["a", REPLACEMENT, "b"]),
    "a whole pair": ([escaped("\\ud83d\\ude00")], ["\U0001f600"]),
}


@pytest.mark.parametrize("kind", HALVES)
def test_S5_no_event_splits_a_character(site, kind):
    """What was sent is what is stored, and what JSON says."""
    tokens, expected = HALVES[kind]
    message = script("Hello", tokens=tokens)
    assert finished(site.stream(message).rest()) == expected
    assert site.chat(message).json()["message"] == "".join(expected)
    assert [row["answer"] for row in site.exchanges()] == ["".join(expected)] * 2


def test_S5_half_a_character_waits_and_nothing_else_does(start):
    """While the model withholds the other half, only heartbeats come."""
    site = start(workers=1, heartbeat=0.1)
    gate = name("gate")
    stream = site.stream(script("Hello", tokens=[escaped("a\\ud83d"), escaped("\\ude00"), "b"], gates={"2": gate}))
    assert next(stream)["type"] == "start"
    assert next(stream)["token"] == "a"
    stream.wait_beats(3)
    site.model.open_gate(gate)
    assert next(stream)["token"] == "\U0001f600"
    assert [event["type"] for event in stream.rest()] == ["token", "done"]


def test_S5_characters_cut_by_the_transport(site):
    """Whole characters, but each byte of the model's answer in a write of its own."""
    tokens = ["é", "\U0001f600", "日本"]
    assert finished(site.stream(script("Hello", tokens=tokens, split=1)).rest()) == tokens


# S6


@pytest.mark.parametrize("place", [0, 1, 2, 3], ids=["status", "first token", "next token", "end"])
@pytest.mark.parametrize("chatbot", [False, True], ids=["NDJSON", "SSE"])
def test_S6_heartbeats_while_the_model_is_silent(start, chatbot, place):
    site = start(workers=1, heartbeat=0.1)
    gate = name("gate")
    message = script("Hello", tokens=["a", "b"], gates={str(place): gate})
    stream = site.chatbot(message, stream=True) if chatbot else site.stream(message)
    before = [next(stream) for _ in range(max(place, 1))]
    stream.wait_beats(3)
    site.model.open_gate(gate)
    assert finished(before + stream.rest()) == ["a", "b"]


@pytest.mark.parametrize("chatbot", [False, True], ids=["NDJSON", "SSE"])
def test_S6_a_heartbeat_is_an_empty_line_or_a_comment(start, chatbot):
    site = start(workers=1, heartbeat=0.1)
    gate = name("gate")
    message = script("Hello", tokens=["a"], gates={"1": gate})
    response = (site.chatbot(message, stream=True) if chatbot else site.stream(message)).response
    seen = b""
    beat = b"}\n\n:\n:\n" if chatbot else b"}\n\n\n"
    for piece in response.iter_content(None):
        seen += piece
        if beat in seen:
            site.model.open_gate(gate)
    if chatbot:
        assert re.fullmatch(r"(data: \{.*\}\n\n|:\n)+", seen.decode()), seen
        assert seen.endswith(b"}\n\n")
    else:
        for part in seen.decode().split("\n"):
            assert part == "" or json.loads(part), seen
        assert seen.endswith(b"}\n")


def test_S6_no_heartbeat_in_json(start):
    """A stream beside it tells how long it was silent: five heartbeats. The reply is one JSON text alone."""
    site = start(workers=2, heartbeat=0.1)
    gate, mark = name("gate"), name()
    body = site.body(script(mark, tokens=["a"], gates={"1": gate}))
    with site.call("/v1/chat", body, {"Connection": "close"}) as client:
        site.model.wait(mark)
        stream = site.stream(script("beside", tokens=["a"], gates={"1": gate}))
        assert next(stream)["type"] == "start"
        stream.wait_beats(5)
        site.model.open_gate(gate)
        reply = b""
        while piece := client.recv(65536):
            reply += piece
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and b"chunked" in head.lower()
    size, _, body = body.partition(b"\r\n")
    text, rest = body[:int(size, 16)], body[int(size, 16):]
    assert rest == b"\r\n0\r\n\r\n"
    assert text.startswith(b"{") and text.endswith(b"}") and json.loads(text)["message"] == "a"


# S7. A heartbeat of 200 s plays no part in how soon a client's leaving is seen.


@pytest.fixture(scope="module")
def quiet_site(postgres, database, standin):
    site = Site.start(postgres, database.url(), standin, workers=2, heartbeat=200)
    yield site
    site.close()


@pytest.fixture
def quiet(quiet_site):
    return quiet_site.for_new_tenant()


def ended(site):
    """The rows, once none runs."""
    return until(lambda: [row for row in site.exchanges()] if all(
        row["state"] != "running" for row in site.exchanges()) else None, "the exchange's end")


@pytest.mark.parametrize("chatbot", [False, True], ids=["NDJSON", "SSE"])
@pytest.mark.parametrize("tokens, state, answer", [(0, "failed", ""), (2, "left", "word1 word2 ")])
def test_S7_a_client_that_leaves_a_silent_model(quiet, chatbot, tokens, state, answer):
    mark = name()
    message = script(mark, tokens=5, gates={str(tokens + 1): name("gate")})
    stream = quiet.chatbot(message, stream=True) if chatbot else quiet.stream(message)
    assert [next(stream)["type"] for _ in range(tokens + 1)] == ["start"] + ["token"] * tokens
    stream.close()
    record = quiet.model.wait(mark, ended="client_left")
    assert record["tokens_sent"] == tokens
    assert [(row["state"], row["answer"] or "") for row in ended(quiet)] == [(state, answer)]


def test_S7_a_client_that_leaves_a_model_that_has_not_even_answered(quiet):
    mark = name()
    stream = quiet.stream(script(mark, hang=True))
    assert next(stream)["type"] == "start"
    quiet.model.wait(mark)
    stream.close()
    quiet.model.wait(mark, ended="client_left")
    assert [row["state"] for row in ended(quiet)] == ["failed"]


def test_S7_a_client_that_leaves_a_model_that_talks_on(quiet):
    """Not silent at all: the next token finds nobody."""
    mark = name()
    stream = quiet.stream(script(mark, tokens=100000, delay_ms=1))
    assert [next(stream)["type"] for _ in range(4)] == ["start"] + ["token"] * 3
    stream.close()
    quiet.model.wait(mark, ended="client_left")
    (row,) = ended(quiet)
    assert row["state"] == "left" and row["answer"].startswith("word1 word2 word3 ")


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
def test_S7_a_client_that_leaves_without_reading(quiet, path):
    """JSON too."""
    mark = name()
    client = quiet.call(path, quiet.body(script(mark, tokens=["a", "b"], gates={"2": name("gate")})))
    quiet.model.wait(mark, tokens_sent=1)
    client.close()
    quiet.model.wait(mark, ended="client_left")
    assert [(row["state"], row["answer"]) for row in ended(quiet)] in ([("left", "a")], [("failed", "")])


def left_unseen(site):
    """How many connections nginx has not closed, though their clients have (CLOSE_WAIT, by what the kernel says)."""
    with open("/proc/net/tcp", encoding="ascii") as connections:
        fields = [line.split() for line in connections][1:]
    return sum(local.endswith(f":{site.nginx.port:04X}") and state == "08" for _, local, _, state, *_ in fields)


def test_S7_a_client_that_left_before_its_turn(start):
    """It waited while the only worker was busy, and went: no exchange begins, the model is never asked."""
    site = start(workers=1, heartbeat=200)
    gate, busy, left = name("gate"), name(), name()
    stream = site.stream(script(busy, tokens=["a"], gates={"1": gate}))
    assert next(stream)["type"] == "start"
    for path in ("/v1/chat", "/v1/chat/stream"):
        site.call(path, site.body(script(left, tokens=["a"]))).close()
    # A request behind them in nginx and in the backlog shows that both have been looked at.
    after = site.call("/v1/chat", site.body("after"), {"Connection": "close"})
    until(lambda: not left_unseen(site), "nginx's knowing that they left")
    site.model.open_gate(gate)
    assert finished([{"type": "start"}] + stream.rest()) == ["a"]
    with after:
        assert after.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert site.model.requests(left) == []
    assert [row["question"] for row in site.exchanges() if left in row["question"]] == []


def test_S7_json_ends_within_its_time(start):
    """BANTER_JSON_TIME ends an exchange that a client may long have left; a stream has its own time."""
    site = start(workers=2, json_time=3)
    gate, silent, talking = name("gate"), name(), name()
    stream = site.stream(script(talking, tokens=["a", "b"], gates={"2": gate}))
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    reply = site.chat(script(silent, tokens=["a", "b"], gates={"2": name("gate")}))
    assert (reply.status_code, reply.json()) == (500, {"error": "Internal server error"})
    site.model.wait(silent, ended="client_left")
    assert sorted(row["state"] for row in site.exchanges()) == ["failed", "running"]
    site.model.open_gate(gate)
    assert [event["type"] for event in stream.rest()] == ["token", "done"]


# S8


def talk(site, session, *answers):
    for n, answer in enumerate(answers):
        assert site.chat(script(f"question {n + 1}", tokens=[answer]), session).json()["message"] == answer


def forget(site, question):
    site.sql("delete from banter_data.exchange where workspace = %s and question = %s", site.tenant.workspace, question)


def roles(messages):
    return [role for role, _ in messages]


def contents(messages):
    """Questions without their directives."""
    return [content.split(" @@")[0] for _, content in messages]


def test_S8_order_of_the_history(site):
    """System prompt, then the exchanges oldest first, then the new message; nothing of another session."""
    site.configure(system_prompt="Be brief.\n„Bitte“")
    talk(site, "s", "answer 1", "answer 2", "answer 3")
    talk(site, "another", "not for s")
    mark = name()
    site.stream(mark, "s").rest()
    messages = asked(site, mark)
    assert roles(messages) == ["system"] + ["user", "assistant"] * 3 + ["user"]
    assert contents(messages) == ["Be brief.\n„Bitte“", "question 1", "answer 1", "question 2", "answer 2",
                                  "question 3", "answer 3", mark]


def test_S8_without_a_system_prompt_there_is_none(site):
    site.configure(system_prompt="")
    mark = name()
    site.chat(mark)
    assert asked(site, mark) == [("user", mark)]


def test_S8_the_chatbot_says_how_the_model_is_asked(site):
    site.configure(model="my-model", temperature=0.25, max_tokens=77)
    mark = name()
    site.chat(mark)
    (record,) = site.model.requests(mark)
    body = record["body"]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("my-model", 0.25, 77)


@pytest.mark.parametrize("limit, kept", [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1), (6, 1), (8, 4), (100, 4)])
def test_S8_limit_in_messages_keeps_exchanges_whole(site, limit, kept):
    """What does not fit is cut to half of the limit, and to the last exchange at least."""
    talk(site, "s", *(answers := ["one", "two", "three", "four"]))
    site.configure(history_messages=limit)
    mark = name()
    site.chat(mark, "s")
    expected = [text for n, answer in enumerate(answers, 1) for text in (f"question {n}", answer)]
    assert contents(asked(site, mark))[1:-1] == expected[len(expected) - 2 * kept:]


def test_S8_limit_in_characters(site):
    """Counted in code points, questions and answers; what does not fit is cut to half of the limit, or to the last exchange."""
    def sizes(*of):
        """Exchanges of so many characters, of which the answer is the last half."""
        for size in of:
            site.chat("\U0001f600" * (size // 2), "s")
            site.sql("""update banter_data.exchange e set answer = repeat('é', %s), chars = char_length(question) + %s where e.workspace = %s
                and e.position = (select max(x.position) from banter_data.exchange x where x.workspace = e.workspace)""",
                     size - size // 2, size - size // 2, site.tenant.workspace)

    sizes(10, 100, 20, 30)
    for limit, kept in ((29, []), (30, [15]), (60, [15]), (99, [15]), (100, [10, 15]), (159, [10, 15]),
                        (160, [5, 50, 10, 15]), (0, [])):
        site.configure(history_chars=limit)
        site.sql("update banter_data.conversation set history_from = 0 where workspace = %s", site.tenant.workspace)
        mark = name()
        site.chat(mark, "s")
        messages = asked(site, mark)[1:-1]
        assert [len(content) for role, content in messages if role == "user"] == kept, limit
        assert all(role == ("user", "assistant")[n % 2] for n, (role, _) in enumerate(messages))
        forget(site, mark)


def test_S8_the_servers_limits_cap_the_chatbots(start):
    site = start(workers=1, history_messages=4, history_chars=40)
    site.configure(history_messages=100, history_chars=100000)
    for n in range(4):
        site.chat(f"q{n}", "s")
        site.sql("update banter_data.exchange set answer = %s, chars = 4 where workspace = %s and question = %s",
                 f"a{n}", site.tenant.workspace, f"q{n}")
    mark = name()
    site.chat(mark, "s")
    assert contents(asked(site, mark))[1:-1] == ["q2", "a2", "q3", "a3"]
    site.sql("update banter_data.exchange set answer = repeat('x', 35), chars = 37 where workspace = %s and question = 'q3'",
             site.tenant.workspace)
    forget(site, mark)
    mark = name()
    site.chat(mark, "s")
    assert contents(asked(site, mark))[1:-1] == ["q3", "x" * 35]


def test_S8_only_what_belongs_in_it(site):
    """Failed ones not, whatever came of them; a left one as far as it came; a truncated one whole."""
    site.chat(script("well", tokens=["fine"]), "s")
    assert site.chat(script("cut", tokens=["partial", "x"], cut_after=1), "s").status_code == 500
    assert site.chat(script("empty", empty=True), "s").status_code == 500
    stream = site.stream(script("left", tokens=["so", " far", " never"], gates={"3": name("gate")}), "s")
    assert [next(stream)["type"] for _ in range(3)] == ["start", "token", "token"]
    stream.close()
    until(lambda: site.exchanges("s")[-1]["state"] == "left", "the left exchange")
    site.chat(script("long", tokens=["to be"], finish="length"), "s")
    mark = name()
    site.chat(mark, "s")
    assert contents(asked(site, mark))[1:] == ["well", "fine", "left", "so far", "long", "to be", mark]


# S9


def test_S9_two_at_once_in_one_conversation(site):
    """Both are answered; neither sees the other; who comes later sees both, in the order of arrival."""
    gate, first, second, third, last = name("gate"), name("first"), name("second"), name("third"), name("last")
    site.chat(script("before", tokens=["0"]), "s")
    one = site.stream(script(first, tokens=["1", "!"], gates={"2": gate}), "s")
    assert [next(one)["type"] for _ in range(2)] == ["start", "token"]
    two = site.stream(script(second, tokens=["2"]), "s").rest()
    assert finished(two) == ["2"]
    # The second has ended, the first still runs.
    site.chat(script(third, tokens=["3"]), "s")
    site.model.open_gate(gate)
    assert finished([{"type": "start"}, {"type": "token", "token": "1"}] + one.rest()) == ["1", "!"]
    site.chat(last, "s")

    assert contents(asked(site, first))[1:] == ["before", "0", first]
    assert contents(asked(site, second))[1:] == ["before", "0", second]
    assert contents(asked(site, third))[1:] == ["before", "0", second, "2", third]
    assert contents(asked(site, last))[1:] == ["before", "0", first, "1!", second, "2", third, "3", last]
    assert len({row["conversation"] for row in site.exchanges("s")}) == 1


def test_S9_the_first_two_of_a_session_share_a_conversation(site):
    replies = at_once(6, lambda n: site.for_new_tenant().chat("x").status_code and site.chat(f"message {n}", "new"))
    assert [reply.status_code for reply in replies] == [200] * 6
    assert len({reply.json()["conversationId"] for reply in replies}) == 1
    rows = site.exchanges("new")
    assert sorted(row["question"] for row in rows) == [f"message {n}" for n in range(6)]
    mark = name()
    site.chat(mark, "new")
    messages = asked(site, mark)
    assert roles(messages) == ["system"] + ["user", "assistant"] * 6 + ["user"]
    assert contents(messages)[1:-1:2] == [row["question"] for row in rows]
