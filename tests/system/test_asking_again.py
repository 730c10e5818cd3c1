"""Asking again (S13): what a model's server fails with before any text, and what is done about it."""

import json
import re
import socket
import struct
import threading
import time

import apis
import pytest
import servers

GOOD = "good"  # an answer
HANG = "hang"  # nothing at all, until the client leaves
DROP = "drop"  # the connection closes
RESET = "reset"  # ... is reset
CUT = "cut"  # a stream that breaks off before any text
LATE = "late"  # ... behind some


def chunk(content, finish=None):
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': content}, 'finish_reason': finish}]})}\n\n"


class MoodyModel(servers.Server):
    """A model that answers its requests one after the other as `moods` says, and well where that is used up.

    A mood is one of the words above, or (status, body, {header: value}), or a function of the request's body that
    returns one. `asked` has the bodies, `at` when each came, `connections` the number of its connection."""

    name = "moody-model"

    def __init__(self):
        super().__init__()
        self.moods, self.asked, self.at, self.connections = [], [], [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.opened = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.opened += 1
            threading.Thread(target=self.serve, args=(client, self.opened), daemon=True).start()

    def read(self, reader):
        length = 0
        for line in iter(reader.readline, b"\r\n"):
            if not line:
                return None
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(reader.read(length))

    def serve(self, client, number):
        with client, client.makefile("rb") as reader:
            while (body := self.read(reader)) is not None:
                self.at.append(time.monotonic())
                self.connections.append(number)
                self.asked.append(body)
                mood = self.moods.pop(0) if self.moods else GOOD
                mood = mood(body) if callable(mood) else mood
                if not self.answer(client, reader, body, mood):
                    return

    def answer(self, client, reader, body, mood):
        """False: the connection ends."""
        if mood == HANG:
            return not reader.read(1)
        if mood == RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if mood in (DROP, RESET):
            return False
        if mood in (CUT, LATE):
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + (b"" if mood == CUT else chunk("half").encode()))
            return False
        if mood == GOOD:
            words = chunk("fi") + chunk("ne", "stop") + "data: [DONE]\n\n"
            if not body["stream"]:
                words = json.dumps({"choices": [{"index": 0, "message": {"content": "fine"}, "finish_reason": "stop"}]})
            mood = (200, words, {})
        status, words, headers = mood
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        client.sendall(f"HTTP/1.1 {status} X\r\n{''.join(lines)}Content-Length: {len(words)}\r\n\r\n{words}".encode())
        return True

    def close(self):
        self.listener.close()
        super().close()


