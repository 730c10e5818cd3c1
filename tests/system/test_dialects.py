"""AG-UI, deep-chat and @n8n/chat, by their bytes: A1 to A3, D1 to D3, N1 to N4. What all front ends have in common is test_ui's."""

import json
import re
import time

import pytest
from apis import HEADLESS_TABLE, check_headers
from servers import name, script
from test_visitors import OTHER_PAGE, Pages, may_be_read, signed

TOKENS = ["We", " are\u2028\n\"é"]
QUOTED = ['"We"', '" are\\u2028\\n\\"é"']


class Client:
    """Asks as a page or a back end does, with one key."""

    def __init__(self, site, headers=None):
        self.site = site
        self.headers = {"x-api-key": site.tenant.widget_key} if headers is None else headers

    def post(self, body, streams=True, headers=None, **options):
        accepts = {"Accept": self.accept if streams else "*/*"}
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.site.request("POST", self.path, {**accepts, **self.headers, **(headers or {})}, key=False, data=body, **options)

    def ask(self, message, conversation=None, streams=True, headers=None, **options):
        return self.post(self.body(message, conversation or name()), streams, headers, **options)

    def answer(self, message, conversation=None, **more):
        return self.text(self.told(self.ask(message, conversation, **more)))

    def shown(self, word):
        """What the model was shown with that message, without the chatbot's own: (role, text) of each."""
        said = self.site.model.wait(word)["body"]["messages"]
        return [(one["role"], one["content"]) for one in said if one["role"] != "system"]

    def told(self, reply):
        """A stream's objects; it is framed as it must be, to the byte."""
        assert reply.status_code == 200, reply.text
        events = reply.content.decode().split("\n\n")
        assert events.pop() == "" and all(event.startswith("data: ") and "\n" not in event for event in events), events
        if events[-1] == "data: [DONE]":
            events.pop()
        return [json.loads(event.removeprefix("data: ")) for event in events]

    def refused(self, reply, status, words):
        assert (reply.status_code, reply.json()) == (status, {self.said: words}) and (status, words) in HEADLESS_TABLE
        assert reply.headers["Content-Type"] == "application/json"
        check_headers(reply)
        return True


class AgUi(Client):
    path, accept, stream_type, said = "/v1/ag-ui", "text/event-stream", "text/event-stream", "error"

    def body(self, message, conversation):
        messages = [{"id": name(), "role": "user", "content": message}] if isinstance(message, str) else message
        return {"threadId": conversation, "runId": "run-1", "protocolVersion": "1.0", "state": {}, "messages": messages, "tools": [],
                "context": [], "forwardedProps": {}}

    def text(self, events):
        return "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")


class DeepChat(Client):
    path, accept, stream_type, said = "/v1/deep-chat", "text/event-stream", "text/event-stream", "error"

    def body(self, message, conversation):
        messages = [{"role": "user", "text": message}] if isinstance(message, str) else message
        return {"messages": messages, "conversationId": conversation}

    def text(self, events):
        return "".join(event["text"] for event in events)


class N8n(Client):
    path, accept, stream_type, said = "/v1/n8n", "text/plain", "application/x-ndjson", "message"

    def body(self, message, conversation):
        return {"action": "sendMessage", "sessionId": conversation, "chatInput": message}

    def told(self, reply):
        assert reply.status_code == 200, reply.text
        return [json.loads(line) for line in reply.content.splitlines() if line]

    def text(self, events):
        return "".join(event["content"] for event in events if event["type"] == "item")

    def load(self, session, **more):
        return self.post({"action": "loadPreviousSession", "sessionId": session}, False, **more)

    def said_in(self, session, **more):
        reply = self.load(session, **more)
        assert reply.status_code == 200 and set(reply.json()) == {"data"}, reply.text
        return [(one["id"], one["kwargs"]) for one in reply.json()["data"]]


ALL = [AgUi, DeepChat, N8n]
DIALECTS = pytest.mark.parametrize("dialect", ALL, ids=lambda one: one.__name__)


@pytest.fixture
def pages(shared_site):
    return Pages(shared_site)


def answer_id(site):
    return site.sql("select answer_id from banter_data.exchange where workspace = %s", site.tenant.workspace)[-1][0]


# What all three share.


