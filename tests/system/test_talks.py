"""Reading back with a workspace key, by the chatbot API, and feedback: R1 to R4. What visitors and widget keys see is
test_visitors.py's."""

import json
import re

import pytest
from apis import Chatbot, Headless
from ctl import ctl
from servers import name, script
from site_client import at_once
from test_chatbot import data, limit, rate, refused
from test_visitors import Pages, may_be_read

NONE = "n" * 26


class Talks(Chatbot):
    """What a workspace key reads."""

    def read(self, path="", chatbot=None, method="GET", key=None):
        site = self.site
        key = key or site.tenant.workspace_key
        return site.request(method, f"/api/v1/chatbots/{chatbot or site.tenant.chatbot}/conversations{path}",
                            {"Authorization": f"Bearer {key}"}, key=False)

    def ids(self, **more):
        return [one["id"] for one in data(self.read(**more))["conversations"]]

    def begin(self):
        return data(self.json("Hello"))["conversationId"]

    def sibling(self):
        """Another chatbot of the workspace."""
        chatbot = name()
        self.site.sql("select banter.chatbot_create(%s, %s, 'sibling', '')", self.site.tenant.workspace, chatbot)
        return chatbot


@pytest.fixture
def talks(shared_site):
    return Talks(shared_site.for_new_tenant())


def test_R1_a_workspace_key_sees_all_of_its_chatbots(talks):
    """Its own conversations, sessions' and visitors', and each one's messages, in the chatbot API's form."""
    own = talks.begin()
    session = name()
    widgets = Headless(talks.site).json("Hello", {"sessionId": session}).json()["conversationId"]
    _, visitors = Pages(talks.site, tenant=False).enter(session="main")
    told = data(talks.read())
    assert [(one["id"], one["sessionId"]) for one in told["conversations"]] == [(visitors, "main"), (widgets, session), (own, None)]
    assert told["before"] is None
    for one in (own, widgets, visitors):
        assert [m["role"] for m in data(talks.read(f"/{one}/messages"))["messages"]] == ["user", "assistant"]


def test_R1_a_workspace_key_sees_nothing_else(talks):
    """Another chatbot's of its workspace, another workspace's: as what does not exist."""
    own, sibling, other = talks.begin(), talks.sibling(), Talks(talks.site.for_new_tenant())
    theirs = other.begin()
    for chatbot in (other.site.tenant.chatbot, NONE, "x" * 41, "%2e"):
        for path in ("", f"/{own}/messages", f"/{theirs}/messages"):
            assert refused(talks.read(path, chatbot), 404, "CHATBOT_NOT_FOUND")
        assert refused(talks.read(f"/{theirs}", chatbot, "DELETE"), 404, "CHATBOT_NOT_FOUND")
    for chatbot, hidden in ((None, theirs), (None, NONE), (None, "x" * 41), (sibling, own)):
        assert refused(talks.read(f"/{hidden}/messages", chatbot), 404, "CONVERSATION_NOT_FOUND")
        assert refused(talks.read(f"/{hidden}", chatbot, "DELETE"), 404, "CONVERSATION_NOT_FOUND")
    assert talks.ids(chatbot=sibling) == []
    for key in (talks.site.tenant.widget_key, Pages(talks.site, tenant=False).key):
        assert refused(talks.read(key=key), 401, "INVALID_API_KEY")
    assert (talks.ids(), other.ids()) == ([own], [theirs])


def test_B4_what_is_read_counts_in_the_chatbots_window(talks):
    """As questions do; a window that is used up refuses both."""
    conversation = talks.begin()
    limit(talks, 5)
    replies = [talks.read(), talks.read(method="HEAD"), talks.read(f"/{conversation}/messages"), talks.read(f"/{NONE}/messages"),
               talks.read(f"/{NONE}", method="DELETE")]
    assert [(reply.status_code, *rate(reply)[:2]) for reply in replies] == [
        (200, 5, 4), (200, 5, 3), (200, 5, 2), (404, 5, 1), (404, 5, 0)]
    for reply in (talks.read(), talks.read(f"/{conversation}/messages"), talks.read(f"/{conversation}", method="DELETE"), talks.json("Hello")):
        assert refused(reply, 429, "RATE_LIMIT_EXCEEDED") and rate(reply)[:2] == (5, 0)
    limit(talks, None)
    assert talks.ids() == [conversation] and "X-RateLimit-Limit" not in talks.read().headers


def test_G10_reading_needs_no_place(start):
    """It opens no exchange: where all places are taken, it is read all the same."""
    site = start(workers=3, key_open=1, workspace_open=1, address_open=1)
    gate = name()
    talks, session = Talks(site), name()
    stream = Headless(site).stream(script(name(), tokens=["a"], gates={"0": gate}), {"sessionId": session})
    assert next(stream)["type"] == "start"
    assert talks.refuses(talks.json("Hello"), "too_many")
    assert len(talks.ids()) == 1
    assert len(site.request("GET", "/v1/chat/conversations", {"X-Session-Id": session}).json()["conversations"]) == 1
    site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "done"


