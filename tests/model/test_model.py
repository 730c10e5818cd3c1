"""The stand-in model: true to the protocol, and steered as its README says.

Nothing here rests on how long something takes: gates and records decide. Timeouts only guard
against hanging.
"""

import base64
import contextlib
import importlib.util
import json
import os
import pathlib
import resource
import signal
import socket
import ssl
import subprocess
import threading
import uuid

import pytest
import requests

HERE = pathlib.Path(__file__).resolve().parent
BINARY = os.environ.get("BANTER_MODEL_BIN", str(HERE.parents[1] / "build" / "banter-model"))
GUARD = 30
COMPLETIONS = "/v1/chat/completions"
# Hundreds of streams take more descriptors, here and in the stand-in, than some are allowed at first.
_allowed, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (max(_allowed, min(_most, 4096)), _most))
os.environ["NO_PROXY"] = "*"  # no proxy of the environment stands between a test and its loopback

_spec = importlib.util.spec_from_file_location("banter_model_client", HERE / "client.py")
client = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(client)
script = client.script


@contextlib.contextmanager
def running(folder, *options, stop=signal.SIGTERM):
    """A stand-in with these options; it must end well, and silently."""
    errors = folder / f"stderr-{uuid.uuid4().hex}"
    with open(errors, "wb") as stderr:
        process = subprocess.Popen(
            [BINARY, "--listen", "127.0.0.1:0", *options], stdout=subprocess.PIPE, stderr=stderr
        )
    try:
        line = process.stdout.readline().decode()
        assert line.startswith("listening on "), errors.read_text()
        yield line.removeprefix("listening on ").strip()
    finally:
        process.send_signal(stop)
        try:
            code = process.wait(GUARD)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        process.stdout.close()
    assert errors.read_text() == ""
    assert code == 0


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("model")) as address:
        yield address


@pytest.fixture
def model(url):
    return client.Model(url)


@pytest.fixture
def name():
    """A text that only this test's requests hold."""
    return uuid.uuid4().hex


def ask(text, **members):
    return {"model": "some-model", "messages": [{"role": "user", "content": text}], **members}


def post(url, body, **options):
    return requests.post(url + COMPLETIONS, json=body, timeout=GUARD, **options)


class Wire:
    """One connection whose bytes are looked at as they come."""

    def __init__(self, url, body):
        host, port = url.split("//")[1].split(":")
        self.socket = socket.create_connection((host, int(port)), GUARD)
        data = json.dumps(body).encode()
        head = f"POST {COMPLETIONS} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(data)}\r\n\r\n"
        self.socket.sendall(head.encode() + data)
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def until(self, end):
        """Everything so far, once it holds `end`."""
        while end not in self.got:
            more = self.socket.recv(65536)
            assert more, (end, self.got)
            self.got += more
        return self.got

    def rest(self):
        """Everything until the peer closes."""
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            self.got += more
        return self.got


def body_of(url, text, stream=True, **members):
    answer = post(url, ask(text, stream=stream, **members))
    assert answer.status_code == 200, answer.text
    return answer.content


def events_of(content):
    """The data of each event; every event is one line and an empty one."""
    events = content.decode().split("\n\n")
    assert events.pop() == ""
    assert all(event.startswith("data: ") and "\n" not in event for event in events)
    return [event.removeprefix("data: ") for event in events]


def chunks_of(content):
    events = events_of(content)
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def texts_of(chunks):
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    return [delta["content"] for delta in deltas if "content" in delta]


# --- the protocol ---------------------------------------------------------------------------------


def test_plain_answer_has_every_member(url):
    answer = post(url, ask(script("x", tokens=["Hel", "lo, ", "“wörld”\n"])))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert body.pop("id").startswith("chatcmpl-")
    assert isinstance(body.pop("created"), int)
    usage = body.pop("usage")
    assert usage["completion_tokens"] == 3
    assert usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + 3
    assert isinstance(body.pop("system_fingerprint"), str)
    message = {"role": "assistant", "content": "Hello, “wörld”\n"}
    message |= {"refusal": None, "annotations": []}
    assert body == {
        "object": "chat.completion",
        "model": "some-model",
        "service_tier": "default",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
    }


