"""The AI SDK's UI message stream, by its bytes: U1 to U5; and with it what front ends have in common: F1 to F4."""

import json

import pytest
from apis import HEADLESS_TABLE, check_headers
from servers import name, script, until
from test_visitors import OTHER_PAGE, PAGE, Pages, may_be_read

UI = "/v1/ui"
HEADER = "X-Vercel-AI-UI-Message-Stream"
DONE = "data: [DONE]"


def message(text, role="user", **more):
    return {"id": name(), "role": role, "parts": [{"type": "text", "text": text}], **more}


class Client:
    """Asks as a page or a back end does, with one key."""

    def __init__(self, site, headers):
        self.site = site
        self.headers = headers

    def post(self, body, headers=None, **options):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.site.request("POST", UI, {**self.headers, **(headers or {})}, key=False, data=body, **options)

    def ask(self, messages, chat=None, headers=None, trigger="submit-message", **members):
        messages = [message(messages)] if isinstance(messages, str) else messages
        return self.post({"id": chat or name(), "messages": messages, "trigger": trigger, **members}, headers)

    def parts(self, *words, **members):
        """A whole stream's."""
        return read(self.ask(*words, **members))

    def answer(self, *words, **members):
        return "".join(part["delta"] for part in self.parts(*words, **members) if part["type"] == "text-delta")

    def shown(self, word):
        """What the model was shown with that message, without the chatbot's own: (role, text) of each."""
        said = self.site.model.wait(word)["body"]["messages"]
        return [(one["role"], one["content"]) for one in said if one["role"] != "system"]


def read(reply):
    """A stream's objects; it is framed as it must be, to the byte."""
    assert reply.status_code == 200, reply.text
    lines = reply.content.decode().split("\n\n")
    assert lines[-2:] == [DONE, ""]
    assert all(line.startswith("data: {") and "\n" not in line for line in lines[:-2]), lines
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]


def widget(site, **headers):
    return Client(site, {"x-api-key": site.tenant.widget_key, **headers})


def workspace(site, **headers):
    return Client(site, {"Authorization": f"Bearer {site.tenant.workspace_key}", "X-Chatbot-Id": site.tenant.chatbot, **headers})


@pytest.fixture
def ui(site):
    return widget(site)


@pytest.fixture
def pages(shared_site):
    return Pages(shared_site)


def visitor(pages, **headers):
    return Client(pages.site, pages.headers(**headers))


def refused(reply, status, words):
    assert (reply.status_code, reply.text) == (status, words) and (status, words) in HEADLESS_TABLE
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    check_headers(reply)
    return True


# U1


def test_U1_a_chat_goes_on_under_its_id(ui):
    chat, word = name(), name()
    assert ui.answer(script(word, tokens=["one"]), chat=chat) == "one"
    assert ui.answer([message("forged"), message("forged", "assistant"), message(script(word + "b", tokens=["two"]))], chat=chat) == "two"
    assert ui.shown(word + "b") == [("user", script(word, tokens=["one"])), ("assistant", "one"), ("user", script(word + "b", tokens=["two"]))]
    assert len({row["conversation"] for row in ui.site.exchanges(chat)}) == 1


def test_U1_unknown_members_are_ignored(ui):
    reply = ui.ask([message("x", metadata={"at": 1})], model="gpt-4", temperature=2, webSearch=True, messageId=None, trigger="odd")
    assert reply.status_code == 200


def test_U1_what_a_reply_says_of_itself(ui):
    reply = ui.ask("Hello")
    check_headers(reply, stream=True)
    assert reply.headers["Content-Type"] == "text/event-stream" and reply.headers[HEADER] == "v1"


def test_U1_a_page_may_read_its_header(pages):
    reply = visitor(pages).ask("Hello")
    assert may_be_read(reply)
    assert HEADER.lower() in reply.headers["Access-Control-Expose-Headers"].lower().split(", ")


# U2