def test_R2_a_list_by_pages(talks):
    """Each conversation once, the newest first; one that goes on meanwhile moves to the front."""
    first = talks.begin()
    workspace = talks.site.tenant.workspace
    talks.site.sql("""insert into banter_data.conversation (workspace, conversation, chatbot, next_position, last_at)
        select c.workspace, 'c-' || to_char(n, 'FM000'), c.chatbot, 1, c.last_at - (n + 1) / 2 * interval '1 microsecond'
        from banter_data.conversation c, generate_series(1, 250) n where c.workspace = %s""", workspace)
    seen, query, sizes = [], "", []
    while query is not None:
        told = data(talks.read(query))
        seen += [one["id"] for one in told["conversations"]]
        sizes.append(len(told["conversations"]))
        query = told["before"] and f"?x=1&before={told['before']}"
        if len(sizes) == 1:
            data(talks.json("More", {"conversationId": "c-250"}))
    assert sizes == [100, 100, 50] and len(set(seen)) == 250 and seen[0] == first and "c-250" not in seen
    assert talks.ids()[0] == "c-250"
    for wrong in ("0", "x", "", "1-", "-c-250", "1-x%20y", "1-" + "x" * 80, "1-é"):
        assert refused(talks.read(f"?before={wrong}"), 400, "INVALID_REQUEST"), wrong
        assert refused(talks.read(f"/{first}/messages?before={wrong}"), 400, "INVALID_REQUEST"), wrong


def test_R2_other_methods_and_paths_of_the_chatbot_api(talks):
    own = talks.begin()
    for path, method, allow in (("", "POST", "GET, HEAD"), (f"/{own}", "GET", "DELETE"), (f"/{own}/messages", "DELETE", "GET, HEAD")):
        reply = talks.read(path, method=method)
        assert refused(reply, 405, "METHOD_NOT_ALLOWED") and reply.headers["Allow"] == allow
    assert refused(talks.read(f"/{own}/message"), 404, "NOT_FOUND")


def test_R3_a_workspace_key_erases(talks):
    """A visitor's too; what runs in it ends in an error, and its credits are back."""
    talks.site.grant(10)
    kept = talks.begin()
    pages = Pages(talks.site, tenant=False)
    gate = name()
    stream = pages.stream(script(name(), tokens=["a", "b"], gates={"1": gate}))
    visitors = next(stream)["conversationId"]
    reply = talks.read(f"/{visitors}", method="DELETE")
    assert (reply.status_code, reply.json()) == (200, {"success": True, "data": {}})
    assert refused(talks.read(f"/{visitors}", method="DELETE"), 404, "CONVERSATION_NOT_FOUND")
    assert refused(talks.read(f"/{visitors}/messages"), 404, "CONVERSATION_NOT_FOUND")
    talks.site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "error"
    assert talks.ids() == [kept]
    assert talks.site.sql("select credits from banter_data.workspace where workspace = %s", talks.site.tenant.workspace) == [(9,)]