@pytest.mark.parametrize("with_usage", [False, True])
def test_stream_has_every_member(url, with_usage):
    options = {"stream_options": {"include_usage": True}} if with_usage else {}
    text = script("x", tokens=["a", "\"\\\u0001", "ü😀"])
    answer = post(url, ask(text, stream=True, **options))
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    chunks = chunks_of(answer.content)
    last = chunks.pop() if with_usage else None
    assert len({c["id"] for c in chunks}) == 1 and chunks[0]["id"].startswith("chatcmpl-")
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        assert chunk["model"] == "some-model"
        assert isinstance(chunk["created"], int)
        assert isinstance(chunk["system_fingerprint"], str)
        assert ("usage" in chunk) == with_usage and chunk.get("usage") is None
    choices = [c["choices"] for c in chunks]
    assert all(len(c) == 1 and c[0]["index"] == 0 and c[0]["logprobs"] is None for c in choices)
    assert [c[0]["delta"] for c in choices] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "a"},
        {"content": "\"\\\u0001"},
        {"content": "ü😀"},
        {},
    ]
    assert [c[0]["finish_reason"] for c in choices] == [None] * 4 + ["stop"]
    if with_usage:
        assert last["choices"] == []
        assert last["usage"]["completion_tokens"] == 3
        assert last["id"] == chunks[0]["id"]


def test_models(url):
    body = requests.get(url + "/v1/models", timeout=GUARD).json()
    assert body["object"] == "list"
    assert body["data"][0]["object"] == "model"


def is_openai_error(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    return answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"model":"m","messages":[{"role":"user","content":"a"}]} x',
        b'{"model":"m","messages":[{"role":"user","content":"\xff"}]}',
        b'{"messages":[{"role":"user","content":"a"}]}',
        b'{"model":"m"}',
        b'{"model":"m","messages":[]}',
        b'{"model":"m","messages":["a"]}',
        b'{"model":"m","messages":[{"role":"robot","content":"a"}]}',
        b'{"model":"m","messages":[{"role":"user"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"stream":"yes"}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"temperature":3}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"max_tokens":0}',
        b'{"model":"m","messages":[{"role":"user","content":"a"}],"stream_options":{}}',
    ],
)
def test_bad_bodies(url, body):
    answer = requests.post(url + COMPLETIONS, data=body, timeout=GUARD)
    assert is_openai_error(answer, 400)["type"] == "invalid_request_error"


def test_wrong_path_and_method(url):
    is_openai_error(requests.post(url + "/v1/completions", timeout=GUARD), 404)
    is_openai_error(requests.get(url + COMPLETIONS, timeout=GUARD), 405)


def test_message_parts_and_null_members(url):
    parts = [{"type": "text", "text": "x "}, {"type": "text", "text": '@@{"tokens":["ok"]}'}]
    body = ask(parts, temperature=None, max_tokens=None, stream=None)
    assert post(url, body).json()["choices"][0]["message"]["content"] == "ok"


def test_only_the_last_user_message_directs(url):
    body = ask(script("new", tokens=["b"]))
    body["messages"][:0] = [
        {"role": "user", "content": script("old", tokens=["a"])},
        {"role": "assistant", "content": "a"},
    ]
    assert post(url, body).json()["choices"][0]["message"]["content"] == "b"


@pytest.mark.parametrize(
    "directive",
    [
        "@@{",
        '@@{"tokenz":1}',
        '@@{"tokens":-1}',
        '@@{"tokens":[1]}',
        '@@{"delay_ms":"1"}',
        '@@{"raw_b64":["?"]}',
        '@@{"gates":{"1":2}}',
        '@@{"tokens":1} and more',
    ],
)
def test_wrong_directives_are_named(url, directive):
    error = is_openai_error(post(url, ask("x " + directive)), 400)
    assert error["code"] == "bad_directive"


# --- the script -----------------------------------------------------------------------------------


def test_numbered_tokens_each_in_an_event(url):
    chunks = chunks_of(body_of(url, script("x", tokens=1000)))
    assert texts_of(chunks) == [""] + [f"word{i} " for i in range(1, 1001)]


def test_long_tokens_and_messages(url, model, name):
    token = "ü" * 200000
    content = body_of(url, script(name, tokens=[token, "end"]))
    assert texts_of(chunks_of(content)) == ["", token, "end"]
    record = model.wait(name, ended="complete")
    assert token in record["body"]["messages"][0]["content"]
    answer = post(url, ask("x" * (17 << 20)))
    assert is_openai_error(answer, 413)


