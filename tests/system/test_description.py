"""The API's description (OpenAPI), as it is served: G12. Whether it is true, described.py holds against every exchange of
every test; here each of its operations is brought to what no other test needs of it."""

import concurrent.futures
import json

import described
import pytest
import servers
from apis import Headless
from servers import name, script
from site_client import site_of_its_own
from test_chatbot import limit, rate
from test_talks import Talks
from test_visitors import OTHER_PAGE, Pages

PATH = "/v1/openapi.json"
# They need neither key nor database.
FILES = {PATH, "/banter.js", "/banter/{version}/{file}"}
DESCRIPTION = described.Description(json.loads(described.FILE.read_text()))
NONE = "n" * 26


class Operation:
    """One that the description names, as anybody can ask who has read it."""

    def __init__(self, path, method):
        self.path = path
        self.method = method.upper()
        self.about = DESCRIPTION.at(DESCRIPTION.inside("#/paths", path, method))
        self.keys = {name for one in self.about["security"] for name in one}
        self.parameters = {DESCRIPTION.resolve(one)["name"] for one in self.about.get("parameters", [])}

    def __repr__(self):
        return f"{self.method} {self.path}"

    def body(self, chatbot, message=None, **more):
        """The description's own example; with another question, and other members of those that it has."""
        if "requestBody" not in self.about:
            return None
        schema = DESCRIPTION.resolve(self.about["requestBody"]["content"]["application/json"]["schema"])
        (body,) = schema["examples"]
        wanted = {"model": chatbot, **more}
        if message:
            wanted.update(message=message, messages=[{"role": "user", "content": message}], chatInput=message)
        return {**body, **{member: value for member, value in wanted.items() if member in body}}

    def headers(self, tenant, key, chatbot):
        if "workspaceKey" in self.keys:
            named = {"X-Chatbot-Id": chatbot} if "X-Chatbot-Id" in self.parameters else {}
            return {"Authorization": f"Bearer {key or tenant.workspace_key}", **named}
        named = {"x-api-key": key or tenant.widget_key} if self.keys else {}
        return {**named, "X-Session-Id": "user-123"} if "X-Session-Id" in self.parameters else named

    def ask(self, site, key=None, method=None, chatbot=None, query="", body=None, chat=NONE, **headers):
        chatbot = chatbot or site.tenant.chatbot
        path = self.path.format(chatbot=chatbot, conversation=NONE, message=NONE, session=chat, version=NONE,
                                file="widget.js")
        body = body if isinstance(body, bytes) else json.dumps(body or self.body(chatbot)).encode()
        return site.request(
            method or self.method, path + query, {**self.headers(site.tenant, key, chatbot), **headers}, key=False,
            data=body if "requestBody" in self.about else None)


PATHS = DESCRIPTION.document["paths"]
OPERATIONS = [Operation(path, method) for path, item in PATHS.items() for method in item if method in described.METHODS]
SHOWN = {"/metrics", "/status"}


def having(status):
    """The operations that name a status, but those that nobody sees here."""
    return [one for one in OPERATIONS if str(status) in one.about["responses"] and one.path not in SHOWN]


def get(site, method="GET", **headers):
    return site.request(method, PATH, {name.replace("_", "-"): value for name, value in headers.items()}, key=False)


def test_G12_the_description_is_the_repositorys_file(site):
    reply = get(site)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.content == described.FILE.read_bytes() and json.loads(reply.content)["openapi"].startswith("3.1.")


def test_G12_pages_of_any_origin_may_read_the_description(site):
    assert get(site, Origin="https://docs.example").headers["Access-Control-Allow-Origin"] == "*"


def test_G5_G12_the_description_may_be_kept_and_asked_for_again(site):
    headers = get(site).headers
    assert headers["Cache-Control"] == "no-cache" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["ETag"].startswith('"') and len(headers["ETag"]) == 34
    had = get(site, If_None_Match=f'"x", W/{headers["ETag"]}')
    assert (had.status_code, had.content, had.headers["ETag"]) == (304, b"", headers["ETag"])
    assert get(site, If_None_Match='"x"').status_code == 200