def says(status, words="", **headers):
    return (status, words, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture(scope="module")
def moody():
    model = MoodyModel()
    yield model
    model.close()


@pytest.fixture(scope="module")
def moody_site(postgres, database, standin, moody):
    members = '{"top_p":0.5,"reasoning_effort":"low","frequency_penalty":1}'
    site = apis.Site.start(postgres, database.url(), standin, workers=1, model_url=moody.url, heartbeat="200ms",
                           model_first_time="2s", model_members=members)
    yield site
    site.close()


def forget(moody, *moods):
    moody.moods = list(moods)
    for seen in moody.asked, moody.at, moody.connections:
        seen.clear()


@pytest.fixture(params=apis.BOTH, ids=lambda api: api.name)
def api(request, moody_site, moody):
    forget(moody)
    return request.param(moody_site.for_new_tenant())


@pytest.fixture
def headless(moody_site, moody):
    forget(moody)
    return apis.Headless(moody_site.for_new_tenant())


@pytest.fixture
def chatbot_of(moody_site):
    """Makes chatbots of one model, of which the worker knows nothing yet."""
    model = servers.name("model")
    return lambda **own: apis.Headless(moody_site.for_new_tenant(model=model, **own))


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def streams(request):
    return request.param


def logged(api, what):
    return re.findall(rf"request=\S+ server=default asked again{what}\n", api.site.banter.text())


ONCE = {
    **{str(status): says(status) for status in (408, 409, 429, 500, 502, 503, 504, 520, 522, 529)},
    "502 in HTML": says(502, "<html><title>502 Bad Gateway</title></html>", Content_Type="text/html"),
    "503 with a time": says(503, Retry_After="0"),
    "an error within a 200": says(200, 'data: {"error":{"message":"overloaded","code":503}}\n\n'),
    "an error in a plain 200": says(200, '{"error":{"message":"Internal server error"}}'),
    "closed": DROP, "reset": RESET, "cut": CUT,
}


@pytest.mark.parametrize("mood", ONCE)
def test_S13_the_same_is_asked_again(headless, streams, moody, mood):
    forget(moody, ONCE[mood])
    assert headless.answered("hello", streams) == "fine"
    first, second = moody.asked
    assert first == second
    assert [exchange["state"] for exchange in headless.site.exchanges()] == ["done"]


@pytest.mark.parametrize("moods, requests, refusal", [
    ([says(503)] * 9, 4, "unavailable"),
    ([says(429)] * 9, 4, "unavailable"),
    ([says(500)] * 9, 4, "internal"),
    ([says(500), says(502), DROP, says(429)], 4, "unavailable"),
    ([says(503), says(429), says(503), says(500)], 4, "internal"),
    ([says(503), says(401)], 2, "internal"),
    ([says(429, Retry_After="11")], 1, "unavailable"),
    ([says(503, Retry_After="soon")] * 9, 4, "unavailable"),
    ([says(401)], 1, "internal"),
    ([says(403)], 1, "internal"),
    ([says(404)], 1, "internal"),
    ([says(400)], 1, "internal"),
    ([says(501)], 1, "internal"),
], ids=str)
def test_S10_S13_four_requests_are_all_and_the_last_one_decides(headless, moody, streams, moods, requests, refusal):
    before = len(logged(headless, ".*"))
    forget(moody, *moods)
    headless.fails("hello", streams, refusal=refusal)
    assert len(moody.asked) == requests
    assert [exchange["state"] for exchange in headless.site.exchanges()] == ["failed"]
    assert len(logged(headless, ".*")) - before == requests - 1


@pytest.mark.parametrize("said, passed_on", [("77", "77"), ("3600", "3600"), ("3601", "5"), ("99999999", "5")])
def test_H1_B3_the_servers_time_is_passed_on(api, moody, said, passed_on):
    forget(moody, *[says(429, Retry_After=said)] * 4)
    reply = api.json("hello")
    assert api.refuses(reply, "unavailable")
    assert reply.headers["Retry-After"] == passed_on


def test_S13_a_short_time_of_the_server_is_honoured(headless, moody, streams):
    forget(moody, says(429, Retry_After="1"))
    assert headless.answered("hello", streams) == "fine"
    assert moody.at[1] - moody.at[0] >= 1
    forget(moody, says(429, Retry_After="9", retry_after_ms="300"))
    assert headless.answered("hello", streams) == "fine"
    assert 0.3 <= moody.at[1] - moody.at[0] < 9


def test_S10_S13_never_after_the_first_text(headless, moody, streams):
    forget(moody, LATE)
    headless.fails("hello", streams)
    assert len(moody.asked) == 1


def test_S6_S13_heartbeats_go_on_meanwhile(headless, moody):
    forget(moody, says(503, Retry_After="1"))
    raw = headless.post(headless.body("hello", True), True).content
    start, *between = raw.split(b"\n")
    assert b'"start"' in start
    assert between[:2] == [b"", b""]
    assert b'"done"' in raw


def test_S7_S13_a_client_that_leaves_meanwhile_ends_it(headless, moody):
    before = len(logged(headless, ".*"))
    forget(moody, says(503, Retry_After="8"))
    client = headless.call("hello", True)
    servers.until(lambda: len(logged(headless, ".*")) > before, "the pause before the second request")
    client.close()
    servers.until(lambda: [row["state"] for row in headless.site.exchanges()] == ["failed"], "its end")
    assert len(moody.asked) == 1
    assert headless.site.exchanges()[0]["error"] == "the client left"


def test_S13_each_asking_again_is_a_line_of_the_log(headless, moody):
    before = len(logged(headless, ".*"))
    forget(moody, says(503, "marker-word"), DROP)
    headless.answered("hello", True)
    lines = logged(headless, ".*")[before:]
    assert len(lines) == 2
    assert "asked again: the model's server answered with HTTP status 503" in lines[0]
    assert "marker-word" not in headless.site.banter.text()


# Kept connections


def kept(headless, moody, *moods):
    """The worker keeps a connection; then come the moods."""
    assert headless.answered("hello", False) == "fine"
    forget(moody, *moods)


@pytest.mark.parametrize("mood", [DROP, RESET, says(408, Connection="close")], ids=["closed", "reset", "408"])
def test_S13_a_kept_connection_that_had_ended_costs_no_pause(headless, moody, streams, mood):
    kept(headless, moody, mood)
    assert headless.answered("hello", streams) == "fine"
    assert len(moody.asked) == 2 and moody.connections[0] != moody.connections[1]
    assert [exchange["state"] for exchange in headless.site.exchanges()] == ["done", "done"]


def test_S13_an_answer_that_never_begins_on_a_kept_connection(headless, moody, streams):
    """It leads nowhere, and nobody has said so."""
    kept(headless, moody, HANG)
    assert headless.answered("hello", streams) == "fine"
    assert len(moody.asked) == 2 and moody.connections[0] != moody.connections[1]
    # On a new one it is the server that is late.
    forget(moody, HANG, HANG)
    headless.fails("hello", streams)
    assert len(moody.asked) == 2


def test_S13_no_more_than_half_of_the_time_for_a_kept_connection(start, moody):
    """A first byte's 60 s are longer than JSON's 50."""
    forget(moody)
    headless = apis.Headless(start(workers=1, model_url=moody.url, json_time="4s"))
    kept(headless, moody, HANG)
    assert headless.answered("hello", False) == "fine"
    assert 1 <= moody.at[1] - moody.at[0] <= 3


# Members


def error(message, **members):
    return says(400, json.dumps({"error": {"message": message, **members}}))


def without(member, answer):
    """A model that refuses that member with that answer."""
    return lambda body: answer if member in body else GOOD


@pytest.mark.parametrize("member, answer", [
    ("temperature", error("'temperature' may only be set to 1")),
    ("temperature", error("invalid temperature: only 1 is allowed for this model")),
    ("temperature", error("`temperature` and `top_p` cannot both be specified for this model.")),
    ("max_tokens", error("max_tokens is too large: 77. This model supports at most 64 completion tokens.")),
    ("max_tokens", error("Not here", param="max_tokens")),
    ("stream_options", says(422, '{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are '
                                 'not permitted","input":{"temperature":1,"max_tokens":7}}]}')),
    ("top_p", error("Unsupported parameter: 'top_p' is not supported with this model.", param="top_p",
                    code="unsupported_parameter")),
    ("reasoning_effort", error("Argument not supported on this model: reasoning_effort")),
    ("frequency_penalty", says(200, 'data: {"error":{"message":"frequency_penalty must be 0","code":400}}\n\n')),
])
def test_S13_a_member_that_the_server_names_is_left_out(chatbot_of, moody, streams, member, answer):
    forget(moody, *[without(member, answer)] * 9)
    headless = chatbot_of(temperature="0.5", max_tokens=77)
    assert headless.answered("one", streams) == "fine"
    assert len(moody.asked) == 2
    assert set(moody.asked[0]) - set(moody.asked[1]) == {member}
    # The worker remembers.
    assert headless.answered("two", streams) == "fine"
    assert len(moody.asked) == 3
    assert set(moody.asked[2]) == set(moody.asked[1])


def test_S13_a_refused_value_is_that_value_only(chatbot_of, moody):
    forget(moody, *[lambda body: error("only 1 is allowed", param="temperature") if body.get("temperature") == 0.5 else GOOD] * 9)
    warm, cold = chatbot_of(temperature="1"), chatbot_of(temperature="0.5")
    for headless in cold, warm, cold:
        assert headless.answered("hello", False) == "fine"
    assert [body.get("temperature") for body in moody.asked] == [0.5, None, 1, None]


def test_S13_an_unknown_member_is_unknown_with_any_value(chatbot_of, moody):
    forget(moody, *[without("temperature", error("Unknown parameter: 'temperature'."))] * 9)
    for value in "1", "0.5":
        assert chatbot_of(temperature=value).answered("hello", False) == "fine"
    assert [body.get("temperature") for body in moody.asked] == [1, None, None]


@pytest.mark.parametrize("answer", [
    error("Your organization must be verified to stream this model. Please go to the settings.", param="stream",
          code="unsupported_value"),
    error("Unsupported value: 'stream' does not support true with this model."),
    error("Streaming is not supported for this model"),
], ids=["verified", "value", "words"])
def test_S13_a_model_that_does_not_stream_answers_in_one_piece(chatbot_of, moody, streams, answer):
    forget(moody, *[lambda body: answer if body["stream"] else GOOD] * 9)
    headless = chatbot_of()
    assert headless.answered("one", streams) == "fine"
    assert headless.answered("two", streams) == "fine"
    assert [body["stream"] for body in moody.asked] == [True, False, False]
    assert ["stream_options" in body for body in moody.asked] == [True, False, False]


def test_S8_S13_a_text_about_the_length_leaves_no_member_out(chatbot_of, moody):
    words = ("'max_tokens' or 'max_completion_tokens' is too large: 77. This model's maximum context length is 8192 "
             "tokens and your request has 8180 input tokens")
    headless = chatbot_of(max_tokens=77)
    own = headless.conversation()
    forget(moody)
    headless.answered("one", False, own)
    forget(moody, error(words))
    assert headless.answered("two", False, own) == "fine"
    assert [body["max_tokens"] for body in moody.asked] == [77, 77]
    assert [len(body["messages"]) for body in moody.asked] == [4, 2]


def test_S13_a_question_that_names_a_member_misleads_nobody(chatbot_of, moody):
    """Some quote what they were sent."""
    answer = says(400, json.dumps({"error": {"message": "Invalid 'messages': what is temperature?", "param": "messages"}}))
    forget(moody, answer, answer)
    headless = chatbot_of(temperature="0.5")
    headless.fails("what is temperature?", False)
    assert len(moody.asked) == 1


def test_S13_all_kinds_in_one_exchange(chatbot_of, moody):
    headless = chatbot_of()
    own = headless.conversation()
    forget(moody)
    headless.answered("one", False, own)
    forget(moody, says(503), error("Unknown parameter: 'stream_options'"), error("context_length_exceeded"))
    assert headless.answered("two", True, own) == "fine"
    assert ["stream_options" in body for body in moody.asked] == [True, True, False, False]
    assert [len(body["messages"]) for body in moody.asked] == [4, 4, 4, 2]
