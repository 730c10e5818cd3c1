"""Turns torture.c in the processes of a pool: which call fails, in which kind of process, and what it was."""

import mmap
import os
import struct
import subprocess

import servers

PROCESS, BESIDES, COUNT, FAIL_AT, _, FROM, NAME, END = 0, 16, 24, 32, 40, 48, 56, 96  # torture.h's struct


class Failing:
    """The file that TORTURE_CONTROL names."""

    def __init__(self, folder):
        self.path = folder / "failing"
        self.path.write_bytes(b"\0" * END)
        os.chmod(self.path, 0o666)
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), END)
        self.rest()

    def _put(self, place, number):
        self.memory[place : place + 8] = struct.pack("q", number)

    def _get(self, place):
        return struct.unpack("q", self.memory[place : place + 8])[0]

    def aim(self, process, at, besides=0):
        """From now on the calls of such a process are counted, and number `at` fails; 0: none."""
        self.rest()
        self._put(COUNT, 0)
        self._put(FAIL_AT, at)
        self._put(BESIDES, besides)
        self.memory[NAME:END] = bytes(END - NAME)
        self.memory[PROCESS:BESIDES] = process.encode().ljust(BESIDES, b"\0")

    def rest(self):
        """Nothing is counted, and nothing fails."""
        self.memory[PROCESS:BESIDES] = b"nobody".ljust(BESIDES, b"\0")

    @property
    def count(self):
        return self._get(COUNT)

    @property
    def name(self):
        """Of the call that failed; "": none has so far."""
        return self.memory[NAME:END].split(b"\0")[0].decode()

    @property
    def place(self):
        """Where it stands, for places()."""
        return self._get(FROM)


def places(those):
    """Lines of our text by what Failing.place was, all at once: to look them up takes longer than an exchange."""
    those = sorted(set(those))
    lines = subprocess.run(["addr2line", "-e", servers.BUILD / Tortured.program, *(f"{one - 1:#x}" for one in those)],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    return {one: line.partition(" ")[0].rpartition("/app/")[2] for one, line in zip(those, lines)}


class Tortured(servers.Banter):
    """A pool of the program that torture.c is linked into."""

    program = "torture.fcgi"


class Start(Tortured):
    """One whose start may fail: then it has ended, and said why."""

    def listening(self):
        return self.process.poll() is not None or servers.listens(self.socket)

    def children(self, kind="worker"):
        return super().children(kind) if self.process.poll() is None else [0]

    def failed(self):
        text, self.process = self.text(), None
        self.close()
        assert text and "Sanitizer" not in text and "runtime error" not in text, text

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
