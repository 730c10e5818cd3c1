"""What real model servers do, through the whole system: the shapes themselves are tests/unit/transcripts."""

import base64
import gzip
import http.server
import json
import threading
import zlib

import pytest

import apis
import servers
from servers import name, script

SECRET = "marker-word-0123456789"


class PickyModel(servers.Server):
    """A model that refuses a request with any member of `refused`, and otherwise answers. `.asked` has the bodies."""

    name = "picky-model"

    def __init__(self):
        super().__init__()
        self.refused, self.status, self.asked, self.paths = {}, 400, [], []
        self.once = False  # closes a connection when it is asked on it again
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            asked = False

            def do_POST(self):
                if model.once and self.asked:
                    self.close_connection = True
                    return
                self.asked = True
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                model.asked.append(body)
                model.paths.append(self.path)
                words = next((words for member, words in model.refused.items() if member in body), None)
                chunk = {"choices": [{"index": 0, "delta": {"content": "fine"}, "finish_reason": "stop"}]}
                answer = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n" if words is None else words
                answer = answer.encode() if words is None else model.words(answer)
                self.send_response(200 if words is None else model.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def words(self, words):
        """The bytes of an error."""
        return words.encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        super().close()


@pytest.fixture
def picky():
    model = PickyModel()
    yield model
    model.close()


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def streams(request):
    return request.param


@pytest.fixture
def api(site):
    return apis.Headless(site)


def members(body):
    return set(body) - {"model", "messages", "stream"}


# Requests that a server refuses


REFUSED_MEMBERS = [
    ("stream_options", 422, '{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"]}]}',
     {"temperature", "max_tokens"}),
    ("temperature", 400, "{\"error\":{\"message\":\"Unsupported value: 'temperature' does not support 0.5 with this model.\"}}",
     {"stream_options", "max_tokens"}),
    ("max_tokens", 400, '{"error":{"message":"Unrecognized request argument supplied: max_tokens"}}',
     {"stream_options", "temperature"}),
    ("max_tokens", 400, "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is not supported with this model. "
     "Use 'max_completion_tokens' instead.\"}}", {"stream_options", "temperature", "max_completion_tokens"}),
]


@pytest.mark.parametrize("member, status, words, rest", REFUSED_MEMBERS,
                         ids=["stream_options", "temperature", "max_tokens", "renamed"])
def test_S1_a_member_that_the_server_refuses_is_left_out_and_stays_out(start, picky, member, status, words, rest):
    picky.refused, picky.status = {member: words + SECRET}, status
    site = start(workers=1, model_url=picky.url).for_new_tenant(temperature="0.5", max_tokens=77)
    api = apis.Headless(site)
    assert api.answered("one", True) == "fine"
    assert [member in body for body in picky.asked] == [True, False]
    assert members(picky.asked[1]) == rest
    if "max_completion_tokens" in rest:
        assert picky.asked[1]["max_completion_tokens"] == 77
    assert picky.asked[0]["messages"] == picky.asked[1]["messages"]
    # The worker remembers.
    assert api.answered("two", False) == "fine"
    assert len(picky.asked) == 3
    assert members(picky.asked[2]) == rest
    assert [exchange["state"] for exchange in site.exchanges()] == ["done", "done"]
    # It is said once, without the server's words.
    assert site.banter.text().count(f"the model's server does not take {member}") == 1
    assert SECRET not in site.banter.text()


def test_S10_a_server_that_closes_kept_connections_costs_no_exchange(start, picky):
    """However often one worker meets one: it asks again on another."""
    picky.once = True
    site = start(workers=1, model_url=picky.url)
    for _ in range(30):
        assert site.chat("Hello").json()["message"] == "fine"
    assert len(picky.asked) == 30


def test_all_of_them_one_after_the_other(start, picky):
    picky.refused = {member: f'{{"error":{{"message":"Unknown parameter: \'{member}\'."}}}}'
                     for member in ("stream_options", "temperature", "max_tokens")}
    site = start(workers=1, model_url=picky.url).for_new_tenant(temperature="0.5", max_tokens=77)
    assert apis.Headless(site).answered("one", True) == "fine"
    assert [len(members(body)) for body in picky.asked] == [3, 2, 1, 0]


def test_each_model_by_itself(start, picky):
    """What one model of a server refuses, another may want."""
    picky.refused = {"temperature": REFUSED_MEMBERS[1][2]}
    site = start(workers=1, model_url=picky.url)
    for model in "one", "two":
        tenant = site.for_new_tenant(temperature="0.5", model=model)
        assert apis.Headless(tenant).answered("hello", False) == "fine"
    assert ["temperature" in body for body in picky.asked] == [True, False, True, False]


def test_S10_what_does_not_help_is_not_remembered(start, picky):
    picky.refused = {"messages": '{"error":{"message":"stream_options are unsupported with your messages"}}'}
    api = apis.Headless(start(workers=1, model_url=picky.url))
    api.fails("one", True)
    assert ["stream_options" in body for body in picky.asked] == [True, False]
    assert api.site.exchanges()[-1]["error"] == "the model's server answered with HTTP status 400"
    picky.refused = {}
    assert api.answered("two", True) == "fine"
    assert "stream_options" in picky.asked[-1]


@pytest.mark.parametrize("status, words, requests", [
    (400, '{"error":{"message":"max_tokens is too large: 77. The context length is 64."}}', 1),
    (500, '{"error":{"message":"Unknown parameter: max_tokens"}}', 4),
    (404, "<html>unknown: max_tokens</html>", 1),
])
def test_S10_other_refusals_leave_no_member_out(start, picky, status, words, requests):
    picky.refused, picky.status = {"max_tokens": words}, status
    site = start(workers=1, model_url=picky.url).for_new_tenant(max_tokens=77)
    apis.Headless(site).fails("one", True)
    assert ["max_tokens" in body for body in picky.asked] == [True] * requests


# Answers


PLAIN = {"id": "x", "object": "chat.completion", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "All at once, ö."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 19, "completion_tokens": 10}}


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/event-stream"])
def test_S3_a_plain_answer_to_a_streaming_request(api, streams, kind):
    text = script(name("plain"), raw=[json.dumps(PLAIN, indent=1)], split=7, content_type=kind)
    assert api.answered(text, streams) == "All at once, ö."
    assert api.site.exchanges()[-1]["finish_reason"] == "stop"