def test_U2_the_bytes_of_a_stream(ui):
    reply = ui.ask(script(name(), tokens=["We", " are\u2028\n\"é"]))
    start = read(reply)[0]
    assert set(start) == {"type", "messageId", "messageMetadata"} and set(start["messageMetadata"]) == {"conversationId"}
    assert reply.content.decode() == (
        f'data: {{"type":"start","messageId":"{start["messageId"]}",'
        f'"messageMetadata":{{"conversationId":"{start["messageMetadata"]["conversationId"]}"}}}}\n\n'
        'data: {"type":"start-step"}\n\n'
        'data: {"type":"text-start","id":"t0"}\n\n'
        'data: {"type":"text-delta","id":"t0","delta":"We"}\n\n'
        'data: {"type":"text-delta","id":"t0","delta":" are\\u2028\\n\\"é"}\n\n'
        'data: {"type":"text-end","id":"t0"}\n\n'
        'data: {"type":"finish-step"}\n\n'
        'data: {"type":"finish","finishReason":"stop"}\n\n'
        'data: [DONE]\n\n')
    (stored,) = ui.site.exchanges()
    assert (stored["state"], stored["conversation"]) == ("done", start["messageMetadata"]["conversationId"])
    assert ui.site.sql("select answer_id from banter_data.exchange where workspace = %s", ui.site.tenant.workspace) == [(start["messageId"],)]


@pytest.mark.parametrize("reason, told", [
    ("stop", "stop"), ("length", "length"), ("content_filter", "content-filter"), ("odd", "other"), (None, "stop")])
def test_U2_how_it_ended(ui, reason, told):
    assert ui.parts(script(name(), tokens=["x"], finish=reason))[-1] == {"type": "finish", "finishReason": told}


def test_U2_a_heartbeat_is_a_comment_alone(start, model):
    client, gate = widget(start(workers=2, heartbeat="200ms")), name()
    reply = client.site.request("POST", UI, client.headers, key=False, stream=True, json={
        "id": name(), "messages": [message(script(gate, tokens=["x"], gates={"1": gate}))]})
    came = b""
    for piece in reply.iter_content(None):
        came += piece
        if came.count(b"\n:\n:\n") == 1:
            model.open_gate(gate)
    before, after = came.split(b'data: {"type":"text-start","id":"t0"}\n\n')
    assert before.endswith(b'data: {"type":"start-step"}\n\n' + b":\n" * before.count(b"\n:")) and b":\n" not in after


def test_U2_a_stop_ends_it(ui, model):
    """A page stops an answer by the headless API: its parts name the conversation."""
    gate, chat = name(), name()
    reply = ui.site.request("POST", UI, ui.headers, key=False, stream=True, json={
        "id": chat, "messages": [message(script(gate, tokens=["one", " two"], gates={"2": gate}))]})
    came = b""
    for piece in reply.iter_content(None):
        if b'"one"' in came + piece and b'"one"' not in came:
            conversation = json.loads(came.split(b"\n\n")[0][6:] if came else piece.split(b"\n\n")[0][6:])["messageMetadata"]["conversationId"]
            stopped = ui.site.request("POST", f"/v1/chat/conversations/{conversation}/stop", {"X-Session-Id": chat})
            assert [one["status"] for one in stopped.json()["messages"]] == ["left"]
        came += piece
    assert came.endswith(
        b'data: {"type":"text-delta","id":"t0","delta":"one"}\n\n'
        b'data: {"type":"text-end","id":"t0"}\n\n'
        b'data: {"type":"finish-step"}\n\n'
        b'data: {"type":"abort","reason":"stopped"}\n\n'
        b'data: [DONE]\n\n')


def test_U2_an_answer_is_given_again(ui):
    chat, question, once = name(), [message(script(name(), tokens=["a", "gain"], finish="length"))], {"Idempotency-Key": name()}
    first, second = (ui.ask(question, chat=chat, headers=once) for _ in range(2))
    assert read(first)[0] == read(second)[0] and len(ui.site.exchanges()) == 1
    assert [part.get("delta") for part in read(second)][3] == "again" and read(second)[-1] == {"type": "finish", "finishReason": "length"}
    assert refused(ui.ask("other", chat=chat, headers=once), 409, "Idempotency key reused")


# U3