def test_G12_the_head_of_the_description(site):
    reply = get(site, "HEAD")
    assert (reply.status_code, reply.content, reply.headers["ETag"]) == (200, b"", get(site).headers["ETag"])


def test_G12_the_description_counts_against_no_limit(start):
    site = start(address_limit=1, failed_key_limit=1)
    assert [get(site).status_code for _ in range(3)] == [200] * 3
    assert site.chat("Hello").status_code == 200


# That what is not described is found.

HEADERS = {"content-type": "application/json", "x-request-id": "r-1", "cache-control": "no-store", "x-content-type-options": "nosniff",
           "referrer-policy": "no-referrer", "server": "nginx"}
GOOD = {"method": "POST", "target": "http://site/v1/chat?x=1", "request_headers": {"idempotency-key": "k"},
        "request_body": b'{"sessionId":"s","message":"m"}', "status": 200, "headers": HEADERS,
        "body": b'{"conversationId":"c","message":"m"}', "whole": True, "prefix": ""}
STREAMED = {**GOOD, "target": "/chat", "headers": {**HEADERS, "content-type": "application/x-ndjson"}}
WORKSPACES = {**GOOD, "target": "/api/v1/chatbots/b/chat", "request_body": b'{"message":"m"}', "status": 404}


def failure(text, code):
    return json.dumps({"success": False, "error": text, "code": code}).encode()


def test_what_is_described_is_held_to_be_so():
    description = described.Description(DESCRIPTION.document)
    for one in (GOOD, {**GOOD, "target": "/folder/v1/chat/", "prefix": "/folder"}, {**GOOD, "body": b"", "whole": False},
                {**STREAMED, "body": b'\n{"type":"token","token":"a"}\n{"type":"tok', "whole": False},
                {**WORKSPACES, "body": failure("Chatbot not found or access denied", "CHATBOT_NOT_FOUND")},
                {**GOOD, "target": "/nowhere", "status": 404, "body": b'{"error":"Not found"}'}):
        description.hold(**one)


@pytest.mark.parametrize("exchange", [
    {**GOOD, "status": 418},
    {**GOOD, "target": "/v1/new"},
    {**GOOD, "method": "PATCH"},
    {**GOOD, "headers": {**HEADERS, "x-new": "1"}},
    {**GOOD, "headers": {**HEADERS, "cache-control": "private"}},
    {**GOOD, "headers": {name: value for name, value in HEADERS.items() if name != "referrer-policy"}},
    {**GOOD, "headers": {**HEADERS, "content-type": "text/plain"}},
    {**GOOD, "body": b'{"conversationId":"c","message":"m","more":1}'},
    {**GOOD, "body": b'{"conversationId":"c"}'},
    {**GOOD, "body": b'{"conversationId":"a b","message":"m"}'},
    {**GOOD, "request_body": b'{"sessionId":"a b","message":"m"}'},
    {**GOOD, "request_headers": {"idempotency-key": ""}},
    {**GOOD, "status": 401, "body": b'{"error":"No"}'},
    {**GOOD, "status": 404, "body": b'{"error":"Not found"}'},
    {**GOOD, "target": "/v1/chat/conversations/c", "method": "DELETE", "status": 204},
    {**WORKSPACES, "body": failure("Chatbot not found or access denied", "CONVERSATION_NOT_FOUND")},
    {**WORKSPACES, "body": failure("No such path", "NOT_FOUND")},
    {**STREAMED, "body": b'{"type":"new"}\n'},
    {**STREAMED, "body": b'{"type":"token","token":"a","more":1}\n'},
], ids=str)
def test_what_is_not_described_is_found(exchange):
    with pytest.raises(described.Undescribed):
        described.Description(DESCRIPTION.document).hold(**exchange)


