"""A thousand streams that begin within a second, on what `make run` sets up for a thousand workers: nginx, the pool, a
private PgBouncer, PostgreSQL. Each round starts the pool anew: what is measured is how it is met, not how it has settled."""

import contextlib

import parts
import processes
from case import Case
from table import Table, spread

STREAMS = 1000
CASE = Case("thousand", "1,000 streams x 100 tokens, 50 ms apart, begun within a second", STREAMS, 1, 100, 50000,
            spread_us=1000000)
GROUPS = ("nginx", "workers", "pgbouncer", "postgres")


def starters(bench):
    """Name of each target, and what starts it."""
    made = {"Banter": lambda enter: parts.banter(enter, bench, STREAMS, pooled=True),
            "bare relay": lambda enter: parts.relay(enter, bench, STREAMS)}
    if bench.thorough:
        made["floor"] = lambda enter: parts.floor(enter, bench, STREAMS)
    for name, _ in bench.rivals(STREAMS):
        made[name] = lambda enter, name=name: parts.rivals(enter, bench, STREAMS, only=name)[0]
    return made


def measure(bench, _):
    runs = {}
    for number in range(bench.rounds):
        for name, start in starters(bench).items():
            if number and name != "Banter" and not bench.thorough:
                continue  # a round of all of them takes two minutes
            bench.say(f"{name}, round {number + 1} of {bench.rounds}")
            with contextlib.ExitStack() as own:
                one = start(lambda part: own.enter_context(contextlib.closing(part)))
                found = one.load(CASE, refuses=True, look=lambda _, one=one: memory(one))
            runs.setdefault(name, []).append(found)
    return runs


def memory(one):
    """KiB of each group in mid-stream; PostgreSQL's shared memory apart, which is as large as one lets it be."""
    return {name: processes.pss_kib(part.process.pid, shared=name != "postgres")
            for name, part in one.groups.items() if name != "model"}


def served(runs, name="Banter"):
    return [run["exchanges"] for run in runs[name]]


def first_p99_s(runs, name="Banter"):
    return [run["first_ns"]["p99"] / 1e9 for run in runs[name]]


def memory_mb(run):
    return sum(run["look"].values()) / 1024


def tables(runs):
    made = Table(CASE.title, list(runs))
    made.row("served, of 1,000", [spread(served(runs, name)) for name in runs])
    made.row("first token p50, ms", [spread([run["first_ns"]["p50"] / 1e6 for run in found]) for found in runs.values()])
    made.row("first token p99, ms", [spread([run["first_ns"]["p99"] / 1e6 for run in found]) for found in runs.values()])
    made.row("token latency p99, ms", [spread([run["token_ns"]["p99"] / 1e6 for run in found]) for found in runs.values()])
    made.row("CPU, us a token, all between", [
        spread([sum(run["cpu"].get(group, 0) for group in GROUPS) / max(run["tokens"], 1) / 1e3 for run in found])
        for found in runs.values()])
    made.row("memory of all (PSS), MB", [spread(map(memory_mb, found)) for found in runs.values()])
    for group in (*GROUPS, "others"):
        cells = [spread([memory_of(run, group) / 1024 for run in found if memory_of(run, group)]) for found in runs.values()]
        if any(cell != "-" for cell in cells):
            made.row(f"  {group}", cells)
    return [made]


def memory_of(run, group):
    if group != "others":
        return run["look"].get(group, 0)
    return sum(size for name, size in run["look"].items() if name not in GROUPS)
