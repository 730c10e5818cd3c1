"""A thousand streams at once on what `make run` sets up by itself: all of them are served, and PostgreSQL has a few
connections. A small crowd in `make test`; the thousand in `tests/run thousand_long`, four thousand in `tests/run bench`."""

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
from urllib.parse import urlsplit

import psycopg2
import pytest

import servers
from servers import ROOT, name, script, until
from test_run import clone, make_run, name_of  # noqa: F401 (fixtures)

LONG = bool(os.environ.get("BANTER_TEST_LONG"))
CROWD = 1000 if LONG else 120
PATIENCE = 900 if LONG else servers.PATIENCE


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    """This process holds the clients' ends, the stand-in the other ones."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Run:
    """A `make run` with so many workers, for callers whom no limit stops."""

    def __init__(self, make_run, clone, workers, model):
        self.clone = clone
        self.running = make_run(BANTER_WORKERS=str(workers), BANTER_ADDRESS_LIMIT="0", BANTER_MODEL_URL=model.url)
        self.running.curl_line()
        shell = self.sh(". build/run/env; env -0")
        self.env = dict(line.split("=", 1) for line in shell.split("\0") if line.startswith("BANTER_"))
        self.sh('. build/run/env; build/banterctl chatbot set "$BANTER_CHATBOT_ID" rate_limit=none')

    def sh(self, command):
        return subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=self.clone.folder, check=True,
                              timeout=PATIENCE, env={"PATH": os.environ["PATH"]}).stdout

    def sql(self, statement):
        connection = psycopg2.connect(self.env["BANTER_ADMIN_DATABASE_URL"])
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def backends(self):
        """The pool's connections to PostgreSQL: all of them, and those that do something."""
        [(every, busy)] = self.sql("""select count(*), count(*) filter (where state <> 'idle') from pg_stat_activity
            where usename = 'banter_app'""")
        return every, busy

    def stored(self):
        return dict(self.sql("select state, count(*) from banter_data.exchange group by state"))

    def pooler(self):
        """The process of PgBouncer."""
        [pid] = [pid for pid in self.running.parts() if "pgbouncer.ini" in name_of(pid)]
        return pid


async def ask(run, number, text, begun):
    """One stream on a connection of its own; begun() once its first token is there. Its tokens, or what came instead."""
    to = urlsplit(run.env["BANTER_URL"])
    reader, writer = await asyncio.open_connection(to.hostname, to.port)
    body = json.dumps({"sessionId": name(f"s{number}"), "message": text})
    writer.write((f"POST /v1/chat/stream HTTP/1.0\r\nHost: banter\r\nx-api-key: {run.env['BANTER_WIDGET_KEY']}\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
    head = await reader.readuntil(b"\r\n\r\n")
    tokens, last = [], None
    async for line in reader:
        if line == b"\n":
            continue  # a heartbeat
        last = json.loads(line)
        if last.get("type") == "token":
            if not tokens:
                begun()
            tokens.append(last["token"])
    writer.close()
    if (last or {}).get("type") != "done":
        begun()
        return head.split(b"\r\n")[0].decode(), last
    return tokens


async def crowd(run, count, text, all_begun=None):
    """So many streams, begun within a second; all_begun() is called, beside them, once each had its first token."""
    left, here = count, asyncio.Event()

    def begun():
        nonlocal left
        left -= 1
        if not left:
            here.set()

    async def late(number):
        await asyncio.sleep(number / count)
        return await ask(run, number, text, begun)

    asked = [asyncio.create_task(late(number)) for number in range(count)]
    await asyncio.wait_for(here.wait(), PATIENCE)
    if all_begun:
        await asyncio.get_running_loop().run_in_executor(None, all_begun)
    return await asyncio.wait_for(asyncio.gather(*asked), PATIENCE)


def refused(answers, wanted):
    return [answer for answer in answers if answer != wanted]


@pytest.mark.timeout(2 * PATIENCE)
def test_a_crowd_at_once_out_of_the_box(make_run, clone, standin, model):  # noqa: F811
    """As many streams as workers, all held open at once: all are served, and none has a connection of PostgreSQL's
    while the model talks."""
    run = Run(make_run, clone, CROWD, standin)
    said = re.search(rf"^  pooler +PgBouncer, private: {CROWD} workers share (\d+) connections", run.running.text(), re.M)
    most = int(said[1])
    assert most <= 16
    gate = name("gate")
    counted = []

    def all_held():
        until(lambda: run.backends()[1] == 0, "none that is busy")
        counted.append(run.backends()[0])
        model.open_gate(gate)

    before = run.stored().get("done", 0)
    answers = asyncio.run(crowd(run, CROWD, script("held", tokens=["a", "b"], gates={"2": gate}), all_held))
    assert not refused(answers, ["a", "b"])
    assert 0 < counted[0] <= most
    assert run.stored()["done"] - before == CROWD
    # What runs there is found in order, by whoever sources its file and asks.
    doctor = json.loads(run.sh(". build/run/env; build/banterctl doctor --no-model --json || true"))
    [connections] = [finding for finding in doctor if finding["check"] == "connections"]
    assert (connections["verdict"], f"up to {most} connections" in connections["found"]) == ("ok", True), connections
    run.running.stop()
    assert "stopped; the data is kept" in run.running.text() and "killed" not in run.running.text()


def test_a_pooler_that_dies_is_told_and_ends_the_run(make_run, clone, standin):  # noqa: F811
    run = Run(make_run, clone, 33, standin)
    mine = run.running.parts()
    os.kill(run.pooler(), signal.SIGKILL)
    assert run.running.process.wait(servers.PATIENCE) != 0
    assert "banter: pgbouncer ended by itself, by signal KILL" in run.running.text()
    until(lambda: not run.running.parts() & mine, "the end of all parts")


@pytest.mark.parametrize("workers, words", [
    (32, ""),
    (33, "  pooler    PgBouncer is not installed: each of 33 workers takes a connection of PostgreSQL's\n"),
])
def test_without_PgBouncer_it_runs_directly_and_says_what_is_missing(tmp_path, workers, words):
    """Where it cannot be installed either."""
    packages = tmp_path / "packages.sh"
    packages.write_text("#!/bin/sh\necho \"asked for $1\" >&2\nexit 1\n")
    packages.chmod(0o755)
    found = subprocess.run(
        ["bash", "-uc", f"command() {{ false; }}; here={tmp_path} workers={workers}; . {ROOT}/deploy/run/parts.sh;"
         f". {ROOT}/deploy/run/pooler.sh; pooler_find && echo \"pooler=$pooler\""],
        capture_output=True, text=True, timeout=servers.PATIENCE)
    assert found.stdout == f"{words}pooler=\n"
    assert found.stderr == ("asked for pooler\n" if words else "")