def test_what_no_test_saw_is_found(monkeypatch):
    monkeypatch.setattr(described, "seen", set())
    description = described.Description(DESCRIPTION.document)
    everything = description.named()
    description.hold(**{**STREAMED, "body": b'{"type":"token","token":"a"}\n'})
    description.hold(**{**WORKSPACES, "body": failure("Chatbot not found or access denied", "CHATBOT_NOT_FOUND")})
    assert described.seen and described.seen <= everything
    left = everything - described.seen
    assert not {"POST /chat 200 application/x-ndjson", "POST /chat 200 Token"} & left
    for one in ("POST /chat 200 HeadlessDone", "POST /chat 401 application/json", "POST /v1/chat 200 application/json",
                "#/components/responses/ChatbotConversationNotFound/content/application~1json conversationNotFound",
                "another method of /chat application/json", '#/components/schemas/AnswerStatus "left"'):
        assert one in left


# Each operation's refusals, which are the same wherever a key is the same. That each has the form that the description says,
# described.py holds.


def refused(asked, status):
    wrong = {str(one): reply.status_code for one, reply in asked.items() if reply.status_code != status}
    assert asked and wrong == {}


def test_G1_each_path_has_its_methods(site):
    refused({one: one.ask(site, method="PUT") for one in OPERATIONS if one.path not in SHOWN}, 405)


def test_G11_each_operation_wants_a_key(site):
    refused({one: one.ask(site, key="sk-none") for one in having(401)}, 401)
    refused({one: one.ask(site, Authorization="Basic x") for one in having(401) if "workspaceKey" in one.keys}, 401)


def test_G3_R2_each_operation_reads_what_it_is_asked(site):
    refused({one: one.ask(site, body=b"{", query="?before=!&after=!", chat="!") for one in having(400)}, 400)


def test_P1_R3_each_operation_of_pages_wants_their_origin(site):
    pages = Pages(site, origins=[OTHER_PAGE], tenant=False)
    thief = {"Origin": "https://thief.example", "X-Visitor-Token": pages.ask(origin=OTHER_PAGE).headers["X-Visitor-Token"]}
    refused({one: one.ask(site, key=pages.key, **thief) for one in having(403)}, 403)


def test_P2_each_operation_of_pages_wants_a_visitor_that_it_knows(site):
    unknown = {"key": Pages(site, origins=[OTHER_PAGE], tenant=False).key, "Origin": OTHER_PAGE, "X-Visitor-Token": "vt-site_none"}
    refused({one: one.ask(site, **unknown) for one in having(403)}, 401)


def test_R1_each_operation_has_nobody_elses(site):
    # A widget key erases nothing, whether it is there or not.
    others = FILES | {"/v1/chat/conversations/{conversation}"}
    refused({one: one.ask(site, chatbot=NONE) for one in having(404) if one.path not in others}, 404)


def test_B4_H4_each_operation_is_limited(start):
    site = start(address_limit=1, failed_key_limit=1)
    site.configure(rate_limit=0, rate_window=100)
    site.chat("Hello")
    uncounted = {one for one in OPERATIONS if one.path == "/v1/models" or one.method == "GET" and one.path.endswith("/stream")}
    refused({one: one.ask(site, key="sk-none" if one in uncounted else None) for _ in range(2) for one in having(429)}, 429)


def test_B5_each_operation_that_asks_costs_credits(site):
    site.configure(price=1, rate_limit=1000, rate_window=100)
    site.grant(0)
    refused({one: one.ask(site) for one in having(402)}, 402)


def test_I1_each_operation_that_asks_knows_its_retries(site):
    site.configure(rate_limit=1000, rate_window=100)
    for one in having(409):
        key, gate = {"Idempotency-Key": name()}, name()
        body = one.body(site.tenant.chatbot, script(name(), tokens=["a"], gates={"1": gate}), stream=True)
        with concurrent.futures.ThreadPoolExecutor() as threads:
            running = threads.submit(one.ask, site, body=body, **key)
            site.model.wait(gate)
            refused({one: one.ask(site, body=body, **key)}, 409)
            refused({one: one.ask(site, body={**body, "x": 1}, **key)}, 409)
            site.model.open_gate(gate)
            assert running.result().status_code == 200


