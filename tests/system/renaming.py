"""A stand-in for a pooler that keeps prepared statements (PgBouncer from 1.21 on, with max_prepared_statements): each
transaction goes to the next of a few connections of its own, statements have names of its own there, and are made where
they are missing."""

import contextlib
import itertools
import secrets
import socket
import struct
import threading


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


def word(text):
    return text + b"\0"


class Wire:
    """Messages of PostgreSQL's protocol."""

    def __init__(self, end):
        self.end, self.file = end, end.makefile("rb")

    def read(self, kinds=1):
        """(kind, body); None at the end."""
        head = self.file.read(kinds + 4)
        if len(head) < kinds + 4:
            return None
        (length,) = struct.unpack("!i", head[kinds:])
        return head[:kinds], self.file.read(length - 4)

    def close(self):
        self.file.close()
        self.end.close()


class Backend(Wire):
    """One connection to the server."""

    def __init__(self, path, user, database):
        end = socket.socket(socket.AF_UNIX)
        end.connect(str(path))
        super().__init__(end)
        said = b"".join(word(text.encode()) for text in ("user", user, "database", database, "client_encoding", "UTF8"))
        end.sendall(struct.pack("!ii", len(said) + 9, 3 << 16) + said + b"\0")
        self.greeting, self.made = b"", set()
        while True:
            kind, body = self.read()
            if kind == b"S":
                self.greeting += message(kind, body)
            if kind == b"K":
                self.key = body
            if kind == b"Z":
                return


class Renaming:
    """`keeps` False: names are passed on as they are, as an old pooler does in transaction mode. `disguised`: with one
    connection, it cannot be told from the server."""

    def __init__(self, postgres, connections=2, keeps=True, disguised=False, port=0):
        self.keeps, self.disguised = keeps, disguised
        self.backends = [Backend(postgres.folder / ".s.PGSQL.5432", "banter_app", "banter") for _ in range(connections)]
        self.free = list(self.backends)
        self.changed = threading.Condition()
        self.clients = []
        self.names, self.numbers = {}, itertools.count(1)
        self.listening = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self):
        return f"postgresql://banter_app@127.0.0.1:{self.port}/banter?sslmode=disable&gssencmode=disable"

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for client in self.clients:
            with contextlib.suppress(OSError):
                client.end.shutdown(socket.SHUT_RDWR)
        for backend in self.backends:
            backend.close()

    def accept(self):
        while True:
            try:
                end = self.listening.accept()[0]
            except OSError:
                return
            self.clients.append(Wire(end))
            threading.Thread(target=self.serve, args=(self.clients[-1],), daemon=True).start()

    def take(self):
        """The one that was used longest ago: another one each time."""
        with self.changed:
            self.changed.wait_for(lambda: self.free)
            return self.free.pop(0)

    def give(self, backend):
        with self.changed:
            self.free.append(backend)
            self.changed.notify()

    def run(self, words):
        """A statement of somebody else's, on each of its connections."""
        for backend in [self.take() for _ in self.backends]:
            backend.end.sendall(message(b"Q", word(words.encode())))
            while backend.read()[0] != b"Z":
                pass
            self.give(backend)

    def serve(self, client):
        client.read(kinds=0)
        key = self.backends[0].key if self.disguised else secrets.token_bytes(8)
        client.end.sendall(message(b"R", struct.pack("!i", 0)) + self.backends[0].greeting +
                           message(b"K", key) + message(b"Z", b"I"))
        statements, backend = {}, None
        try:
            while (batch := self.read_batch(client)) is not None:
                backend = backend or self.take()
                if self.exchange(client, backend, batch, statements) == b"I":
                    self.give(backend)
                    backend = None
        except OSError:
            pass
        client.close()

    @staticmethod
    def read_batch(client):
        """All up to a Sync, or a simple query."""
        batch = []
        while True:
            one = client.read()
            if one is None or one[0] == b"X":
                return None
            batch.append(one)
            if one[0] in (b"S", b"Q"):
                return batch

    def exchange(self, client, backend, batch, statements):
        answers = []  # to what is answered by 1 or 3: (its name there, whether its client awaits that)
        sent = b"".join(self.rename(backend, statements, answers, *one) for one in batch)
        backend.end.sendall(sent)
        while True:
            kind, body = backend.read()
            wanted = True
            if kind in (b"1", b"3") and answers:
                name, wanted = answers.pop(0)
                (backend.made.add if kind == b"1" else backend.made.discard)(name)
            if wanted:
                client.end.sendall(message(kind, body))
            if kind == b"Z":
                return body

    def rename(self, backend, statements, answers, kind, body):
        """What is sent in a message's place."""
        if kind == b"P":
            name, rest = body.split(b"\0", 1)
            if not name or not self.keeps:
                answers.append((None, True))
                return message(kind, body)
            own = self.names.setdefault(rest, b"POOLER_%d" % next(self.numbers))
            statements[name] = own, rest
            answers += [(own, False), (own, True)]
            return message(b"C", b"S" + word(own)) + message(b"P", word(own) + rest)
        if kind == b"B" and self.keeps:
            portal, name, rest = body.split(b"\0", 2)
            if name:
                own, text = statements[name]
                before = b""
                planned = any(made == own for made, _ in answers)
                if own not in backend.made and not planned:
                    answers.append((own, False))
                    before = message(b"P", word(own) + text)
                return before + message(b"B", word(portal) + word(own) + rest)
        return message(kind, body)