def test_S4_a_plain_answer_is_one_token(api):
    events = api.stream(script(name("plain"), raw=[json.dumps(PLAIN)])).rest()
    assert [event["type"] for event in events] == ["start", "token", "done"]


def failed(api, streams, cause, refusal="internal", **directive):
    """It ends in an error whose cause the database and the log know, without the server's words."""
    text = script(name("bad"), **directive)
    api.fails(text, streams, refusal=refusal)
    exchange = api.site.exchanges()[-1]
    assert exchange["state"] == "failed"
    assert cause in exchange["error"]
    assert SECRET not in api.site.banter.text()
    return exchange


def data(value):
    return f"data: {json.dumps(value)}\n\n"


HALF = data({"choices": [{"index": 0, "delta": {"content": "half"}}]})


@pytest.mark.parametrize("raw, cause", [
    ([HALF, data({"error": {"message": SECRET, "code": 502}})], "sent an error in its stream"),
    ([HALF, data({"object": "error", "message": SECRET, "code": 500})], "sent an error in its stream"),
    ([HALF, f'event: error\ndata: {{"message":"{SECRET}"}}\n\n'], "sent an error event"),
    ([HALF, data({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]})], "gave up its answer"),
    ([json.dumps({"error": {"message": SECRET, "code": 502}})], "answered with an error"),
    ([f"<html><body>{SECRET}</body></html>\n\n"], "ended in the middle"),
    ([HALF], "ended in the middle"),
    ([f'{{"choices":[{{"message":{{"content":"{SECRET}"'], "no JSON object"),
], ids=["error", "object", "event", "finish", "plain error", "html", "no end", "half a plain answer"])
def test_S10_an_error_inside_a_200(api, streams, raw, cause):
    exchange = failed(api, streams, cause, raw=raw)
    assert exchange["answer"] in (None, "", "half")


