"""OpenAI's chat completions, by their bytes: O1 to O4."""

import concurrent.futures
import json
import re

import pytest
from servers import name, script
from site_client import Site

COMPLETIONS = "/v1/chat/completions"


class OpenAI:
    """A tenant, as a client of OpenAI's protocol asks it."""

    def __init__(self, site: Site):
        self.site = site
        self.tenant = site.tenant

    def headers(self, **more):
        return {"Authorization": f"Bearer {self.tenant.workspace_key}", **more}

    def ask(self, messages, model=None, headers=None, **members):
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        body = {"model": model or self.tenant.chatbot, "messages": messages, **members}
        return self.site.request("POST", COMPLETIONS, self.headers(**(headers or {})), key=False, json=body)

    def answer(self, messages, **more):
        reply = self.ask(messages, **more)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def shown(self, word):
        """What the model was shown with that message: (role, text) of each."""
        return [(one["role"], one["content"]) for one in self.site.model.wait(word)["body"]["messages"]]


@pytest.fixture
def openai(site):
    return OpenAI(site)


def refused(reply, status, kind, param, code):
    said = reply.json()
    assert reply.status_code == status and set(said) == {"error"}, reply.text
    error = said["error"]
    assert set(error) == {"message", "type", "param", "code"} and isinstance(error["message"], str) and error["message"]
    assert (error["type"], error["param"], error["code"]) == (kind, param, code)
    return True


def chunks(reply):
    """A stream's objects; it is SSE as OpenAI writes it, to the byte."""
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "text/event-stream"
    events = reply.content.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(event.startswith("data: {") and "\n" not in event for event in events[:-2])
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


# O1


def test_O1_an_answer_in_one_piece(openai):
    said = openai.answer(script(name(), tokens=["We", " are", " open"]))
    identity = said.pop("id")
    assert re.fullmatch(r"chatcmpl-[A-Za-z0-9_-]{1,40}", identity)
    assert abs(said.pop("created") - openai.site.sql("select extract(epoch from now())")[0][0]) < 600
    usage = said.pop("usage")
    assert set(usage) == {"prompt_tokens", "completion_tokens", "total_tokens"}
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert said == {
        "object": "chat.completion", "model": openai.tenant.chatbot,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "We are open", "refusal": None},
                     "logprobs": None, "finish_reason": "stop"}]}
    (stored,) = openai.site.exchanges()
    assert (stored["state"], stored["answer"], stored["price"]) == ("done", "We are open", 0)
    assert openai.site.sql("select answer_id from banter_data.exchange where workspace = %s", openai.tenant.workspace)[0][0] == \
        identity.removeprefix("chatcmpl-")


@pytest.mark.parametrize("usage", [None, {"include_usage": False}, {"include_usage": True}])
def test_O1_a_stream(openai, usage):
    members = {} if usage is None else {"stream_options": usage}
    said = chunks(openai.ask(script(name(), tokens=["We", " are", " open"]), stream=True, **members))
    heads = [{member: value for member, value in chunk.items() if member not in ("choices", "usage")} for chunk in said]
    assert all(head == heads[0] for head in heads) and set(heads[0]) == {"id", "object", "created", "model"}
    assert heads[0]["object"] == "chat.completion.chunk" and heads[0]["model"] == openai.tenant.chatbot
    if usage and usage["include_usage"]:
        last = said.pop()
        assert last["choices"] == [] and last["usage"]["total_tokens"] > 0
    assert all("usage" not in chunk for chunk in said)
    deltas = [{"role": "assistant", "content": ""}, {"content": "We"}, {"content": " are"}, {"content": " open"}, {}]
    assert [chunk["choices"] for chunk in said] == [
        [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None if delta else "stop"}] for delta in deltas]


