"""What must be true: each figure that has a limit, beside it."""

import statistics

import streams
from table import Table, spread

TIMES = "times the bare relay's"


def over_relay(case, apart=()):
    return lambda found: streams.ratios(
        found["streams"][case], "Banter", lambda run: streams.between(run, apart), "bare relay")


# Section, words, figures of a run, whether it is the most or the least, the limit, its unit.
LIMITS = [
    ("streams", "CPU a token, 2 ms apart", over_relay("2ms"), "<=", 1.3, TIMES),
    ("streams", "CPU a token, 50 ms apart", over_relay("50ms"), "<=", 1.35, TIMES),
    ("streams", "CPU a token, many at once, PostgreSQL apart", over_relay("burst", ["postgres"]), "<=", 1.1, TIMES),
    ("streams", "CPU a token, each by itself", over_relay("single"), "<=", 1.7, TIMES),
    ("streams", "tokens/s, many at once", lambda found: streams.ratios(
        found["streams"]["burst"], "Banter", streams.rate), ">=", 0.65, TIMES),
    ("streams", "added to a token p50, 50 ms apart", lambda found: streams.added_ratio(found["streams"], "p50"),
     "<=", 1.3, TIMES),
    ("streams", "added to a token p99, 50 ms apart", lambda found: streams.added_ratio(found["streams"], "p99"),
     "<=", 1.3, TIMES),
]


def table(found):
    made = Table("What must be true", ["measured", "limit", "", "met"])
    for section, words, figure, way, limit, unit in LIMITS:
        if section not in found:
            continue
        values = figure(found)
        if values:
            value = statistics.median(values)
            made.row(words, [spread(values), f"{way} {limit}", unit, "yes" if met(value, way, limit) else "no"])
    return made


def met(value, way, limit):
    return value <= limit if way == "<=" else value >= limit
