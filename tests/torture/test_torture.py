"""Torture: each call beneath a process of the pool fails once, in turn, in a whole exchange of each API, on the real libraries.

Whatever it was, the client gets what the contract says: the whole answer, its error, or a cut reply where the worker died of it;
what was acknowledged is stored and charged once, nothing else is, and the next request is answered. The suite runs under the
sanitizers, which look for leaks where a process ends. BANTER_TEST_ROUNDS=0 fails each call, else so many are chosen a test, and
BANTER_TEST_SEED repeats a choice."""

import collections
import contextlib
import json
import os
import random
import re
import secrets
import time

import pytest

import apis
from dialects import CUT, DIALECTS, DONE, REFUSED, OpenAI
from failing import Failing, Start, Tortured, places
from fastcgi import Connection, chat
from servers import name, script, until

SEED = os.environ.get("BANTER_TEST_SEED") or secrets.token_hex(4)
ROUNDS = int(os.environ.get("BANTER_TEST_ROUNDS", "8"))
TOKENS = ["Hel", "lo", " there"]
CREDITS = 1_000_000
MOST = 10_000  # calls of one exchange: beyond all of them
# Where these fail, a client is believed to have left: its reply may break off.
CLIENT_GONE = ("FCGX_", "FCGI_")

Failed = collections.namedtuple("Failed", "name place end status states")


class Round:
    """One exchange, what became of it for its client, and what is stored."""

    def __init__(self, house, dialect):
        self.house, self.dialect, self.id = house, dialect, name("r")
        house.last = self.id
        self.status, self.end, self.text, self.headers, self.body = 0, CUT, None, {}, b""
        own = {"sessionId": self.id} if dialect.api is apis.Headless else {}
        path, headers, body = dialect.request(house.tenant, script(self.id, tokens=TOKENS), own)
        params = {"REQUEST_METHOD": "POST", "REQUEST_URI": path, "CONTENT_LENGTH": len(body), "REMOTE_ADDR": "127.0.0.1",
                  "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_X_REQUEST_ID": self.id}
        params.update({f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers.items()})
        with Connection(house.banter.socket) as connection:
            self.read(connection.ask(params, body))

    def read(self, reply):
        while reply.more():
            pass
        head, there, self.body = reply.bytes.partition(b"\r\n\r\n")
        if not there:
            return
        self.headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.status = int(self.headers.pop("Status").split()[0])
        found = self.dialect.read(self.status, {key.lower(): value for key, value in self.headers.items()}, self.body)
        assert "wrong" not in found, (found, self.body)
        self.end, self.text = found["end"], found.get("text")

    def check_reply(self):
        """What came is a reply of the contract, to the letter."""
        if self.status == 0:
            return
        apis.check_headers(self, stream=self.dialect.streams and self.status == 200)
        if self.status != 200:
            assert self.status in (500, 503), (self.status, self.body)
            body = json.loads(self.body)
            if self.dialect.api is apis.Headless:
                assert (self.status, body["error"]) in apis.HEADLESS_TABLE and set(body) == {"error"}
            elif self.dialect.api is OpenAI:
                said = {**body["error"], "message": bool(body["error"]["message"])}
                code = "service_unavailable" if self.status == 503 else None
                assert said == {"message": True, "type": "server_error", "param": None, "code": code} and set(body) == {"error"}
            else:
                assert apis.TABLE[body["code"]] == (self.status, body["error"])
            assert ("Retry-After" in self.headers) == (self.status == 503)
        elif self.end == DONE:
            assert self.text == "".join(TOKENS)

    def stored(self):
        return self.house.postgres.run("select state, answer from banter_data.exchange where request_id = %s", self.id)

    def check_stored(self):
        """What was acknowledged, once, and nothing else. Where a connection was lost with a begin, that may have been done
        all the same: then it lies until its lease ends (S10)."""
        stored, failed = self.stored(), self.house.failing.name
        if self.end == DONE:
            assert stored == [("done", self.text)], stored
        elif self.end == REFUSED and stored and failed.startswith(("PQ", "ppoll")):
            assert stored == [("running", None)], stored
        elif self.end != CUT:
            assert stored == [] or [state for state, _ in stored] == ["failed"], (self.status, self.body, stored)
        assert len(stored) <= 1, stored


