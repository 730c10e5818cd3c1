"""The clients of the API's own pages, in their own logic, against a real site: H1, H3, S3, S6."""

import os
import pathlib
import subprocess

import pytest
from servers import PATIENCE, name, script, until

CLIENTS = pathlib.Path(__file__).parent / "clients"
PROGRAMS = {
    "JavaScript": ["node", CLIENTS / "headless.js"],
    "Python": ["/usr/bin/python3", CLIENTS / "headless.py"],
}
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "no_proxy": "*"}
STREAMING = {**PROGRAMS, "joining": ["node", CLIENTS / "joining.js"]}


def run(program, *arguments, **options):
    """What it wrote to stdout and to stderr."""
    done = subprocess.run(
        [str(word) for word in (*program, *arguments)], capture_output=True, timeout=PATIENCE,
        env=ENVIRONMENT, **options)
    return done.stdout.decode(), done.stderr.decode()


def call(site, which, mode, session, message):
    modes = [] if which == "joining" else [mode]
    return run(STREAMING[which], *modes, site.url, site.tenant.widget_key, session, message)


def shown(site, session, answer, tokens):
    """What the streaming samples print."""
    conversation = site.exchanges(session)[-1]["conversation"]
    return f"Stream started: {conversation}\n{''.join(tokens)}\nComplete message: {answer}\n"


@pytest.mark.parametrize("which", PROGRAMS)
def test_H1_chat(site, which):
    session = name()
    answers = ["We are open from 9 to 5.", "Grüße \U0001f600 \\ \"ok\""]
    for answer in answers:
        out, err = call(site, which, "chat", session, script("When?", tokens=[answer[:5], answer[5:]]))
        assert (out, err) == (answer + "\n", "")
    assert [row["answer"] for row in site.exchanges(session)] == answers


@pytest.mark.parametrize("which", STREAMING)
@pytest.mark.parametrize("tokens", [
    ["We", " are", " here"], ["é", "\U0001f600", "日本", "שלום"], ["a\n", '"', "\\"],
], ids=["plain", "Unicode", "quotes"])
def test_H3_stream(site, which, tokens):
    session = name()
    out, err = call(site, which, "stream", session, script("Hello", tokens=tokens))
    assert (out, err) == (shown(site, session, "".join(tokens), tokens), "")


@pytest.mark.parametrize("which", STREAMING)
def test_S4_tokens_are_printed_while_the_next_is_withheld(site, which):
    """The client's output is read as it comes: the third token does not exist before the second is here."""
    gate, session = name("gate"), name()
    modes = [] if which == "joining" else ["stream"]
    message = script("Hello", tokens=["one ", "two ", "three"], gates={"3": gate})
    words = [*STREAMING[which], *modes, site.url, site.tenant.widget_key, session, message]
    client = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                              env=ENVIRONMENT)
    seen = b""
    try:
        while b"one two " not in seen:
            piece = os.read(client.stdout.fileno(), 65536)
            assert piece, seen
            seen += piece
        site.model.open_gate(gate)
        seen += client.stdout.read()
    finally:
        client.kill()
        client.wait()
        client.stdout.close()
    assert seen.decode() == shown(site, session, "one two three", ["one two three"])


@pytest.mark.parametrize("which", STREAMING)
def test_S6_heartbeats_are_skipped(start, which):
    """A gate is opened once a stream beside it has seen several of them."""
    site = start(workers=2, heartbeat=0.1)
    gate, session, mark = name("gate"), name(), name()
    words = script(mark, tokens=["a", "b"], gates={"2": gate})
    modes = [] if which == "joining" else ["stream"]
    client = subprocess.Popen(
        [str(word) for word in (*STREAMING[which], *modes, site.url, site.tenant.widget_key, session, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    try:
        site.model.wait(mark, tokens_sent=1)
        beside = site.stream(script("beside", tokens=["x"], gates={"1": gate}))
        assert next(beside)["type"] == "start"
        beside.wait_beats(5)
        site.model.open_gate(gate)
        out, err = client.communicate(timeout=PATIENCE)
    finally:
        client.kill()
        client.wait()
    assert (out.decode(), err.decode()) == (shown(site, session, "ab", ["a", "b"]), "")


@pytest.mark.parametrize("which", STREAMING)
def test_H3_an_error_after_start(site, which):
    session = name()
    out, err = call(site, which, "stream", session, script("Hello", tokens=["a", "b"], cut_after=1))
    assert "Error: Internal server error\n" in out + err
    assert "Complete message" not in out


@pytest.mark.parametrize("which", ["Python", "joining"])
def test_H3_a_long_answer_of_many_bytes(site, which):
    """`done` is far longer than any one read, and full of characters of several bytes."""
    session = name()
    tokens = ["\U0001f600é日本" * 40, "שלום " * 60] * 4
    out, err = call(site, which, "stream", session, script("Hello", tokens=tokens))
    assert (out, err) == (shown(site, session, "".join(tokens), tokens), "")
    count = 20000
    words = [f"word{n} " for n in range(1, count + 1)]
    out, err = call(site, which, "stream", session, script("Hello", tokens=count))
    assert (out, err) == (shown(site, session, "".join(words), words), "")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 8192])
def test_a_joining_reader_takes_any_cut(site, size):
    """The bytes of a real stream, cut everywhere; README documents this reader for those who write one."""
    session = name()
    tokens = ["\U0001f600é日本" * 20, "שלום ", "plain"]
    reply = site.stream(script("Hello", tokens=tokens), session).response.content
    out, err = run(["node", CLIENTS / "joining.js"], "--bytes", size, input=reply)
    assert (out, err) == (shown(site, session, "".join(tokens), tokens), "")


def test_S1_a_joining_reader_tells_a_cut_stream(site):
    reply = site.stream(script("Hello", tokens=["a", "b"])).response.content
    cut = reply[:reply.index(b'{"type":"done"')]
    out, err = run(["node", CLIENTS / "joining.js"], "--bytes", 64, input=cut)
    assert (out.endswith("ab"), err) == (True, "Error: the stream was cut\n")


@pytest.mark.parametrize("which", STREAMING)
def test_H2_one_session_in_every_client(site, which):
    """A conversation goes on whichever client asks."""
    session, mark = name(), name()
    site.chat(script("earlier", tokens=["said"]), session)
    call(site, which, "stream", session, mark)
    (record,) = until(lambda: site.model.requests(mark), "the model's record")
    assert [message["role"] for message in record["body"]["messages"]] == ["system", "user", "assistant", "user"]
    assert record["body"]["messages"][-2]["content"] == "said"
