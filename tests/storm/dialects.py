"""The dialects that the storm speaks, and what became of a request in them. One more is a row of DIALECTS, and a class like
those of tests/system/apis.py. Not for what a reply looks like in detail: tests/system holds that."""

import json

import apis

# How a request can end for its client.
DONE = "done"  # `done`, or a 200 in one piece
ERROR = "error"  # `error`, or a 500
REFUSED = "refused"  # any other status
CUT = "cut"  # a stream or a reply that ended without its end
LEFT = "left"  # the client went away before its end
BROKEN = "broken"  # no reply at all
HUNG = "hung"  # nothing came, for longer than anybody should wait


class Caller:
    """What apis.Api needs of a site to say what is sent."""

    def __init__(self, tenant):
        self.tenant = tenant


def events_of(body, sse):
    """The events of a stream's bytes. A line that broke off is none."""
    *lines, _ = body.split(b"\n")
    if sse:
        lines = [line[6:] for line in lines if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line]


class OpenAI(apis.Api):
    """OpenAI's protocol, beside those of apis.py. What names a conversation is a header."""

    name = "openai"

    def key(self):
        return {"Authorization": f"Bearer {self.site.tenant.workspace_key}"}

    def path(self, streams):
        return "/v1/chat/completions"

    def body(self, message, streams, own=None):
        return {"model": self.site.tenant.chatbot, "messages": [{"role": "user", "content": message}], "stream": streams}

    def answered(self, message, streams, own=None, headers=None):
        response = self.post(self.body(message, streams), headers={**(own or {}), **(headers or {})})
        found = Completion("", OpenAI, streams).read(response.status_code, response.headers, response.content)
        assert found["end"] == DONE and "wrong" not in found, (response.text, found)
        return found["text"]


# What names a new conversation, where it is the client that does.
NAMES = {"headless": "sessionId", "openai": "X-Conversation-Id"}


def session_of(own):
    """As what names a conversation is stored; None: the client has not named it."""
    called = own.get(NAMES["openai"])
    return f"/{called}" if called else own.get(NAMES["headless"])


class Dialect:
    """One API in one of its two forms. `stop`: the path of a stop (R5), where its clients know enough to ask for one."""

    def __init__(self, name, api, streams, stop=None):
        self.name, self.api, self.streams, self.stop = name, api, streams, stop

    def request(self, tenant, message, own):
        """Path, headers and body. `own`: what names a conversation."""
        api = self.api(Caller(tenant))
        return api.path(self.streams), api.key(), json.dumps(api.body(message, self.streams, own)).encode()

    def stop_of(self, tenant, own, body):
        """Path and headers of a stop, once a token stands in a stream's bytes; else None."""
        first, *events = events_of(body, b"data: " in body) or [{}]
        if not events:
            return None
        session = {"X-Session-Id": own["sessionId"]} if "sessionId" in own else {}
        path = self.stop.format(chatbot=tenant.chatbot, conversation=first["conversationId"])
        return path, {**self.api(Caller(tenant)).key(), **session}

    @staticmethod
    def stopped(status, body):
        """What a stop was told: the answers' ids, each with its status. None: it was not answered."""
        if status not in (200, 202):
            return None
        told = json.loads(body)
        return [[one["id"], one["status"]] for one in told.get("data", told)["messages"]]

    def read(self, status, headers, body):
        """What a reply says, as members of a record: its end, and what stands in it."""
        if status != 200:
            return {"end": ERROR if status == 500 else REFUSED}
        return self._stream(headers, body) if self.streams else self._whole(body)

    def _whole(self, body):
        try:
            answer = json.loads(body)
        except ValueError:
            return {"end": CUT}
        answer = answer.get("data", answer)
        return {"end": DONE, "text": answer.get("response", answer.get("message")),
                "conversation": answer["conversationId"], "answer_id": answer.get("messageId")}

    def _stream(self, headers, body):
        events = events_of(body, headers.get("content-type", "").startswith("text/event-stream"))
        kinds = [event["type"] for event in events]
        found = {"end": CUT}
        wrong = kinds[:1] not in ([], ["start"]) or any(kind != "token" for kind in kinds[1:-1])
        if events:
            found["conversation"], found["answer_id"] = events[0].get("conversationId"), events[0].get("messageId")
        if kinds[-1:] == ["done"]:
            found.update(end=DONE, text=events[-1]["message"])
            wrong = wrong or "".join(event["token"] for event in events[1:-1]) != events[-1]["message"]
        elif kinds[-1:] == ["error"]:
            found["end"] = ERROR
        if wrong:
            found["wrong"] = f"no stream: {kinds}"
        return found


class Completion(Dialect):
    """OpenAI's: nothing of what is sent or answered names the conversation but a header of the request."""

    def request(self, tenant, message, own):
        path, headers, body = super().request(tenant, message, own)
        return path, {**headers, **own}, body

    def _whole(self, body):
        try:
            answer = json.loads(body)
        except ValueError:
            return {"end": CUT}
        return {"end": DONE, "text": answer["choices"][0]["message"]["content"], **self._names(answer)}

    @staticmethod
    def _names(event):
        return {"conversation": None, "answer_id": event["id"].removeprefix("chatcmpl-")}

    def _stream(self, headers, body):
        *lines, _ = body.split(b"\n")
        said = [line[6:] for line in lines if line.startswith(b"data: ")]
        events = [json.loads(line) for line in said if line != b"[DONE]"]
        chunks = [event["choices"][0] for event in events if "choices" in event]
        errors, dones = len(events) - len(chunks), len(said) - len(events)
        found = {"end": DONE if dones else ERROR if errors else CUT}
        if chunks:
            found.update(self._names(events[0]))
        if dones:
            found["text"] = "".join(chunk["delta"].get("content", "") for chunk in chunks)
        finished = [chunk["finish_reason"] is not None for chunk in chunks]
        if (errors + dones > 1 or (errors and "choices" in events[-1]) or (dones and said[-1] != b"[DONE]")
                or any(finished[:-1]) or (dones and not any(finished))):
            found["wrong"] = f"no stream: {said}"
        return found


DIALECTS = {dialect.name: dialect for dialect in (
    Dialect("headless NDJSON", apis.Headless, True, "/v1/chat/conversations/{conversation}/stop"),
    Dialect("headless JSON", apis.Headless, False),
    Dialect("chatbot SSE", apis.Chatbot, True, "/api/v1/chatbots/{chatbot}/conversations/{conversation}/stop"),
    Dialect("chatbot JSON", apis.Chatbot, False),
    Completion("OpenAI SSE", OpenAI, True),
    Completion("OpenAI JSON", OpenAI, False),
)}
