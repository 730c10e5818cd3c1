"""The chatbot API, B1 to B5: what of it is not the headless API's too (that is test_apis.py)."""

import collections
import json
import subprocess
import time

import apis
import servers
import pytest
from servers import script
from site_client import at_once

RATE = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"


@pytest.fixture
def api(site):
    return apis.Chatbot(site)


def refused(response, status, code):
    """The refusal's whole form, its text as the contract has it."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    more = {"retryAfter": int(response.headers["Retry-After"])} if status == 429 else {}
    assert apis.TABLE[code][0] == status
    assert body == {"success": False, "error": apis.TABLE[code][1], "code": code, **more}
    return True


def data(response):
    assert response.status_code == 200, response.text
    return response.json()["data"]


def limit(api, most, window=1000):
    api.site.sql("update banter_data.chatbot set rate_limit = %s, rate_window = %s where chatbot = %s",
                 most, window, api.site.tenant.chatbot)


def rate(response):
    return tuple(int(response.headers[name]) for name in RATE)


# B1


def test_B1_the_answer_in_one_piece(api):
    response = api.json(script("hello", tokens=["Hi ", "you"]))
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert body == {"success": True, "data": {"response": "Hi you", "conversationId": body["data"]["conversationId"],
                                              "messageId": body["data"]["messageId"]}}
    assert api.site.sql(
        "select answer, conversation, state from banter_data.exchange where workspace = %s and answer_id = %s",
        api.site.tenant.workspace, body["data"]["messageId"]) == [("Hi you", body["data"]["conversationId"], "done")]


def test_B1_a_conversation_goes_on(api):
    first = data(api.json(script("one", tokens=["1"])))
    text = servers.name()
    second = data(api.json(text, {"conversationId": first["conversationId"]}))
    assert second["conversationId"] == first["conversationId"]
    assert second["messageId"] != first["messageId"]
    messages = api.site.model.wait(text)["body"]["messages"]
    assert [m["content"] for m in messages][2:] == ["1", text]
    assert data(api.json("another"))["conversationId"] != first["conversationId"]


@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("sent", [None, False, True])
def test_B1_stream_overrides_the_chatbots_setting(api, default, sent):
    api.site.sql("update banter_data.chatbot set stream = %s where chatbot = %s", default, api.site.tenant.chatbot)
    response = api.post({"message": "hello", **({} if sent is None else {"stream": sent})}, True)
    streams = default if sent is None else sent
    assert response.headers["Content-Type"] == ("text/event-stream" if streams else "application/json")
    assert api.post({"message": "hello", "stream": None}).headers["Content-Type"].startswith("text/" if default else "app")


@pytest.mark.parametrize("metadata", [
    "{}", '{"source":"mobile_app","userId":"user_123"}', '{ "b":1e999999, "a" : 1.10,"b":[null,{"\\u00e9":"\u00e9"}] }',
    '{"x":"' + "y" * (16384 - 8) + '"}'], ids=["empty", "the page's", "odd", "16 KiB"])
def test_B1_metadata_is_stored_as_sent(api, metadata):
    answer = data(api.post(b'{"message":"hello","metadata":' + metadata.encode() + b"}"))
    ((stored,),) = api.site.sql("select metadata::text from banter_data.exchange where answer_id = %s", answer["messageId"])
    assert stored == metadata


def test_B1_metadata_is_none_of_the_models_business(api):
    text = servers.name()
    api.json(text, {"metadata": {"secret": "marker-word"}})
    assert "marker-word" not in json.dumps(api.site.model.wait(text))


@pytest.mark.parametrize("member", [
    {"metadata": []}, {"metadata": "x"}, {"metadata": 1}, {"metadata": {"x": "y" * (16384 - 7)}}, {"stream": "true"},
    {"stream": 1}, {"conversationId": 5}, {"conversationId": ["x"]}],
    ids=lambda member: str(member)[:30])
def test_B1_members_of_a_wrong_type(api, member):
    assert refused(api.post({"message": "hello", **member}), 400, "INVALID_REQUEST")
    assert api.site.exchanges() == []


def test_B1_null_is_absent(api):
    assert data(api.post({"message": "hello", "stream": None, "conversationId": None, "metadata": None}))["response"]


def test_B1_a_chatbots_settings_reach_the_model(api):
    api.site.sql("""update banter_data.chatbot set model = 'm-1', system_prompt = 'Be brief.', temperature = 1.25, max_tokens = 9,
                 history_messages = 2 where chatbot = %s""", api.site.tenant.chatbot)
    own = api.conversation()
    for number in range(3):
        data(api.json(script("q", tokens=[str(number)]), own))
    text = servers.name()
    data(api.json(text, own))
    body = api.site.model.wait(text)["body"]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m-1", 1.25, 9)
    assert [m["content"] for m in body["messages"] if m["role"] != "user"] == ["Be brief.", "2"]


# B2


def test_B2_events(api):
    """Byte by byte: one data line an event, then an empty line."""
    response = api.post(api.body(script("?", tokens=["a\nb", "\u2028", "\U0001f600"]), True), True)
    assert response.headers["Content-Type"] == "text/event-stream"
    *blocks, last = response.content.decode().split("\n\n")
    assert last == ""
    assert all(block.startswith("data: {") and len(block.splitlines()) == 1 for block in blocks), blocks
    start, *tokens, done = [json.loads(block[6:]) for block in blocks]
    ids = {"conversationId": start["conversationId"], "messageId": start["messageId"]}
    assert start == {"type": "start", **ids}
    assert tokens == [{"type": "token", "token": token} for token in ("a\nb", "\u2028", "\U0001f600")]
    assert done == {"type": "done", "message": "a\nb\u2028\U0001f600", **ids}
    assert api.site.sql("select answer from banter_data.exchange where answer_id = %s", ids["messageId"]) == [(done["message"],)]


def test_B2_an_error_carries_its_code(api):
    events = api.stream(script("?", tokens=["a", "b"], cut_after=1)).rest()
    assert events[-1] == {"type": "error", "error": "Internal server error", "code": "INTERNAL_ERROR"}


# B3


def test_B3_keys(api):
    good = api.site.tenant.workspace_key
    path = api.path(False)

    def ask(value):
        headers = {} if value is None else {"Authorization": value}
        return api.site.request("POST", path, headers, key=False, json={"message": "hello"})

    assert refused(ask(None), 401, "MISSING_AUTH_HEADER")
    assert refused(ask(""), 401, "MISSING_AUTH_HEADER")
    for value in (good, "Bearer", f"Basic {good}", f"Bearer{good}", "Token x"):
        assert refused(ask(value), 401, "MALFORMED_AUTH_HEADER")
    last = "0" if good[-1] != "0" else "1"
    for key in ("x", good[:-1], good + "0", good[:-1] + last, "sk-workspace_", api.site.tenant.widget_key):
        assert refused(ask(f"Bearer {key}"), 401, "INVALID_API_KEY")
    assert data(ask(f"bearer {good}"))
    assert data(ask(f"Bearer  {good}"))


def test_B3_not_found(api):
    other = api.site.for_new_tenant()
    mine = data(api.json("hello"))["conversationId"]
    theirs = data(apis.Chatbot(other).json("hello"))["conversationId"]
    sibling = servers.name()
    api.site.sql("select banter.chatbot_create(%s, %s, 'sibling', '')", api.site.tenant.workspace, sibling)

    def ask(chatbot, **body):
        return api.site.request("POST", f"/api/v1/chatbots/{chatbot}/chat", api.key(), key=False, json={"message": "hello", **body})

    for chatbot in ("none", "x" * 41, "%41", "a.b", other.tenant.chatbot):
        assert refused(ask(chatbot), 404, "CHATBOT_NOT_FOUND")
    for conversation in ("none", "", "x" * 41, "a b", theirs):
        assert refused(ask(api.site.tenant.chatbot, conversationId=conversation), 404, "CONVERSATION_NOT_FOUND")
    assert refused(ask(sibling, conversationId=mine), 404, "CONVERSATION_NOT_FOUND")
    assert ask(sibling).status_code == 200
    api.site.sql("update banter_data.chatbot set active = false where chatbot = %s", sibling)
    assert refused(ask(sibling), 404, "CHATBOT_NOT_FOUND")


@pytest.mark.parametrize("path", ["/api/x", "/api/v1/chatbots", "/api/v1/chatbots//chat", "/api/v1/chatbots/x/y/chat", "/api/v2/x"])
def test_B3_no_such_path(api, path):
    assert refused(api.site.request("POST", path, api.key(), key=False), 404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_B3_no_such_method(api, method):
    response = api.site.request(method, api.path(False), api.key(), key=False)
    assert refused(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "POST"


def test_B3_insufficient_credits(api):
    api.site.grant(0)
    assert refused(api.json("hello"), 402, "INSUFFICIENT_CREDITS")


# B4


def test_B4_exact_under_concurrency(api):
    """200 requests at once against a limit of 50: exactly 50 pass, each told another remainder."""
    limit(api, 50)
    replies = at_once(200, lambda index: api.json("hello"))
    assert collections.Counter(reply.status_code for reply in replies) == {200: 50, 429: 150}
    assert sorted(rate(reply)[1] for reply in replies if reply.status_code == 200) == list(range(50))
    assert {rate(reply)[0] for reply in replies} == {50}
    assert len({rate(reply)[2] for reply in replies}) == 1
    assert all(refused(reply, 429, "RATE_LIMIT_EXCEEDED") for reply in replies if reply.status_code == 429)
    assert {rate(reply)[1] for reply in replies if reply.status_code == 429} == {0}
    assert len(api.site.exchanges()) == 50


def test_B4_the_window(api):
    """Fixed, from its first request; Retry-After is what is left of it, in the database's time."""
    limit(api, 2, window=1000)
    began = time.time()
    first, second, third = (api.json("hello") for _ in range(3))
    assert [reply.status_code for reply in (first, second, third)] == [200, 200, 429]
    reset = rate(first)[2]
    assert began + 999 <= reset <= time.time() + 1001
    assert [rate(reply) for reply in (first, second, third)] == [(2, 1, reset), (2, 0, reset), (2, 0, reset)]
    assert refused(third, 429, "RATE_LIMIT_EXCEEDED")
    assert reset - time.time() - 2 <= int(third.headers["Retry-After"]) <= 1000
    api.site.sql("update banter_data.rate_window set started_at = started_at - interval '1000 s' where workspace = %s",
                 api.site.tenant.workspace)
    again = api.json("hello")
    assert (again.status_code, rate(again)[1]) == (200, 1)
    assert rate(again)[2] >= reset