def test_gate_withholds_one_token(url, model, name):
    directive = {"tokens": ["one", "two", "three"], "gates": {"2": name, "4": name + "e"}}
    with Wire(url, ask(script(name, **directive), stream=True)) as wire:
        wire.until(b'"one"')
        assert model.wait(name, tokens_sent=1)["tokens_sent"] == 1
        assert b'"two"' not in wire.got
        with pytest.raises(client.NoSuchRecord):
            model.wait(name, tokens_sent=2, timeout=0)
        model.open_gate(name)
        wire.until(b'"three"')
        assert b'"stop"' not in wire.got
        model.open_gate(name + "e")
        wire.until(b"[DONE]")
    assert model.wait(name, ended="complete")["tokens_sent"] == 3


def test_gate_before_the_headers(url, model, name):
    with Wire(url, ask(script(name, tokens=["t"], gates={"0": name}))) as wire:
        record = model.wait(name)
        assert record["ended"] is None and record["status"] is None
        model.open_gate(name)
        assert wire.until(b'"content":"t"').startswith(b"HTTP/1.1 200 ")


def test_an_open_gate_is_passed(url, model, name):
    model.open_gate(name)
    content = body_of(url, script("x", tokens=["t"], gates={"1": name}))
    assert texts_of(chunks_of(content)) == ["", "t"]


def test_delays_keep_each_token_its_own_chunk(url):
    directive = {"tokens": ["a", "b", "c"], "delay_ms": 20, "first_ms": 20}
    with Wire(url, ask(script("x", **directive), stream=True)) as wire:
        wire.until(b"[DONE]")
    for token in (b'"a"', b'"b"', b'"c"'):
        assert wire.got.count(token) == 1


def test_silence_after_the_headers(url, model, name):
    with Wire(url, ask(script(name, silence=True), stream=True)) as wire:
        assert wire.until(b"\r\n\r\n").endswith(b"\r\n\r\n")
    assert model.wait(name, ended="client_left")["tokens_sent"] == 0


@pytest.mark.parametrize(
    "stream, directive",
    [
        (True, {"hang": True}),
        (True, {"first_ms": 600000}),
        (True, {"gates": {"0": "never"}}),
        (True, {"gates": {"2": "never"}, "tokens": 3}),
        (True, {"delay_ms": 600000, "tokens": 3}),
        (True, {"silence": True}),
        (True, {"raw": ["a", "b"], "gates": {"2": "never"}}),
        (False, {"hang": True}),
        (False, {"first_ms": 600000}),
        (False, {"gates": {"0": "never"}}),
        (False, {"silence": True}),
    ],
)
def test_client_that_leaves_is_noticed(url, model, name, stream, directive):
    with Wire(url, ask(script(name, **directive), stream=stream)):
        model.wait(name)
    assert model.wait(name, ended="client_left")["ended"] == "client_left"


def test_client_that_leaves_a_fast_stream_is_noticed(url, model, name):
    with Wire(url, ask(script(name, tokens=5000000), stream=True)) as wire:
        wire.until(b"word10 ")
    assert model.wait(name, ended="client_left")["tokens_sent"] < 5000000


@pytest.mark.parametrize("after", [0, 2])
def test_cut_stream(url, model, name, after):
    with Wire(url, ask(script(name, tokens=3, cut_after=after), stream=True)) as wire:
        got = wire.rest()
    assert got.count(b'"content":"word') == after
    assert b"[DONE]" not in got and not got.endswith(b"\r\n0\r\n\r\n")
    record = model.wait(name, ended="cut")
    assert record["tokens_sent"] == after


def test_cut_plain_answer(url, model, name):
    with Wire(url, ask(script(name, tokens=["aa", "bb", "cc"], cut_after=2))) as wire:
        got = wire.rest()
    assert got.endswith(b'"content":"aabb')
    assert model.wait(name, ended="cut")["tokens_sent"] == 2


def test_drop(url, model, name):
    with Wire(url, ask(script(name, drop=True))) as wire:
        assert wire.rest() == b""
    model.wait(name, ended="cut")


def test_end_after(url, model, name):
    events = events_of(body_of(url, script(name, tokens=3, end_after=2)))
    assert texts_of(json.loads(e) for e in events) == ["", "word1 ", "word2 "]
    model.wait(name, ended="complete")


