"""What a stream takes of the machine's memory while it runs: a worker's own, and everything's."""

import contextlib

import parts
import processes
import thousand
from case import Case
from table import Table, number

OWN = 50  # streams of the two runs that look at one worker
GROUPS = ("workers", "nginx", "pgbouncer", "postgres")
TITLES = {"workers": "workers", "nginx": "nginx", "pgbouncer": "PgBouncer", "postgres": "PostgreSQL"}


def case(streams, within):
    """A token a second, and so long after all of them are to have begun that what it takes to look at all processes, some
    5 ms each, is in the middle of it."""
    return Case(f"streams{streams}", f"{streams:,} streams at a token a second", streams, 1, within + 10 + streams // 200, 1000000,
                spread_us=within * 1000000)


def measure(bench, enter):
    return {"worker": {name: worker(bench, name == "TLS") for name in ("plain", "TLS")},
            "streams": [all_of(bench, thousand.STREAMS, 1)]}


def worker(bench, tls):
    """KiB that a worker has to itself in mid-stream."""
    bench.say(f"a worker in mid-stream, {'with TLS' if tls else 'plain'}")
    with contextlib.ExitStack() as own:
        enter = lambda part: own.enter_context(contextlib.closing(part))  # noqa: E731
        settings = {}
        if tls:
            proxy = enter(parts.Proxy(bench.model, tls=True))
            settings = {"model_url": proxy.url, "model_ca": proxy.ca}
        one = parts.banter(enter, bench, OWN, pooled=True, **settings)
        look = lambda _: processes.uss_kib(one.groups["workers"].children())  # noqa: E731
        return one.load(Case("own", "a worker's own memory", OWN, 1, 6, 1000000, spread_us=1000000), look=look)["look"]


def all_of(bench, streams, within):
    """Everything in the middle of `streams` streams, begun within so many seconds, and what they cost the machine."""
    load = case(streams, within)
    bench.say(load.title)
    before = processes.available_kib()
    with contextlib.ExitStack() as own:
        one = parts.banter(lambda part: own.enter_context(contextlib.closing(part)), bench, streams, pooled=True)
        found = one.load(load, refuses=True, look=lambda pid: look(bench, one, pid))
    seen = found["look"]
    seen["lost"] = before - seen.pop("available") - seen.pop("others")
    return {"streams": streams, "served": found["exchanges"], "first_p99_ns": found["first_ns"]["p99"], **seen}


def look(bench, one, load_pid):
    available = processes.available_kib()
    return {
        "available": available,
        "others": processes.pss_kib(load_pid) + processes.pss_kib(bench.model.process.pid),
        "backends": len(processes.named(bench.postgres.process.pid, "postgres: banter_app")),
        "pss": thousand.memory(one),
        "uss": processes.uss_kib(one.groups["workers"].children()),
    }


def a_stream(found):
    return sum(found["pss"].values()) / found["streams"]


def tables(found):
    own = Table("memory of a worker's own (USS) in mid-stream, KiB", ["median", "most"])
    for name, sizes in found["worker"].items():
        own.row(f"{name} model", [number(sizes["median"]), number(sizes["max"])])
    return [own, table_streams(found["streams"])]


def table_streams(rows):
    made = Table("memory in mid-stream, KiB a stream", [f"{one['streams']:,} streams" for one in rows])
    made.row("served", [f"{one['served']:,}" for one in rows])
    made.row("everything (PSS, PostgreSQL's shared memory apart)", [number(a_stream(one)) for one in rows])
    for group in GROUPS:
        made.row(f"  {TITLES[group]}", [number(one["pss"][group] / one["streams"]) for one in rows])
    made.row("what MemAvailable lost", [number(one["lost"] / one["streams"]) for one in rows])
    made.row("a worker's own (USS), median", [number(one["uss"]["median"]) for one in rows])
    made.row("PostgreSQL's backends of Banter's, in all", [str(one["backends"]) for one in rows])
    return made
