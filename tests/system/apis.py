"""Both chat APIs behind one face, so that what they share is tested from one table. Rests on site_client.Site."""

import json
import pathlib
import re

import servers
from site_client import Site, Stream

__all__ = ["BOTH", "HEADLESS_TABLE", "REFUSALS", "Api", "Chatbot", "Headless", "Site", "TABLE", "check_headers"]

# What each refusal is in either API: (status, the headless API's text, the chatbot API's code).
REFUSALS = {
    "invalid": (400, "Invalid request payload", "INVALID_REQUEST"),
    "key": (401, "Unauthorized", "INVALID_API_KEY"),
    "no_credit": (402, "Insufficient credits", "INSUFFICIENT_CREDITS"),
    "reused": (409, "Idempotency key reused", "IDEMPOTENCY_KEY_REUSED"),
    "in_progress": (409, "Request in progress", "REQUEST_IN_PROGRESS"),
    "too_many": (429, "Too many requests", "RATE_LIMIT_EXCEEDED"),
    "internal": (500, "Internal server error", "INTERNAL_ERROR"),
    "unavailable": (503, "Service unavailable", "SERVICE_UNAVAILABLE"),
}

CONTRACT = (pathlib.Path(__file__).resolve().parent / "CONTRACT.md").read_text()
# The contract's tables of errors: the headless API's (status, text), the chatbot API's code: (status, text).
HEADLESS_TABLE = {(int(status), text) for status, text in re.findall(r"^\| (\d{3}) \| `([A-Z][a-z][^`]*)` \|", CONTRACT, re.M)}
TABLE = {code: (int(status), text) for status, code, text in re.findall(r"^\| (\d{3}) \| `([A-Z_]+)` \| `([^`]+)` \|$", CONTRACT, re.M)}


def check_headers(reply, stream=False):
    """G5. `reply`: of requests, or a Stream."""
    headers = reply.headers
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", headers["X-Request-Id"])
    assert headers["Cache-Control"] == ("no-store, no-transform" if stream else "no-store")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers.get("X-Accel-Buffering") == ("no" if stream else None)


class Api:
    """Calls of one API with the keys of a site's tenant. `own` are members of the body that name a conversation."""

    def __init__(self, site):
        self.site = site

    def post(self, body, streams=False, headers=None, **options):
        """Any body: bytes as they are, else JSON. The response, a stream's not yet read."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.key(), **(headers or {})}
        return self.site.request(
            "POST", self.path(streams), headers, key=False, data=body, stream=streams, **options)

    def json(self, message, own=None, headers=None, **options):
        """An exchange answered in one piece."""
        return self.post(self.body(message, False, own), False, headers, **options)

    def stream(self, message, own=None, headers=None, **options):
        """An exchange answered as a stream, which must have begun."""
        response = self.post(self.body(message, True, own), True, headers, **options)
        assert response.status_code == 200, response.text
        return Stream(response)

    def answered(self, message, streams, own=None, headers=None):
        """The whole answer's text, however it came."""
        if not streams:
            response = self.json(message, own, headers)
            assert response.status_code == 200, response.text
            return self.text(response)
        events = self.stream(message, own, headers).rest()
        assert [event["type"] for event in events[:1] + events[-1:]] == ["start", "done"], events
        assert "".join(event["token"] for event in events[1:-1]) == events[-1]["message"]
        return events[-1]["message"]

    def fails(self, message, streams, own=None, headers=None, refusal="internal"):
        """An exchange that begins and ends in an error; JSON's is that refusal."""
        if streams:
            last = self.stream(message, own, headers).rest()[-1]
            assert last == self.error_event
        else:
            self.refuses(self.json(message, own, headers), refusal)

    def call(self, message, streams, own=None, headers=None):
        """Sends it and reads nothing: closing the socket that it returns is a client that leaves."""
        headers = {"x-api-key": "", **self.key(), **(headers or {})}
        if "Authorization" in headers:
            del headers["x-api-key"]
        return self.site.call(self.path(streams), self.body(message, streams, own), headers)

    def refuses(self, response, name):
        """The response is that refusal, in this API's form."""
        status, text, code = REFUSALS[name]
        assert response.status_code == status, response.text
        assert response.headers["Content-Type"] == "application/json"
        body = response.json()
        assert ("Retry-After" in response.headers) == (status in (429, 503) or name == "in_progress")
        self.check_refusal(response, body, text, code)
        return True


class Headless(Api):
    name = "headless"
    error_event = {"type": "error", "error": "Internal server error"}

    def key(self):
        return {"x-api-key": self.site.tenant.widget_key}

    def path(self, streams):
        return "/v1/chat/stream" if streams else "/v1/chat"

    def body(self, message, streams, own=None):
        return {"message": message, **(own or {"sessionId": servers.name()})}

    def conversation(self):
        """A conversation that has not begun yet, in the client's words."""
        return {"sessionId": servers.name()}

    def text(self, response):
        body = response.json()
        assert set(body) == {"conversationId", "message"}
        return body["message"]

    def check_refusal(self, response, body, text, code):
        assert body == {"error": text}


class Chatbot(Api):
    name = "chatbot"
    error_event = {"type": "error", "error": "Internal server error", "code": "INTERNAL_ERROR"}

    def key(self):
        return {"Authorization": f"Bearer {self.site.tenant.workspace_key}"}

    def path(self, streams):
        return f"/api/v1/chatbots/{self.site.tenant.chatbot}/chat"

    def body(self, message, streams, own=None):
        return {"message": message, "stream": streams, **(own or {})}

    def conversation(self):
        """This API names conversations itself: a new one that holds no exchange yet."""
        own = f"c{servers.name('')}"
        self.site.sql(
            "insert into banter_data.conversation (workspace, conversation, chatbot, next_position) values (%s, %s, %s, 1)",
            self.site.tenant.workspace, own, self.site.tenant.chatbot)
        return {"conversationId": own}

    def text(self, response):
        body = response.json()
        assert body["success"] is True and set(body) == {"success", "data"}
        assert set(body["data"]) == {"response", "conversationId", "messageId"}
        return body["data"]["response"]

    def check_refusal(self, response, body, text, code):
        assert (body["success"], body["code"]) == (False, code), body
        assert body["error"] == TABLE[code][1]
        more = {"retryAfter"} if response.status_code == 429 else set()
        assert set(body) == {"success", "error", "code"} | more
        if more:
            assert str(body["retryAfter"]) == response.headers["Retry-After"]


BOTH = (Headless, Chatbot)
