"""What Banter is compared with does the same job: every token at once, the same bytes, the exchange stored."""

import contextlib
import json
import subprocess

import pytest

import rivals
import servers
from servers import name, script

TOKENS = ["plain ", "\"quoted\" \\ / ", "日本語 ", "👩‍🚀 ", " ", "\t\n", "x" * 3000]

pytestmark = pytest.mark.skipif(bool(rivals.available()), reason=f"NOT TESTED: {rivals.available()}")


@pytest.fixture(scope="module")
def postgres():
    server = servers.Postgres()
    yield server
    server.close()


@pytest.fixture(scope="module")
def standin():
    server = servers.StandIn()
    yield server
    server.close()


@contextlib.contextmanager
def started(kind, model_url, postgres):
    with contextlib.ExitStack() as stack:
        def enter(part):
            return stack.enter_context(contextlib.closing(part))
        rivals.prepare(postgres)
        if kind == "node":
            yield enter(rivals.Node(model_url, postgres))
        else:
            through = enter(rivals.pooler(postgres)) if kind == "pooled" else None
            yield enter(rivals.PhpFpm(model_url, postgres, 8, through))


KINDS = ["php", "pooled", "node"]


@pytest.fixture(scope="module", params=KINDS)
def rival(request, postgres, standin):
    with started(request.param, standin.address, postgres) as server:
        yield server


@pytest.fixture
def ask(rival):
    """Sends a message; the reply, its body unread."""
    session = servers.session()

    def call(message, conversation=None, port=rival.port, key=rivals.KEY):
        return session.post(f"http://127.0.0.1:{port}/v1/chat/stream", json={"sessionId": conversation or name(), "message": message},
                            headers={"x-api-key": key}, stream=True, timeout=servers.PATIENCE)
    yield call
    session.close()


def lines(reply):
    """The body's, without the conversation's id, which is another each time."""
    text = reply.content.decode()
    conversation = json.loads(text.split("\n", 1)[0])["conversationId"]
    return text.replace(conversation, "ID")


def stored(postgres, question):
    return postgres.run("select answer from exchange where question = %s", question, database=rivals.DATABASE)


def test_the_bytes_are_banters(ask, postgres, standin):
    question = script("the same", tokens=TOKENS)
    banter = servers.Banter(postgres.url(), standin.url, workers=1)
    front = servers.Nginx(banter.socket)
    try:
        theirs, ours = ask(question), ask(question, port=front.port, key=postgres.demo().widget_key)
        assert lines(theirs) == lines(ours)
        assert theirs.headers["Content-Type"] == ours.headers["Content-Type"]
    finally:
        front.close()
        banter.close()


def test_a_token_is_sent_on_at_once(ask, standin):
    gate = name("gate")
    reply = ask(script(gate, tokens=["one ", "two"], gates={"2": gate}))
    parts = reply.iter_lines()
    assert [json.loads(next(parts))["type"] for _ in range(2)] == ["start", "token"]
    standin.control.open_gate(gate)
    assert [json.loads(line)["type"] for line in parts] == ["token", "done"]


def test_the_answer_is_stored_and_is_history_the_next_time(ask, postgres, standin):
    conversation, second = name(), name("second")
    question = script(name("first"), tokens=TOKENS)
    lines(ask(question, conversation))
    assert stored(postgres, question) == [("".join(TOKENS),)]
    lines(ask(second, conversation))
    asked = standin.control.wait(contains=second)["body"]["messages"]
    assert [message["content"] for message in asked[1:]] == [question, "".join(TOKENS), second]


def test_an_answer_that_is_cut_is_an_error_and_none(ask, postgres):
    question = script(name("cut"), tokens=5, cut_after=2)
    assert lines(ask(question)).endswith('{"type":"error","error":"Internal server error"}\n')
    assert stored(postgres, question) == [(None,)]


def test_who_has_no_key_or_no_message_is_refused(ask):
    assert ask("hello", key="wrong").status_code == 401
    assert ask("").status_code == 400 and ask("x" * 4001).status_code == 400 and ask("hello", "no session").status_code == 400


def answers_of_fifty(postgres):
    return postgres.run("select count(*) from exchange where answer ~ '^([0-9]+:[0-9]+ ){50}$'", database=rivals.DATABASE)[0][0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_load_finds_every_token_and_every_answer_is_stored(kind, postgres):
    rivals.prepare(postgres)
    before = answers_of_fifty(postgres)
    with subprocess.Popen([servers.BUILD / "bench" / "model"], stdout=subprocess.PIPE, text=True) as model:
        try:
            with started(kind, model.stdout.readline().split()[-1], postgres) as server:
                done = subprocess.run(
                    [servers.BUILD / "bench" / "load", "--api", "headless", "--port", str(server.port), "--clients", "8",
                     "--exchanges", "3", "--tokens", "50"], env={"BENCH_KEY": rivals.KEY}, capture_output=True, text=True)
        finally:
            model.terminate()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tokens"] == 8 * 3 * 50
    assert answers_of_fifty(postgres) == before + 8 * 3
