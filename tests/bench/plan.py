#!/usr/bin/env python3
"""What so many concurrent streams take, reckoned from what one of them costs: a small model. It knows what was measured
(costs.json), a load and a size of machines, and nothing else; deploy/scale/README.md has what it says.

    plan.py                             # the tables of that page
    plan.py --tokens 150 --cores 8      # the same, of another load and other machines
    plan.py --streams 20000             # of so many
    plan.py --costs build/bench/bench-plan.json     # measures nothing: writes costs.json from what make bench-plan found
    plan.py --page                      # writes the tables into the page
    plan.py --check                     # what of the page is not the model's
"""

import argparse
import dataclasses
import difflib
import json
import pathlib
import statistics
import sys

from plan_model import WORKERS, Load, Model, Size, full
from table import number

HERE = pathlib.Path(__file__).resolve().parent
COSTS = HERE / "costs.json"
PAGE = HERE.parents[1] / "deploy/scale/README.md"
BEGIN, END = "<!-- what follows is written by tests/bench/plan.py --page -->\n", "<!-- up to here -->\n"
STEPS = (1_000, 10_000, 100_000, 1_000_000)

# What may be full, how it shows, and what to add.
RESOURCES = {
    "workers": (
        "workers of a host", "`banter_workers{state=\"busy\"}` comes near `banter_workers_most`; then `banter_queue_requests`, "
        "`banter_queue_wait_seconds`, at last `banter_requests_refused_total`",
        f"`BANTER_WORKERS`, up to {WORKERS:,} a host; then a host, as a line in nginx's upstream block"),
    "direct": (
        "connections to PostgreSQL", "`banter_database_failures_total`; the log at the start and `banterctl doctor` say it before",
        "[PgBouncer](../pgbouncer/README.md) on the host"),
    "front_connections": (
        "connections of the web server", "no metric: workers are idle and clients are refused; nginx's error log says `worker_connections are not enough`",
        "`worker_connections`, two a stream, and twice as many descriptors"),
    "host_cores": (
        "cores of a host", "`banter_token_gap_seconds` and `banter_first_token_seconds` grow while `banter_workers{state=\"idle\"}` is not 0; "
        "the machine's own CPU", "a host; with the second one nginx moves to a machine of its own"),
    "host_memory": ("memory of a host", "the machine's own; at last `banter_deaths_total{cause=\"SIGKILL\"}`", "memory, or a host"),
    "front_cores": (
        "cores of the web server", "no metric: Banter's are well and clients see gaps; the machine's own CPU",
        "a web server with the same files, and an address of the site (DNS), or a balancer of connections, before both"),
    "pool": (
        "connections of a host's PgBouncer", "`banter_database_call_seconds` grows, of all calls alike; `SHOW POOLS`: `cl_waiting`, `maxwait`",
        "`default_pool_size`, as long as PostgreSQL has cores for them"),
    "pooler": (
        "the one thread of PgBouncer", "the same, and `SHOW POOLS` has `sv_idle`; one core of the machine is busy",
        "an address in place of its socket, and a second process on the same port (`so_reuseport`)"),
    "database_cores": (
        "cores of the database", "`banter_database_call_seconds{call=\"exchange_begin\"}`; `pg_stat_activity` has many that are active and wait for nothing",
        "cores; then a router and partitions"),
    "database_disk": (
        "disk of the database", "no metric: `df`, `pg_database_size()`",
        "`retention_days`, or a larger disk; then a router and partitions: what is there stays, and becomes one of them"),
    "sessions": (
        "sessions of the database, or the router", "`banter_database_failures_total`; its log says `too many clients`",
        "a smaller `default_pool_size` on each host, or a larger `max_connections`"),
    "router_cores": (
        "cores of the router", "`banter_database_call_seconds` grows, and no partition's server is busy",
        "cores; then a second installation for the customers that come"),
    "partition_sessions": (
        "sessions of a server of partitions", "`banter_database_failures_total`; the router's log says `too many clients`",
        "[PgBouncer before it](#pgbouncer-and-a-router)"),
    "partition_pooler": (
        "the one thread of PgBouncer before partitions", "`SHOW POOLS` there: `cl_waiting` and `sv_idle`; one core of that machine is busy",
        "a second process on the same port (`so_reuseport`)"),
    "partition_cores": (
        "cores of a server of partitions", "`banter_database_call_seconds` grows for some workspaces; that machine's CPU",
        "a server: `banterctl shards move` takes partitions there"),
    "partition_disk": (
        "disk of a server of partitions", "no metric: `df`", "`retention_days`, a larger disk, or a server, as for its cores"),
}