def test_B4_every_reply_once_the_chatbot_is_known(api):
    limit(api, 100)
    own = {"conversationId": data(api.json("hello"))["conversationId"]}
    once, gate = {"Idempotency-Key": servers.name()}, servers.name()
    stream = api.stream(script("?", tokens=["a"], gates={"1": gate}), headers=once)
    assert rate(stream)[:2] == (100, 98)
    body = api.body(script("?", tokens=["a"], gates={"1": gate}), True)
    progress = api.post(body, True, once)
    reused = api.json("other", headers=once)
    api.site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "done"
    replay = api.post(body, True, once)
    assert [r.status_code for r in (progress, reused, replay)] == [409, 409, 200]
    assert [rate(r)[:2] for r in (progress, reused, replay)] == [(100, 98)] * 3, "what was decided before is not counted again"
    failed = api.json(script("?", status=500))
    missing = api.json("hello", {"conversationId": "none"})
    api.site.grant(0)
    broke = api.json("hello", own)
    assert [r.status_code for r in (failed, missing, broke)] == [500, 404, 402]
    assert [rate(r)[1] for r in (failed, missing, broke)] == [97, 96, 95]


def test_B4_not_before_the_chatbot_is_known_nor_without_a_limit(api):
    unlimited = api.json("hello")
    limit(api, 100)
    for response in (unlimited, api.post(b"{"), api.site.request("POST", api.path(False), key=False, data=b"{}"),
                     api.site.request("POST", "/api/v1/chatbots/none/chat", api.key(), key=False, json={"message": "hello"})):
        assert not [name for name in response.headers if name.lower().startswith("x-ratelimit")]