def test_no_done_and_no_finish(url):
    events = events_of(body_of(url, script("x", tokens=1, no_done=True)))
    assert json.loads(events[-1])["choices"][0]["finish_reason"] == "stop"
    chunks = chunks_of(body_of(url, script("x", tokens=1, finish=None)))
    assert [c["choices"][0]["finish_reason"] for c in chunks] == [None, None]


def test_finish_reasons_and_empty(url):
    chunks = chunks_of(body_of(url, script("x", empty=True, finish="content_filter")))
    assert [c["choices"][0]["delta"].get("content") for c in chunks] == ["", None]
    assert chunks[-1]["choices"][0]["finish_reason"] == "content_filter"


def test_status_with_error(url, name, model):
    answer = post(url, ask(script(name, status=429, headers={"Retry-After": "7"})))
    assert is_openai_error(answer, 429)["type"] == "invalid_request_error"
    assert answer.headers["Retry-After"] == "7"
    directive = {"status": 503, "body": "<b>no</b>", "content_type": "text/html"}
    answer = post(url, ask(script("x", **directive), stream=True))
    assert (answer.status_code, answer.text) == (503, "<b>no</b>")
    assert answer.headers["Content-Type"] == "text/html"
    answer = post(url, ask(script("x", status=400, error={"message": "m", "code": 5})))
    assert answer.json() == {"error": {"message": "m", "code": 5}}
    assert model.wait(name, ended="complete")["status"] == 429


def test_error_in_the_stream(url):
    events = events_of(body_of(url, script("x", tokens=3, error_after=1, error={"message": "no"})))
    assert texts_of(json.loads(e) for e in events[:-1]) == ["", "word1 "]
    assert json.loads(events[-1]) == {"error": {"message": "no"}}


def test_raw_pieces(url):
    assert body_of(url, script("x", raw=["data: {", "", '"a":1}\n', "\n"])) == b'data: {"a":1}\n\n'
    data = bytes(range(256))
    pieces = [base64.b64encode(data[:7]).decode(), base64.b64encode(data[7:]).decode()]
    assert body_of(url, script("x", raw_b64=pieces)) == data
    assert body_of(url, script("x", raw_b64=pieces), stream=False) == data


def test_raw_pieces_are_writes_of_their_own(url, model, name):
    text = script(name, raw=["half ", "a line\n"], gates={"2": name})
    with Wire(url, ask(text, stream=True)) as wire:
        wire.until(b"half ")
        model.open_gate(name)
        wire.until(b"a line\n")


def test_tokens_of_odd_forms(url):
    half = base64.b64encode("é".encode()[:1]).decode()
    reasoning = {"reasoning_content": "hm", "x": 1}
    tokens = ["a", {"escaped": "\\ud83d"}, {"b64": half}, None, {"delta": reasoning}]
    events = body_of(url, script("x", tokens=tokens)).split(b"\n\n")
    deltas = [e.split(b'"delta":')[1].split(b',"logprobs"')[0] for e in events if b'"delta":' in e]
    assert deltas[1:-1] == [
        b'{"content":"a"}',
        b'{"content":"\\ud83d"}',
        b'{"content":"\xc3"}',
        b'{"content":null}',
        b'{"reasoning_content":"hm","x":1}',
    ]


def test_spellings(url):
    plain = body_of(url, script("x", tokens=2))
    odd = body_of(url, script("x", tokens=2, crlf=True, no_space=True, comments=True, split=3))
    assert odd.startswith(b": PROCESSING\r\n\r\ndata:{")
    assert odd.count(b": PROCESSING\r\n\r\n") == odd.count(b"data:") == 5
    odd = odd.replace(b": PROCESSING\r\n\r\n", b"").replace(b"\r\n", b"\n")
    odd = odd.replace(b"data:", b"data: ")
    assert texts_of(chunks_of(odd)) == texts_of(chunks_of(plain))


def test_split_writes_small_pieces(url):
    with Wire(url, ask(script("x", raw=["abcdefg"], split=3), stream=True)) as wire:
        got = wire.until(b"0\r\n\r\n")
    assert got.endswith(b"3\r\nabc\r\n3\r\ndef\r\n1\r\ng\r\n0\r\n\r\n")


def test_usage_override(url):
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert post(url, ask(script("x", usage=usage))).json()["usage"] == usage
    assert "usage" not in post(url, ask(script("x", usage=None))).json()
    options = {"stream_options": {"include_usage": True}}
    assert chunks_of(body_of(url, script("x", usage=usage), **options))[-1]["usage"] == usage
    assert chunks_of(body_of(url, script("x", usage=None), **options))[-1]["choices"] != []