@DIALECTS
def test_A1_D1_N1_a_conversation_goes_on_under_its_name(site, dialect):
    client, called, word = dialect(site), name(), name()
    assert client.answer(script(word, tokens=["one"]), called) == "one"
    assert client.answer(script(word + "b", tokens=["two"]), called) == "two"
    assert client.shown(word + "b") == [("user", script(word, tokens=["one"])), ("assistant", "one"), ("user", script(word + "b", tokens=["two"]))]
    assert len({row["conversation"] for row in site.exchanges(called)}) == 1
    reply = client.ask("x")
    check_headers(reply, stream=True)
    assert reply.headers["Content-Type"] == dialect.stream_type


@DIALECTS
def test_F1_each_kind_of_key(site, pages, dialect):
    workspace = {"Authorization": f"Bearer {site.tenant.workspace_key}", "X-Chatbot-Id": site.tenant.chatbot}
    for headers in (None, {"Authorization": f"Bearer {site.tenant.widget_key}"}, workspace):
        assert dialect(site, headers).answer(script(name(), tokens=["x"])) == "x"
    client = dialect(site, {**workspace, "X-Chatbot-Id": "none"})
    assert client.refused(client.ask("x"), 404, "Not found")
    reply = dialect(pages.site, pages.headers()).ask("x")
    assert reply.status_code == 200 and may_be_read(reply) and reply.headers["X-Visitor-Token"]
    client = dialect(pages.site, pages.headers(origin="https://evil.example"))
    reply = client.ask("x")
    assert client.refused(reply, 403, "Forbidden") and may_be_read(reply)


@DIALECTS
def test_F1_a_preflight_is_answered_for_any_page(pages, dialect):
    reply = pages.site.request("OPTIONS", dialect.path, {
        "Origin": "https://any.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key,x-visitor-token"}, key=False)
    assert (reply.status_code, reply.content) == (204, b"") and reply.headers["Access-Control-Allow-Origin"] == "*"
    allowed = reply.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    assert {"content-type", "x-api-key", "authorization", "x-visitor-token", "x-visitor-identity", "x-chatbot-id"} <= set(allowed)


@DIALECTS
def test_F4_errors_are_in_its_form(site, dialect):
    client = dialect(site)
    for headers in ({}, {"x-api-key": ""}, {"x-api-key": "sk-none"}, {"Authorization": "Basic x"}):
        assert client.refused(dialect(site, headers).ask("x"), 401, "Unauthorized")
    reply = site.request("PUT", dialect.path, client.headers, key=False)
    assert client.refused(reply, 405, "Method not allowed") and reply.headers["Allow"] == "POST"
    assert client.refused(site.request("POST", f"{dialect.path}/x", client.headers, key=False), 404, "Not found")
    for body in (b"", b"[]", b"{", {}):
        assert client.refused(client.post(body), 400, "Invalid request payload")
    for wrong in ("a b", "", "x" * 129, 7, None):
        assert client.refused(client.post(client.body("x", wrong)), 400, "Invalid request payload"), wrong
    for wrong in ("", "x" * 4001):
        assert client.refused(client.ask(wrong), 400, "Invalid request payload")
    assert site.exchanges() == []
    site.grant(0)
    assert client.refused(client.ask("x"), 402, "Insufficient credits")


def test_F4_what_the_web_server_says_while_banter_is_away(start):
    site = start(workers=1)
    site.banter.end()
    for path in ("/v1/ui", "/v1/chat/completions", *(dialect.path for dialect in ALL)):
        reply = site.request("POST", path, data=b"{}")
        assert (reply.status_code, reply.json()) == (503, {"error": "Service unavailable"}) and reply.headers["Retry-After"]


def test_F4_a_path_beneath_the_AI_SDKs(site):
    reply = site.request("POST", "/v1/ui/x")
    assert (reply.status_code, reply.text, reply.headers["Content-Type"]) == (404, "Not found", "text/plain; charset=utf-8")


