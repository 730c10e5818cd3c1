"""banterctl as a person and as a program uses it: a pipe (ctl), and a terminal in tmux (Terminal). Rests on servers."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile

import pytest
from servers import BUILD, PATIENCE, name, until

__all__ = ["Terminal", "ctl", "empty", "record"]


def ctl(*arguments, url=None, stdin=None, **env):
    """Runs it; code, standard output and standard error. Nobody is there to be asked; `stdin` is text."""
    if url:
        env["BANTER_DATABASE_URL"] = url
    done = subprocess.run(
        [BUILD / "banterctl", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **env},
        **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}))
    return done.returncode, done.stdout, done.stderr


def record(*arguments, **options):
    """What it prints as JSON; it must do it, and say nothing else."""
    code, out, err = ctl(*arguments, "--json", **options)
    assert (code, err) == (0, ""), (code, out, err)
    return json.loads(out)


@pytest.fixture
def empty(postgres):
    """An empty database: name, url(user), run(sql)."""
    database = name("ctl").replace("-", "_")
    postgres.run(f"create database {database}", database="postgres")

    class Empty:
        def __init__(self):
            self.name = database

        def url(self, user="owner"):
            return postgres.url(user, database)

        def run(self, sql, *values):
            return postgres.run(sql, *values, database=database)

    yield Empty()
    postgres.run(f"drop database {database} with (force)", database="postgres")


class Terminal:
    """A shell in a terminal of its own: a private tmux. Use it in `with`; banterctl is in its PATH."""

    def __init__(self, url, columns=80, lines=24, **env):
        self.folder = tempfile.mkdtemp(prefix="banter-tmux-", dir="/tmp")
        self.begun = ""
        self.size = ["-x", str(columns), "-y", str(lines)]
        self.env = {"PATH": f"{BUILD}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "HOME": self.folder, "PS1": "ready$ ",
                    "TERM": "screen", "BANTER_DATABASE_URL": url, **env}

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", f"{self.folder}/socket", "-f", "/dev/null", *words], check=True,
                              capture_output=True, text=True, env=self.env).stdout

    def __enter__(self):
        # By words, not by a line: the shell that would read the line forgets PS1.
        self.tmux("new-session", "-d", *self.size, "bash", "--norc", "--noprofile")
        try:
            self.await_text("ready$")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.tmux("kill-server")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def screen(self, *options):
        """What the latest command left in it, what scrolled off too; with "-e" its colours."""
        text = self.tmux("capture-pane", "-p", "-S", "-", *options)
        return text.partition(self.begun)[2] if self.begun else text

    def type(self, *keys):
        """Text as it is; "Enter" and the like, and "C-c", are keys."""
        for key in keys:
            named = key in ("Enter", "Escape", "Tab") or key[:2] == "C-"
            self.tmux("send-keys", *([] if named else ["-l"]), "--", key)

    def await_text(self, text):
        """Waits until it stands there (without blanks at the end of a line); all that stands there."""
        def look():
            screen = self.screen()
            return text in screen and screen
        return until(look, f"{text!r} in the terminal")

    def start(self, *words):
        """Types a command of banterctl, and waits until it has begun; for end()."""
        mark = name("mark")
        # Where it is typed, the mark is in two pieces.
        echo = f"echo '{mark[:4]}'{mark[4:]}"
        self.begun = ""
        self.type(f"{echo}; {shlex.join(['banterctl', *map(str, words)])}; {echo}=$?", "Enter")
        self.await_text(f"{mark}\n")
        self.begun = f"{mark}\n"
        return mark

    def end(self, mark):
        """Waits for the command's end: its exit code, and the lines it left."""
        text, _, code = self.await_text(f"{mark}=").rpartition(f"{mark}=")
        return int(code.split()[0]), text.rstrip("\n").split("\n")

    def run(self, *words):
        """A command from start to end."""
        return self.end(self.start(*words))