def test_B4_each_chatbot_has_its_own_window(api):
    limit(api, 1)
    sibling = servers.name()
    api.site.sql("select banter.chatbot_create(%s, %s, 'sibling', '')", api.site.tenant.workspace, sibling)
    api.site.sql("update banter_data.chatbot set rate_limit = 1 where chatbot = %s", sibling)
    ask = lambda: api.site.request("POST", f"/api/v1/chatbots/{sibling}/chat", api.key(), key=False, json={"message": "x"})  # noqa: E731
    assert [api.json("hello").status_code, ask().status_code, api.json("hello").status_code, ask().status_code] == [200, 200, 429, 429]


def test_B4_a_limit_of_zero_lets_nobody_in(api):
    limit(api, 0)
    assert refused(api.json("hello"), 429, "RATE_LIMIT_EXCEEDED")


# Keys


def test_G11_a_key_is_revoked_at_once(api):
    """For every worker: none keeps what it knew of a key. A second key of the workspace goes on."""
    assert {reply.status_code for reply in at_once(8, lambda index: api.json("hello"))} == {200}
    api.site.sql("update banter_data.api_key set revoked_at = now() where workspace = %s and kind = 'workspace'",
                 api.site.tenant.workspace)
    replies = at_once(16, lambda index: api.json("hello"))
    assert all(refused(reply, 401, "INVALID_API_KEY") for reply in replies)
    assert apis.Headless(api.site).json("hello").status_code == 200


def test_G11_revoked_while_its_stream_runs(api):
    """What has begun ends as it would have; the next is refused, its replay too."""
    gate, once = servers.name(), {"Idempotency-Key": servers.name()}
    stream = api.stream(script("?", tokens=["a"], gates={"1": gate}), headers=once)
    api.site.sql("update banter_data.api_key set active = false where workspace = %s", api.site.tenant.workspace)
    api.site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "done"
    assert refused(api.post(api.body(script("?", tokens=["a"], gates={"1": gate}), True), headers=once), 401, "INVALID_API_KEY")


def test_keys_note_their_last_use(api):
    def used():
        return dict(api.site.sql("select kind, last_used_at is not null from banter_data.api_key where workspace = %s",
                                 api.site.tenant.workspace))

    assert used() == {"widget": False, "workspace": False}
    data(api.json("hello"))
    assert used() == {"widget": False, "workspace": True}
    apis.Headless(api.site).json("hello")
    assert used() == {"widget": True, "workspace": True}


def test_keys_are_stored_hashed_only(api):
    """No column of any table holds one."""
    dump = subprocess.run(
        [servers.postgres_bin() / "pg_dump", "--data-only", api.site.postgres.url("owner")], capture_output=True, text=True, check=True).stdout
    assert api.site.tenant.chatbot in dump
    for key in (api.site.tenant.workspace_key, api.site.tenant.widget_key):
        assert key not in dump
        assert key[-6:] not in [word for line in dump.splitlines() for word in line.split("\t")]