@DIALECTS
def test_A2_D2_N2_a_heartbeat(start, model, dialect):
    client, gate = dialect(start(workers=2, heartbeat="200ms")), name()
    reply = client.ask(script(gate, tokens=["x", "y"], gates={"2": gate}), stream=True)
    beat = b"\n\n" if dialect is N8n else b"\n:\n"
    came, opened = b"", False
    for piece in reply.iter_content(None):
        came += piece
        if not opened and came.count(beat) >= 2:
            model.open_gate(gate)
            opened = True
    rest = re.sub(rb"^(:?)\n(?=[:\n])" if dialect is not N8n else rb"^\n", b"", came, flags=re.M)
    assert opened and rest.count(b'"y"') == 1
    events = [line for line in came.split(b"\n") if line and line != b":"]
    assert all(event == b"data: [DONE]" or json.loads(event.removeprefix(b"data: ")) for event in events)


@DIALECTS
def test_I1_an_answer_is_given_again(site, dialect):
    client, called, once = dialect(site), name(), {"Idempotency-Key": name()}
    body = client.body(script(name(), tokens=["a", "gain"]), called)
    first, second = (client.told(client.post(body, headers=once)) for _ in range(2))
    assert client.text(first) == client.text(second) == "again"
    assert len(site.exchanges()) == 1
    assert client.refused(client.ask("other", called, headers=once), 409, "Idempotency key reused")


# AG-UI


def test_A1_its_question_may_be_of_parts(site):
    client, word = AgUi(site), name()
    said = [{"id": "s", "role": "system", "content": "You are a pirate."}, {"id": "u1", "role": "user", "content": "first"},
            {"id": "a1", "role": "assistant", "content": "one"},
            {"id": "u2", "role": "user", "content": [{"type": "text", "text": "more"}, {"type": "image", "source": {"type": "url", "value": "data:,"}},
                                                     {"type": "text", "text": script(word, tokens=["x"])}]}]
    assert client.answer(said) == "x"
    assert client.shown(word) == [("user", f"more\n{script(word, tokens=['x'])}")]


def test_A1_a_run_has_a_name(site):
    client = AgUi(site)
    for wrong in (None, "", 7, "x" * 201):
        assert client.refused(client.post({**client.body("x", name()), "runId": wrong}), 400, "Invalid request payload")
    called = "r\"\u2028" * 60
    events = client.told(client.post({**client.body("x", name()), "runId": called}))
    assert events[0]["runId"] == events[-1]["runId"] == called


def test_A2_the_bytes_of_a_stream(site):
    client, called = AgUi(site), name()
    reply = client.ask(script(name(), tokens=TOKENS), called)
    message = answer_id(site)
    assert reply.content.decode() == (
        f'data: {{"type":"RUN_STARTED","threadId":"{called}","runId":"run-1"}}\n\n'
        f'data: {{"type":"TEXT_MESSAGE_START","messageId":"{message}","role":"assistant"}}\n\n'
        f'data: {{"type":"TEXT_MESSAGE_CONTENT","messageId":"{message}","delta":{QUOTED[0]}}}\n\n'
        f'data: {{"type":"TEXT_MESSAGE_CONTENT","messageId":"{message}","delta":{QUOTED[1]}}}\n\n'
        f'data: {{"type":"TEXT_MESSAGE_END","messageId":"{message}"}}\n\n'
        f'data: {{"type":"RUN_FINISHED","threadId":"{called}","runId":"run-1"}}\n\n')


@pytest.mark.parametrize("reason, told", [("stop", None), ("length", "length"), ("content_filter", "content_filter"), ("odd", "other"), (None, None)])
def test_A2_how_it_ended(site, reason, told):
    client = AgUi(site)
    body, once = client.body(script(name(), tokens=["x"], finish=reason), "t"), {"Idempotency-Key": name()}
    last, again = (client.told(client.post(body, headers=once))[-1] for _ in range(2))
    assert again == last == {"type": "RUN_FINISHED", "threadId": "t", "runId": "run-1", **({"result": {"finishReason": told}} if told else {})}


