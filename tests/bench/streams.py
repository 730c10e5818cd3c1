"""What a token costs between the model and the client, and how much later it comes: the limit of the design, Banter and what
people use today, on the same load."""

import statistics

import parts
import target
from case import Case
from table import Table, number, spread

WORKERS = 208
CASES = [
    Case("2ms", "50 streams x 200 tokens, 2 ms apart", 50, 3, 200, 2000),
    Case("50ms", "200 streams x 100 tokens, 50 ms apart", 200, 1, 100, 50000),
    Case("burst", "50 streams x 200 tokens as fast as they come, a model that writes 25 at once", 50, 5, 200, 0, burst=25),
    Case("single", "50 streams x 200 tokens as fast as they come, a model that writes each by itself", 50, 3, 200, 0),
]
WARM = Case("warm", "warm-up", WORKERS, 1, 20, 50000)
ROWS = {"nginx": "nginx", "workers": "workers", "pgbouncer": "PgBouncer", "postgres": "PostgreSQL"}
DATABASE = ("pgbouncer", "postgres")
OUTSIDE = {"model": "the model", "load": "the load"}


def measure(bench, enter):
    targets = [parts.model_itself(bench), parts.nginx_alone(enter, bench), parts.relay(enter, bench, WORKERS),
               parts.banter(enter, bench, WORKERS, pooled=True), *parts.rivals(enter, bench, WORKERS)]
    for one in targets:
        one.load(WARM)
    # Of the model alone only its own latency counts, where tokens are paced as real models pace them.
    return target.in_turns(bench, CASES, targets, lambda case, one: one.name != "model" or case.key == "50ms")


def between(run, apart=()):
    """Microseconds of CPU a token of all that stands between the model and the client."""
    return sum(run["cpu"].get(group, 0) for group in ROWS if group not in apart) / run["tokens"] / 1e3


def ratios(found, name, figure, base="bare relay"):
    """Of each round, against the relay's in the same one."""
    return [figure(run) / figure(other) for run, other in zip(found.get(name, []), found.get(base, []))]


def rate(run):
    return run["tokens"] / run["wall_ns"] * 1e9


def added(found, name, quantile):
    """Milliseconds that a token comes later than from the model itself, by round."""
    return [(run["token_ns"][quantile] - own["token_ns"][quantile]) / 1e6 for run, own in zip(found[name], found["model"])]


def added_ratio(runs, quantile):
    found = runs["50ms"]
    ours, limit = (statistics.median(added(found, name, quantile)) for name in ("Banter", "bare relay"))
    return [ours / limit] if limit > 0 else []


def table(case, found):
    names = [name for name in found if name != "model"]
    made = Table(f"{case.title}: CPU, us a token", names)
    for group, title in {**ROWS, **OUTSIDE}.items():
        if group == "model":
            made.row("all between", [spread([between(run) for run in found[name]]) for name in names])
            made.row("  over the bare relay", [spread(ratios(found, name, between)) for name in names])
            made.row("  the database apart", [
                spread(ratios(found, name, lambda run: between(run, DATABASE))) for name in names])
        made.row(title, [spread([run["cpu"][group] / run["tokens"] / 1e3 for run in found[name] if group in run["cpu"]])
                         for name in names])
    made.row("tokens/s", [spread(map(rate, found[name])) for name in names])
    if "model" in found:
        for quantile in ("p50", "p99"):
            made.row(f"added to a token {quantile}, ms", [spread(added(found, name, quantile)) for name in names])
    made.row("first token p50, ms", [spread([run["first_ns"]["p50"] / 1e6 for run in found[name]]) for name in names])
    made.row("tokens a read", [
        number(statistics.median(run["tokens"] / run["reads"] for run in found[name])) for name in names])
    made.row("others on the machine, cores", [spread([run["others"] for run in found[name]]) for name in names])
    return made


def tables(runs):
    return [table(case, runs[case.key]) for case in CASES]