def costs(found):
    """Of what a run of the bench has found in its sections streams, memory and hops."""
    exchange = {name: {group: statistics.median(run["cpu"][group] / run["exchanges"] / 1e3 for run in runs) for group in runs[0]["cpu"]}
                for name, runs in found["hops"]["one"].items()}
    pooled, behind = exchange["PgBouncer"], exchange["router, PgBouncer"]
    memory = found["memory"]["streams"][0]
    figures = {
        "token_us": {group: statistics.median(
            (run["cpu"][group] / 1e3 - run["exchanges"] * pooled[group]) / run["tokens"] for run in found["streams"]["50ms"]["Banter"])
            for group in ("nginx", "workers")},
        "exchange_us": {
            **{group: pooled[group] for group in ("nginx", "workers", "pgbouncer", "postgres")},
            "router": exchange["PgBouncer, router"]["router"],
            "partition": behind["postgres"], "partition_pgbouncer": behind["pgbouncer"]},
        "watch_us": {
            "postgres": watched(found, "directly", "postgres"), "router": watched(found, "router", "router"),
            "partition": watched(found, "router", "postgres")},
        "exchange_ms": statistics.median(run["exchange_ns"]["p50"] for run in found["hops"]["alone"]["router, PgBouncer"]) / 1e6,
        "stream_kib": {group: memory["pss"][group] / memory["streams"] for group in ("nginx", "workers", "pgbouncer")},
        "session_kib": {name: one["median"] for name, one in found["hops"]["sessions"].items()},
        "stored_bytes": found["hops"]["written"]["stored"], "wal_bytes": found["hops"]["written"]["wal"],
    }
    return {"machine": found["machine"], **rounded(figures)}


def watched(found, name, group):
    return statistics.median(run[group] for run in found["hops"]["watch"][name])


def rounded(figures):
    if isinstance(figures, dict):
        return {name: rounded(figure) for name, figure in figures.items()}
    return float(f"{figures:.3g}")


def streams(count):
    """Two digits that count: a model knows no more."""
    return f"{float(f'{count:.2g}'):,.0f}"


def machines(part):
    return f"{part.count:,} × {part.cores}, {part.gib} GiB" if part else "-"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def steps(plans):
    """What there is at each step, a column for each."""
    def row(title, figure):
        rows.append([title, *map(figure, plans)])

    rows = []
    first, then = zip(*firsts(plans))
    rows.append(["full first, from streams", *first])
    rows.append(["then, for the first time", *then])
    row("visitors in a conversation", lambda one: streams(one.visitors))
    row("exchanges a second", lambda one: number(one.exchanges))
    row("web servers: machines × cores, memory", lambda one: machines(one.fronts) if one.fronts else "on the host")
    row("hosts with Banter", lambda one: machines(one.hosts))
    row("`BANTER_WORKERS` of each", lambda one: f"{one.workers:,}")
    row("PgBouncer on each: connections", lambda one: str(one.pool))
    row("router", lambda one: machines(one.router))
    row("its sessions, or the database's", lambda one: f"{one.sessions:,}")
    row("the database, or servers of partitions", lambda one: machines(one.databases))
    row("partitions on each", lambda one: str(one.partitions or "-"))
    row("PgBouncers before each", lambda one: str(one.poolers or "-"))
    row("connections of each", lambda one: f"{one.connections:,}")
    row("installations", lambda one: str(one.installations))
    row("new on disk a day, GB", lambda one: number(one.day / 1e9))
    row("WAL a day, GB", lambda one: number(one.wal / 1e9))
    row("**all of it: cores, GiB**", lambda one: f"**{one.cores:,}, {one.gib:,}**")
    return table(["concurrent streams", *(f"{one.streams:,}" for one in plans)], rows)