@pytest.mark.parametrize("status, body, kind", [
    (401, json.dumps({"error": {"message": f"Incorrect API key provided: {SECRET}"}}), "application/json"),
    (429, json.dumps({"error": {"message": SECRET}}), "application/json"),
    (502, f"<html><title>502 Bad Gateway</title>{SECRET}</html>", "text/html"),
    (503, "", "text/plain"),
    (422, json.dumps([{"error": SECRET}]), "application/json"),
])
def test_S10_an_error_of_HTTP(api, streams, status, body, kind):
    refusal = "unavailable" if status in (429, 503) else "internal"
    failed(api, streams, f"HTTP status {status}", refusal, status=status, body=body, content_type=kind)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_S10_a_redirect_is_not_followed(api, picky, status):
    location = f"{picky.url}/chat/completions"
    failed(api, True, f"HTTP status {status}", status=status, body="", headers={"Location": location})
    assert picky.asked == []


def test_S10_the_end_without_DONE_behind_a_finish_reason(api, streams):
    text = script(name("end"), tokens=["a", "b"], no_done=True)
    assert api.answered(text, streams) == "ab"


def test_S10_a_connection_that_breaks_behind_the_finish_reason(api, streams):
    """It said why it ended: all of it is here."""
    raw = [HALF, data({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}), "data: {"]
    assert api.answered(script(name("cut"), raw=raw, cut_after=3), streams) == "half"


def test_S4_a_message_beside_the_deltas_is_not_said_twice(api):
    raw = [data({"choices": [{"index": 0, "delta": {"content": new}, "message": {"content": whole}}]})
           for new, whole in (("It", "It"), (" is", "It is"))]
    raw.append(data({"choices": [{"index": 0, "message": {"content": "It is"}, "finish_reason": "stop"}]}))
    events = api.stream(script(name("beside"), raw=raw)).rest()
    assert [event.get("token") for event in events] == [None, "It", " is", None]


def chunk(choice):
    return data({"choices": [choice]})


def delta(text, index=0):
    return chunk({"index": index, "delta": {"content": text}})


END = chunk({"index": 0, "delta": {}, "finish_reason": "stop"})
DONE = "data: [DONE]\n\n"