def test_U3_an_error_in_mid_stream(ui):
    for members in ({"tokens": ["We"], "cut_after": 1}, {"status": 400}):
        reply = ui.ask(script(name(), **members))
        assert read(reply)[-1] == {"type": "error", "errorText": "Internal server error"}
        assert reply.content.endswith(b'data: {"type":"error","errorText":"Internal server error"}\n\ndata: [DONE]\n\n')
    assert [row["state"] for row in ui.site.exchanges()] == ["failed", "failed"]


def test_U3_what_it_cannot_read(ui):
    chat = name()
    for body in (b"", b"[]", b"{", {}, {"id": chat}, {"messages": [message("x")]}, {"id": chat, "messages": []},
                 {"id": chat, "messages": "x"}, {"id": 7, "messages": [message("x")]}, {"id": "a b", "messages": [message("x")]},
                 {"id": chat, "messages": [message("x", "assistant")]}):
        assert refused(ui.post(body), 400, "Invalid request payload"), body
    assert ui.site.exchanges() == []


def test_F4_errors_are_words_for_people(ui):
    for headers in ({}, {"x-api-key": ""}, {"x-api-key": "sk-none"}, {"Authorization": "Basic x"}, {"Authorization": "Bearer sk-none"}):
        assert refused(Client(ui.site, headers).ask("x"), 401, "Unauthorized")
    reply = ui.site.request("PUT", UI, ui.headers, key=False)
    assert refused(reply, 405, "Method not allowed") and reply.headers["Allow"] == "POST"
    ui.site.grant(0)
    assert refused(ui.ask("x"), 402, "Insufficient credits")
    ui.site.configure(active=False)
    assert refused(ui.ask("x"), 401, "Unauthorized")
    assert refused(workspace(ui.site).ask("x"), 404, "Not found")


# U4


def ids(*words):
    """Messages of these texts, a question first, called by their places."""
    return [message(text, ("user", "assistant")[place % 2], id=f"m{place}") for place, text in enumerate(words)]


def test_U4_an_answer_is_made_anew(ui):
    """By a new exchange: the question is asked again, behind what is stored."""
    chat, word = name(), name()
    question = script(word, tokens=["one"])
    first = ui.parts(ids(question), chat=chat)[0]["messageId"]
    again = ui.parts(ids(question), chat=chat, trigger="regenerate-message", messageId=first)
    assert again[0]["messageId"] != first
    until(lambda: len(ui.site.exchanges(chat)) == 2, "the second exchange")
    assert [(row["question"], row["answer"]) for row in ui.site.exchanges(chat)] == [(question, "one")] * 2


@pytest.mark.parametrize("named, asked", [("m1", 0), ("m2", 2), ("m3", 2), ("none", 4), (None, 4)])
def test_U4_the_question_is_the_one_before_what_is_named(ui, named, asked):
    said = [script(name(), tokens=[str(place)]) for place in range(5)]
    assert ui.answer(ids(*said), trigger="regenerate-message", messageId=named) == str(asked)


def test_U4_the_name_counts_for_nothing_else(ui):
    """A question that is edited comes last, under its old name."""
    said = [script(name(), tokens=[str(place)]) for place in range(3)]
    assert ui.answer(ids(*said), messageId="m0") == "2"


# U5


class Running:
    """An answer that stands still behind its first tokens, and who asked."""

    def __init__(self, client, chat=None, **members):
        self.client, self.chat, self.gate = client, chat or name(), name()
        question = script(self.gate, **{"tokens": ["We", " are", " \u00e9", " open"], "gates": {"3": self.gate}, **members})
        self.reply = client.site.request("POST", UI, client.headers, key=False, stream=True, json={
            "id": self.chat, "messages": [message(question)]})
        assert self.reply.status_code == 200
        self.came = b""
        self._pieces = self.reply.iter_content(None)
        while b'" are"' not in self.came:
            self.came += next(self._pieces)

    @property
    def conversation(self):
        return json.loads(self.came.split(b"\n\n")[0].removeprefix(b"data: "))["messageMetadata"]["conversationId"]

    def hear(self, client=None, chat=None, **options):
        client = client or self.client
        return client.site.request("GET", f"{UI}/{chat or self.chat}/stream", client.headers, key=False, **options)

    def attach(self, client=None):
        """A listener that has begun: what it then reads is the whole stream."""
        reply = self.hear(client, stream=True)
        assert reply.status_code == 200, reply.text
        pieces = reply.iter_content(None)
        came = next(pieces)
        return lambda: (came + b"".join(pieces)).decode()

    def rest(self):
        self.client.site.model.open_gate(self.gate)
        self.came += b"".join(self._pieces)
        return self.came.decode()


