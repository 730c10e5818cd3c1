"""What an exchange costs where the model says one word: PostgreSQL's part of it beside the same two calls from pgbench, and
what two hundred that begin in the same moment wait for."""

import os

import calls
import parts
import target
from case import Case
from streams import ROWS, OUTSIDE, WORKERS
from table import Table, spread

ONE = Case("one", "1-token exchanges, 16 clients", 16, 60, 1, 0)
DIRECT, FEW = "no pooler", 24  # workers: as many as need none, whose statements stay prepared
WARM = Case("warm", "warm-up", WORKERS, 1, 2, 50000)
WARM_FEW = Case("warm", "warm-up", FEW, 4, 2, 50000)
# Nobody has more than a first token when the last one gets it: what was spent until then is what the first token waited for.
BURST = Case("burst", "200 streams that begin at once", 200, 1, 2, 1000000, spread_us=0)


def measure(bench, enter):
    targets = [parts.nginx_alone(enter, bench), parts.relay(enter, bench, WORKERS), parts.banter(enter, bench, WORKERS, pooled=True),
               *parts.rivals(enter, bench, WORKERS)]
    direct = parts.banter(enter, bench, FEW)
    direct.name = DIRECT
    for one in targets:
        one.load(WARM)
    direct.load(WARM_FEW)
    runs = {"one": target.in_turns(bench, [ONE], [*targets, direct])["one"], "burst": bursts(bench, targets), "calls": []}
    pairs = calls.Calls(bench.postgres)
    for number in range(bench.rounds):
        bench.say(f"pgbench, {number + 1} of {bench.rounds}")
        runs["calls"].append(pairs.measure())
    return runs


def bursts(bench, targets):
    runs = {one.name: [] for one in targets}
    for number in range(bench.rounds):
        bench.say(f"{BURST.title}, {number + 1} of {bench.rounds}")
        for one in targets:
            before = one.cpu()
            found = one.load(BURST, look=lambda _, one=one: one.cpu())
            found["first_cpu"] = {group: found["look"][group] - before[group] for group in before}
            runs[one.name].append(found)
    return runs


def each(run, groups):
    """Microseconds of CPU an exchange."""
    return sum(run["cpu"].get(group, 0) for group in groups) / run["exchanges"] / 1e3


def rate(run):
    return run["exchanges"] / run["wall_ns"] * 1e9


def postgres_us(runs, name="Banter"):
    return [each(run, ["postgres"]) for run in runs["one"][name]]


def of_pgbench(runs):
    """Exchanges a second as a part of pgbench's pairs of calls, at the same number of connections."""
    return [rate(run) / pairs["extended16"]["rate"] for run, pairs in zip(runs["one"]["Banter"], runs["calls"]) if pairs]


def first_ms(runs, name="Banter"):
    return [run["first_ns"]["p50"] / 1e6 for run in runs["burst"][name]]


def table_one(found):
    made = Table(f"{ONE.title}: CPU, us an exchange", list(found))
    made.row("all between", [spread([each(run, ROWS) for run in runs]) for runs in found.values()])
    for group, title in {**ROWS, **OUTSIDE}.items():
        made.row(title, [spread([each(run, [group]) for run in runs if group in run["cpu"]]) for runs in found.values()])
    made.row("exchanges/s", [spread(map(rate, runs)) for runs in found.values()])
    for quantile in ("p50", "p99"):
        made.row(f"exchange {quantile}, ms", [
            spread([run["exchange_ns"][quantile] / 1e6 for run in runs]) for runs in found.values()])
    return made


def table_calls(runs):
    made = Table("PostgreSQL for one exchange: exchange_begin and exchange_end", ["CPU, us", "pairs/s"])
    for name, title in (("Banter", "in the pool, 16 clients, through PgBouncer"), (DIRECT, "  directly, statements prepared")):
        made.row(title, [spread(postgres_us(runs, name)), spread(map(rate, runs["one"][name]))])
    for key, title in calls.TITLES.items():
        figures = [run[key] for run in runs["calls"] if run]
        if figures:
            made.row(title, [spread([one["cpu_us"] for one in figures]), spread([one["rate"] for one in figures])])
    return made


def table_burst(found):
    made = Table(f"{BURST.title}: the first token, and what it consists of", list(found))
    for quantile in ("p50", "p99"):
        made.row(f"first token {quantile}, ms", [
            spread([run["first_ns"][quantile] / 1e6 for run in runs]) for runs in found.values()])
    for group, title in {**ROWS, "model": "the model"}.items():
        made.row(f"CPU until all had it: {title}, ms", [
            spread([run["first_cpu"][group] / 1e6 for run in runs if group in run["first_cpu"]]) for runs in found.values()])
    made.row(f"their sum over {os.cpu_count()} cores, ms", [
        spread([sum(run["first_cpu"].values()) / 1e6 / os.cpu_count() for run in runs]) for runs in found.values()])
    return made


def tables(runs):
    return [table_one(runs["one"]), table_calls(runs), table_burst(runs["burst"])]