def test_O1_the_bytes_of_a_chunk(openai):
    """As OpenAI writes them: clients have been written against these."""
    reply = openai.ask(script(name(), tokens=["a\u2028\n\"é"]), stream=True)
    identity, created = (chunks(reply)[0][member] for member in ("id", "created"))
    head = (f'data: {{"id":"{identity}","object":"chat.completion.chunk","created":{created},'
            f'"model":"{openai.tenant.chatbot}","choices":[{{"index":0,"delta":')
    assert reply.content.decode().split("\n\n")[:3] == [
        head + '{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}',
        head + '{"content":"a\\u2028\\n\\"é"},"logprobs":null,"finish_reason":null}]}',
        head + '{},"logprobs":null,"finish_reason":"stop"}]}']


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reason, told", [("length", "length"), ("content_filter", "content_filter"), ("odd", "stop")])
def test_O1_how_it_ended(openai, stream, reason, told):
    reply = openai.ask(script(name(), tokens=["x"], finish=reason), stream=stream)
    choices = (chunks(reply)[-1] if stream else reply.json())["choices"]
    assert choices[0]["finish_reason"] == told


def test_O1_an_error_in_mid_stream(openai):
    reply = openai.ask(script(name(), tokens=["We"], cut_after=1), stream=True)
    last = reply.content.decode().split("\n\n")[-2:]
    assert last[1] == "" and json.loads(last[0].removeprefix("data: ")) == {
        "error": {"message": "Internal server error", "type": "server_error", "param": None, "code": None}}
    assert openai.site.exchanges()[0]["state"] == "failed"


def test_O1_what_it_cannot_read(openai):
    for body in ({}, {"messages": []}, {"messages": "x"}, {"messages": [assistant("x")]}, {"messages": [user("")]},
                 {"messages": [user([])]}, {"messages": [user("x")], "stream": "yes"}, {"messages": ["x"]},
                 {"messages": [user("x")], "model": 7}, {"messages": [user("x")], "model": ""}):
        reply = openai.site.request("POST", COMPLETIONS, openai.headers(), key=False, json={"model": openai.tenant.chatbot, **body})
        assert refused(reply, 400, "invalid_request_error", None, "invalid_request"), body
    assert openai.site.exchanges() == []


def test_O1_errors_have_its_form(openai):
    request = openai.site.request
    body = {"model": openai.tenant.chatbot, "messages": [user("x")]}
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic x"}, {"Authorization": "Bearer sk-none"},
                    {"Authorization": f"Bearer {openai.tenant.widget_key}"}):
        reply = request("POST", COMPLETIONS, headers, key=False, json=body)
        assert refused(reply, 401, "invalid_request_error", None, "invalid_api_key")
    assert refused(request("PUT", COMPLETIONS, openai.headers(), key=False), 405, "invalid_request_error", None, "method_not_supported")
    for path in (f"{COMPLETIONS}/x", "/v1/models/x"):
        assert refused(request("GET", path, openai.headers(), key=False), 404, "invalid_request_error", None, "unknown_url")
    openai.site.grant(0)
    reply = openai.ask("x")
    assert refused(reply, 429, "insufficient_quota", None, "insufficient_quota")
    openai.site.sql("update banter_data.workspace set credits = null where workspace = %s", openai.tenant.workspace)
    openai.site.configure(rate_limit=1, rate_window=100)
    assert openai.ask("x").status_code == 200
    reply = openai.ask("x")
    assert refused(reply, 429, "requests", None, "rate_limit_exceeded") and 1 <= int(reply.headers["Retry-After"]) <= 100
    assert reply.headers["X-RateLimit-Limit"] == "1"


def test_O1_unknown_members_are_ignored(openai):
    said = openai.answer(script(name(), tokens=["x"]), temperature=2, top_p=1, presence_penalty=0, frequency_penalty=0, user="u", n=3,
                         tools=[{"type": "function", "function": {"name": "f"}}], tool_choice="auto", max_tokens=1, seed=1,
                         response_format={"type": "text"}, stream=None, metadata={}, logprobs=True)
    assert [choice["index"] for choice in said["choices"]] == [0]


# O2


