"""Many clients of several sites at once, in a process of its own: `crowd.py PLAN RECORDS`. The plan is JSON (class Plan says
what is in it); each request that has ended is a line of RECORDS. It ends by itself when the plan's count or time is up, or at
SIGTERM, or without its parent, when those that run have ended. Whatever it chooses comes from the plan's seed."""

import asyncio
import collections
import json
import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from dialects import BROKEN, CUT, DIALECTS, DONE, HUNG, LEFT, NAMES, REFUSED  # noqa: E402
from servers import script  # noqa: E402
from tenants import Tenant  # noqa: E402

Plan = collections.namedtuple("Plan", "seed clients count seconds ports tenants patience slow_ms long leave repeat stop")
Plan.__doc__ = """`ports`: of the sites, on 127.0.0.1. `tenants`: name: values of a Tenant. `patience`: seconds without a byte
after which a client counts as hung. `slow_ms`: the most between two tokens. `long`, `leave`, `repeat`, `stop`: shares of 1 of the
requests whose answer is long, that go away before their end, that send an earlier one again, and whose answer takes so long that
it is stopped."""

KEPT = 20  # conversations and keyed requests that a client goes on with
TURNS = 8  # exchanges of a conversation, about
STOPPED = {"tokens": 50, "delay_ms": 100}  # a worker hears of a stop within 2 s