class House:
    """A pool of one worker, a tenant that pays, and what the pool was made to suffer."""

    def __init__(self, postgres, standin, folder, **settings):
        self.postgres, self.tenant, self.failing = postgres, postgres.demo(), Failing(folder)
        self.settings = {"database_url": postgres.url(), "model_url": standin.url, "workers": 1,
                         "TORTURE_CONTROL": self.failing.path, **settings}
        workspace = self.tenant.workspace
        postgres.run("update banter_data.workspace set credits = %s where workspace = %s", CREDITS, workspace)
        postgres.run("insert into banter_data.ledger (workspace, delta, balance_after, kind) values (%s, %s, %s, 'grant')",
                     workspace, CREDITS, CREDITS)
        self.failed, self.complaints, self.last = [], [], None
        self.banter = Tortured(**self.settings)

    def close(self):
        self.failing.rest()
        self.banter.close()

    def worker(self):
        """One that has served nobody yet."""
        def found():
            served = set(map(int, re.findall(r"\[(\d+)\] request=", self.banter.text())))
            return [pid for pid in self.banter.children() if pid not in served]

        with contextlib.suppress(AssertionError):  # the line of one that died, or could not write, never comes
            until(lambda: f" request={self.last} " in self.banter.text(), "its line", 0.5)
        return until(found, "a worker")[0]

    def deaths(self):
        """What the log says of processes that died: how, and after which pause another comes."""
        return re.findall(r"(?:worker|process) \d+ \(pid \d+\) died: ([^;]*);.*a replacement starts in ([\d.]+) s", self.banter.text())

    def hurry(self):
        """Where a replacement would have to wait for long, the pool is started anew."""
        deaths = self.deaths()
        if deaths and float(deaths[-1][1]) > 0.3:
            self.close()
            self.banter = Tortured(**self.settings)

    def settle(self):
        """Waits until the worker has done what it does behind its reply; from then on nothing is counted."""
        counts = [-1, self.failing.count]
        while counts[-1] != counts[-2]:
            time.sleep(0.01)
            counts.append(self.failing.count)
        self.failing.rest()

    def end_leases(self):
        """What nobody renews any more is lost, and gives its price back."""
        workspace = self.tenant.workspace
        self.postgres.run("update banter_data.exchange set lease_until = now() where workspace = %s and state = 'running'", workspace)
        self.postgres.run("select banter.sweep_leases(%s)", workspace - 1)
        assert not self.postgres.run("select from banter_data.exchange where workspace = %s and state = 'running'", workspace)
        self.check_credits()

    def check_credits(self):
        """The balance is its ledger's, and what is due was taken, once."""
        ((credits, booked, due),) = self.postgres.run("""select w.credits,
            (select sum(delta) from banter_data.ledger l where l.workspace = w.workspace),
            (select coalesce(sum(price), 0) from banter_data.exchange e
                where e.workspace = w.workspace and state in ('running', 'done', 'left'))
            from banter_data.workspace w where w.workspace = %s""", self.tenant.workspace)
        assert credits == booked == CREDITS - due, (credits, booked, due)

    def well(self, dialect):
        """An exchange in which nothing fails."""
        one = Round(self, dialect)
        one.check_reply()
        assert one.end == DONE, (one.status, one.body)
        one.check_stored()

    def suffer(self, dialect, usual=DONE):
        """The exchange in which the call fails at which was aimed. `usual`: how it ends where none does."""
        before, one = len(self.deaths()), Round(self, dialect)
        self.settle()
        if not self.failing.name:
            assert one.end == usual, (one.status, one.body)
            return
        states = "".join(state for state, _ in one.stored())
        self.failed.append(Failed(self.failing.name, self.failing.place, one.end, one.status, states))
        try:
            one.check_reply()
            one.check_stored()
            self.check_credits()
            if one.end == CUT and not self.failing.name.startswith(CLIENT_GONE):
                died = until(lambda: found if len(found := self.deaths()) > before else None, "a death", 10)
                assert died[-1][0].startswith("exited with "), died
        except AssertionError as wrong:
            self.complaints.append((self.failed[-1], wrong))

    def account(self):
        """What failed, and what became of it: once each, with how often."""
        named = places(one.place for one in self.failed) if self.failed else {}
        seen = collections.Counter(f"{one.name} at {named[one.place]}: {one.end} {one.status} {one.states}" for one in self.failed)
        return [f"seed {SEED}: {len(self.failed)} calls failed", *(f"  {count} × {text}" for text, count in sorted(seen.items()))]


