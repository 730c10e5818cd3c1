"""A FastCGI client, small and exact: it sends what a web server would, in any pieces, and what none should.

For tests straight to the pool's socket. Not for what an HTTP client sees: that is site_client.py's."""

import contextlib
import json
import socket
import struct

import described

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN = range(1, 12)
RESPONDER = 1
KEEP = 1
PATIENCE = 120  # seconds; a guard against hanging


def record(kind, content=b"", request=1, padding=0):
    """One record as bytes."""
    assert len(content) <= 65535
    return struct.pack("!BBHHBx", 1, kind, request, len(content), padding) + content + b"\0" * padding


def records(kind, data=b"", size=65535, padding=0, end=True):
    """A stream in records of at most `size` bytes, and its end."""
    sent = b"".join(record(kind, data[at : at + size], padding=padding) for at in range(0, len(data), size))
    return sent + (record(kind) if end else b"")


def begin(keep=False, role=RESPONDER):
    return record(BEGIN, struct.pack("!HB5x", role, KEEP if keep else 0))


def length(n):
    return bytes([n]) if n < 128 else struct.pack("!I", n | 1 << 31)


def pairs(params):
    """Names and values as the protocol packs them; a dict, or (name, value) pairs."""
    packed = b""
    for name, value in params.items() if isinstance(params, dict) else params:
        name, value = (part if isinstance(part, bytes) else str(part).encode() for part in (name, value))
        packed += length(len(name)) + length(len(value)) + name + value
    return packed


class Cut(Exception):
    """The connection ended before the request did."""


class Connection:
    """One connection to the pool. The parts of a request are sent one by one, as the test wants them. `held`: whether what is
    asked is held against the API's description; another listener than the API's has paths that are none of its."""

    held = True

    def __init__(self, address):
        unix = not isinstance(address, tuple)
        inet = socket.AF_INET6 if ":" in str(address[0] if not unix else "") else socket.AF_INET
        self.socket = socket.socket(socket.AF_UNIX if unix else inet)
        # Waits where the kernel's backlog is full; with a time-out of its own it would fail there.
        self.socket.connect(str(address) if unix else address)
        self.socket.settimeout(PATIENCE)
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def begin(self, keep=False, role=RESPONDER):
        self.send(begin(keep, role))

    def stream(self, kind, data, **how):
        self.send(records(kind, data, **how))

    def params(self, params, **how):
        self.stream(PARAMS, pairs(params), **how)

    def stdin(self, data=b"", **how):
        self.stream(STDIN, data, **how)

    def ask(self, params, body=b"", keep=False):
        """A whole request, sent at once; its reply, also where the pool has closed already."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send(begin(keep) + records(PARAMS, pairs(params)) + records(STDIN, body))
        return Reply(self, params, body)

    def _take(self, n):
        while len(self._rest) < n:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                raise Cut(self._rest)
            self._rest += more
        taken, self._rest = self._rest[:n], self._rest[n:]
        return taken

    def record(self):
        """The next record, as (kind, content). Raises Cut at the connection's end."""
        version, kind, _, size, padding = struct.unpack("!BBHHBx", self._take(8))
        assert version == 1
        content = self._take(size)
        self._take(padding)
        return kind, content

    def ended(self):
        """Waits for the connection's end; False if something comes instead."""
        try:
            self._take(1)
        except Cut:
            return True
        return False


def text_of(value):
    """A parameter as the program reads it: it ends at its first zero."""
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).partition("\0")[0]


class Reply:
    """A reply, read record by record. `whole` says whether the request was ended as the protocol wants it. `params` and
    `asked`: what it answers, where that is known."""

    def __init__(self, connection, params=None, asked=b""):
        self.connection = connection
        self._asked = params, asked
        self.bytes = b""
        self.whole = False
        self._head = None
        self._at = 0

    def more(self):
        """Takes one record; False at the end, whole or cut."""
        try:
            kind, content = self.connection.record()
        except Cut:
            return False
        if kind == END:
            self.whole = True
            self._hold()
            return False
        assert kind in (STDOUT, STDERR), kind
        if kind == STDOUT:
            self.bytes += content
        return True

    def _hold(self):
        params, asked = self._asked
        if self.connection.held and params and "REQUEST_URI" in params and b"\r\n\r\n" in self.bytes:
            said = {name: text_of(value) for name, value in params.items()}
            headers = {name[5:].replace("_", "-"): value for name, value in said.items() if name.startswith("HTTP_")}
            described.hold(said.get("REQUEST_METHOD", ""), said["REQUEST_URI"], headers, asked, self.status, self.headers,
                           self.bytes.partition(b"\r\n\r\n")[2])

    def _read_head(self):
        while b"\r\n\r\n" not in self.bytes:
            if not self.more():
                raise Cut(self.bytes)
        head, _, _ = self.bytes.partition(b"\r\n\r\n")
        self._at = len(head) + 4
        self._head = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))

    @property
    def headers(self):
        if self._head is None:
            self._read_head()
        return self._head

    @property
    def status(self):
        return int(self.headers["Status"].split()[0])

    def body(self):
        """All of it, to the end."""
        assert self.headers
        while self.more():
            pass
        return self.bytes[self._at :]

    def json(self):
        return json.loads(self.body())

    def event(self):
        """The next NDJSON event; None at the end. Heartbeats are passed over."""
        assert self.headers
        while True:
            line, found, _ = self.bytes[self._at :].partition(b"\n")
            if found:
                self._at += len(line) + 1
                if line:
                    return json.loads(line)
            elif not self.more():
                assert line == b"", f"the stream ended inside a line: {line!r}"
                return None

    def events(self):
        """All that are still to come."""
        return list(iter(self.event, None))


def chat_params(tenant, body, path="/v1/chat", method="POST", **more):
    """What a web server says of a chat request. A value of None leaves the variable out."""
    params = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": path,
        "SCRIPT_NAME": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": len(body),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "HTTP_X_API_KEY": tenant.widget_key,
        **more,
    }
    return {name: value for name, value in params.items() if value is not None}


def chat_body(message, session="s-1"):
    return json.dumps({"sessionId": session, "message": message}).encode()


def chat(address, tenant, message, path="/v1/chat", session="s-1", **more):
    """Asks one question on a connection of its own; the reply, not yet read."""
    body = chat_body(message, session)
    return Connection(address).ask(chat_params(tenant, body, path, **more), body)


def stream(address, tenant, message, session="s-1", **more):
    return chat(address, tenant, message, "/v1/chat/stream", session, **more)


def in_time(attempt):
    """What attempt() gives. Where a time is short, a busy machine may be too late for a good request as well, which is
    cut like a bad one: then it is made again."""
    for _ in range(100):
        with contextlib.suppress(Cut, BrokenPipeError, ConnectionResetError):
            return attempt()
    raise AssertionError("it is cut however often it is tried")


def begun(address, tenant, message, events, session="s-1"):
    """A stream whose first events are of these types. One that a busy machine gave no worker in a short queueing time
    was refused, and is asked again."""
    def ask():
        reply = stream(address, tenant, message, session)
        if reply.status == 503:
            reply.connection.close()
            raise Cut
        return reply

    reply = in_time(ask)
    assert [reply.event()["type"] for _ in events] == events
    return reply


def health(address):
    """The status of GET /health; once it is told, the worker is done with the connection."""
    with Connection(address) as connection:
        params = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/health", "REMOTE_ADDR": "127.0.0.1"}
        status = connection.ask(params).status
        while not connection.ended():
            pass
        return status
