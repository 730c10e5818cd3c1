"""One Banter behind one nginx, as its clients see it."""

import contextlib
import http.client
import json
import os
import socket
import threading

import described
import servers


class Stream:
    """An NDJSON or SSE reply, read as it comes. Iterate for events; heartbeats are counted in .beats."""

    def __init__(self, response):
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.sse = response.headers.get("Content-Type", "").startswith("text/event-stream")
        self.beats = 0
        self._unread = self._lines()

    def _lines(self):
        rest = b""
        for chunk in self.response.iter_content(None):
            rest += chunk
            *lines, rest = rest.split(b"\n")
            yield from lines
        assert rest == b"", f"the stream ended inside a line: {rest!r}"

    def _event(self, line):
        """A line's event; None: it is none."""
        if not self.sse and line:
            return json.loads(line)
        if line.startswith(b"data: "):
            return json.loads(line[6:])
        if line.startswith(b":") or not self.sse:
            self.beats += 1
        else:
            assert line == b"", line
        return None

    def __iter__(self):
        return self

    def __next__(self):
        for line in self._unread:
            event = self._event(line)
            if event is not None:
                return event
        raise StopIteration

    def wait_beats(self, count):
        """Reads until `count` more heartbeats have come; no event may come meanwhile."""
        wanted = self.beats + count
        while self.beats < wanted:
            event = self._event(next(self._unread))
            assert event is None, event

    def rest(self):
        """All events that are still to come."""
        return list(self)

    def close(self):
        """The client goes away."""
        self.response.close()