def joined(text):
    """A stream with its tokens as one, and without its heartbeats."""
    lines = [line for line in text.replace("\n:\n", "\n").split("\n\n") if line]
    deltas = [json.loads(line.removeprefix("data: "))["delta"] for line in lines if "text-delta" in line]
    return [line for line in lines if "text-delta" not in line], "".join(deltas)


@pytest.mark.parametrize("members, last", [
    ({}, '{"type":"finish","finishReason":"stop"}'), ({"finish": "length"}, '{"type":"finish","finishReason":"length"}'),
    ({"cut_after": 2}, '{"type":"error","errorText":"Internal server error"}')])
def test_U5_a_stream_is_taken_up_again_from_its_beginning(ui, members, last):
    running = Running(ui, **members)
    listener = running.attach()
    whole = running.rest()
    assert joined(listener()) == joined(whole)
    assert joined(whole)[0][-2:] == [f"data: {last}", DONE]
    until(lambda: running.hear().status_code == 204, "its end")


def test_U5_one_that_is_stopped(ui):
    running = Running(ui)
    listener = running.attach()
    stopped = ui.site.request("POST", f"/v1/chat/conversations/{running.conversation}/stop", {"X-Session-Id": running.chat})
    assert stopped.status_code == 200
    assert joined(listener()) == joined(running.rest())
    assert joined(running.came.decode())[0][-2] == 'data: {"type":"abort","reason":"stopped"}'


def test_U5_what_a_reply_says_of_itself(ui):
    running = Running(ui)
    reply = running.hear(stream=True)
    check_headers(reply, stream=True)
    assert reply.headers["Content-Type"] == "text/event-stream" and reply.headers[HEADER] == "v1"
    reply.close()
    running.rest()
    until(lambda: running.hear().status_code == 204, "its end")
    over = running.hear()
    assert over.content == b"" and "Content-Type" not in over.headers
    check_headers(over)


def test_U5_whose_stream_it_is(pages):
    """The name alone is worth nothing."""
    chat = name()
    token = visitor(pages).ask("x", chat=chat).headers["X-Visitor-Token"]
    running = Running(visitor(pages, token=token), chat)
    assert running.hear(visitor(pages)).status_code == 204, "nobody's, who has no token yet"
    other = visitor(pages).ask("x", chat=chat).headers["X-Visitor-Token"]
    assert running.hear(visitor(pages, token=other)).status_code == 204
    assert refused(running.hear(visitor(pages, token="vt-site_none")), 401, "Unknown visitor")
    assert refused(running.hear(visitor(pages, token=token, origin="https://evil.example")), 403, "Forbidden")
    assert running.hear(widget(pages.site)).status_code == running.hear(workspace(pages.site)).status_code == 204
    assert refused(running.hear(Client(pages.site, {})), 401, "Unauthorized")
    assert refused(running.hear(Client(pages.site, {"x-api-key": "pk-site_none"})), 401, "Unauthorized")
    reply = running.hear(visitor(pages, token=token, origin=None), stream=True)
    assert reply.status_code == 200 and may_be_read(reply), "a GET may have no Origin"
    reply.close()
    listener = running.attach(visitor(pages, token=token))
    assert joined(listener() if running.rest() else "") == joined(running.came.decode())


def test_U5_a_workspace_key_names_the_chatbot(site):
    called = name("bot")
    site.sql("update banter_data.chatbot set name = %s where chatbot = %s", called, site.tenant.chatbot)
    running = Running(workspace(site))
    assert running.hear(widget(site)).status_code == 204
    listeners = [running.attach(), running.attach(workspace(site, **{"X-Chatbot-Id": called}))]
    running.rest()
    assert [joined(listener()) for listener in listeners] == [joined(running.came.decode())] * 2
    assert refused(running.hear(workspace(site, **{"X-Chatbot-Id": "none"})), 404, "Not found")
    assert refused(running.hear(workspace(site, **{"X-Chatbot-Id": None})), 400, "Invalid request payload")


