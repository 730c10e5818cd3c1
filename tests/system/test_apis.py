"""What both APIs promise alike: one table of cases, played through each of them, streamed and in one piece."""

import apis
import servers
import pytest
from servers import script, until


@pytest.fixture(params=apis.BOTH, ids=lambda api: api.name)
def api(request, site):
    return request.param(site)


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def streams(request):
    return request.param


def asked(api, text):
    """The messages the model was given with the request that holds this text."""
    return [(m["role"], m["content"]) for m in api.site.model.wait(text)["body"]["messages"]]


def test_H1_B3_what_these_tests_ask_for_is_the_contracts():
    rows = list(apis.REFUSALS.values()) + [(404, "Not found", "NOT_FOUND"), (405, "Method not allowed", "METHOD_NOT_ALLOWED")]
    visitors = {(401, "Unknown visitor"), (403, "Forbidden")}  # test_visitors'
    assert {(status, text) for status, text, _ in rows} | visitors == apis.HEADLESS_TABLE
    assert {code: status for status, _, code in rows}.items() <= {code: row[0] for code, row in apis.TABLE.items()}.items()
    assert len(apis.TABLE) == 14


BAD_BODIES = {
    "no JSON": b"hello",
    "NaN": b'{"message":"hello","sessionId":"s","x":NaN}',
    "an array": b'[{"message":"hello","sessionId":"s"}]',
    "behind it": b'{"message":"hello","sessionId":"s"} x',
    "no message": b'{"sessionId":"s"}',
    "null": b'{"message":null,"sessionId":"s"}',
    "a number": b'{"message":1,"sessionId":"s"}',
    "U+0000": b'{"message":"a\\u0000","sessionId":"s"}',
    "a lone surrogate": b'{"message":"\\ud800","sessionId":"s"}',
    "invalid UTF-8": b'{"message":"\xc0\x80","sessionId":"s"}',
    "too deep": b'{"message":"hello","sessionId":"s","x":' + b"[" * 32 + b"]" * 32 + b"}",
    "too long": b'{"message":"hello","sessionId":"s","x":"' + b"x" * 65536 + b'"}',
    "empty": b"",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_G3_bad_bodies(api, streams, body):
    assert api.refuses(api.post(body, streams), "invalid")
    assert api.site.exchanges() == []


@pytest.mark.parametrize("message, good", [
    ("x", True), (" ", True), ("\U0001f600" * 4000, True), ("", False), ("x" * 4001, False)],
    ids=["1", "blank", "4000", "0", "4001"])
def test_G4_lengths_of_messages(api, streams, message, good):
    response = api.post(api.body(message, streams), streams)
    assert response.status_code == (200 if good else 400)
    response.content  # to its end
    assert [e["question"] for e in api.site.exchanges()] == ([message] if good else [])


def test_S10_done(api, streams):
    """Finished with text: the client has it, the database too, and the next exchange sees it."""
    own = api.conversation()
    first, second = servers.name(), servers.name()
    assert api.answered(script(first, tokens=["One ", "two"]), streams, own) == "One two"
    assert [(e["state"], e["answer"]) for e in api.site.exchanges()] == [("done", "One two")]
    assert api.answered(script(second, tokens=["three"]), streams, own) == "three"
    roles = [role for role, _ in asked(api, second)]
    assert roles == ["system", "user", "assistant", "user"]
    assert asked(api, second)[2] == ("assistant", "One two")


@pytest.mark.parametrize("fault, kept", [
    ({"tokens": ["One ", "two"], "cut_after": 1}, "One "),
    ({"tokens": ["One ", "two"], "error_after": 1}, "One "),
    ({"status": 500}, ""),
    ({"empty": True}, ""),
    ({"drop": True}, ""),
], ids=["cut", "error", "status 500", "no text", "drop"])
def test_S10_failed(api, streams, fault, kept):
    """Failed, with text or without: an error, nothing in the history, what came is kept as partial."""
    own = api.conversation()
    after = servers.name()
    api.fails(script("?", **fault), streams, own)
    ((state, answer),) = [(e["state"], e["answer"] or "") for e in api.site.exchanges()]
    assert (state, answer) == ("failed", kept)
    assert api.answered(after, streams, own)
    assert [role for role, _ in asked(api, after)] == ["system", "user"]


def test_S7_client_leaves_a_silent_model(api, streams):
    text = servers.name()
    client = api.call(script(text, tokens=["never"], gates={"1": servers.name()}), streams)
    api.site.model.wait(text)
    client.close()
    assert api.site.model.wait(text, ended="client_left")["tokens_sent"] == 0
    until(lambda: [e["state"] for e in api.site.exchanges()] == ["failed"], "the exchange's end")


def test_S10_client_leaves_after_some_text(api):
    own, text, after = api.conversation(), servers.name(), servers.name()
    stream = api.stream(script(text, tokens=["some", " more"], gates={"2": servers.name()}), own)
    assert [next(stream)["type"], next(stream)["token"]] == ["start", "some"]
    stream.close()
    api.site.model.wait(text, ended="client_left")
    until(lambda: [(e["state"], e["answer"]) for e in api.site.exchanges()] == [("left", "some")], "the exchange's end")
    assert api.answered(after, True, own)
    assert asked(api, after)[2] == ("assistant", "some")


def test_S4_a_token_is_not_held_for_the_next(api):
    gate = servers.name()
    stream = api.stream(script("?", tokens=["a", "b"], gates={"2": gate}))
    assert [next(stream)["type"], next(stream)["token"]] == ["start", "a"]
    api.site.model.open_gate(gate)
    assert [event.get("token") or event["type"] for event in stream] == ["b", "done"]


def test_S6_heartbeats(start):
    site = start(workers=4, heartbeat=0.1)
    for kind in apis.BOTH:
        gate = servers.name()
        stream = kind(site).stream(script("?", tokens=["a", "b"], gates={"1": gate, "2": gate + "2"}))
        assert next(stream)["type"] == "start"
        stream.wait_beats(2)
        site.model.open_gate(gate)
        assert next(stream)["token"] == "a"
        stream.wait_beats(2)
        site.model.open_gate(gate + "2")
        assert [event["type"] for event in stream] == ["token", "done"]


def test_G6_database_away(start, tmp_path):
    site = start(workers=2, database_url=f"postgresql://nobody@/none?host={tmp_path}")
    for kind in apis.BOTH:
        for streams in (False, True):
            api = kind(site)
            assert api.refuses(api.post(api.body("hello", streams), streams), "unavailable")


def test_one_engine_asks_the_model_alike(site):
    """The same conversation through either API is the same request to the model."""
    site.sql("""update banter_data.chatbot set temperature = 0.5, max_tokens = 77, model = 'some-model', system_prompt = 'Be kind.'
             where chatbot = %s""", site.tenant.chatbot)
    bodies = []
    for kind in apis.BOTH:
        for streams in (False, True):
            api = kind(site)
            own, text = api.conversation(), servers.name()
            api.answered(script("first", tokens=["yes"]), streams, own)
            api.answered(f"second {text}", streams, own)
            body = site.model.wait(text)["body"]
            body["messages"][-1]["content"] = body["messages"][-1]["content"].replace(text, "")
            bodies.append(body)
    assert all(body == bodies[0] for body in bodies)
    assert (bodies[0]["model"], bodies[0]["temperature"], bodies[0]["max_tokens"]) == ("some-model", 0.5, 77)
    assert [m["content"] for m in bodies[0]["messages"]][::2] == ["Be kind.", "yes"]


def test_S9_two_at_once_in_one_conversation(api):
    own, gate = api.conversation(), servers.name()
    first = api.stream(script("first", tokens=["1"], gates={"1": gate}), own)
    assert next(first)["type"] == "start"
    text = servers.name()
    assert api.answered(script(text, tokens=["2"]), False, own) == "2"
    assert [role for role, _ in asked(api, text)] == ["system", "user"]
    api.site.model.open_gate(gate)
    assert first.rest()[-1]["message"] == "1"
    assert [e["answer"] for e in api.site.exchanges()] == ["1", "2"]
