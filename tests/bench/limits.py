"""What must be true: each figure that has a limit, beside it."""

import statistics

import exchanges
import memory
import streams
import thousand
from table import Table, spread

TIMES = "times the bare relay's"


def over_relay(case, apart=()):
    return lambda found: streams.ratios(
        found["streams"][case], "Banter", lambda run: streams.between(run, apart), "bare relay")


def pgbench(key):
    return lambda found: [run[key]["cpu_us"] for run in found["exchanges"]["calls"] if key in run]


def worker(kind):
    return lambda found: [found["memory"]["worker"][kind]["median"]]


def each_size(figure):
    return lambda found: [max(figure(one) for one in found["memory"]["streams"])]


def rival(case, name, figure):
    """Banter's, against a rival's in the same round."""
    return lambda found: streams.ratios(found["streams"][case], "Banter", figure, name)


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
    ("exchanges", "PostgreSQL for an exchange, in the pool", lambda found: exchanges.postgres_us(found["exchanges"]),
     "<=", 480, "us"),
    ("exchanges", "  from pgbench, extended", pgbench("extended8"), "<=", 350, "us"),
    ("exchanges", "  from pgbench, prepared", pgbench("prepared8"), "<=", 270, "us"),
    ("exchanges", "exchanges/s, of pgbench's pairs", lambda found: exchanges.of_pgbench(found["exchanges"]), ">=", 0.5, ""),
    ("exchanges", "200 at once, first token p50", lambda found: exchanges.first_ms(found["exchanges"]), "<=", 40, "ms"),
    ("thousand", "1,000 within a second: served", lambda found: thousand.served(found["thousand"]), ">=", 1000, ""),
    ("thousand", "  first token p99", lambda found: thousand.first_p99_s(found["thousand"]), "<=", 1.5, "s"),
    ("memory", "a worker in mid-stream, plain", worker("plain"), "<=", 200, "KiB"),
    ("memory", "a worker in mid-stream, TLS", worker("TLS"), "<=", 420, "KiB"),
    ("memory", "everything, a stream", each_size(memory.a_stream), "<=", 300, "KiB"),
    ("memory", "PostgreSQL's backends", each_size(lambda one: one["backends"]), "<=", 16, ""),
    ("streams", "tokens/s, many at once", rival("burst", "PHP-FPM", streams.rate), ">=", 2, "times PHP-FPM's"),
    ("streams", "CPU a token, many at once", rival("burst", "PHP-FPM", streams.between), "<=", 0.4, "times PHP-FPM's"),
    ("streams", "CPU a token, 2 ms apart", rival("2ms", "PHP-FPM", streams.between), "<=", 0.7, "times PHP-FPM's"),
    ("streams", "CPU a token, 50 ms apart", rival("50ms", "PHP-FPM", streams.between), "<=", 0.6, "times PHP-FPM's"),
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