def test_O2_a_model_is_a_chatbot_by_its_id_or_its_name(openai):
    called = name("bot")
    openai.site.sql("update banter_data.chatbot set name = %s where chatbot = %s", called, openai.tenant.chatbot)
    assert openai.answer("x", model=called)["model"] == called
    assert openai.answer("x", model=openai.tenant.chatbot)["model"] == openai.tenant.chatbot
    for other in ("none", called.upper(), f"{called} ", "x" * 200):
        assert refused(openai.ask("x", model=other), 404, "invalid_request_error", "model", "model_not_found")
    openai.site.sql("select banter.chatbot_create(%s, %s, %s, '')", openai.tenant.workspace, name("twin"), called)
    assert refused(openai.ask("x", model=called), 404, "invalid_request_error", "model", "model_not_found")
    openai.site.configure(active=False)
    assert refused(openai.ask("x", model=openai.tenant.chatbot), 404, "invalid_request_error", "model", "model_not_found")
    assert openai.ask("x", model=called).status_code == 200, "now it is the only one of its name"


def test_O2_the_list_of_models(openai, site):
    other = site.for_new_tenant()
    read = openai.site.request("GET", "/v1/models", openai.headers(), key=False)
    assert read.status_code == 200 and read.json()["object"] == "list"
    (model,) = read.json()["data"]
    assert model.pop("created") > 1700000000
    assert model == {"id": openai.tenant.chatbot, "object": "model", "owned_by": "banter", "name": "Demo"}
    assert other.tenant.chatbot not in read.text
    assert refused(openai.site.request("GET", "/v1/models", key=False), 401, "invalid_request_error", None, "invalid_api_key")
    assert refused(openai.site.request("GET", "/v1/models", {"Authorization": f"Bearer {openai.tenant.widget_key}"}, key=False),
                   401, "invalid_request_error", None, "invalid_api_key")


# O3


def test_O3_the_clients_history_is_what_the_model_sees(openai):
    openai.site.configure(system_prompt="Be kind.")
    word = name()
    said = openai.answer([
        {"role": "system", "content": "You are a pirate."}, user("first"), assistant("one"), user("second"), user("third"),
        {"role": "tool", "content": "no", "tool_call_id": "x"}, assistant(None), assistant("two"),
        user([{"type": "text", "text": "more"}, {"type": "image_url", "image_url": {"url": "data:,"}},
              {"type": "text", "text": script(word, tokens=["x"])}]),
        assistant("a beginning")])
    assert said["choices"][0]["message"]["content"] == "x"
    shown = openai.shown(word)
    question = shown.pop()
    assert shown == [("system", "Be kind."), ("user", "first"), ("assistant", "one"), ("user", "second"), ("user", "third"),
                     ("assistant", "two")]
    assert question == ("user", f"more\n{script(word, tokens=['x'])}")
    (stored,) = openai.site.exchanges()
    assert stored["question"] == question[1], "this exchange alone is stored"
    openai.answer([user("first"), assistant("one"), user(script(word + "b", tokens=["x"]))])
    for none in (None, "", [{"type": "image_url", "image_url": {"url": "data:,"}}]):
        reply = openai.ask([user("first"), assistant("one"), user(none)])
        assert refused(reply, 400, "invalid_request_error", None, "invalid_request"), "and not the question before it"
    assert len({row["conversation"] for row in openai.site.exchanges()}) == 2, "each in a conversation of its own"


def test_O3_a_system_message_counts_where_the_chatbot_says_so(openai):
    openai.site.configure(system_prompt="Be kind.", client_system=True)
    word = name()
    openai.answer([{"role": "system", "content": "You are a pirate."}, {"role": "developer", "content": "Rhyme."},
                   user(script(word, tokens=["x"]))])
    assert openai.shown(word)[0] == ("system", "Be kind.\n\nYou are a pirate.\n\nRhyme.")
    openai.site.configure(system_prompt="")
    openai.answer([{"role": "system", "content": "You are a pirate."}, user(script(word + "b", tokens=["x"]))])
    assert openai.shown(word + "b")[0] == ("system", "You are a pirate.")
    openai.answer([user(script(word + "c", tokens=["x"]))])
    assert openai.shown(word + "c")[0][0] == "user"


def test_O3_a_history_that_is_too_long_is_cut_at_its_beginning(openai):
    openai.site.configure(history_chars=50, system_prompt="")
    word = name()
    openai.answer([user("a" * 30), assistant("b" * 30), user("c" * 20), assistant("d" * 20), user(script(word, tokens=["x"]))])
    assert [text for _, text in openai.shown(word)[:-1]] == ["c" * 20, "d" * 20]
    openai.site.configure(history_chars=None, history_messages=1)
    openai.answer([user("a"), assistant("b"), user(script(word + "b", tokens=["x"]))])
    assert len(openai.shown(word + "b")) == 1, "an answer alone is no beginning"