def test_A2_a_stop_ends_it(site):
    client, gate, called = AgUi(site), name(), name()
    reply = client.ask(script(gate, tokens=["one", " two"], gates={"2": gate}), called, stream=True)
    came, stopped = b"", False
    for piece in reply.iter_content(None):
        came += piece
        if b'"one"' in came and not stopped:
            ((conversation,),) = site.sql("select conversation from banter_data.conversation where session = %s", called)
            stopped = site.request("POST", f"/v1/chat/conversations/{conversation}/stop", {"X-Session-Id": called}).json()
    events = [json.loads(event[6:]) for event in came.decode().split("\n\n")[:-1]]
    assert [event["type"] for event in events] == [
        "RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert events[-1]["outcome"] == {"type": "cancelled"} and "result" not in events[-1]


def test_A3_an_error_in_mid_stream(site):
    client = AgUi(site)
    for members, before in (({"tokens": ["We"], "cut_after": 1}, ["RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT"]),
                            ({"status": 400}, ["RUN_STARTED"])):
        events = client.told(client.ask(script(name(), **members)))
        assert [event["type"] for event in events[:-1]] == before
        assert events[-1] == {"type": "RUN_ERROR", "message": "Internal server error", "code": "INTERNAL_ERROR"}


# deep-chat


def test_D1_its_last_question_counts(site):
    client, word = DeepChat(site), name()
    said = [{"role": "user", "text": "first"}, {"role": "ai", "text": "one"}, {"role": "user", "text": script(word, tokens=["x"])}]
    assert client.answer(said) == "x"
    assert client.shown(word) == [("user", script(word, tokens=["x"]))]


def test_D2_its_bytes(site):
    client = DeepChat(site)
    reply = client.ask(script(name(), tokens=TOKENS))
    assert reply.content.decode() == f'data: {{"text":{QUOTED[0]}}}\n\ndata: {{"text":{QUOTED[1]}}}\n\ndata: [DONE]\n\n'
    reply = client.ask(script(name(), tokens=TOKENS), streams=False)
    check_headers(reply)
    assert reply.headers["Content-Type"] == "application/json" and reply.content.decode() == '{"text":"We are\\u2028\\n\\"é"}'


def test_D3_an_error_after_the_beginning(site):
    client = DeepChat(site)
    reply = client.ask(script(name(), tokens=["We"], cut_after=1))
    assert reply.content == b'data: {"text":"We"}\n\ndata: {"error":"Internal server error"}\n\n'
    assert client.refused(client.ask(script(name(), tokens=["We"], cut_after=1), streams=False), 500, "Internal server error")


# n8n


def test_N1_what_it_may_do(site):
    client = N8n(site)
    for wrong in ("", "sendmessage", None, 7):
        assert client.refused(client.post({**client.body("x", name()), "action": wrong}), 400, "Invalid request payload")
    assert client.post({**client.body("x", name()), "metadata": {"a": 1}}).status_code == 200
    assert client.refused(client.post({"action": "sendMessage", "sessionId": name()}), 400, "Invalid request payload")


def test_N2_its_bytes(site):
    client, before = N8n(site), time.time()
    reply = client.ask(script(name(), tokens=TOKENS))
    began = client.told(reply)[0]["metadata"]["timestamp"]
    assert before - 600 < began / 1000 < time.time() + 600
    metadata = f'"metadata":{{"nodeId":"banter","nodeName":"banter","itemIndex":0,"runIndex":0,"timestamp":{began}}}'
    assert reply.content.decode() == (
        f'{{"type":"begin",{metadata}}}\n'
        f'{{"type":"item","content":{QUOTED[0]},{metadata}}}\n'
        f'{{"type":"item","content":{QUOTED[1]},{metadata}}}\n'
        f'{{"type":"end",{metadata}}}\n')
    reply = client.ask(script(name(), tokens=TOKENS), streams=False)
    check_headers(reply)
    assert reply.headers["Content-Type"] == "application/json" and reply.content.decode() == '{"output":"We are\\u2028\\n\\"é"}'


def test_N4_an_error_after_the_beginning(site):
    client = N8n(site)
    events = client.told(client.ask(script(name(), tokens=["We"], cut_after=1)))
    assert [event["type"] for event in events] == ["begin", "item", "error"]
    assert events[-1] == {"type": "error", "content": "Internal server error", "metadata": {**events[0]["metadata"], "runIndex": 1}}
    assert client.refused(client.ask(script(name(), tokens=["We"], cut_after=1), streams=False), 500, "Internal server error")


def human(text):
    return ["banter", "HumanMessage"], {"content": text}


def machine(text):
    return ["banter", "AIMessage"], {"content": text}


def test_N3_what_was_said_is_read_back(site):
    client, called = N8n(site), name()
    assert client.said_in(called) == []
    first, failed = script(name(), tokens=["one\n\"\u2028"]), script(name(), status=400)
    assert client.answer(first, called) == "one\n\"\u2028"
    client.ask(failed, called)
    assert client.said_in(called) == [human(first), machine("one\n\"\u2028"), human(failed)], "what failed without a text has no answer"
    reply = client.load(called)
    check_headers(reply)
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.content.decode().startswith('{"data":[{"id":["banter","HumanMessage"],"kwargs":{"content":"')
    assert site.exchanges(called)[0]["price"] == 0 and len(site.exchanges(called)) == 2, "it is no exchange"
    for last in range(25):
        client.ask(str(last), called)
    assert client.said_in(called)[0] == human("5"), "the latest 20"


def test_N3_by_whichever_key_could_go_on_with_it(site):
    called = name()
    workspace = {"Authorization": f"Bearer {site.tenant.workspace_key}", "X-Chatbot-Id": site.tenant.chatbot}
    back_end, widget = N8n(site, workspace), N8n(site)
    question = script(name(), tokens=["x"])
    back_end.answer(question, called)
    assert back_end.said_in(called) == [human(question), machine("x")] and widget.said_in(called) == []
    ((title,),) = site.sql("select name from banter_data.chatbot where chatbot = %s", site.tenant.chatbot)
    assert len(N8n(site, {**workspace, "X-Chatbot-Id": title}).said_in(called)) == 2
    assert widget.refused(N8n(site, {**workspace, "X-Chatbot-Id": "none"}).load(called), 404, "Not found")
    assert widget.refused(N8n(site, {**workspace, "X-Chatbot-Id": ""}).load(called), 400, "Invalid request payload")
    widget.answer(question, called)
    assert len(widget.said_in(called)) == 2 and len(back_end.said_in(called)) == 2
    for wrong in ("a b", "", None, 7):
        assert widget.refused(widget.load(wrong), 400, "Invalid request payload")
        assert widget.refused(back_end.load(wrong), 400, "Invalid request payload")
    assert widget.refused(N8n(site, {"x-api-key": "none"}).load(called), 401, "Unauthorized")


def test_N3_a_pages_visitor(pages):
    called, question = name(), script(name(), tokens=["x"])

    def page(**headers):
        return N8n(pages.site, pages.headers(**headers))

    fresh = page().load(called)
    assert fresh.json() == {"data": []} and may_be_read(fresh) and "X-Visitor-Token" not in fresh.headers, "who has not asked is nobody yet"
    token = page().ask(question, called).headers["X-Visitor-Token"]
    assert page(token=token, origin=OTHER_PAGE).said_in(called) == [human(question), machine("x")]
    assert page(token=token).said_in(name()) == []
    other = page().ask("Hello", called).headers["X-Visitor-Token"]
    assert page(token=other).said_in(called)[0] == human("Hello"), "another visitor's, of the same name"
    assert page().said_in(called) == []
    for wrong, status, words in (({"origin": "https://evil.example"}, 403, "Forbidden"), ({"token": "vt-site_none"}, 401, "Unknown visitor"),
                                 ({"token": token, "origin": None}, 403, "Forbidden"), ({"origin": None}, 403, "Forbidden")):
        reply = page(**wrong).load(called)
        assert page().refused(reply, status, words) and may_be_read(reply)
    assert page().refused(page(token=token).load("a b"), 400, "Invalid request payload")
    assert page().refused(page().load("a b"), 400, "Invalid request payload")


def test_N3_what_a_token_holds_goes_to_who_signs_in(pages):
    """The user's own conversation of a name goes before the one that their token holds."""
    secret, called = name(), name()
    pages.sign(secret)
    token = N8n(pages.site, pages.headers()).ask("as a guest", called).headers["X-Visitor-Token"]
    identity = signed(pages, secret, "ann")
    assert N8n(pages.site, pages.headers(token=token, **identity)).said_in(called)[0] == human("as a guest")
    N8n(pages.site, pages.headers(**identity)).ask("as a user", called)
    assert N8n(pages.site, pages.headers(token=token, **identity)).said_in(called)[0] == human("as a user")
    assert N8n(pages.site, pages.headers(token=token)).said_in(called)[0] == human("as a guest")


def test_N3_the_limit_of_an_address_counts_it(start):
    client = N8n(start(workers=2, address_limit=2, address_window="100s"))
    assert [client.load("s").status_code for _ in range(3)] == [200, 200, 429]
