"""I1 and the last column of S10: the same Idempotency-Key later, on both APIs, streamed and in one piece."""

import collections
import os
import signal
import threading

import apis
import servers
import pytest
from servers import script, until
from site_client import Stream, at_once


@pytest.fixture(params=apis.BOTH, ids=lambda api: api.name)
def api(request, site):
    """A tenant with 100 credits."""
    site.grant(100)
    return request.param(site)


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def streams(request):
    return request.param


class Retried:
    """One request that can be sent again and again under one key."""

    def __init__(self, api, message, streams, own=None):
        self.api, self.streams = api, streams
        self.headers = {"Idempotency-Key": servers.name("key")}
        self.body = api.body(message, streams, own)

    def send(self):
        return self.api.post(self.body, self.streams, self.headers)

    def answer(self):
        """Its whole answer: (text, conversation)."""
        response = self.send()
        assert response.status_code == 200, response.text
        if self.streams:
            start, *tokens, done = Stream(response).rest()
            assert (start["type"], done["type"]) == ("start", "done")
            assert "".join(token["token"] for token in tokens) == done["message"] and tokens
            return done["message"], done["conversationId"]
        body = response.json()
        return self.api.text(response), body.get("data", body)["conversationId"]

    def fails(self):
        response = self.send()
        if self.streams:
            assert Stream(response).rest()[-1] == self.api.error_event
        else:
            assert self.api.refuses(response, "internal")


def calls(api, text):
    """What the model was asked with this text as the question."""
    return [r["body"]["messages"] for r in api.site.model.requests(text) if text in r["body"]["messages"][-1]["content"]]


def states(api):
    return [exchange["state"] for exchange in api.site.exchanges()]


def test_I1_fifty_at_once(api, streams):
    """One model call, one message, one charge; while it runs the others are told so, afterwards all have the answer."""
    text, gate = servers.name(), servers.name()
    request = Retried(api, script(text, tokens=["one ", "answer"], gates={"1": gate}), streams)
    early = [None] * 50
    refused = threading.Semaphore(0)

    def one(index):
        response = request.send()
        early[index] = response
        if response.status_code == 409:
            refused.release()
        return response.status_code, response.content

    threads = threading.Thread(target=lambda: early.append(at_once(50, one)))
    threads.start()
    for _ in range(49):
        assert refused.acquire(timeout=servers.PATIENCE), "nobody but the first may be let in before the gate is opened"
    api.site.model.open_gate(gate)
    threads.join(servers.PATIENCE)
    replies = early[-1]
    assert collections.Counter(status for status, _ in replies) == {200: 1, 409: 49}
    assert all(api.refuses(response, "in_progress") for response in early[:50] if response.status_code == 409)
    assert len({request.answer() for _ in range(3)}) == 1
    assert {text for text, _ in (pair for pair in at_once(10, lambda index: request.answer()))} == {"one answer"}
    assert len(calls(api, text)) == 1
    assert [(e["state"], e["answer"]) for e in api.site.exchanges()] == [("done", "one answer")]
    assert api.site.credits() == 99


def test_I1_fifty_at_once_of_which_none_waits(api, streams):
    """Without a gate: each has the one answer, or was told that it is on its way."""
    text = servers.name()
    request = Retried(api, script(text, tokens=["one ", "answer"]), streams)
    replies = at_once(50, lambda index: (lambda response: (response.status_code, response.content))(request.send()))
    kinds = collections.Counter(status for status, _ in replies)
    assert set(kinds) <= {200, 409} and kinds[200] >= 1
    assert request.answer()[0] == "one answer"
    assert len(calls(api, text)) == 1
    assert states(api) == ["done"]
    assert api.site.credits() == 99


@pytest.mark.parametrize("finish", ["stop", "length", "content_filter", "whatever"])
def test_I1_finished_the_same_answer_again(api, streams, finish):
    text = servers.name()
    request = Retried(api, script(text, tokens=["a ", "b"], finish=finish), streams)
    first = request.answer()
    assert [request.answer() for _ in range(2)] == [first, first]
    assert len(calls(api, text)) == 1
    assert states(api) == ["done"]
    assert api.site.credits() == 99


