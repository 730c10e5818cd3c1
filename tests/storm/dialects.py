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


class Dialect:
    """One API in one of its two forms."""

    def __init__(self, name, api, streams):
        self.name, self.api, self.streams = name, api, streams

    def request(self, tenant, message, own):
        """Path, headers and body. `own`: members that name a conversation."""
        api = self.api(Caller(tenant))
        return api.path(self.streams), api.key(), json.dumps(api.body(message, self.streams, own)).encode()

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


DIALECTS = {dialect.name: dialect for dialect in (
    Dialect("headless NDJSON", apis.Headless, True),
    Dialect("headless JSON", apis.Headless, False),
    Dialect("chatbot SSE", apis.Chatbot, True),
    Dialect("chatbot JSON", apis.Chatbot, False),
)}