# --- the record -----------------------------------------------------------------------------------


def test_records_are_true_and_in_order(url, model, name):
    texts = [script(f'{name} {i} “ü” "q"', tokens=i) for i in (1, 2, 3)]
    bodies = [ask(text, stream=text is texts[1]) for text in texts]
    for body in bodies:
        post(url, body, headers={"X-Trace": name, "Authorization": "Bearer abc"})
    records = model.requests(name)
    assert [r["body"] for r in records] == bodies
    for i in (1, 2, 3):
        assert model.wait(f"{name} {i}", ended="any")["tokens_sent"] == i
    assert records[0]["n"] < records[1]["n"] < records[2]["n"]
    assert records[0]["headers"]["x-trace"] == name
    assert records[0]["headers"]["authorization"] == "Bearer abc"
    assert (records[0]["method"], records[0]["path"]) == ("POST", COMPLETIONS)
    assert records[0]["status"] == 200
    assert len(model.requests(name + ' 3 “ü” "q"')) == 1


def test_refused_requests_are_recorded(url, model, name):
    requests.post(url + "/v1/" + name, data=b"{", timeout=GUARD)
    assert [r["status"] for r in model.requests() if name in r["path"]] == [404]


def test_wait_before_the_request(url, model, name):
    found = []
    waiter = threading.Thread(target=lambda: found.append(model.wait(name, ended="complete")))
    waiter.start()
    post(url, ask(script(name, tokens=2)))
    waiter.join(GUARD)
    assert found[0]["tokens_sent"] == 2


def test_control_refuses_what_it_does_not_know(url):
    for query in ("wait?end=complete", "wait?ended=maybe", "requests?tokens_sent=x"):
        assert requests.get(url + "/_model/" + query, timeout=GUARD).status_code == 400
    assert requests.post(url + "/_model/open", json={"name": "g"}, timeout=GUARD).status_code == 400


def test_reset(tmp_path, name):
    with running(tmp_path) as address:
        own = client.Model(address)
        own.open_gate(name)
        post(address, ask(script(name, tokens=1)))
        own.reset()
        assert own.requests() == []
        with Wire(address, ask(script(name, tokens=1, gates={"1": name}), stream=True)) as wire:
            wire.until(b'"role"')
            assert own.wait(name)["n"] == 2
            own.open_gate(name)
            wire.until(b"[DONE]")


def test_only_the_last_records_are_kept(tmp_path):
    body = json.dumps(ask(script("x", tokens=1))).encode()
    head = f"POST {COMPLETIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with running(tmp_path) as address, requests.Session() as session:
        session.trust_env = False
        host, port = address.split("//")[1].split(":")
        with socket.create_connection((host, int(port)), GUARD) as wire:
            reader = wire.makefile("rb")
            for _ in range(10010):
                wire.sendall(head + body)
                while (line := reader.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                reader.read(length)
        records = client.Model(address).requests()
        assert [r["n"] for r in records] == list(range(11, 10011))


# --- the voice ------------------------------------------------------------------------------------


def test_voice_tells_what_it_saw(url):
    body = ask("Wie geht’s? 你好 👩‍👩‍👧 bye")
    body["messages"][:0] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "first of all"},
        {"role": "assistant", "content": "yes"},
    ]
    text = post(url, body).json()["choices"][0]["message"]["content"]
    assert "stand-in" in text and "no AI" in text and "A system prompt" in text
    assert "“Wie geht’s? 你好 👩‍👩‍👧 bye”" in text
    assert "2 earlier messages" in text and "“first of all”" in text
    chunks = chunks_of(body_of(url, body["messages"][-1]["content"]))
    assert "Nothing came before" in "".join(texts_of(chunks))
    assert len(texts_of(chunks)) > 10


def test_voice_splits_no_character(url):
    text = "日本語のテキスト" * 40 + "ü" * 100 + "👍" * 100
    texts = texts_of(chunks_of(body_of(url, text)))
    assert "\ufffd" not in "".join(texts)
    assert "日本語" in "".join(texts)


def test_voice_keeps_to_max_tokens(url):
    choice = post(url, ask("hello", max_tokens=3)).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == "This is the "


def test_friendly_voice(tmp_path):
    with running(tmp_path, "--voice", "friendly") as address:
        assert "stand-in" in "".join(texts_of(chunks_of(body_of(address, "hi", max_tokens=5))))


