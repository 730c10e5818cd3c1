"""Whether cost grows straight: a token at ten, a hundred and a thousand streams, and four thousand streams at once."""

import statistics

import memory
import parts
import streams
import target
from case import Case
from table import Table, spread

MOST = 4000
# Seconds within which they begin. A worker's first exchange takes some 10 ms of two cores: where 400 begin in each second,
# beside those that stream, the database waits for a core until it is too late.
WITHIN = 60
# As many tokens in each: what an exchange costs is the same part of all.
GROWTH = [Case(f"streams{clients}", f"{clients:,} streams, 50 ms apart", clients, exchanges, 100, 50000)
          for clients, exchanges in ((10, 4), (100, 1), (1000, 1))]
WARM = Case("warm", "warm-up", 1000, 1, 20, 50000, spread_us=2000000)


def measure(bench, enter):
    targets = [parts.nginx_alone(enter, bench), parts.banter(enter, bench, 1000, pooled=True)]
    for one in targets:
        one.load(WARM)
    return {"growth": target.in_turns(bench, GROWTH, targets), "streams": memory.all_of(bench, MOST, WITHIN)}


def over_nginx(found, case):
    return streams.ratios(found["growth"][case.key], "Banter", streams.between, "nginx alone")


def straight(found):
    """The dearest of them against the cheapest, each as a ratio to nginx alone under the same load."""
    ratios = [statistics.median(over_nginx(found, case)) for case in GROWTH]
    return max(ratios) / min(ratios)


def tables(found):
    made = Table("CPU a token, us, as streams grow", ["nginx alone", "Banter", "Banter over nginx alone"])
    for case in GROWTH:
        runs = found["growth"][case.key]
        made.row(case.title, [spread(map(streams.between, runs["nginx alone"])), spread(map(streams.between, runs["Banter"])),
                              spread(over_nginx(found, case))])
    return [made, memory.table_streams([found["streams"]])]
