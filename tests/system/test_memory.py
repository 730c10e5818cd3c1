"""What a worker has of its own while a model talks. It decides how many streams a machine bears."""

import json
import statistics

import servers
from fastcgi import Connection, chat_params, stream
from servers import name, script, until

NEVER = name("never")  # a gate that nobody opens


def own_in_mid_stream(banter, tenant):
    """KiB. Every worker is in a stream: what only one of them has read so far would count as its own. Nor does one count
    alone: the first has the start's connection to the database."""
    replies = [stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}), name())
               for _ in range(banter.workers)]
    for reply in replies:
        assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    return statistics.median_high(servers.own_kib(pid) for pid in banter.children())


# By a socket, as `make run` does it: libpq keeps 60 KiB of a login by TCP and password.


def test_a_worker_has_200_KiB_of_its_own(pool, postgres, tenant):
    assert own_in_mid_stream(pool(workers=4, database_url=postgres.url()), tenant) <= 200


def test_a_worker_that_asks_by_tls_has_420_KiB_of_its_own(pool, postgres, tenant, tls):
    banter = pool(workers=4, database_url=postgres.url(), model_url=tls.url, model_ca=tls.certificates / "ours.pem")
    assert own_in_mid_stream(banter, tenant) <= 420


# A history of nearly 1 MiB in messages of a usual length: what its client sends with each question.
HISTORY = [{"role": role, "content": "x" * 500} for role in ("user", "assistant")] * 950


def complete(banter, tenant, history, gate):
    """A completion that is asked for with that history; it has its first token, and waits at the gate."""
    question = {"role": "user", "content": script("hello", tokens=["a", "b"], gates={"2": gate})}
    body = json.dumps({"model": tenant.chatbot, "messages": [*history, question], "stream": True}).encode()
    assert len(body) > 1_000_000 or not history
    params = chat_params(tenant, body, "/v1/chat/completions", HTTP_X_API_KEY=None,
                         HTTP_AUTHORIZATION=f"Bearer {tenant.workspace_key}")
    reply = Connection(banter.socket).ask(params, body)
    while b'"a"' not in reply.bytes:
        assert reply.more(), reply.bytes
    return reply


def test_O5_a_long_history_is_given_back(pool, postgres, tenant, model):
    """While the model talks a worker keeps what was read once more, and what the model is sent, not the body too; then
    nothing. The first few leave what each kind of exchange leaves."""
    banter = pool(workers=1, database_url=postgres.url())
    (pid,) = banter.children()
    for history in (HISTORY, [], HISTORY, []):
        gate = name()
        reply = complete(banter, tenant, history, gate)
        own = servers.own_kib(pid)
        model.open_gate(gate)
        assert b"[DONE]" in reply.body()
        if history:
            assert own <= 4096
            until(lambda: servers.own_kib(pid) <= 640, f"{servers.own_kib(pid)} KiB to become less")