class Client:
    """One after the other, each on a connection of its own."""

    def __init__(self, plan, number, out):
        self.plan, self.number, self.out = plan, number, out
        self.chance = random.Random(f"{plan.seed} client {number}")
        self.sent = 0
        self.keyed = collections.deque(maxlen=KEPT)
        self.talks = collections.deque(maxlen=KEPT)

    def id(self):
        self.sent += 1
        return f"storm-{self.number}-{self.sent}"

    def talk(self, dialect, name):
        """The members that name the conversation: one that goes on, or a new one."""
        known = [own for api, tenant, own in self.talks if (api, tenant) == (DIALECTS[dialect].api.name, name)]
        if known and self.chance.random() > 1 / TURNS:
            return self.chance.choice(known)
        named = NAMES.get(DIALECTS[dialect].api.name)
        # OpenAI's clients keep some of theirs.
        return {named: f"s-{self.number}-{self.sent}"} if named == "sessionId" or (named and self.chance.random() < 0.5) else {}

    def answer(self, mark, stop):
        """A directive, and the text that the model will answer with."""
        if stop:
            return STOPPED, "".join(f"word{n} " for n in range(1, STOPPED["tokens"] + 1))
        kind = self.chance.random()
        how = {"first_ms": self.chance.choice([0, 0, 5, 30]), "delay_ms": self.chance.uniform(0, self.plan.slow_ms)}
        if kind < self.plan.long:
            return {"tokens": 1200, "first_ms": 0}, "".join(f"word{n} " for n in range(1, 1201))
        tokens = ["one ", mark, *(f" {n}" for n in range(self.chance.randrange(8)))]
        return {"tokens": tokens, **how}, "".join(tokens)

    def new(self):
        stop = self.chance.random() < self.plan.stop
        dialect = self.chance.choice([name for name, dialect in DIALECTS.items() if dialect.stop or not stop])
        tenant = self.chance.choice(list(self.plan.tenants))
        mark = self.id()
        how, expected = self.answer(mark, stop)
        return {"id": mark, "dialect": dialect, "tenant": tenant, "message": script(mark, **how), "expected": expected,
                "own": self.talk(dialect, tenant), "key": f"key-{mark}" if self.chance.random() < 0.4 else None, "stop": stop}

    def next(self):
        """What is asked next: one request, or the same twice at once."""
        if self.keyed and self.chance.random() < self.plan.repeat:
            again = {**self.chance.choice(self.keyed), "id": self.id()}
            return [again]
        one = self.new()
        if one["key"]:
            self.keyed.append(one)
            if self.chance.random() < self.plan.repeat / 3:
                return [one, {**one, "id": self.id()}]
        return [one]

    async def run(self, over):
        while not over():
            asked = self.next()
            records = await asyncio.gather(*(self.ask(one) for one in asked))
            for record in records:
                self.out(record)
                if record["end"] == DONE and (record["own"] or record["conversation"]):
                    own = record["own"] or {"conversationId": record["conversation"]}
                    self.talks.append((DIALECTS[record["dialect"]].api.name, record["tenant"], own))
            if any(record["end"] in (REFUSED, BROKEN) for record in records):
                await asyncio.sleep(self.chance.uniform(0.02, 0.2))

    async def ask(self, asked):
        leaves = self.chance.random() < self.plan.leave
        stays = self.chance.uniform(0, 0.1) if leaves else None
        site = self.chance.randrange(len(self.plan.ports))
        record = {**asked, "site": site, "sent": time.monotonic(), "status": None}
        tenant = Tenant(*self.plan.tenants[asked["tenant"]])
        path, headers, body = DIALECTS[asked["dialect"]].request(tenant, asked["message"], asked["own"])
        if asked["key"]:
            headers = {**headers, "Idempotency-Key": asked["key"]}
        stops = []

        def heard(raw):
            """Once, when a token came: somebody asks that the answer end, of any of the sites."""
            _, _, came = raw.partition(b"\r\n\r\n")
            if asked["stop"] and not stops and (how := DIALECTS[asked["dialect"]].stop_of(tenant, asked["own"], came)):
                stops.append(asyncio.create_task(self.stop(asked, *how)))

        request = self.request(asked["id"], path, headers, body)
        raw, how = await self.exchange(self.plan.ports[site], request, stays, heard)
        record.update(self.read(asked["dialect"], raw, how), ended=time.monotonic())
        record["stop"] = await stops[0] if stops else None
        return record

    async def stop(self, asked, path, headers):
        """Its id, how it ended where it was not answered, and what it was told."""
        one = self.id()
        raw, how = await self.exchange(self.chance.choice(self.plan.ports), self.request(one, path, headers, b""), None)
        status, _, body = self.parts(raw) or (None, None, None)
        return {"id": one, "end": how, "told": DIALECTS[asked["dialect"]].stopped(status, body)}

    @staticmethod
    def request(name, path, headers, body):
        headers = {"Host": "banter", "X-Request-Id": name, "Content-Length": len(body), **headers}
        return f"POST {path} HTTP/1.0\r\n".encode() + "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n" + body

    async def exchange(self, port, request, stays, heard=lambda raw: None):
        """What came, and how it ended: None (the server's end), LEFT, HUNG or BROKEN. What has come is heard()."""
        raw, writer = b"", None
        until = time.monotonic() + stays if stays is not None else None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            while True:
                patience = self.plan.patience if until is None else max(until - time.monotonic(), 0.001)
                more = await asyncio.wait_for(reader.read(65536), patience)
                if not more:
                    return raw, None
                raw += more
                heard(raw)
        except asyncio.TimeoutError:
            return raw, HUNG if until is None else LEFT
        except OSError:
            return raw, BROKEN
        finally:
            if writer:
                writer.transport.abort()

    @staticmethod
    def parts(raw):
        """Status, headers and body; None: there are none yet."""
        head, found, body = raw.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        return int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}, body

    def read(self, dialect, raw, how):
        parts = self.parts(raw)
        if not parts:
            return {"end": how or BROKEN}
        status, headers, body = parts
        read = DIALECTS[dialect].read(status, headers, body)
        if how and read["end"] == CUT:
            read["end"] = how
        return {"status": status, "reset": headers.get("x-ratelimit-reset"), **read}


async def main(plan, records):
    began, written, told, parent = time.monotonic(), 0, False, os.getppid()

    def out(record):
        nonlocal written
        written += 1
        records.write(json.dumps(record) + "\n")

    def over():
        return told or os.getppid() != parent or written >= plan.count or time.monotonic() - began >= plan.seconds

    def stop():
        nonlocal told
        told = True

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    await asyncio.gather(*(Client(plan, number, out).run(over) for number in range(plan.clients)))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file, open(sys.argv[2], "w", encoding="utf-8", buffering=1) as lines:
        asyncio.run(main(Plan(**json.load(file)), lines))