def test_I1_a_chatbots_reply_again_is_the_same_to_the_byte(site):
    """Ids too. (A stream's tokens may come in other pieces.)"""
    api = apis.Chatbot(site)
    request = Retried(api, "hello", False)
    assert request.send().content == request.send().content
    streamed = Retried(api, "hello", True)
    first, again = (Stream(streamed.send()).rest() for _ in range(2))
    assert (first[0], first[-1]) == (again[0], again[-1])


def test_I1_left_runs_anew_in_its_place(api):
    """No second charge; it stands where the first stood, which is out of the history."""
    own, gate = api.conversation(), servers.name()
    first = servers.name()
    request = Retried(api, script(first, tokens=["some", " more"], gates={"2": gate}), True, own)
    stream = Stream(request.send())
    assert [next(stream)["type"], next(stream)["token"]] == ["start", "some"]
    stream.close()
    until(lambda: states(api) == ["left"], "the exchange's end")
    assert api.site.credits() == 99
    later = servers.name()
    api.answered(script(later, tokens=["later"]), False, own)
    assert [m["content"] for m in api.site.model.wait(later)["body"]["messages"]][2] == "some"
    assert api.site.credits() == 98

    api.site.model.open_gate(gate)
    assert request.answer()[0] == "some more"
    assert len(calls(api, first)) == 2
    assert [m["role"] for m in calls(api, first)[-1]] == ["system", "user"], "it sees what came before its place"
    assert [(e["state"], e["answer"]) for e in api.site.exchanges()] == [
        ("replaced", "some"), ("done", "some more"), ("done", "later")]
    assert api.site.credits() == 98
    assert request.answer()[0] == "some more"
    assert len(calls(api, first)) == 2
    last = servers.name()
    api.answered(last, False, own)
    assert [m["content"] for m in api.site.model.wait(last)["body"]["messages"] if m["role"] == "assistant"] == ["some more", "later"]


def test_I1_failed_after_some_text_runs_anew(api, streams):
    text = servers.name()
    gate = servers.name()
    request = Retried(api, script(text, tokens=["a", "b"], cut_after=1, gates={"2": gate}), streams)
    api.site.model.open_gate(gate)
    request.fails()
    assert api.site.credits() == 100
    request.fails()
    assert len(calls(api, text)) == 2
    assert states(api) == ["failed", "failed"]
    assert api.site.credits() == 100
    assert len({e["conversation"] for e in api.site.exchanges()}) == 1, "in the conversation the first had made"


def test_I1_failed_without_text_runs_anew(api, streams):
    text = servers.name()
    request = Retried(api, script(text, empty=True), streams)
    request.fails()
    request.fails()
    assert len(calls(api, text)) == 2
    assert states(api) == ["failed", "failed"]
    assert api.site.credits() == 100


@pytest.mark.parametrize("kind", apis.BOTH, ids=lambda api: api.name)
def test_I1_worker_died(start, kind):
    """409 until its lease ends, then anew."""
    site = start(workers=2)
    site.grant(100)
    api, gate, text = kind(site), servers.name(), servers.name()
    request = Retried(api, script(text, tokens=["a"], gates={"1": gate}), True)
    stream = Stream(request.send())
    assert next(stream)["type"] == "start"
    site.model.wait(text)
    for pid in site.banter.children():
        os.kill(pid, signal.SIGKILL)
    assert stream.rest() == []
    until(lambda: len(site.banter.children()) == 2, "the workers' replacement")
    for _ in range(2):
        response = request.send()
        assert api.refuses(response, "in_progress")
        assert 1 <= int(response.headers["Retry-After"]) <= 10
    assert api.site.credits() == 99
    site.sql("update banter_data.exchange set lease_until = clock_timestamp() where workspace = %s", site.tenant.workspace)
    site.model.open_gate(gate)
    assert request.answer()[0] == "a"
    assert states(api) == ["lost", "done"]
    assert site.credits() == 99
    assert len(calls(api, text)) == 2


