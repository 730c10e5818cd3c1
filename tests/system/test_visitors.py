"""A page's visitors, by a site key, and what they and widget keys read back: P1 to P5, R1 to R3."""

import concurrent.futures
import datetime
import hashlib
import hmac
import json
import secrets
import time

import exposition
import pytest
import servers
from ctl import ctl
from servers import name, script
from site_client import Stream
from tenants import new_key

PAGE = "https://shop.example"
OTHER_PAGE = "https://www.shop.example"
READABLE = "x-request-id", "retry-after", "x-visitor-token"


class Pages:
    """A site key, of a tenant of its own or (tenant=False) the site's, and what pages send with it."""

    def __init__(self, site, origins=(PAGE, OTHER_PAGE), tenant=True):
        self.site = site.for_new_tenant() if tenant else site
        tenant = self.site.tenant
        self.key = new_key("site", tenant.workspace)
        hashed = hashlib.sha256(self.key.encode()).digest()
        self.key_id = hashed[:13].hex()
        self.site.sql("select banter.key_create(%s, %s, 'site', %s, %s, %s, 'pages', %s)",
                      tenant.workspace, self.key_id, tenant.chatbot, hashed, self.key[-4:], list(origins))

    def sign(self, secret):
        """From here on the site's back end may say who is signed in."""
        pads = [bytes(byte ^ pad for byte in secret.encode().ljust(64, b"\0")) for pad in (0x36, 0x5c)]
        self.site.sql("update banter_data.api_key set identity_inner = %s, identity_outer = %s where workspace = %s and api_key = %s",
                      *pads, self.site.tenant.workspace, self.key_id)

    def headers(self, token=None, origin=PAGE, **more):
        named = {"x-api-key": self.key, "Origin": origin, "X-Visitor-Token": token, **more}
        return {header: value for header, value in named.items() if value is not None}

    def ask(self, message="Hello", session="main", path="/v1/chat", **headers):
        return self.site.request("POST", path, self.headers(**headers), key=False, json=self.site.body(message, session))

    def stream(self, message="Hello", session="main", **headers):
        response = self.site.request("POST", "/v1/chat/stream", self.headers(**headers), key=False, stream=True,
                                     json=self.site.body(message, session))
        assert response.status_code == 200, response.text
        return Stream(response)

    def read(self, path="", token=None, origin=None, method="GET", **headers):
        return self.site.request(method, "/v1/chat/conversations" + path, self.headers(token, origin, **headers), key=False)

    def messages(self, conversation, token=None, **more):
        reply = self.read(f"/{conversation}/messages", token, **more)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def enter(self, message="Hello", session="main"):
        """A new visitor: the token, and the conversation."""
        reply = self.ask(message, session)
        assert reply.status_code == 200, reply.text
        return reply.headers["X-Visitor-Token"], reply.json()["conversationId"]


@pytest.fixture
def pages(shared_site):
    return Pages(shared_site)


def may_be_read(reply):
    """By a page of any origin, without credentials."""
    headers = reply.headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert set(headers["Access-Control-Expose-Headers"].lower().split(", ")) >= set(READABLE)
    assert "Access-Control-Allow-Credentials" not in headers
    return True


def seen(site, message):
    """What the model was shown, as text."""
    return json.dumps(site.model.wait(message))


# P1


@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream", "/chat"])
def test_P1_a_page_of_the_keys_talks(pages, path, origin):
    reply = pages.ask(path=path, origin=origin)
    assert reply.status_code == 200 and may_be_read(reply)


@pytest.mark.parametrize("origin", [
    None, "", "null", "*", "https://evil.example", "http://shop.example", "https://shop.example:443", "https://SHOP.example",
    "https://shop.example/", "https://shop.example.evil.example", f"{PAGE}, {OTHER_PAGE}", f"{PAGE},{OTHER_PAGE}",
])
def test_P1_no_other_page_does(pages, origin):
    for token in (None, pages.enter()[0]):
        reply = pages.ask(origin=origin, token=token)
        assert (reply.status_code, reply.json()) == (403, {"error": "Forbidden"}) and may_be_read(reply)
        assert "X-Visitor-Token" not in reply.headers


