"""The judge: what fits passes, and each way in which what the clients saw and what is stored do not fit is told."""

import pytest
from dialects import BROKEN, CUT, DIALECTS, DONE, ERROR, HUNG, LEFT, REFUSED
from judge import CHARGED, Entry, Judge, Row, Stored, Workspace
from servers import Tenant

PEOPLE = {"metered": Tenant("w", "k", "bot", 7), "capped": Tenant("w", "k", "bot", 8)}
LIMITS = {"metered": 2}


def record(name, end=DONE, **changes):
    """What a client saw of an exchange that went well, or as `changes` say."""
    text = f"answer of {name}"
    made = {"id": name, "dialect": "chatbot SSE", "tenant": "metered", "message": f"question of {name}", "expected": text,
            "own": {}, "key": None, "stop": None, "site": 0, "sent": 1.0, "ended": 2.0, "status": 200, "reset": None, "end": end}
    if end == DONE:
        made.update(text=text, conversation=f"conversation of {name}", answer_id=f"id of {name}")
    return {**made, **changes}


def row(name, state="done", **changes):
    made = Row(workspace=7, request_id=name, exchange=f"exchange of {name}", state=state, question=f"question of {name}",
               answer=f"answer of {name}" if state == "done" else None, answer_id=f"id of {name}",
               conversation=f"conversation of {name}", session=None, position=1, attempt=0, price=1, error=None, stopped=False,
               began=1.0, ended=2.0)
    return made._replace(**changes)


def ledger(*names, workspace=7):
    """A grant of 100, and what these cost."""
    yield Entry(workspace, 100, 100, "grant", None)
    for at, name in enumerate(names):
        yield Entry(workspace, -1, 99 - at, "reserve", f"exchange of {name}")


def judged(records, rows, books=None, credits=None, **how):
    paid = [one.request_id for one in rows if one.state in CHARGED and one.workspace == 7]
    books = list(ledger(*paid)) if books is None else list(books)
    left = sum(entry.delta for entry in books) if credits is None else credits
    database = Stored(rows, books, [Workspace(7, left, None), Workspace(8, None, 2)])
    return Judge(records, database, PEOPLE, limits=LIMITS, **how).complaints()


def kinds(complaints):
    return sorted({complaint.split(":")[0] for complaint in complaints})


GOOD = {
    "one that went well": ([record("a")], [row("a")]),
    "one that failed": ([record("a", ERROR)], [row("a", "failed")]),
    "one that failed, of which a crash took the beginning": ([record("a", ERROR)], []),
    "one that was refused": ([record("a", REFUSED)], []),
    "one that left, in each way": (
        [record(name, LEFT) for name in "abcd"],
        [row("a", "left", answer="answer"), row("b", "failed"), row("c")]),
    "one that was stopped": ([record("a", text="answer")], [row("a", "left", answer="answer", stopped=True)]),
    "one that was stopped, and asked again": (
        [record("a", text="answer", key="k", expected="answer of b", message="question of b"), record("b", key="k")],
        [row("a", "replaced", answer="answer", question="question of b", stopped=True), row("b", attempt=1,
            conversation="conversation of b")]),
    "what a stop was told": (
        [record("a", text="answer", stop={"id": "s", "end": None, "told": [["id of a", "left"], ["id of b", "done"], ["id of c", "failed"]]}),
            record("b"), record("c", ERROR)],
        [row("a", "left", answer="answer", stopped=True), row("b"), row("c", "lost")]),
    "a stop that nobody answered": ([record("a", stop={"id": "s", "end": CUT, "told": None})], [row("a")]),
    "OpenAI's, which names the answer alone": ([record("a", conversation=None, own={"X-Conversation-Id": "s"})], [row("a", session="/s")]),
    "an answer that was given again": ([record("a", key="k"), record("b", key="k", message="question of a", text="answer of a",
        expected="answer of a", conversation="conversation of a", answer_id="id of a")], [row("a")]),
    "an answer in the place of one whose client left": (
        [record("a", LEFT, key="k", expected="answer of b", message="question of b"), record("b", key="k")],
        [row("a", "replaced", answer="answer", question="question of b"), row("b", attempt=1, price=1,
            conversation="conversation of b")]),
}


@pytest.mark.parametrize("what", GOOD)
def test_what_fits_passes(what):
    assert judged(*GOOD[what]) == []