def test_R3_erasing_beside_a_limited_chatbots_questions_never_deadlocks(talks):
    """An exchange that runs, and the window: who erases locks them in the order of who asks."""
    limit(talks, 10000)
    began = [talks.begin() for _ in range(12)]

    def both(index):
        if index % 2:
            return talks.json("Hello", {"conversationId": began[index // 2]}).status_code
        return talks.read(f"/{began[index // 2]}", method="DELETE").status_code

    assert set(at_once(24, both)) <= {200, 404, 500}
    assert "deadlock" not in talks.site.banter.text()


class Feedback:
    """What one kind of reader says of an answer of theirs, and how it is told."""

    def __init__(self, site, kind):
        self.site, self.kind = site, kind
        self.stem = "/v1/chat/conversations"
        if kind == "visitor":
            self.pages = Pages(site, tenant=False)
            token, self.conversation = self.pages.enter()
            self.headers = self.pages.headers(token)
        elif kind == "widget":
            session = name()
            self.conversation = Headless(site).json("Hello", {"sessionId": session}).json()["conversationId"]
            self.headers = {"x-api-key": site.tenant.widget_key, "X-Session-Id": session}
        else:
            self.stem = f"/api/v1/chatbots/{site.tenant.chatbot}/conversations"
            self.conversation = Talks(site).begin()
            self.headers = {"Authorization": f"Bearer {site.tenant.workspace_key}"}
        self.question, self.answer = (one["id"] for one in self.messages())

    def messages(self):
        body = self.site.request("GET", f"{self.stem}/{self.conversation}/messages", self.headers, key=False).json()
        return (body["data"] if self.kind == "workspace" else body)["messages"]

    def say(self, body, message=None, conversation=None, **headers):
        options = {"data": body} if isinstance(body, bytes) else {"json": body}
        path = f"{self.stem}/{conversation or self.conversation}/messages/{message or self.answer}/feedback"
        return self.site.request("POST", path, {**self.headers, **headers}, key=False, **options)

    def told(self):
        said = self.messages()[1]["feedback"]
        return said and (said["thumb"], said["text"])

    def done(self, reply):
        form = (200, {"success": True, "data": {}}) if self.kind == "workspace" else (204, None)
        return (reply.status_code, reply.json() if reply.content else None) == form


@pytest.fixture(params=["visitor", "widget", "workspace"])
def feedback(request, shared_site):
    return Feedback(shared_site.for_new_tenant(), request.param)


def test_R4_the_last_one_counts_and_null_takes_it_back(feedback):
    assert feedback.told() is None and "feedback" not in feedback.messages()[0]
    for body, told in (({"thumb": "up"}, ("up", None)), ({"thumb": "down", "text": "No: é\n𝄞"}, ("down", "No: é\n𝄞")),
                       ({"thumb": None, "text": "x" * 2000}, (None, "x" * 2000)), ({"thumb": None}, None), ({"thumb": "up", "text": None}, ("up", None)),
                       ({"thumb": None, "text": None}, None), ({"thumb": None}, None)):
        assert feedback.done(feedback.say(body)) and feedback.told() == told


def test_R4_what_is_none_is_refused_and_changes_nothing(feedback):
    assert feedback.done(feedback.say({"thumb": "up", "text": "kept"}))
    for body in ({"thumb": "UP"}, {"thumb": ""}, {"thumb": True}, {"thumb": 1}, {"text": ""}, {"text": "x" * 2001}, {"text": ["x"]}, {"thumb": {}},
                 [], "up", b"", b"{", b'{"text":"\\u0000"}', b'{"text":"\xff"}', b'{"text":"' + b"x" * 65536 + b'"}'):
        reply = feedback.say(body)
        assert (reply.status_code, reply.json()["error"]) == (400, "Invalid request payload"), body
    assert feedback.told() == ("up", "kept")


def test_R4_nobody_elses_answer(feedback):
    """Nor a question, nor an answer that is of another conversation: the answer of what does not exist."""
    others = Feedback(feedback.site if feedback.kind != "workspace" else feedback.site.for_new_tenant(), feedback.kind)
    none = feedback.say({"thumb": "up"}, NONE)
    assert none.status_code == 404
    for message, conversation in ((feedback.question, None), (others.answer, None), (others.answer, others.conversation), (feedback.answer, NONE),
                                  (feedback.answer, others.conversation), ("x" * 41, None), ("%2e", None)):
        reply = feedback.say({"thumb": "up"}, message, conversation)
        assert (reply.status_code, reply.content) == (404, none.content), (message, conversation)
    assert (feedback.told(), others.told()) == (None, None)


def test_R4_a_page_needs_its_origin_and_may_read_the_reply(shared_site):
    visitor = Feedback(shared_site.for_new_tenant(), "visitor")
    assert may_be_read(visitor.say({"thumb": "up"}))
    for origin in ("https://evil.example", "null"):
        assert visitor.say({"thumb": "down"}, Origin=origin).status_code == 403
    del visitor.headers["Origin"]
    assert visitor.say({"thumb": "down"}).status_code == 403
    assert visitor.told() == ("up", None)
    reply = visitor.site.request("OPTIONS", f"{visitor.stem}/c/messages/m/feedback", {"Origin": "https://x.example", "Access-Control-Request-Method": "POST"}, key=False)
    assert reply.status_code == 204 and may_be_read(reply)


def test_R4_an_answer_that_runs_is_none_yet(shared_site):
    pages = Pages(shared_site)
    gate = name()
    stream = pages.stream(script(name(), tokens=["a", "b"], gates={"1": gate}))
    conversation, token = next(stream)["conversationId"], stream.headers["X-Visitor-Token"]
    answer = pages.messages(conversation, token)["messages"][1]["id"]

    def say():
        return pages.site.request("POST", f"/v1/chat/conversations/{conversation}/messages/{answer}/feedback",
                                  pages.headers(token), key=False, json={"thumb": "up"}).status_code

    assert say() == 404
    pages.site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "done" and say() == 204


def test_R4_the_operator_sees_it(shared_site):
    """In conversation show, in stats, and in an export that is read back."""
    one = Feedback(shared_site.for_new_tenant(), "workspace")
    url, chatbot = shared_site.postgres.url("owner"), one.site.tenant.chatbot
    assert one.done(one.say({"thumb": "down", "text": "wrong\nhours"}))
    code, out, _ = ctl("conversation", "show", one.conversation, url=url)
    assert code == 0 and re.search(r"\*\*Feedback\*\* \(down, [^)]*Z\)\n\n> wrong\n> hours\n", out)
    code, out, _ = ctl("stats", "--by", "chatbot", "--chatbot", chatbot, "--json", url=url)
    assert code == 0 and [(row["thumbs_up"], row["thumbs_down"]) for row in json.loads(out)] == [(0, 1)]
    code, exported, _ = ctl("conversation", "export", one.conversation, url=url)
    assert code == 0 and Talks(one.site).read(f"/{one.conversation}", method="DELETE").status_code == 200
    assert one.site.sql("select * from banter_data.feedback where workspace = %s", one.site.tenant.workspace) == []
    assert ctl("conversation", "import", "-", url=url, stdin=exported)[0] == 0
    assert one.told() == ("down", "wrong\nhours")