# --- the program ----------------------------------------------------------------------------------


def test_key(tmp_path):
    (tmp_path / "key").write_text("sk-secret\n")
    with running(tmp_path, "--key-file", str(tmp_path / "key")) as address:
        body = ask(script("x", tokens=1))
        assert is_openai_error(post(address, body), 401)["code"] is None
        wrong = {"Authorization": "Bearer sk-secre"}
        assert is_openai_error(post(address, body, headers=wrong), 401)["code"] == "invalid_api_key"
        right = {"Authorization": "Bearer sk-secret"}
        assert post(address, body, headers=right).status_code == 200
        assert [r["status"] for r in client.Model(address).requests()] == [401, 401, 200]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -keyout key.pem -out cert.pem -subj /CN=localhost"
        " -addext subjectAltName=IP:127.0.0.1,DNS:localhost".split(),
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def test_tls(tmp_path, certificate, name):
    cert = str(certificate / "cert.pem")
    key = str(certificate / "key.pem")
    with running(tmp_path, "--tls-cert", cert, "--tls-key", key) as address:
        assert address.startswith("https://")
        own = client.Model(address, verify=cert)
        body = ask(script(name, tokens=["a", "b"], gates={"2": name}), stream=True)
        answer = post(address, body, verify=cert, stream=True)
        lines = answer.iter_lines(chunk_size=1)
        while b'"a"' not in next(lines):
            pass
        own.open_gate(name)
        assert any(b"[DONE]" in line for line in lines)
        own.wait(name, ended="complete")
        context = ssl.create_default_context(cafile=cert)
        host, port = address.split("//")[1].split(":")
        data = json.dumps(ask(script(name + "h", hang=True))).encode()
        head = f"POST {COMPLETIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
        plain = socket.create_connection((host, int(port)), GUARD)
        with context.wrap_socket(plain, server_hostname=host) as wire:
            wire.sendall(head.encode() + data)
            own.wait(name + "h")
        own.wait(name + "h", ended="client_left")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_stop_cuts_what_is_open(tmp_path, name, stop):
    directives = [
        {"hang": True},
        {"silence": True},
        {"gates": {"1": "never"}},
        {"delay_ms": 600000},
        {"first_ms": 600000},
        {"tokens": 5000000},
    ]
    with contextlib.ExitStack() as stack:
        with running(tmp_path, stop=stop) as address:
            own = client.Model(address)
            wires = []
            for i, directive in enumerate(directives):
                body = ask(script(f"{name}{i}", **directive), stream=True)
                wires.append(stack.enter_context(Wire(address, body)))
                own.wait(f"{name}{i}")
            waiter = socket.create_connection(wires[0].socket.getpeername(), GUARD)
            stack.enter_context(waiter)
            query = "contains=nothing&timeout_ms=600000"
            waiter.sendall(f"GET /_model/wait?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        for wire in wires:
            assert b"[DONE]" not in wire.rest()


def test_hundreds_of_streams_at_once(url, model, name):
    with contextlib.ExitStack() as stack:
        body = ask(script(name, tokens=["a", "b"], gates={"2": name}), stream=True)
        wires = [stack.enter_context(Wire(url, body)) for _ in range(300)]
        for wire in wires:
            wire.until(b'"a"')
        assert len(model.requests(name)) == 300
        model.open_gate(name)
        for wire in wires:
            assert wire.until(b"[DONE]").count(b'"b"') == 1


def test_wrong_options_stop_the_start(tmp_path):
    for options in (
        [],
        ["--listen", "nowhere"],
        ["--listen", "127.0.0.1:x"],
        ["--listen", "127.0.0.1:0", "--voice", "loud"],
        ["--listen", "127.0.0.1:0", "--tls-cert", "/dev/null"],
        ["--listen", "127.0.0.1:0", "--key-file", "/dev/null"],
        ["--listen", "127.0.0.1:0", "--key-file", str(tmp_path / "absent")],
        ["--listen", "127.0.0.1:0", "more"],
    ):
        done = subprocess.run([BINARY, *options], capture_output=True, timeout=GUARD, text=True)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1


def test_taken_port(url):
    port = url.rsplit(":", 1)[1]
    command = [BINARY, "--listen", "127.0.0.1:" + port]
    done = subprocess.run(command, capture_output=True, timeout=GUARD, text=True)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