def test_S10_each_operation_that_asks_says_that_its_model_failed(site):
    """As an error, or at a stream's end; 503 where that has too much to do."""
    site.configure(rate_limit=1000, rate_window=100)
    for status, more, told in ((403, {}, 500), (429, {"headers": {"Retry-After": "60"}}, 503)):
        for one in having(409):
            body = one.body(site.tenant.chatbot, script(name(), status=status, **more), stream=False)
            reply = one.ask(site, body=body)
            streams = reply.headers["Content-Type"] in ("application/x-ndjson", "text/event-stream")
            assert reply.status_code == (200 if streams else told), (one, reply.text)


def test_P2_a_visitors_first_question_whose_model_has_too_much_to_do(site):
    reply = Pages(site, tenant=False).ask(script(name(), status=429, headers={"Retry-After": "60"}))
    assert (reply.status_code, reply.headers["X-Visitor-Token"][:8]) == (503, "vt-site_")


def test_P2_F1_a_visitors_first_question_by_each_front_end(site):
    pages = Pages(site, tenant=False)
    for more, statuses in (({}, {200}), ({"status": 403}, {200, 500}), ({"status": 429, "headers": {"Retry-After": "60"}}, {200, 503})):
        replies = [one.ask(site, key=pages.key, body=one.body(site.tenant.chatbot, script(name(), **more)), Origin=OTHER_PAGE)
                   for one in having(409) if "front-ends" in one.about["tags"]]
        assert {reply.status_code for reply in replies} == statuses
        assert {reply.headers["X-Visitor-Token"][:8] for reply in replies} == {"vt-site_"}


def test_B4_what_is_said_of_an_answer_counts_in_the_chatbots_window(site):
    talks = Talks(site)
    limit(talks, 100)
    said = talks.json("Hello").json()["data"]
    at = f"/api/v1/chatbots/{site.tenant.chatbot}/conversations/{said['conversationId']}"
    for path, body in ((f"/messages/{said['messageId']}/feedback", {"thumb": "up"}), ("/stop", {})):
        reply = site.request("POST", at + path, talks.key(), key=False, json=body)
        assert (reply.status_code, rate(reply)[0]) == (200, 100)


@pytest.fixture(scope="module")
def lonely(standin):
    """A site whose database may be broken; its chatbot has a limit."""
    with site_of_its_own(standin, database_time="2s", database_connect_time="2s") as site:
        site.configure(rate_limit=100, rate_window=100)
        yield site


def test_S10_G6_each_operation_says_that_it_failed(lonely):
    """A fault of ours, then no database."""
    lonely.sql("alter schema banter rename to hidden")
    try:
        refused({one: one.ask(lonely) for one in having(500)}, 500)
    finally:
        lonely.sql("alter schema hidden rename to banter")
    lonely.postgres.stop()
    refused({one: one.ask(lonely) for one in having(503) if one.path not in FILES}, 503)


def test_G6_what_needs_no_database_says_that_all_workers_are_busy(start, model):
    site = start(workers=1, queue_time="100ms")
    gate = name()
    stream = Headless(site).stream(script(name(), tokens=["a"], gates={"0": gate}))
    assert next(stream)["type"] == "start"
    refused({one: one.ask(site) for one in OPERATIONS if one.path in FILES | {"/health"}}, 503)
    model.open_gate(gate)
    stream.rest()


def test_G6_a_web_server_that_finds_no_pool_says_so_in_its_paths_words(start):
    """Of OpenAI's and the front ends' it knows nothing."""
    site = start(workers=1)
    site.banter.end()
    asked = {one: one.ask(site) for one in having(503)}
    refused(asked, 503)
    plain = {reply.text for one, reply in asked.items() if one.about["tags"][0] in ("openai", "front-ends")}
    assert plain == {'{"error":"Service unavailable"}'}