class Site:
    """Settings are those of servers.Banter. A site knows one tenant, whose keys its calls use."""

    def __init__(self, postgres, model, banter, nginx, tenant):
        self.postgres = postgres
        self.model = model
        self.banter = banter
        self.nginx = nginx
        self.tenant = tenant
        self.url = nginx.url
        self.http = servers.session(getattr(banter, "env", {}).get("BANTER_PATH_PREFIX") or getattr(nginx, "path", ""))
        self.shown_servers = [banter, nginx]

    @classmethod
    def start(cls, postgres, database_url, standin, **settings):
        settings.setdefault("model_url", standin.url)
        banter = servers.Banter(database_url, **settings)
        try:
            nginx = servers.Nginx(banter.socket)
        except BaseException:
            banter.close()
            raise
        return cls(postgres, standin.control, banter, nginx, postgres.demo())

    def for_new_tenant(self, **chatbot):
        return self.for_tenant(self.postgres.demo(**chatbot))

    def for_tenant(self, tenant):
        return Site(self.postgres, self.model, self.banter, self.nginx, tenant)

    def close(self):
        try:
            self.banter.close()
        finally:
            self.nginx.close()

    def request(self, method, path, headers=None, key=True, **options):
        """Any request; the widget key is added unless key=False."""
        headers = dict(headers or {})
        if key:
            headers.setdefault("x-api-key", self.tenant.widget_key)
        options.setdefault("timeout", servers.PATIENCE)
        return self.http.request(method, self.url + path, headers=headers, **options)

    def body(self, message, session=None, **more):
        return {"sessionId": session or servers.name(), "message": message, **more}

    def chat(self, message, session=None, headers=None, **options):
        """POST /v1/chat."""
        return self.request("POST", "/v1/chat", headers, json=self.body(message, session), **options)

    def stream(self, message, session=None, path="/v1/chat/stream", headers=None, **options):
        """POST /v1/chat/stream, not yet read."""
        return Stream(self.request("POST", path, headers, json=self.body(message, session), stream=True, **options))

    def chatbot(self, message, headers=None, **more):
        """POST /api/v1/chatbots/{id}/chat, as a Stream when it is one."""
        headers = {"Authorization": f"Bearer {self.tenant.workspace_key}", **(headers or {})}
        response = self.request(
            "POST", f"/api/v1/chatbots/{self.tenant.chatbot}/chat", headers, key=False,
            json={"message": message, **more}, stream=True)
        return Stream(response) if response.headers["Content-Type"].startswith("text/event-stream") else response

    def raw(self, method, target, headers=None, body=None, source=None):
        """A request with its target as given, from the client's own address `source`: (status, headers, body)."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.nginx.port, timeout=servers.PATIENCE, source_address=(source, 0) if source else None)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            said = answer.read()
            described.hold(method, target, headers, body, answer.status, answer.headers, said, prefix=self.http.prefix)
            return answer.status, answer.headers, said
        finally:
            connection.close()

    def call(self, path, body, headers=None):
        """Sends a POST and reads nothing: closing the socket that it returns is a client that leaves."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = {"Host": "banter", "x-api-key": self.tenant.widget_key, "Content-Length": str(len(body))}
        lines.update(headers or {})
        head = f"POST {self.nginx.path}{path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        client = socket.create_connection(("127.0.0.1", self.nginx.port), timeout=servers.PATIENCE)
        client.sendall(head.encode() + b"\r\n" + body)
        return client

    def exchanges(self, session=None):
        """The tenant's exchanges as the database holds them, in order."""
        names = "state", "question", "answer", "price", "finish_reason", "conversation", "error"
        rows = self.sql(
            f"""select {", ".join("e." + name for name in names)}
            from banter_data.exchange e join banter_data.conversation c using (workspace, conversation)
            where e.workspace = %s and (%s is null or c.session = %s)
            order by c.created_at, e.conversation, e.position, e.attempt""",
            self.tenant.workspace, session, session)
        return [dict(zip(names, row)) for row in rows]

    def grant(self, credits):
        """From here on the tenant is metered, and has these."""
        workspace = self.tenant.workspace
        self.sql("update banter_data.workspace set credits = %s where workspace = %s", credits, workspace)
        self.sql("delete from banter_data.ledger where workspace = %s", workspace)
        self.sql("""insert into banter_data.ledger (workspace, delta, balance_after, kind)
            values (%s, %s, %s, 'grant')""", workspace, credits, credits)

    def configure(self, **columns):
        """Sets columns of the tenant's chatbot."""
        for column, value in columns.items():
            self.sql(f"update banter_data.chatbot set {column} = %s where chatbot = %s", value, self.tenant.chatbot)

    def credits(self):
        """What the tenant has; the ledger must say the same."""
        ((left, booked),) = self.sql(
            """select w.credits, (select sum(l.delta) from banter_data.ledger l where l.workspace = w.workspace)
            from banter_data.workspace w where w.workspace = %s""", self.tenant.workspace)
        assert left == booked
        return left

    def sql(self, statement, *values):
        return self.postgres.run(statement, *values)


@contextlib.contextmanager
def site_of_its_own(standin, **settings):
    """A site whose PostgreSQL (site.postgres) may be stopped; through PgBouncer where the whole run is."""
    with contextlib.ExitStack() as stack:
        postgres = database = stack.enter_context(contextlib.closing(servers.Postgres()))
        if os.environ.get("BANTER_TEST_THROUGH") == "pgbouncer":
            database = stack.enter_context(contextlib.closing(servers.Pooler(postgres)))
        site = stack.enter_context(contextlib.closing(Site.start(postgres, database.url(), standin, **settings)))
        site.shown_servers.append(postgres)
        yield site


def at_once(count, work):
    """Runs work(0) … work(count - 1) at the same time; their results in order."""
    results = [None] * count
    failures = []
    barrier = threading.Barrier(count)

    def run(index):
        try:
            barrier.wait(servers.PATIENCE)
            results[index] = work(index)
        except BaseException as failure:  # noqa: BLE001  (told to the test below)
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * servers.PATIENCE)
    if failures:
        raise failures[0]
    assert not any(thread.is_alive() for thread in threads), "not all came to an end"
    return results