BAD = {
    "lost": ([record("a")], []),
    "lost, since it is not done": ([record("a")], [row("a", "failed")]),
    "doubled": ([record("a")], [row("a"), row("a", exchange="another")]),
    "doubled, under one key": ([record("a", key="k"), record("b", key="k")], [row("a"), row("b")]),
    "another text": ([record("a")], [row("a", answer="another")]),
    "not the model's answer": ([record("a", text="another")], [row("a", answer="another")]),
    "not the model's answer, nor what came before it was stopped": (
        [record("a", text="ans")], [row("a", "left", answer="answer", stopped=True)]),
    "not the model's answer, and it was not stopped": ([record("a", text="answer")], [row("a", "left", answer="answer")]),
    "another conversation or answer": ([record("a")], [row("a", conversation="another")]),
    "another conversation or answer, by its id": ([record("a")], [row("a", answer_id="another")]),
    "nobody asked for it": ([], [row("a")]),
    "another was asked": ([record("a")], [row("a", question="another")]),
    "in another conversation": ([record("a", own={"sessionId": "s"})], [row("a", session="another")]),
    "in another conversation, OpenAI's": ([record("a", own={"X-Conversation-Id": "s"})], [row("a", session="s")]),
    "another conversation or answer, of which nothing was told": ([record("a", conversation=None, answer_id=None)], [row("a")]),
    "another end than a stop was told": ([record("a", stop={"id": "s", "end": None, "told": [["id of a", "left"]]})], [row("a")]),
    "another end than a stop was told, and nothing is there": (
        [record("a", REFUSED, stop={"id": "s", "end": None, "told": [["id of a", "left"]]})], []),
    "a stop that hung": ([record("a", stop={"id": "s", "end": HUNG, "told": None})], [row("a")]),
    "stored, but not what the model said": ([record("a", ERROR)], [row("a", answer="another")]),
    "it runs for ever": ([record("a", CUT)], [row("a", "running")]),
    "a part of another answer": ([record("a", LEFT)], [row("a", "left", answer="another")]),
    "error, but done is stored": ([record("a", ERROR)], [row("a")]),
    "error, but left is stored": ([record("a", ERROR)], [row("a", "left", answer="answer")]),
    "refused, but done is stored": ([record("a", REFUSED)], [row("a")]),
    "refused, but failed is stored": ([record("a", REFUSED)], [row("a", "failed")]),
    "broken, but done is stored": ([record("a", BROKEN)], [row("a")]),
    "cut, but nothing is stored": ([record("a", CUT)], []),
    "cut, but failed is stored": ([record("a", CUT)], [row("a", "failed")]),
    "hung, but done is stored": ([record("a", HUNG)], [row("a")]),
    "a stream that is none": ([record("a", wrong="two ends")], [row("a")]),
}


@pytest.mark.parametrize("what", BAD)
def test_what_does_not_fit_is_told(what):
    assert what.split(",")[0] in kinds(judged(*BAD[what])) or what in kinds(judged(*BAD[what]))


@pytest.mark.parametrize("books, credits, told", [
    (ledger("a"), 100, "a balance that is not its ledger's"),
    (ledger(), None, "charged 0 where -1 was due"),
    (ledger("a", "a"), None, "reserved twice"),
    (ledger("a", "a"), None, "charged -2 where -1 was due"),
    (ledger("a", "b"), None, "booked for nothing"),
])
def test_wrong_books_are_told(books, credits, told):
    assert told in kinds(judged([record("a")], [row("a")], books, credits))


def test_a_charge_that_was_not_given_back_is_told():
    assert kinds(judged([record("a", ERROR)], [row("a", "failed")], ledger("a"))) == ["charged -1 where 0 was due"]


def test_two_charges_under_one_key_are_told():
    pair = [record("a", LEFT, key="k"), record("b", key="k")]
    rows = [row("a", "left", answer="answer"), row("b", conversation="conversation of b")]
    assert kinds(judged(pair, rows, ledger("a", "b"))) == ["charged twice"]


def test_a_window_with_too_many_is_told():
    names = "abc"
    told = judged([record(name, reset="5") for name in names], [row(name) for name in names])
    assert kinds(told) == ["over the limit"]
    assert judged([record(name, reset=name) for name in names], [row(name) for name in names]) == []


def test_more_open_at_once_than_may_be_is_told():
    names = "abc"
    records = [record(name, tenant="capped") for name in names]
    apart = [row(name, workspace=8, began=float(at), ended=at + 1.0) for at, name in enumerate(names)]
    assert judged(records, apart, ledger()) == []
    assert kinds(judged(records, [row(name, workspace=8) for name in names], ledger())) == ["more open at once than may be"]


def test_only_what_the_storm_did_is_excused():
    """And never an answer that was acknowledged."""
    cut = ([record("a", CUT)], [row("a", "lost")])
    assert judged(*cut, books=ledger(), excused=lambda one: one["id"] == "a") == []
    assert judged(*cut, books=ledger(), excused=lambda one: one["id"] == "b")
    assert kinds(judged([record("a")], [], excused=lambda _: True, unknown=lambda _: True)) == ["done, but nothing is stored",
                                                                                                "lost"][1:]