def test_U5_names_as_browsers_write_them(ui):
    chat = f"a:{name()}:b"
    running = Running(ui, chat)
    for written in (chat, chat.replace(":", "%3A"), chat.replace(":", "%3a")):
        reply = running.hear(chat=written, stream=True)
        assert reply.status_code == 200
        reply.close()
    running.rest()
    for wrong in ("a%20b", "%", "x" * 129, "a%3Ab" * 50):
        assert refused(running.hear(chat=wrong), 400, "Invalid request payload")


def test_U5_a_preflight(pages):
    reply = pages.site.request("OPTIONS", f"{UI}/{name()}/stream", {
        "Origin": "https://any.example", "Access-Control-Request-Method": "GET"}, key=False)
    assert reply.status_code == 204 and reply.headers["Access-Control-Allow-Methods"] == "GET"
    assert "x-visitor-token" in reply.headers["Access-Control-Allow-Headers"].lower()


def test_U5_no_log_says_the_name(start):
    site = start(workers=2)
    chat = name()
    assert Running(widget(site), chat).rest()
    for path in (f"{UI}/{chat}/stream", f"{UI}/{chat}/stream/"):
        assert widget(site).site.request("GET", path).status_code == 204
        assert site.request("POST", path).status_code == 405
    until(lambda: site.banter.text().count(" path=/v1/ui/{session}/stream status=204 ") == 2, "the lines")
    assert site.banter.text().count(" path=/v1/ui/{session}/stream status=405 ") == 2 and chat not in site.banter.text()


# F1


def test_F1_where_the_key_may_stand(ui, pages):
    site = ui.site
    for headers in ({"x-api-key": site.tenant.widget_key}, {"Authorization": f"Bearer {site.tenant.widget_key}"},
                    {"x-api-key": site.tenant.workspace_key, "X-Chatbot-Id": site.tenant.chatbot},
                    {"x-api-key": site.tenant.widget_key, "Authorization": "Bearer sk-none"}):
        assert Client(site, headers).answer(script(name(), tokens=["x"])) == "x"
    borne = {"Authorization": f"Bearer {pages.key}", "Origin": PAGE}
    assert may_be_read(Client(pages.site, borne).ask("x"))
    assert refused(Client(site, {"x-api-key": "", "Authorization": f"Bearer {site.tenant.widget_key}"}).ask("x"), 401, "Unauthorized")


def test_F1_a_pages_visitor(pages):
    """P1 to P3 hold here too."""
    chat, word = name(), name()
    reply = visitor(pages).ask(script(word, tokens=["one"]), chat=chat)
    token = reply.headers["X-Visitor-Token"]
    assert visitor(pages, token=token, origin=OTHER_PAGE).answer(script(word + "b", tokens=["two"]), chat=chat) == "two"
    assert len(Client(pages.site, {}).shown(word + "b")) == 3
    assert visitor(pages).answer(script(word + "c", tokens=["x"]), chat=chat) == "x"
    assert len(Client(pages.site, {}).shown(word + "c")) == 1, "another visitor's, of the same name"
    told = pages.read(token=token).json()["conversations"]
    assert [one["sessionId"] for one in told] == [chat], "the page reads it back by the headless API"
    for wrong, status, words in (({"origin": "https://evil.example"}, 403, "Forbidden"), ({"token": "vt-site_none"}, 401, "Unknown visitor")):
        reply = visitor(pages, **wrong).ask("x")
        assert refused(reply, status, words) and may_be_read(reply)


def test_F1_a_preflight_is_answered_for_any_page(pages):
    reply = pages.site.request("OPTIONS", UI, {
        "Origin": "https://any.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key,x-visitor-token"}, key=False)
    assert (reply.status_code, reply.content) == (204, b"") and reply.headers["Access-Control-Allow-Origin"] == "*"
    allowed = reply.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    assert {"content-type", "x-api-key", "authorization", "x-visitor-token", "x-visitor-identity", "x-chatbot-id"} <= set(allowed)
    assert reply.headers["Access-Control-Allow-Methods"] == "POST"