@pytest.fixture
def house(postgres, standin, tmp_path, record_property):
    """house(**settings) -> House. What was wrong in it fails the test at its end."""
    with contextlib.ExitStack() as stack:
        made = []

        def begin(**settings):
            made.append(House(postgres, standin, tmp_path, **settings))
            stack.callback(made[-1].close)
            return made[-1]

        yield begin
    for one in made:
        record_property("account", "\n".join(one.account()))
        assert not one.complaints, "\n".join(map(str, [*one.complaints, *one.account()]))


def chosen(what, size):
    """Which of so many calls are to fail: all of them, or some."""
    numbers = range(1, size + 1)
    return numbers if not ROUNDS else sorted(random.Random(f"{SEED} {what}").sample(numbers, min(ROUNDS, size)))


def in_each(test):
    return pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)(test)


@in_each
def test_each_call_of_an_exchange_fails_once(house, dialect):
    """Of a worker that has served before, and has its connections."""
    house = house()
    sizes = []
    for _ in range(4):
        house.well(dialect)
        house.failing.aim("banter-worker", MOST)
        house.well(dialect)
        house.settle()
        sizes.append(house.failing.count)
    for at in chosen(dialect.name, max(sizes)):
        house.well(dialect)
        house.failing.aim("banter-worker", at)
        house.suffer(dialect)
        house.hurry()
    house.well(dialect)
    house.end_leases()


@in_each
def test_each_call_of_a_fresh_worker_fails_once(house, dialect):
    """From its first call on: its start, its connections to database and model, and its end."""
    house = house(worker_requests=1)

    def fresh(at):
        """Aims at the worker that comes next; the one that is there ends with this request."""
        house.failing.aim("banter-worker", at, besides=house.worker())
        house.well(dialect)

    fresh(MOST)
    house.well(dialect)
    house.settle()
    for at in chosen(f"fresh {dialect.name}", house.failing.count):
        fresh(at)
        house.suffer(dialect)
        house.hurry()
    house.well(dialect)
    house.end_leases()


@in_each
def test_each_call_of_the_admission_process_fails_once(house, standin, dialect):
    """Where all workers are busy, and who waits gets 503 (G6)."""
    house, gate = house(queue_time="50ms", drain_time="5s"), name("gate")
    held = chat(house.banter.socket, house.tenant, script(name("busy"), tokens=["a", "b"], gates={"2": gate}), "/v1/chat/stream")
    assert [held.event()["type"] for _ in range(2)] == ["start", "token"]
    house.failing.aim("banter-admit", MOST)
    for at in (MOST, *chosen(f"admission {dialect.name}", 60)):
        house.failing.aim("banter-admit", at)
        house.suffer(dialect, REFUSED)
    standin.control.open_gate(gate)
    assert held.events()[-1]["type"] == "done"
    house.well(dialect)


def test_each_call_of_a_start_fails_once(house, tmp_path):
    """It says why, and ends; or it goes on, and serves."""
    house, dialect = house(status_listen=f"unix:{tmp_path}/status"), DIALECTS["headless JSON"]
    house.close()
    house.failing.aim(Tortured.program, MOST)
    house.banter = Start(**house.settings)
    house.settle()
    house.close()
    for at in chosen("start", house.failing.count):
        house.failing.aim(Tortured.program, at)
        house.banter = Start(**house.settings)
        house.settle()
        what = Failed(house.failing.name, house.failing.place, "start", house.banter.process.poll(), "")
        house.failed.append(what)
        try:
            if what.status is None:
                house.well(dialect)
                house.close()
            else:
                assert what.status == 1, what.status
                house.banter.failed()
        except AssertionError as wrong:
            house.complaints.append((what, wrong))
            house.banter.kill()
    house.banter = Tortured(**house.settings)
    house.well(dialect)