@pytest.mark.parametrize("stored", [row("a"), row("a", "left", answer="answer", stopped=True)], ids=["done", "stopped"])
def test_whether_it_was_stored_may_not_be_known_to_its_client(stored):
    assert judged([record("a", ERROR)], [stored], unknown=lambda one: one["id"] == "a") == []
    assert judged([record("a", ERROR)], [stored], unknown=lambda one: one["id"] == "b")


def test_an_answer_that_went_with_a_database_may_have_been_asked_for_again():
    """With its key, in its conversation; who calls the headless API is not told which answer it is."""
    same = {"key": "k", "conversation": "c", "answer_id": None, "message": "question of b", "expected": "answer of b", "text": "answer of b"}
    records = [record("a", **same), record("b", **same)]
    rows = [row("a", "lost", question="question of b", conversation="c"), row("b", conversation="c", attempt=1)]
    assert judged(records, rows, forgotten=lambda one: one["id"] == "a") == []
    assert kinds(judged(records, rows)) == ["done, but lost is stored"]


@pytest.mark.parametrize("name, body, end", [
    ("chatbot SSE", b'data: {"type":"start"}\n\ndata: {"type":"token","token":"a"}\n\ndata: {"type":"done","message":"a"}\n\n', DONE),
    ("headless NDJSON", b'{"type":"start"}\n\n{"type":"token","token":"a"}\n{"type":"error","error":"x"}\n', ERROR),
    ("headless NDJSON", b'{"type":"start"}\n{"type":"done","message":"a"', CUT),
    ("headless NDJSON", b"", CUT),
    ("headless JSON", b'{"conversationId":"c","message":"a"}', DONE),
    ("headless JSON", b'{"conversationId":"c","mess', CUT),
])
def test_how_a_reply_ended_is_seen(name, body, end):
    found = DIALECTS[name].read(200, {"content-type": "text/event-stream" if "SSE" in name else ""}, body)
    assert found["end"] == end and "wrong" not in found


FIRST = b'data: {"id":"chatcmpl-a","choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
A_TOKEN = b'data: {"id":"chatcmpl-a","choices":[{"delta":{"content":"b"},"finish_reason":null}]}\n\n'
LAST = b'data: {"id":"chatcmpl-a","choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
ALL, FAULT = b"data: [DONE]\n\n", b'data: {"error":{"message":"x"}}\n\n'


@pytest.mark.parametrize("body, end", [
    (FIRST + A_TOKEN + b": \n\n" + A_TOKEN + LAST + ALL, DONE), (FIRST + A_TOKEN + FAULT, ERROR), (FAULT, ERROR),
    (FIRST + A_TOKEN, CUT), (FIRST + A_TOKEN + LAST, CUT), (FIRST + A_TOKEN + LAST[:-9], CUT), (b"", CUT),
])
def test_how_OpenAIs_stream_ended_is_seen(body, end):
    found = DIALECTS["OpenAI SSE"].read(200, {}, body)
    assert found["end"] == end and "wrong" not in found
    assert end != DONE or (found["text"], found["answer_id"], found["conversation"]) == ("bb", "a", None)


@pytest.mark.parametrize("body", [FIRST + LAST + ALL + ALL, FIRST + FAULT + A_TOKEN, FIRST + A_TOKEN + ALL, FIRST + FAULT + ALL,
                                  FIRST + LAST + A_TOKEN + LAST + ALL])
def test_a_stream_of_OpenAIs_that_is_none_is_told(body):
    assert "wrong" in DIALECTS["OpenAI SSE"].read(200, {}, body)


def test_who_stops_waits_for_a_token():
    start, token = b'{"type":"start","conversationId":"c"}\n', b'{"type":"token","token":"a"}\n'
    headless = DIALECTS["headless NDJSON"]
    assert headless.stop_of(PEOPLE["metered"], {"sessionId": "s"}, start + token[:9]) is None
    path, headers = headless.stop_of(PEOPLE["metered"], {"sessionId": "s"}, start + token)
    assert (path, headers["X-Session-Id"]) == ("/v1/chat/conversations/c/stop", "s")
    path, _ = DIALECTS["chatbot SSE"].stop_of(PEOPLE["metered"], {}, b"".join(b"data: " + one + b"\n" for one in (start, token)))
    assert path == "/api/v1/chatbots/bot/conversations/c/stop"


@pytest.mark.parametrize("body", [
    b'{"type":"start"}\n{"type":"done","message":"a"}\n{"type":"done","message":"a"}\n',
    b'{"type":"start"}\n{"type":"error"}\n{"type":"token","token":"a"}\n',
    b'{"type":"start"}\n{"type":"token","token":"a"}\n{"type":"done","message":"b"}\n',
    b'{"type":"token","token":"a"}\n{"type":"done","message":"a"}\n',
])
def test_a_stream_that_is_none_is_told(body):
    assert "wrong" in DIALECTS["headless NDJSON"].read(200, {}, body)
