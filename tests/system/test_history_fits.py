"""History that fits: it grows at its end, is cut at once, and by half where a model refuses a prompt for its length."""

import http.server
import json
import os
import threading

import apis
import servers
import pytest
from ctl import ctl


class ShortModel(servers.Server):
    """A model that takes at most `most` messages, and refuses more as `status` and `body` say.

    A token is four bytes of a request's body. It keeps all that it has read, and says how much of a prompt that was.
    """

    name = "short-model"

    def __init__(self):
        super().__init__()
        self.most, self.status, self.body = 0, 400, ""
        self.asked, self.bodies = [], []
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                messages = json.loads(asked)["messages"]
                kept = max((len(os.path.commonprefix([asked, before])) for before in model.bodies), default=0)
                model.asked.append(messages)
                model.bodies.append(asked)
                good = len(messages) <= model.most
                chunk = {"choices": [{"index": 0, "delta": {"content": "it fits"}, "finish_reason": "stop"}],
                         "usage": {"prompt_tokens": len(asked) // 4, "completion_tokens": 2,
                                   "prompt_tokens_details": {"cached_tokens": kept // 4}}}
                body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n" if good else model.body
                self.send_response(200 if good else model.status)
                self.send_header("Content-Type", "text/event-stream" if good else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        super().close()


@pytest.fixture(scope="module")
def short():
    model = ShortModel()
    yield model
    model.close()


@pytest.fixture(scope="module")
def short_site(postgres, database, standin, short):
    site = apis.Site.start(postgres, database.url(), standin, workers=2, model_url=short.url)
    yield site
    site.close()


@pytest.fixture(params=apis.BOTH, ids=lambda api: api.name)
def api(request, short_site, short):
    short.asked.clear()
    short.bodies.clear()
    return request.param(short_site.for_new_tenant())


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def streams(request):
    return request.param


def conversation(api, short, exchanges):
    """One that already holds so many exchanges."""
    short.most = 1000
    own = api.conversation()
    for number in range(exchanges):
        api.answered(f"question {number}", False, own)
    short.asked.clear()
    short.bodies.clear()
    return own


def questions(messages):
    return [message["content"].removeprefix("question ") for message in messages if message["role"] == "user"]


def limit(api, **limits):
    for name, most in limits.items():
        api.site.sql(f"update banter_data.chatbot set history_{name} = %s where workspace = %s", most, api.site.tenant.workspace)


def grows(before, after):
    """True if the request has all bytes of the one before it, up to its messages' end, and one or more messages behind."""
    assert before.endswith(b"}]}") and after.endswith(b"}]}")
    return after.startswith(before[:-2] + b",{")


def test_S8_a_request_has_all_of_the_one_before_it_but_where_it_is_cut(api, streams, short):
    """What a server keeps of a prompt it can use again: whatever the texts are, and whichever worker asks."""
    own = conversation(api, short, 0)
    limit(api, messages=20)
    for turn in range(40):
        api.answered(f'question {turn} "\\u0000 \n </s> é 😀'.replace("\\u0000", "\\"), streams, own)
    cuts = [turn for turn in range(1, 40) if not grows(short.bodies[turn - 1], short.bodies[turn])]
    assert cuts == [11, 17, 23, 29, 35]
    assert all(len(messages) <= 20 + 2 for messages in short.asked)
    assert all(len(short.asked[turn]) == 10 + 2 for turn in cuts)
    system = short.bodies[0][:short.bodies[0].index(b'{"role":"user"')]
    assert all(body.startswith(system) for body in short.bodies)
    # A window that slides loses it all, each time: a third.
    code, out, err = ctl("stats", "--by", "model", "--workspace", str(api.site.tenant.workspace), "--json",
                         url=api.site.postgres.url("owner"))
    (used,) = json.loads(out)
    assert (code, err) == (0, "") and used["tokens_cached"] > 0
    assert used["cached_percent"] > 75, used


def test_S8_characters_are_cut_to_half_of_their_limit(api, streams, short):
    own = conversation(api, short, 0)
    limit(api, chars=100)
    for turn in range(12):
        api.answered(f"question {turn} ".ljust(13), streams, own)  # and seven of the answer
    assert [len(questions(messages)) - 1 for messages in short.asked] == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 2, 3]


def test_S8_the_last_exchange_is_kept_unless_it_alone_is_too_long(api, streams, short):
    own = conversation(api, short, 0)
    limit(api, chars=100)
    for length in (80, 80, 94, 20, 20):
        api.answered("question".ljust(length), streams, own)
    assert [len(questions(messages)) - 1 for messages in short.asked] == [0, 1, 1, 0, 1]


def test_S8_what_was_cut_stays_cut(api, streams, short):
    own = conversation(api, short, 6)
    for most, seen in ((4, "5"), (40, "56"), (40, "567"), (4, "8"), (0, ""), (40, "8910")):
        limit(api, messages=most)
        api.answered(f"question {6 + len(short.asked)}", streams, own)
        assert "".join(questions(short.asked[-1])[:-1]) == seen


def test_S8_a_conversation_from_before_is_cut_when_it_goes_on(api, streams, short):
    own = conversation(api, short, 12)
    api.site.sql("update banter_data.conversation set history_from = 0 where workspace = %s", api.site.tenant.workspace)
    limit(api, messages=8)
    api.answered("question new", streams, own)
    assert questions(short.asked[0]) == ["10", "11", "new"]


def test_S8_the_next_question_does_not_meet_the_same_refusal(api, streams, short):
    own = conversation(api, short, 5)
    short.most, short.status, short.body = 8, 400, '{"error":{"code":"context_length_exceeded"}}'
    for _ in range(4):
        api.answered("question new", streams, own)
    assert [len(questions(messages)) - 1 for messages in short.asked] == [5, 2, 3, 4, 2, 3]


def test_S8_what_failed_all_the_same_is_asked_with_all_of_it_again(api, streams, short):
    own = conversation(api, short, 5)
    short.most, short.status, short.body = 0, 400, '{"error":{"message":"invalid model"}}'
    api.fails("question new", streams, own)
    short.most = 1000
    api.answered("question new", streams, own)
    assert [len(questions(messages)) - 1 for messages in short.asked] == [5, 2, 0, 5]


@pytest.mark.parametrize("status, body", [
    (400, '{"error":{"message":"too many","code":"context_length_exceeded"}}'),
    (400, '{"error":{"code":400,"message":"it exceeds the available context size","type":"exceed_context_size_error"}}'),
    (422, '{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096"}'),
    (413, "<html>Request Entity Too Large</html>"),
    (200, 'data: {"error":{"message":"prompt too long; exceeded max context length by 3 tokens"}}\n\n'),
], ids=["OpenAI", "llama.cpp", "TGI", "413", "an event"])
def test_S8_the_newer_half_is_asked_again(api, streams, short, status, body):
    own = conversation(api, short, 5)
    short.most, short.status, short.body = 6, status, body
    assert api.answered("question new", streams, own) == "it fits"
    first, second = short.asked
    assert questions(first) == ["0", "1", "2", "3", "4", "new"]
    assert questions(second) == ["3", "4", "new"]
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [exchange["state"] for exchange in api.site.exchanges()] == ["done"] * 6


def test_S8_one_exchange_of_history_becomes_none(api, streams, short):
    own = conversation(api, short, 1)
    short.most, short.status, short.body = 2, 400, '{"error":{"code":"context_length_exceeded"}}'
    assert api.answered("question new", streams, own) == "it fits"
    assert [questions(messages) for messages in short.asked] == [["0", "new"], ["new"]]


def test_S8_half_of_the_half_and_at_last_none(api, streams, short):
    """However little the model takes: a conversation is never stuck."""
    own = conversation(api, short, 5)
    short.most, short.status, short.body = 2, 400, '{"error":{"code":"context_length_exceeded"}}'
    assert api.answered("question new", streams, own) == "it fits"
    assert [questions(messages)[:-1] for messages in short.asked] == [
        ["0", "1", "2", "3", "4"], ["3", "4"], ["4"], []]


def test_S10_four_requests_are_all(api, streams, short):
    """Refused each time, it failed; nothing is charged, and the log says why without the server's words."""
    own = conversation(api, short, 9)
    api.site.grant(5)
    short.most, short.status, short.body = 0, 400, '{"error":{"message":"the context length, marker-word"}}'
    api.fails("question new", streams, own)
    assert [len(questions(messages)) - 1 for messages in short.asked] == [9, 4, 2, 0]
    assert api.site.exchanges()[-1]["state"] == "failed"
    assert api.site.exchanges()[-1]["error"] == "the messages are too long for the model (HTTP status 400)"
    assert api.site.credits() == 5
    assert "marker-word" not in api.site.banter.text()


def test_S10_without_a_history_there_is_nothing_to_halve(api, streams, short):
    short.most, short.status, short.body = 0, 400, '{"error":{"code":"context_length_exceeded"}}'
    api.fails("question new", streams)
    assert len(short.asked) == 1


@pytest.mark.parametrize("status, body", [
    (400, ""), (400, '{"error":{"message":"Request could not be processed."}}'), (422, "<html>"), (413, "")],
    ids=["400 without a word", "400", "422", "413"])
def test_S8_a_refusal_that_nobody_explains_is_tried_with_half(api, streams, short, status, body):
    own = conversation(api, short, 5)
    short.most, short.status, short.body = 6, status, body
    assert api.answered("question new", streams, own) == "it fits"
    assert [questions(messages)[:-1] for messages in short.asked] == [["0", "1", "2", "3", "4"], ["3", "4"]]


@pytest.mark.parametrize("body", ["", '{"error":{"message":"KV cache is full"}}', "the context length"],
                         ids=["no word", "words", "length"])
def test_S8_half_is_tried_where_the_plain_request_meets_a_500_again(api, streams, short, body):
    own = conversation(api, short, 5)
    short.most, short.status, short.body = 6, 500, body
    assert api.answered("question new", streams, own) == "it fits"
    assert [len(questions(messages)) - 1 for messages in short.asked] == [5, 5, 2]


@pytest.mark.parametrize("status, asked", [(400, [9, 4, 0]), (422, [9, 4, 0]), (500, [9, 9, 4, 0])], ids=["400", "422", "500"])
def test_S8_where_half_of_it_is_too_long_too_nobody_is_stuck(api, streams, short, status, asked):
    """The next question would meet the same."""
    own = conversation(api, short, 9)
    short.most, short.status, short.body = 2, status, ""
    assert api.answered("question new", streams, own) == "it fits"
    assert [len(questions(messages)) - 1 for messages in short.asked] == asked


def test_S10_less_of_what_nobody_explains_is_tried_twice(api, streams, short):
    own = conversation(api, short, 9)
    short.most, short.status, short.body = 0, 400, '{"error":{"message":"invalid model"}}'
    api.fails("question new", streams, own)
    assert [len(questions(messages)) - 1 for messages in short.asked] == [9, 4, 0]


@pytest.mark.parametrize("status, body, requests, refusal", [
    (400, '{"error":{"message":"invalid model"}}', 1, "internal"), (404, "context_length_exceeded", 1, "internal"),
    (429, "context length", 4, "unavailable")], ids=["400", "404", "429"])
def test_S10_other_refusals_leave_the_history_as_it_is(api, streams, short, status, body, requests, refusal):
    own = conversation(api, short, 2)
    short.most, short.status, short.body = 0, status, body
    api.fails("question new", streams, own, refusal=refusal)
    assert [questions(messages) for messages in short.asked] == [["0", "1", "new"]] * requests