def test_P1_every_reply_to_a_site_key_may_be_read(pages, start):
    """Errors too: a page must be able to show a 429. Also those that come before the key is judged."""
    spoilt = pages.key[:-1] + ("a" if pages.key[-1] != "a" else "b")
    for key, status in ((spoilt, 401), ("pk-site_", 401), (new_key("site", 1), 401)):
        reply = pages.site.request("POST", "/v1/chat", {"x-api-key": key, "Origin": PAGE}, key=False, json=pages.site.body("Hello"))
        assert (reply.status_code, reply.json()) == (status, {"error": "Unauthorized"}) and may_be_read(reply)
    reply = pages.site.request("PUT", "/v1/chat", pages.headers(), key=False)
    assert reply.status_code == 405 and may_be_read(reply)
    reply = pages.site.request("POST", "/v1/chat", pages.headers(), key=False, data="{")
    assert reply.status_code == 400 and may_be_read(reply)
    pages.site.grant(0)
    reply = pages.ask()
    assert reply.status_code == 402 and may_be_read(reply) and "X-Visitor-Token" not in reply.headers
    few = Pages(start(address_limit=1, address_window=3600, workers=1))
    assert [few.ask().status_code for _ in range(2)] == [200, 429]
    assert may_be_read(few.ask())


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream", "/chat"])
@pytest.mark.parametrize("origin", [PAGE, "https://evil.example", "null"])
def test_P1_a_preflight_is_answered_for_any_page(pages, path, origin):
    """It carries no key: whose page it is cannot be known yet."""
    reply = pages.site.request("OPTIONS", path, {
        "Origin": origin, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key,x-visitor-token"}, key=False)
    assert (reply.status_code, reply.content) == (204, b"") and may_be_read(reply)
    assert reply.headers["Access-Control-Allow-Methods"] == "POST"
    allowed = set(reply.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert allowed >= {"x-api-key", "content-type", "idempotency-key", "x-visitor-token", "x-visitor-identity"}


def test_P1_a_site_key_is_good_for_nothing_else(pages):
    """Neither the chatbot API nor, as a widget key, another's name for it; and no widget key is a site key."""
    path = f"/api/v1/chatbots/{pages.site.tenant.chatbot}/chat"
    reply = pages.site.request("POST", path, {"Authorization": f"Bearer {pages.key}", "Origin": PAGE}, key=False, json={"message": "Hello"})
    assert (reply.status_code, reply.json()["code"]) == (401, "INVALID_API_KEY")
    assert "Access-Control-Allow-Origin" not in reply.headers
    reply = pages.site.chat("Hello", headers={"Origin": PAGE})
    assert reply.status_code == 200 and "Access-Control-Allow-Origin" not in reply.headers and "X-Visitor-Token" not in reply.headers


def test_P1_origins_change_and_a_key_is_revoked_at_once(pages):
    token, _ = pages.enter()
    pages.site.sql("select banter.key_set(%s, %s)", pages.key_id, json.dumps({"origins": OTHER_PAGE}))
    assert [pages.ask(token=token, origin=origin).status_code for origin in (PAGE, OTHER_PAGE)] == [403, 200]
    pages.site.sql("select banter.key_revoke(%s)", pages.key_id)
    assert pages.ask(token=token, origin=OTHER_PAGE).status_code == 401


# P2


def test_P2_a_visitor_goes_on(pages):
    """Whoever sends the token that came with the first answer, and its session's name."""
    first, second = name(), name()
    token, conversation = pages.enter(script(first, tokens=["Nine."]))
    assert token.startswith("vt-site_") and len(token) == 30
    reply = pages.ask(second, token=token)
    assert (reply.status_code, reply.json()["conversationId"]) == (200, conversation)
    assert "X-Visitor-Token" not in reply.headers, "it has one"
    assert first in seen(pages.site, second)


def test_P2_a_stream_brings_the_token_in_its_head(pages):
    stream = pages.stream(script(name(), tokens=["a", "b"]))
    token = stream.headers["X-Visitor-Token"]
    start, *_, done = stream.rest()
    assert (start["type"], done["type"]) == ("start", "done")
    assert pages.ask(token=token).json()["conversationId"] == start["conversationId"]


def test_P2_a_failed_first_exchange_brings_it_too(pages):
    """The question is stored: whoever asks again goes on in the same conversation."""
    reply = pages.ask(script(name(), status=400))
    assert reply.status_code == 500
    token = reply.headers["X-Visitor-Token"]
    assert pages.ask(token=token).status_code == 200
    assert pages.site.sql("select count(*) from banter_data.conversation where workspace = %s", pages.site.tenant.workspace) == [(1,)]


def test_P2_nobody_goes_on_with_anothers_conversation(pages):
    """By naming its session: not another visitor, not a widget key, and the reverse."""
    secret = name()
    _, conversation = pages.enter(script(secret, tokens=[secret]), "main")
    asked = name()
    other_token, other = pages.enter(asked, "main")
    assert other != conversation and secret not in seen(pages.site, asked)
    asked = name()
    widget = pages.site.chat(asked, "main").json()["conversationId"]
    assert widget not in (conversation, other) and secret not in seen(pages.site, asked)
    asked = name()
    assert pages.ask(asked, token=other_token).json()["conversationId"] == other
    assert secret not in seen(pages.site, asked)


def test_P2_what_is_no_token_of_ours_is_nobodys(pages):
    """Made up, spoilt, empty, of another chatbot's or workspace's visitor: the same 401, and nothing is stored."""
    token, _ = pages.enter()
    other = Pages(pages.site)
    before = pages.site.postgres.rows("conversation", "t.workspace = %s", pages.site.tenant.workspace)
    for wrong in ("vt-site_" + "A" * 22, token[:-1], token + "A", token.swapcase(), "x", "", "é".encode().decode("latin-1"),
                  other.enter()[0], pages.key, "x" * 5000):
        reply = pages.ask(token=wrong)
        assert (reply.status_code, reply.json()) == (401, {"error": "Unknown visitor"}) and may_be_read(reply), wrong[:40]
        assert "X-Visitor-Token" not in reply.headers
    assert pages.site.postgres.rows("conversation", "t.workspace = %s", pages.site.tenant.workspace) == before


def test_P2_a_visitor_is_revoked_by_erasing_it(pages):
    token, _ = pages.enter()
    pages.site.sql("delete from banter_data.visitor where workspace = %s", pages.site.tenant.workspace)
    assert (pages.ask(token=token).status_code, pages.ask().status_code) == (401, 200)


def test_P2_who_has_no_conversation_any_more_is_forgotten_by_the_sweep(pages):
    (token, conversation), (other, _) = pages.enter(), pages.enter()
    assert pages.read(f"/{conversation}", token, PAGE, "DELETE").status_code == 204
    assert pages.read(token=token).status_code == 200
    assert ctl("sweep", url=pages.site.postgres.url("owner"))[0] == 0
    assert [(reply.status_code, reply.json()) for reply in (pages.read(token=token), pages.ask(token=token))] == [(401, {"error": "Unknown visitor"})] * 2
    assert pages.ask(token=other).status_code == 200 == pages.ask().status_code


def test_P2_the_database_and_the_log_never_have_the_token(pages):
    token, _ = pages.enter()
    assert pages.ask(token=token, **{"X-Request-Id": f"x{token}"}).status_code == 200
    for table in ("visitor", "conversation", "exchange", "idempotency"):
        assert token not in str(pages.site.postgres.rows(table, "t.workspace = %s", pages.site.tenant.workspace))
    assert token not in pages.site.banter.text()
    assert pages.site.sql("select hash from banter_data.visitor where workspace = %s", pages.site.tenant.workspace)[0][0].tobytes() == \
        hashlib.sha256(token.encode()).digest()


def test_I1_an_idempotency_key_is_its_visitors(pages):
    """Another visitor who takes the same one gets an answer of their own."""
    secret = name()
    (mine, _), (theirs, _) = pages.enter(), pages.enter()
    once = {"Idempotency-Key": "1"}
    message = script(secret, tokens=[secret])
    first = pages.ask(message, token=theirs, **once)
    assert first.status_code == 200
    assert pages.ask(message, token=theirs, **once).json() == first.json()
    count = pages.site.sql("select count(*) from banter_data.exchange where workspace = %s", pages.site.tenant.workspace)[0][0]
    other = pages.ask(message, token=mine, **once)
    assert other.status_code == 200 and other.json()["conversationId"] != first.json()["conversationId"]
    assert pages.site.sql("select count(*) from banter_data.exchange where workspace = %s", pages.site.tenant.workspace) == [(count + 1,)]


# P3


def signed(pages, secret, user, seconds=3600, key_id=None):
    expires = int(time.time()) + seconds
    said = f"{key_id or pages.key_id}\n{expires}\n{user}"
    return {"X-Visitor-Identity": f"{expires}:{hmac.new(secret.encode(), said.encode(), 'sha256').hexdigest()}:{user}"}


@pytest.fixture
def secret(pages):
    text = secrets.token_urlsafe(32)
    pages.sign(text)
    return text


def test_P3_a_signed_in_user_is_the_same_everywhere(pages, secret):
    """With any token, or none; and needs none of ours."""
    reply = pages.ask(**signed(pages, secret, "anna@shop.example"))
    assert reply.status_code == 200 and "X-Visitor-Token" not in reply.headers
    conversation = reply.json()["conversationId"]
    for token in (None, pages.enter()[0], "unknown"):
        assert pages.ask(token=token, **signed(pages, secret, "anna@shop.example")).json()["conversationId"] == conversation
    assert pages.ask(**signed(pages, secret, "otto")).json()["conversationId"] != conversation


def test_P3_who_signs_in_takes_their_conversation_along_and_signing_out_forgets_it(pages, secret):
    token, conversation = pages.enter()
    anna = signed(pages, secret, "anna")
    assert pages.ask(token=token, **anna).json()["conversationId"] == conversation
    asked = name()
    reply = pages.ask(asked, token=token)
    assert reply.status_code == 200 and reply.json()["conversationId"] != conversation
    assert pages.ask(**anna).json()["conversationId"] == conversation


def test_P3_signing_out_forgets_an_answer_that_an_idempotency_key_would_give_again(pages, secret):
    said = name()
    message, once = script(name(), tokens=[said]), {"Idempotency-Key": "1"}
    first = pages.ask(message, **once)
    token, conversation = first.headers["X-Visitor-Token"], first.json()["conversationId"]
    assert pages.ask(message, token=token, **once).json() == first.json()
    assert pages.ask(token=token, **signed(pages, secret, "anna")).json()["conversationId"] == conversation
    again = pages.ask(message, token=token, **once)
    assert again.status_code == 200 and again.json()["conversationId"] != conversation
    assert pages.ask(message, token=token, **once).json() == again.json()


def test_P3_nobody_else_s_conversation_is_taken_along(pages, secret):
    token, conversation = pages.enter()
    asked = name()
    assert pages.ask(asked, **signed(pages, secret, "anna")).json()["conversationId"] != conversation
    assert pages.ask(token=token).json()["conversationId"] == conversation


def test_P3_what_is_not_signed_so_is_nobodys(pages, secret):
    good = signed(pages, secret, "anna")["X-Visitor-Identity"]
    expires, signature, user = good.split(":", 2)
    wrong = [
        signed(pages, secret, "anna", -1), signed(pages, secret, "anna", 86400 + 60), signed(pages, "another", "anna"),
        signed(pages, secret, "anna", key_id="another"),
        *({"X-Visitor-Identity": text} for text in (
            "", "anna", f"{expires}:{signature}:otto", f"{expires}:{signature}:", f"{expires}:{signature[:-1]}:anna",
            f"{expires}:{signature}0:anna", f"{int(expires) + 1}:{signature}:anna", f"+{expires}:{signature}:anna", f"::{user}",
            f"99999999999999999999:{signature}:anna", f"{expires}:{'z' * 64}:anna", f"{expires}:{signature}:anna otto",
            f"{expires}:{signature}:{'a' * 129}"))]
    for headers in wrong:
        for token in (None, pages.enter()[0]):
            reply = pages.ask(token=token, **headers)
            assert (reply.status_code, reply.json()) == (401, {"error": "Unknown visitor"}), headers
    unsigned = Pages(pages.site)
    assert unsigned.ask(**signed(unsigned, "", "anna")).status_code == 401, "a key that has no secret"


# R1


def listed(reply):
    assert reply.status_code == 200, reply.text
    return [one["id"] for one in reply.json()["conversations"]]


@pytest.mark.parametrize("origin", [None, PAGE])
def test_R1_a_visitor_sees_their_own_conversations_alone(pages, origin):
    token, conversation = pages.enter()
    second = pages.ask(session="second", token=token).json()["conversationId"]
    other_token, other = pages.enter()
    widget = pages.site.chat("Hello", "main").json()["conversationId"]
    assert listed(pages.read(token=token, origin=origin)) == [second, conversation]
    assert listed(pages.read(token=other_token, origin=origin)) == [other]
    assert pages.messages(conversation, token, origin=origin)["messages"]
    nobodys = pages.read("/nobodys/messages", token)
    assert (nobodys.status_code, nobodys.json()) == (404, {"error": "Not found"}) and may_be_read(nobodys)
    for hidden in (other, widget, "x" * 41, "%2e", "é"):
        reply = pages.read(f"/{hidden}/messages", token)
        assert (reply.status_code, reply.content) == (404, nobodys.content), hidden


def test_R1_who_is_nobody_sees_nothing(pages):
    token, conversation = pages.enter()
    for path in ("", f"/{conversation}/messages"):
        for wrong in (None, "", "vt-site_" + "A" * 22):
            reply = pages.read(path, wrong)
            assert (reply.status_code, reply.json()) == (401, {"error": "Unknown visitor"}) and may_be_read(reply)
        for origin in ("https://evil.example", "null", "", "https://\xe4"):
            reply = pages.site.raw("GET", "/v1/chat/conversations" + path, pages.headers(token, origin))
            assert (reply[0], json.loads(reply[2])) == (403, {"error": "Forbidden"}), origin
        reply = pages.site.request("GET", "/v1/chat/conversations" + path, {"x-api-key": "pk-site_", "X-Visitor-Token": token}, key=False)
        assert reply.status_code == 401


def test_R1_a_signed_in_user_sees_what_they_took_along(pages, secret):
    token, conversation = pages.enter()
    anna = signed(pages, secret, "anna")
    assert listed(pages.read(**anna)) == [], "nothing yet"
    assert listed(pages.read(token=token, **anna)) == [conversation], "what the token holds is theirs in a moment"
    pages.ask(token=token, **anna)
    assert (listed(pages.read(**anna)), listed(pages.read(token=token))) == ([conversation], [])
    assert listed(pages.read(**signed(pages, secret, "otto"))) == []


def test_R1_a_widget_key_sees_its_one_named_session(pages):
    site = pages.site
    session = name()
    conversation = site.chat("Hello", session).json()["conversationId"]
    other = site.chat("Hello").json()["conversationId"]
    _, visitors = pages.enter(session=session)
    named = {"X-Session-Id": session}
    (row,) = site.request("GET", "/v1/chat/conversations", named).json()["conversations"]
    assert (row["id"], row["sessionId"]) == (conversation, session)
    assert site.request("GET", f"/v1/chat/conversations/{conversation}/messages", named).json()["messages"]
    for hidden in (other, visitors, "nobodys"):
        assert site.request("GET", f"/v1/chat/conversations/{hidden}/messages", named).status_code == 404
    assert site.request("GET", "/v1/chat/conversations", {"X-Session-Id": name()}).json() == {"conversations": [], "before": None}
    for wrong in ({}, {"X-Session-Id": ""}, {"X-Session-Id": "a b"}, {"X-Session-Id": "x" * 129}):
        reply = site.request("GET", "/v1/chat/conversations", wrong)
        assert (reply.status_code, reply.json()) == (400, {"error": "Invalid request payload"})
    assert site.request("GET", "/v1/chat/conversations", {**named, "x-api-key": site.tenant.workspace_key}, key=False).status_code == 401


def test_R1_reading_changes_nothing(pages):
    token, conversation = pages.enter()
    tables = "conversation", "exchange", "visitor", "rate_window"
    workspace = pages.site.tenant.workspace
    before = {table: pages.site.postgres.rows(table, "t.workspace = %s", workspace) for table in tables}
    for method in ("GET", "HEAD"):
        assert pages.read(token=token, method=method).status_code == 200
        assert pages.read(f"/{conversation}/messages?before=3", token, method=method).status_code == 200
    assert {table: pages.site.postgres.rows(table, "t.workspace = %s", workspace) for table in tables} == before
    assert pages.read(token=token, method="HEAD").content == b""


# R2


def test_R2_messages_are_told_with_how_they_ended(pages):
    first = script(name(), tokens=["Nine", " to five."])
    token, conversation = pages.enter(first)
    failing = script(name(), status=400)
    assert pages.ask(failing, token=token).status_code == 500
    told = pages.messages(conversation, token)
    assert told["before"] is None
    assert [(one["role"], one["text"], one.get("status"), one.get("finishReason")) for one in told["messages"]] == [
        ("user", first, None, None), ("assistant", "Nine to five.", "done", "stop"),
        ("user", failing, None, None), ("assistant", "", "failed", None)]
    assert len({one["id"] for one in told["messages"]}) == 4
    for one in told["messages"]:
        assert datetime.datetime.fromisoformat(one["createdAt"].replace("Z", "+00:00")).tzinfo


def test_R2_a_running_answer_is_told_as_one(pages):
    gate = name()
    stream = pages.stream(script(name(), tokens=["a", "b"], gates={"1": gate}))
    conversation = next(stream)["conversationId"]
    assert [one.get("status") for one in pages.messages(conversation, stream.headers["X-Visitor-Token"])["messages"]] == [None, "running"]
    pages.site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "done"


def test_R2_pages_by_cursor_lead_through_all_of_it(pages):
    """Each message once, the newest page first and in each the newest last."""
    token, conversation = pages.enter("question 1")
    workspace = pages.site.tenant.workspace
    pages.site.sql("""insert into banter_data.exchange (workspace, position, lease_until, ended_at, price, stream, state, exchange,
            conversation, chatbot, api_key, answer_id, question, answer, chars)
        select e.workspace, n, now(), now(), 0, false, 'done', e.exchange || n, e.conversation, e.chatbot, e.api_key, e.answer_id || n,
            'question ' || n, 'answer', 20
        from banter_data.exchange e, generate_series(2, 45) n where e.workspace = %s""", workspace)
    questions, query, sizes = [], "", []
    while query is not None:
        told = pages.read(f"/{conversation}/messages{query}", token).json()
        questions = [one["text"] for one in told["messages"] if one["role"] == "user"] + questions
        sizes.append(len(told["messages"]))
        query = told["before"] and f"?x=1&before={told['before']}"
    assert questions == [f"question {n}" for n in range(1, 46)] and sizes == [40, 40, 10]
    for wrong in ("0", "-1", "x", "", "1x", "99999999999999999999"):
        assert pages.read(f"/{conversation}/messages?before={wrong}", token).status_code == 400, wrong


def test_R2_other_methods_and_paths(pages):
    token, conversation = pages.enter()
    reply = pages.read(f"/{conversation}/messages", token, PAGE, "POST")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, HEAD") and may_be_read(reply)
    assert pages.read(f"/{conversation}/message", token).status_code == 404


# R3


def test_R3_a_visitor_erases_their_own_conversation(pages):
    token, conversation = pages.enter()
    gate = name()
    stream = pages.stream(script(name(), tokens=["a", "b"], gates={"1": gate}), token=token)
    assert next(stream)["conversationId"] == conversation
    reply = pages.read(f"/{conversation}", token, PAGE, "DELETE")
    assert (reply.status_code, reply.content) == (204, b"") and may_be_read(reply)
    assert listed(pages.read(token=token)) == []
    assert pages.read(f"/{conversation}/messages", token).status_code == 404
    assert pages.read(f"/{conversation}", token, PAGE, "DELETE").status_code == 404
    pages.site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "error"
    assert pages.site.sql("select count(*) from banter_data.exchange where workspace = %s", pages.site.tenant.workspace) == [(0,)]
    assert pages.ask(token=token).json()["conversationId"] != conversation, "the visitor is still one"


def test_R3_nobody_erases_anothers(pages):
    (token, conversation), (other, _) = pages.enter(), pages.enter()
    session = name()
    widget = pages.site.chat("Hello", session).json()["conversationId"]
    before = pages.site.postgres.rows("conversation", "t.workspace = %s", pages.site.tenant.workspace)
    for who, what, origin, status in ((other, conversation, PAGE, 404), (token, widget, PAGE, 404), (token, "nobodys", PAGE, 404),
                                      (None, conversation, PAGE, 401), (token, conversation, None, 403), (token, conversation, "null", 403)):
        assert pages.read(f"/{what}", who, origin, "DELETE").status_code == status
    reply = pages.site.request("DELETE", f"/v1/chat/conversations/{widget}", {"X-Session-Id": session})
    assert (reply.status_code, reply.json()) == (403, {"error": "Forbidden"})
    assert pages.site.postgres.rows("conversation", "t.workspace = %s", pages.site.tenant.workspace) == before


# P4 and P5


def refused_until(reply, most):
    """A cap's 429: when to come again, and a page may read it."""
    assert (reply.status_code, reply.json()) == (429, {"error": "Too many requests"}) and may_be_read(reply)
    assert 1 <= int(reply.headers["Retry-After"]) <= most
    assert "X-Visitor-Token" not in reply.headers
    return True


def asked_with_a_widget_key(pages):
    return pages.site.chat("Hello").status_code


def test_P4_an_address_may_only_so_much(start):
    pages = Pages(start(visitor_address_limit=3, visitor_window=1000, workers=1))
    token, _ = pages.enter()
    assert [pages.ask(token=token).status_code for _ in range(2)] == [200, 200]
    assert refused_until(pages.ask(token=token), 1000)
    assert pages.read(token=token).status_code == 200, "reading is no exchange"
    assert asked_with_a_widget_key(pages) == 200


def test_P4_an_address_is_given_only_so_many_tokens(start):
    pages = Pages(start(visitor_new_limit=2, visitor_window=1000, workers=1))
    (token, _), _ = pages.enter(), pages.enter()
    assert refused_until(pages.ask(), 1000)
    assert pages.ask(token=token).status_code == 200, "who has one goes on"
    assert asked_with_a_widget_key(pages) == 200


def day_of(pages):
    return pages.site.sql("select exchanges, credits from banter_data.visitor_day where workspace = %s", pages.site.tenant.workspace)


def counted(banter, family, label):
    code, out, err = ctl("metrics", "--pid", banter.process.pid)
    assert (code, err) == (0, "")
    return exposition.read(out).by(family, label)


def test_P4_a_chatbots_visitors_may_only_so_much_a_day(start):
    """All of them together, on every host, over every site key."""
    first = start(visitor_exchanges=5, workers=1)
    pages = Pages(first)
    pages.site.grant(100)
    token, _ = pages.enter()
    for _ in range(2):
        pages.enter()
    assert "of what they may" not in first.banter.text()
    pages.enter()
    said = f"the visitors of chatbot {pages.site.tenant.chatbot} have used %d %% of what they may today"
    assert first.banter.text().count(said % 80) == 1 and said % 100 not in first.banter.text()
    assert pages.ask(token=token, **{"Idempotency-Key": "1"}, message="Again").status_code == 200
    assert first.banter.text().count(said % 100) == 1
    midnight = 86400 - time.time() % 86400 + 1
    assert refused_until(pages.ask(token=token), midnight) and refused_until(pages.ask(), midnight)
    assert pages.ask(token=token, **{"Idempotency-Key": "1"}, message="Again").status_code == 200, "an answer is given again"
    assert day_of(pages) == [(5, 5)]
    assert asked_with_a_widget_key(pages) == 200
    assert counted(first.banter, "banter_visitors_refused", "cap") == {"day": 2}
    assert counted(first.banter, "banter_visitor_caps_used", "percent") == {"80": 1, "100": 1}
    pages.site.sql("update banter_data.chatbot set visitor_exchanges = 6 where workspace = %s", pages.site.tenant.workspace)
    assert pages.ask(token=token).status_code == 200, "the chatbot's own cap comes first"
    assert refused_until(pages.ask(token=token), midnight)


def test_P4_no_more_begin_than_may_however_many_come_at_once(start):
    pages = Pages(start(visitor_exchanges=7, workers=8))
    pages.site.grant(100)
    with concurrent.futures.ThreadPoolExecutor(16) as crowd:
        statuses = list(crowd.map(lambda _: pages.ask().status_code, range(32)))
    assert sorted(statuses) == [200] * 7 + [429] * 25
    assert day_of(pages) == [(7, 7)]


def test_P4_credits_are_capped_too(start):
    pages = Pages(start(visitor_credits=5, workers=1))
    pages.site.grant(100)
    pages.site.sql("update banter_data.chatbot set price = 2 where workspace = %s", pages.site.tenant.workspace)
    assert [pages.ask().status_code for _ in range(3)] == [200, 200, 429]
    assert day_of(pages) == [(2, 4)]


def test_P5_no_address_reaches_the_database(start, postgres):
    """Seen in a database that logs every statement with its values; nor is there a hash of it, which could be tried out."""
    pages = Pages(start(database_url=postgres.url("owner") + "&options=-clog_statement%3Dall", trusted_proxies="127.0.0.1", workers=1,
                        visitor_address_limit=50, visitor_new_limit=50, visitor_exchanges=50, address_limit=50, address_open=50))
    word = name("asked")
    for address in ("203.0.113.77", "2001:db8:77::77"):
        assert pages.ask(word, **{"X-Forwarded-For": address}).status_code == 200
    log = postgres.text()
    assert log.count(word) >= 2, "it does log them"
    for written in ("203.0.113.77", "2001:db8:77"):
        for form in (written, written.encode().hex(), *(hashlib.new(kind, written.encode()).hexdigest()
                                                        for kind in ("md5", "sha1", "sha256"))):
            assert form not in log