def test_I1_refused_before_start_is_not_remembered(api, streams):
    """402, then with credits: as if it had never been sent. The key is free for another body too."""
    api.site.grant(0)
    request = Retried(api, script("?", tokens=["now"]), streams)
    assert api.refuses(request.send(), "no_credit")
    assert api.site.exchanges() == []
    api.site.grant(100)
    other = Retried(api, script("?", tokens=["other"]), streams)
    other.headers = request.headers
    assert other.answer()[0] == "other"
    assert api.refuses(request.send(), "reused")


def test_I1_a_bad_body_is_not_remembered(api, streams):
    request = Retried(api, "hello", streams)
    assert api.refuses(api.post(b"{", streams, request.headers), "invalid")
    assert request.answer()


def test_I1_refused_by_the_chatbots_limit_is_not_remembered(site):
    api = apis.Chatbot(site)
    site.sql("update banter_data.chatbot set rate_limit = 0 where chatbot = %s", site.tenant.chatbot)
    request = Retried(api, "hello", False)
    assert api.refuses(request.send(), "too_many")
    site.sql("update banter_data.chatbot set rate_limit = null where chatbot = %s", site.tenant.chatbot)
    assert request.answer()


def test_I1_another_body(api, streams):
    """Other bytes are another body, whatever they mean."""
    request = Retried(api, "hello", streams)
    first = request.answer()
    for body in (b" " + apis.json.dumps(request.body).encode(), apis.json.dumps({**request.body, "x": 1}).encode()):
        assert api.refuses(api.post(body, streams, request.headers), "reused")
    assert request.answer() == first
    assert api.site.credits() == 99


def test_I1_another_chatbot(site):
    api = apis.Chatbot(site)
    request = Retried(api, "hello", False)
    request.answer()
    sibling = servers.name()
    site.sql("select banter.chatbot_create(%s, %s, 'sibling', '')", site.tenant.workspace, sibling)
    response = site.request("POST", f"/api/v1/chatbots/{sibling}/chat", {**api.key(), **request.headers}, key=False,
                            data=apis.json.dumps(request.body))
    assert api.refuses(response, "reused")


def test_I1_while_it_runs_another_body_is_reused_not_in_progress(api):
    gate = servers.name()
    request = Retried(api, script("?", tokens=["a"], gates={"1": gate}), True)
    stream = Stream(request.send())
    assert next(stream)["type"] == "start"
    assert api.refuses(request.send(), "in_progress")
    assert api.refuses(api.post(api.body("other", True), True, request.headers), "reused")
    api.site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "done"


def test_I1_per_api_key(site):
    """The same name under another key of the same workspace is another."""
    headless, chatbot = apis.Headless(site), apis.Chatbot(site)
    one, two = Retried(headless, "hello", False), Retried(chatbot, "hello", False)
    two.headers = one.headers
    assert one.answer()[1] != two.answer()[1]
    assert len(site.exchanges()) == 2


def test_I1_remembered_for_a_day(api, streams):
    request = Retried(api, "hello", streams)
    request.answer()

    def age(hours):
        api.site.sql("update banter_data.idempotency set created_at = now() - %s * interval '1 hour' where workspace = %s",
                     hours, api.site.tenant.workspace)

    age(23.9)
    request.answer()
    assert len(api.site.exchanges()) == 1
    age(24.1)
    request.answer()
    assert len(api.site.exchanges()) == 2
    assert api.site.credits() == 98


@pytest.mark.parametrize("key, good", [
    ("k", True), ("x" * 255, True), ("a b!~", True), ("x" * 256, False), ("", False), ("\u00e9", False), ("a\tb", False)],
    ids=["1", "255", "printable", "256", "empty", "not ASCII", "a tab"])
def test_I1_what_a_key_may_be(api, key, good):
    response = api.post(api.body("hello", False), headers={"Idempotency-Key": key.encode()})
    assert response.status_code == 200 if good else api.refuses(response, "invalid")


def test_I1_an_inactive_chatbots_answer_is_not_given_again(site):
    """G1: the chatbot's 404 comes before anything that is no refusal."""
    api = apis.Chatbot(site)
    request = Retried(api, "hello", False)
    request.answer()
    site.sql("update banter_data.chatbot set active = false where chatbot = %s", site.tenant.chatbot)
    assert (request.send().status_code, request.send().json()["code"]) == (404, "CHATBOT_NOT_FOUND")