def test_O3_a_long_message(openai):
    """The limit of 4,000 is not for it; the history's is."""
    assert openai.ask("x" * 32000).status_code == 200
    assert refused(openai.ask("x" * 32001), 400, "invalid_request_error", None, "invalid_request")


# O4


@pytest.mark.parametrize("header", ["X-Conversation-Id", "X-OpenWebUI-Chat-Id"])
def test_O4_a_conversation_that_is_named_goes_on(openai, header):
    called, word = name(), name()
    openai.answer(script(word, tokens=["one"]), headers={header: called})
    openai.answer([user("forged"), assistant("forged"), user(script(word + "b", tokens=["two"]))], headers={header: called})
    assert [text for role, text in openai.shown(word + "b") if role != "system"] == [
        script(word, tokens=["one"]), "one", script(word + "b", tokens=["two"])]
    assert len({row["conversation"] for row in openai.site.exchanges()}) == 1
    openai.answer(script(word + "c", tokens=["x"]), headers={header: called + "2"})
    assert len(openai.shown(word + "c")) <= 2, "another name, another conversation"
    for wrong in ("", "x" * 129, "a/b"):
        assert refused(openai.ask("x", headers={header: wrong}), 400, "invalid_request_error", None, "invalid_request")


def test_O4_no_widget_keys_session_meets_it(openai):
    called = name()
    openai.answer("x", headers={"X-Conversation-Id": called})
    assert openai.site.chat("Hello", called).status_code == 200
    assert openai.site.chat("Hello", "/" + called).status_code == 400
    assert len({row["conversation"] for row in openai.site.exchanges()}) == 2


def test_O4_first_messages_at_once_make_one_conversation(openai):
    called = name()
    with concurrent.futures.ThreadPoolExecutor(6) as crowd:
        replies = list(crowd.map(lambda _: openai.ask("x", headers={"X-Conversation-Id": called}).status_code, range(6)))
    assert replies == [200] * 6
    assert len({row["conversation"] for row in openai.site.exchanges()}) == 1


def test_I1_a_completion_is_given_again(openai):
    once = {"Idempotency-Key": name()}
    message = script(name(), tokens=["again"], finish="length")
    first, second = openai.answer(message, headers=once), openai.answer(message, headers=once)
    assert first["id"] == second["id"] and second["choices"] == first["choices"] and second["usage"] == first["usage"]
    assert second["choices"][0]["finish_reason"] == "length" and second["choices"][0]["message"]["content"] == "again"
    assert len(openai.site.exchanges()) == 1
    assert refused(openai.ask("other", headers=once), 409, "invalid_request_error", None, "idempotency_key_reused")


# O5


def test_O5_a_long_body(openai):
    word = name()
    long = [user("q" * 500), assistant("a" * 500)] * 900
    assert len(json.dumps(long)) > 900_000
    assert openai.answer([*long, user(script(word, tokens=["x"]))])["choices"][0]["message"]["content"] == "x"
    assert len(openai.shown(word)) > 10
    assert openai.ask([user("x" * 1_040_000)]).status_code == 400, "the history's limit"
    reply = openai.site.request("POST", COMPLETIONS, {"Authorization": "Bearer none"}, key=False, data=b"{" * 900_000)
    assert refused(reply, 401, "invalid_request_error", None, "invalid_api_key")


def test_O5_a_long_body_of_many_values(openai):
    """Each takes memory, however short it is: there is at most one for 16 bytes of what a body may have."""
    question, others = script(name(), tokens=["x"]), 8  # the body, its members, and what the message has
    assert openai.ask(question, pad="x" * 65536, more=[0] * (65536 - others)).status_code == 200
    for one in (0, {}, [], "", None):
        reply = openai.ask(question, pad="x" * 65536, more=[one] * (65537 - others))
        assert refused(reply, 400, "invalid_request_error", None, "invalid_request"), one
