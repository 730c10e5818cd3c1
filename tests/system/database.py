"""What stands between a program and its database in tests, or a browser and a site: a road that can be cut, and a name server of
our own. And a PostgreSQL whose machine fails it."""

import contextlib
import ctypes
import os
import select
import socket
import struct
import subprocess
import threading

import servers

SOURCES = servers.ROOT / "tests" / "system"


def preloaded(source, folder):
    """A library of ours for LD_PRELOAD."""
    library = folder / f"{source}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", library, SOURCES / f"{source}.c", "-ldl"], check=True)
    library.chmod(0o755)
    folder.chmod(0o755)
    return library


# A filter of the kernel's that lets nothing through: "return 0".
NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27


class Road:
    """A TCP address that leads to a unix socket, or to a port of 127.0.0.1. silence() makes it swallow what the connections that are there say,
    as a firewall does that has forgotten them; reset() answers them with RST; drop() loses their packets, which then
    nobody acknowledges; new ones are carried as ever, unless `closed`: those are accepted and never answered. cut() ends a
    connection in the middle of a call."""

    def __init__(self, path, address="127.0.0.1", port=0, closed=False):
        self.path, self.closed = path, closed
        self.listening = socket.create_server((address, port), backlog=128)
        self.port = self.listening.getsockname()[1]
        self.pairs, self.silent, self.accepted = [], set(), 0
        self.word, self.behind, self.unheard = None, False, None
        self.waker, self.woken = socket.socketpair()
        self.lock = threading.Lock()
        self.over = False
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def url(self, user="banter_app", host="127.0.0.1", rest=""):
        return f"postgresql://{user}@{host}:{self.port}/banter{rest}"

    def carry(self):
        while not self.over:
            with self.lock:
                ends = {end: other for pair in self.pairs if pair[0] not in self.silent
                        for end, other in (pair, pair[::-1])}
            ready, _, _ = select.select([self.listening, self.woken, *ends], [], [])
            for one in ready:
                if one is self.woken:
                    self.woken.recv(64)
                elif one is self.listening:
                    self.take()
                else:
                    self.pass_on(one, ends[one])

    def take(self):
        with contextlib.suppress(OSError):
            near = self.listening.accept()[0]
            self.accepted += 1
            port = isinstance(self.path, int)
            far = socket.socket(socket.AF_INET if port else socket.AF_UNIX)
            if not self.closed:
                far.connect(("127.0.0.1", self.path) if port else str(self.path))
            with self.lock:
                self.pairs.append((near, far))
                if self.closed:
                    self.silent.add(near)

    def pass_on(self, one, other):
        with self.lock:
            pair = next((pair for pair in self.pairs if one in pair), None)
            if pair is None or pair[0] in self.silent:
                return
            try:
                data = one.recv(65536)
                asked = self.word and one is pair[0] and self.word in data
                if data and pair is not self.unheard and (not asked or self.behind):
                    other.sendall(data)
                    if asked:
                        self.word, self.unheard = None, pair
                    return
                if asked or pair is self.unheard:
                    self.word = self.unheard = None
                    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
            self.pairs.remove(pair)
        for end in pair:
            end.close()

    def cut(self, word, behind):
        """The next call that says this word is answered with RST: in its place, or `behind` its answer, which nobody hears."""
        with self.lock:
            self.word, self.behind = word.encode(), behind

    def was_cut(self):
        return self.word is None and self.unheard is None

    def drop(self, newcomers=False):
        """The packets of those that are there, or also of those who come."""
        program = struct.pack("HP", 1, ctypes.addressof(NOTHING))
        with self.lock:
            for end in [near for near, _ in self.pairs] + [self.listening] * newcomers:
                end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def let_through(self):
        with self.lock:
            for end in [near for near, _ in self.pairs] + [self.listening]:
                with contextlib.suppress(FileNotFoundError):  # it has none
                    end.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)

    def silence(self):
        """Those that are there are never answered again."""
        with self.lock:
            self.silent.update(near for near, _ in self.pairs)
        self.waker.send(b"x")

    def reset(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for near, far in pairs:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            near.close()
            far.close()
        self.waker.send(b"x")

    def close(self):
        self.over = True
        self.waker.send(b"x")
        self.thread.join()
        for end in (self.listening, self.waker, self.woken, *(end for pair in self.pairs for end in pair)):
            end.close()


class Names:
    """A name server: `environment` has a program ask it; say(name, "127.0.0.1") or say(name, "silent") or "none"."""

    def __init__(self, folder):
        library, self.file = preloaded("names", folder), folder / "names"
        self.names = {}
        self.file.write_text("")
        self.file.chmod(0o755)
        self.environment = {"LD_PRELOAD": str(library), "BANTER_TEST_NAMES": str(self.file)}
        if "ASAN_OPTIONS" in os.environ:
            self.environment["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0"

    def say(self, name, *answer):
        self.names[name] = answer
        fresh = self.file.with_suffix(".new")
        fresh.write_text("".join(f"{name} {' '.join(words)}\n" for name, words in self.names.items()))
        fresh.chmod(0o644)
        fresh.replace(self.file)


class Failing(servers.Postgres):
    """A PostgreSQL whose disk is full for the files below a folder of its data, while `.full` holds that folder's name, and
    whose clock was set by as many seconds as stand in `.clock`, while there is that file."""

    def spawn(self, command, env=None, **options):
        self.full, self.clock = self.folder / "full", self.folder / "clock"
        library = self.folder / "machine.so"
        if not library.exists():
            preloaded("machine", self.folder)
        preload = {"LD_PRELOAD": str(library), "BANTER_TEST_DISK": str(self.full), "BANTER_TEST_CLOCK": str(self.clock)}
        super().spawn(command, {**preload, **(env or {})}, **options)