@pytest.mark.parametrize("raw, answer", [
    ([delta("Wh", 0), delta("isper", 1), chunk({"index": 2, "delta": {}, "finish_reason": "stop"}), DONE], "Whisper"),
    ([chunk({"index": 1, "delta": {"content": "b"}})[:-4] + ',{"index":0,"delta":{"content":"a"}}]}\n\n', END], "a"),
    (["data: null\n\n", delta("a"), "data: ping\n\ndata: : OPENROUTER PROCESSING\n\ndata: 2024-04-07 20:20:50\n\n", delta("b"),
      'data: "[DONE]"\n\ndata: [done]\n\n', delta("c"), END], "abc"),
    ([data({"error": error, "choices": [{"delta": {"content": "a"}}]}) for error in (None, "", {}, False)] + [END], "aaaa"),
    ([data({"x": float("nan"), "y": [float("inf"), -float("inf")], "choices": [{"delta": {"content": "a"}}]}), END], "a"),
    (['data: {"x":' + "[" * 1000 + "]" * 1000 + ',"choices":[{"delta":{"content":"a"}}]}\n\n', END], "a"),
    ([chunk({"delta": {}, "message": {"content": "all"}, "finish_reason": "stop"})], "all"),
    ([event[:-1] for event in (delta("a"), delta("b"), END, DONE)], "ab"),
    ([chunk({"delta": {"content": None, "refusal": text}}) for text in ("I", " must", " not")] + [END], "I must not"),
    ([json.dumps({"choices": [{"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}]})], "No."),
    ([delta("a"), END, delta("b"), DONE], "ab"),
    ([chunk({"delta": {"content": "a"}, "finish_reason": "null"}), END], "a"),
    ([delta("a"), chunk({"finish_reason": "nobody_knows"})], "a"),
], ids=["lone choices", "two in one", "padding", "empty errors", "NaN", "deep", "empty delta", "line feeds", "refusal", "plain refusal",
        "more text", "null", "unknown reason"])
def test_S12_an_answer_however_it_is_sent(api, streams, raw, answer):
    assert api.answered(script(name("odd"), raw=raw), streams) == answer
    exchange = api.site.exchanges()[-1]
    assert (exchange["state"], exchange["answer"]) == ("done", answer)


CLOTHES = {
    "field": f'error: {{"code":500,"message":"{SECRET}"}}\n\n',
    "bare": f'{{\n  "error": {{"message": "{SECRET}"}}\n}}\n',
    "no choices": data({"choices": None, "error_type": "x", "error_message": SECRET}),
    "detail": data({"detail": SECRET}),
    "message": data({"message": SECRET, "code": 400}),
    "words": data({"error": SECRET}),
    "within": chunk({"error": {"message": SECRET}, "delta": {"content": "more"}}),
}


@pytest.mark.parametrize("error", CLOTHES.values(), ids=CLOTHES)
@pytest.mark.parametrize("before", [[], [HALF]], ids=["at once", "after text"])
def test_S12_an_error_in_whatever_clothes(api, streams, before, error):
    """[DONE] behind it makes no answer of it."""
    failed(api, streams, "error", raw=[*before, error, DONE])


@pytest.mark.parametrize("reason", ["error", "abort", "cancelled", "canceled", "timeout", "network_error",
                                    "insufficient_system_resource", "model_context_window_exceeded"])
def test_S12_a_reason_that_is_a_break(api, reason):
    exchange = failed(api, True, "gave up its answer", raw=[HALF, chunk({"delta": {}, "finish_reason": reason}), DONE])
    assert (exchange["answer"], exchange["finish_reason"]) == ("half", reason)


def test_S12_the_end_is_near_once_there_is_a_reason(api, streams):
    """Whatever comments come, for however long: the model is left behind."""
    mark = name("endless")
    raw = [HALF, END] + [":\n\n"] * 100
    assert api.answered(script(mark, raw=raw, delay_ms=1000), streams) == "half"
    api.site.model.wait(mark, ended="client_left")


@pytest.mark.parametrize("status", [201, 202, 203, 206])
def test_S12_success_is_2xx(api, streams, status):
    assert api.answered(script(name("created"), status=status, raw=[delta("a"), END, DONE]), streams) == "a"


def packed(kind, pieces):
    """Each piece as the sender flushes it."""
    packer = zlib.compressobj(wbits={"gzip": 31, "zlib": 15, "raw": -15}[kind])
    parts = [packer.compress(piece.encode()) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    return [base64.b64encode(part).decode() for part in (*parts, packer.flush())]


PACKINGS = [("gzip", "gzip"), ("gzip", ""), ("zlib", "deflate"), ("raw", "deflate")]


@pytest.mark.parametrize("kind, encoding", PACKINGS, ids=["gzip", "gzip unsaid", "zlib", "raw"])
def test_S12_a_packed_answer_that_nobody_asked_for(api, streams, kind, encoding):
    headers = {"Content-Encoding": encoding} if encoding else {}
    raw = packed(kind, [delta("a"), delta("b"), END, DONE])
    assert api.answered(script(name("packed"), raw_b64=raw, headers=headers, split=5), streams) == "ab"
    plain = packed(kind, [json.dumps(PLAIN)])
    assert api.answered(script(name("plain"), raw_b64=plain, headers=headers), streams) == "All at once, ö."


@pytest.mark.parametrize("kind, encoding", PACKINGS, ids=["gzip", "gzip unsaid", "zlib", "raw"])
def test_S4_a_packed_token_is_sent_on_while_the_next_is_withheld(api, kind, encoding):
    gates = {str(n): name("gate") for n in (2, 3)}
    raw = packed(kind, [delta("a"), delta("b"), END + DONE])
    stream = api.stream(script(name("packed"), raw_b64=raw, headers={"Content-Encoding": encoding}, gates=gates))
    assert next(stream)["type"] == "start"
    assert next(stream)["token"] == "a"
    api.site.model.open_gate(gates["2"])
    assert next(stream)["token"] == "b"
    api.site.model.open_gate(gates["3"])
    assert [event["type"] for event in stream.rest()] == ["done"]


def test_S12_a_header_that_is_wrong_of_a_plain_body(api, streams):
    """A proxy unpacked it and left the header; others say what is no packing at all."""
    for encoding in ("gzip", "UTF-8", "none"):
        raw = [delta("a"), END, DONE]
        assert api.answered(script(name("plain"), raw=raw, headers={"Content-Encoding": encoding}), streams) == "a"


def test_S12_a_packed_error_is_read(start):
    """Its words tell which member the server does not take: it is asked again without."""
    class Packing(PickyModel):
        def words(self, words):
            return gzip.compress(words.encode())

    model = Packing()
    try:
        model.refused = {"temperature": REFUSED_MEMBERS[1][2]}
        site = start(workers=1, model_url=model.url).for_new_tenant(temperature="0.5")
        assert apis.Headless(site).answered("hello", True) == "fine"
        assert ["temperature" in body for body in model.asked] == [True, False]
    finally:
        model.close()


@pytest.mark.parametrize("tokens", [["\n"] * 5, [" ", "\u00a0\u3000"], ["\u200b\ufeff"]], ids=["line feeds", "spaces", "no width"])
def test_S10_white_space_is_no_answer(api, streams, tokens):
    api.site.grant(10)
    exchange = failed(api, streams, "without any text", tokens=tokens)
    assert exchange["answer"] == "".join(tokens)
    assert api.site.credits() == 10


def test_S8_a_turn_that_a_strict_server_refuses_is_left_out(site):
    """Answers of line feeds were stored once; questions of blanks are taken to this day."""
    api = apis.Headless(site)
    own = api.conversation()
    for question, answer in (("one", "1"), ("two", "2"), ("   ", None), ("three", "3")):
        mark = question if answer is None else script(question, tokens=[answer])
        api.answered(mark, False, own)
    site.sql("update banter_data.exchange set answer = E'\\n\\n' where workspace = %s and answer = '2'", site.tenant.workspace)
    mark = name("last")
    api.answered(script(mark, tokens=["4"]), True, own)
    messages = site.model.wait(mark)["body"]["messages"]
    assert [message["content"] for message in messages if message["role"] == "assistant"] == ["1", "3"]
    assert len(messages) - len([message for message in messages if message["role"] == "system"]) == 5
    assert "   " not in [message["content"] for message in messages]


# What the operator adds


def asked(banter_site, model):
    text = name("added")
    assert apis.Headless(banter_site).answered(script(text, tokens=["a"]), False) == "a"
    return model.wait(text)


@pytest.mark.parametrize("value", [
    f"X-Organisation: ours|api-key: {SECRET}|X-Spaces:  a b ", f"X-Organisation: ours\napi-key: {SECRET}\n\nX-Spaces: a b\n"],
    ids=["behind |", "lines"])
def test_more_headers(start, model, value):
    site = start(workers=1, model_headers=value)
    headers = asked(site, model)["headers"]
    assert (headers["x-organisation"], headers["api-key"], headers["x-spaces"]) == ("ours", SECRET, "a b")
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    for pid in [site.banter.process.pid, *site.banter.children()]:
        assert SECRET.encode() not in servers.environment(pid)
    assert SECRET not in site.banter.text()


def test_more_headers_from_a_file(start, model, tmp_path):
    (tmp_path / "headers").write_text(f"api-key: {SECRET}\r\nX-More: 1\r\n")
    headers = asked(start(workers=1, model_headers_file=tmp_path / "headers"), model)["headers"]
    assert (headers["api-key"], headers["x-more"]) == (SECRET, "1")


@pytest.mark.parametrize("added, expected", [
    ("X-More: 1", "Bearer the-key"), ("authorization: Basic abc", "Basic abc"), ("API-Key: abc", None)])
def test_a_key_among_the_headers_takes_the_keys_place(start, model, added, expected):
    headers = asked(start(workers=1, model_key="the-key", model_headers=added), model)["headers"]
    assert headers.get("authorization") == expected


def test_more_members(start, model):
    value = '{"top_p":0.9,"user":"ours","model":"not this","stream":false,"temperature":0.25,"max_tokens":5}'
    site = start(workers=1, model="ours", model_members=value)
    body = asked(site, model)["body"]
    assert (body["model"], body["stream"], body["top_p"], body["user"]) == ("ours", True, 0.9, "ours")
    assert (body["temperature"], body["max_tokens"]) == (0.25, 5)
    body = asked(site.for_new_tenant(temperature="0.75", max_tokens=9), model)["body"]
    assert (body["temperature"], body["max_tokens"]) == (0.75, 9)


def test_a_query_in_the_models_address_stays_behind_the_path(start, picky):
    site = start(workers=1, model_url=f"{picky.url}/?api-version=2024-10-21")
    assert apis.Headless(site).answered("hello", True) == "fine"
    assert picky.paths == ["/v1/chat/completions?api-version=2024-10-21"]