def firsts(plans):
    """Of each step: what is full first on the way to it, and what next that was not at an earlier step."""
    seen = set()
    for before, plan in zip([None, *plans], plans):
        names = full(before, plan)
        said = [f"{RESOURCES[name][0]}, {streams(limit)}" for limit, name in names[:1] + [one for one in names[1:] if one[1] not in seen][:1]]
        seen |= {name for _, name in names}
        yield [f"**{said[0]}**" if said else "-", said[1] if len(said) > 1 else "-"]


def bottlenecks(plans):
    """What is full, in the order in which it first is; at each step what comes first is bold."""
    found = {}
    for before, plan in zip([None, *plans], plans):
        for place, (limit, name) in enumerate(full(before, plan)):
            found.setdefault(name, []).append(f"**{streams(limit)}**" if place == 0 else streams(limit))
    return table(["what is full", "from streams", "how it shows", "what to add"],
                 [[RESOURCES[name][0], "; ".join(limits), *RESOURCES[name][1:]] for name, limits in found.items()])


def section(model, wanted):
    plans = [model.plan(count) for count in wanted]
    load, size, us = model.load, model.size, model.costs["exchange_us"]
    return f"""
{steps(plans)}
A stream is an answer of {load.tokens:g} tokens at {load.tokens_s:g} a second, {load.first_s:g} s after its question; a visitor asks again
{load.think_s:g} s after the last token. A question has {load.question:g} bytes, an answer {load.answer:g}; over a whole day {100 * load.day:g} % of the streams
run, and conversations are kept for {load.kept:g} days. A machine has up to {size.cores:g} cores, {size.gib:g} GiB and {size.disk:g} TB, the router's up to
{size.router_cores:g} cores; {100 * size.busy:g} % of cores are busy, and {100 * size.full:g} % of workers, memory and disks in use. An installation has {size.partitions:g}
partitions. Spare machines, backups and the model's servers are not in it.

An exchange takes {number(us["postgres"])} µs of the cores of one database; behind a router {number(us["router"])} of the router's and {number(us["partition"] + us["partition_pgbouncer"])} of the
partitions'. One workspace may have up to {streams(model.largest())} streams, wherever the others are: it is in one partition, and that on
one server.

{bottlenecks(plans)}
Costs are those of {model.costs["machine"][0].partition(";")[0]} on an {", ".join(model.costs["machine"][1].split(", ")[:2])}.

"""


def parts_of(page):
    """Before the section, the section, and what comes after it."""
    before, begin, rest = page.partition(BEGIN)
    found, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE} has not both of the comments that the section stands between")
    return before + begin, found, end + after


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=STEPS)
    for kind in (Load, Size):
        for field in dataclasses.fields(kind):
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default, metavar=str(field.default))
    parser.add_argument("--costs", metavar="FILE", help="write costs.json from what a run of the bench kept there")
    parser.add_argument("--page", action="store_true", help="write the page's section")
    parser.add_argument("--check", action="store_true", help="fail where the page's section is another one")
    return parser.parse_args()


def main():
    chosen = options()
    if chosen.costs:
        COSTS.write_text(json.dumps(costs(json.loads(pathlib.Path(chosen.costs).read_text())), indent=1) + "\n")
        return
    load, size = (kind(**{field.name: getattr(chosen, field.name) for field in dataclasses.fields(kind)}) for kind in (Load, Size))
    text = section(Model(json.loads(COSTS.read_text()), load, size), chosen.streams)
    if not chosen.page and not chosen.check:
        print(text, end="")
        return
    before, found, after = parts_of(PAGE.read_text())
    if chosen.page:
        PAGE.write_text(before + text + after)
        return
    wrong = list(difflib.unified_diff(found.splitlines(), text.splitlines(), str(PAGE), "plan.py", lineterm="", n=0))
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