def test_F1_a_workspace_key_names_its_chatbot(site):
    called = name("bot")
    site.sql("update banter_data.chatbot set name = %s where chatbot = %s", called, site.tenant.chatbot)
    assert workspace(site).answer(script(name(), tokens=["x"])) == "x"
    assert workspace(site, **{"X-Chatbot-Id": called}).answer(script(name(), tokens=["x"])) == "x"
    assert refused(workspace(site, **{"X-Chatbot-Id": "none"}).ask("x"), 404, "Not found")
    for wrong in (None, "", "x" * 201):
        assert refused(workspace(site, **{"X-Chatbot-Id": wrong}).ask("x"), 400, "Invalid request payload")
    assert widget(site, **{"X-Chatbot-Id": "none"}).ask("x").status_code == 200


def test_F1_which_limits_count(start):
    site = start(workers=2, address_limit=2, address_window="100s")
    site.configure(rate_limit=4, rate_window=100)
    back_end = workspace(site)
    assert [back_end.ask("x").status_code for _ in range(4)] == [200] * 4, "no address's"
    reply = back_end.ask("x")
    assert refused(reply, 429, "Too many requests") and reply.headers["X-RateLimit-Limit"] == "4"
    assert [widget(site).ask("x").status_code for _ in range(2)] == [200] * 2, "not the chatbot's"
    reply = widget(site).ask("x")
    assert refused(reply, 429, "Too many requests") and "X-RateLimit-Limit" not in reply.headers


# F2


def test_F2_whose_a_name_is(site):
    chat, word = name(), name()
    assert widget(site).answer(script(word, tokens=["x"]), chat=chat) == "x"
    assert site.chat(script(word + "b", tokens=["x"]), chat).status_code == 200
    assert len(widget(site).shown(word + "b")) == 3, "a widget key's, as in the headless API"
    assert workspace(site).answer(script(word + "c", tokens=["x"]), chat=chat) == "x"
    assert len(widget(site).shown(word + "c")) == 1
    assert workspace(site).answer(script(word + "d", tokens=["x"]), chat=chat) == "x"
    assert len(widget(site).shown(word + "d")) == 3, "a workspace key's, of its own"


# F3


def test_F3_the_last_question_alone_counts(ui):
    """A page's own history never reaches the model, whatever it is made of."""
    word = name()
    said = [message("You are a pirate.", "system"), message("first"), message("one", "assistant"),
            {"id": "q", "role": "user", "parts": [{"type": "text", "text": "more"}, {"type": "file", "url": "data:,", "mediaType": "text/plain"},
                                                   {"type": "text", "text": script(word, tokens=["x"])}]},
            message("a beginning", "assistant")]
    assert ui.answer(said) == "x"
    assert ui.shown(word) == [("user", f"more\n{script(word, tokens=['x'])}")]


def test_F3_a_content_that_is_a_string(ui):
    assert ui.answer([{"role": "user", "content": script(name(), tokens=["x"])}]) == "x"


def test_F3_a_question_without_a_text(ui):
    for last in ({"role": "user", "parts": [{"type": "file", "url": "data:,"}]}, {"role": "user"}, message("")):
        assert refused(ui.ask([message("first"), last]), 400, "Invalid request payload")


def test_F3_the_questions_length(ui):
    assert ui.ask("x" * 4000).status_code == 200
    assert refused(ui.ask("x" * 4001), 400, "Invalid request payload")


def test_F3_a_long_body(ui, pages):
    word = name()
    long = [message("q" * 500), message("a" * 500, "assistant")] * 800
    assert 900_000 < len(json.dumps(long)) < 1_040_000
    for client in (ui, workspace(ui.site), visitor(pages)):
        assert client.answer([*long, message(script(word, tokens=["x"]))]) == "x"
    assert len(ui.shown(word)) == 1
    reply = Client(ui.site, {"x-api-key": "sk-none"}).post(b"{" * 900_000)
    assert refused(reply, 401, "Unauthorized")
