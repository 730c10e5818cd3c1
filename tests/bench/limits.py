"""What must be true: each figure that has a limit, beside it."""

import statistics

import exchanges
import floor
import memory
import scale
import streams
import thousand
from table import Table, spread

TIMES = "times the bare relay's"


def over_relay(case, apart=()):
    return lambda found: streams.ratios(
        found["streams"][case], "Banter", lambda run: streams.between(run, apart), "bare relay")


def pgbench(key):
    return lambda found: [run[key]["cpu_us"] for run in found["exchanges"]["calls"] if run]


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
    ("streams", "CPU a token, many at once, the database apart", over_relay("burst", streams.DATABASE), "<=", 1.1, TIMES),
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
    ("thousand", "1,000 within a second: served", lambda found: [min(thousand.served(found["thousand"]))], ">=", 1000, ""),
    ("thousand", "  first token p99", lambda found: thousand.first_p99_s(found["thousand"]), "<=", 1.5, "s"),
    ("memory", "a worker in mid-stream, plain", worker("plain"), "<=", 200, "KiB"),
    ("memory", "a worker in mid-stream, TLS", worker("TLS"), "<=", 420, "KiB"),
    ("memory", "everything, a stream", each_size(memory.a_stream), "<=", 300, "KiB"),
    ("memory", "PostgreSQL's backends", each_size(lambda one: one["backends"]), "<=", 16, ""),
    *(("streams", f"{words} than PHP-FPM", rival(case, "PHP-FPM", figure), way, limit, "times its")
      for words, case, figure, way, limit in [
          ("tokens/s, many at once: more", "burst", streams.rate, ">=", 2),
          ("CPU a token, many at once: less", "burst", streams.between, "<=", 0.4),
          ("CPU a token, 2 ms apart: less", "2ms", streams.between, "<=", 0.7),
          ("CPU a token, 50 ms apart: less", "50ms", streams.between, "<=", 0.6)]),
    ("exchanges", "exchanges/s: more than PHP-FPM", lambda found: streams.ratios(
        found["exchanges"]["one"], "Banter", exchanges.rate, "PHP-FPM"), ">=", 3, "times its"),
    ("thousand", "1,000 within a second: less memory than PHP-FPM", lambda found: streams.ratios(
        found["thousand"], "Banter", thousand.memory_mb, "PHP-FPM"), "<=", 0.125, "times its"),
    ("thousand", "  first token p99 earlier than PHP-FPM's", lambda found: streams.ratios(
        found["thousand"], "Banter", lambda run: run["first_ns"]["p99"], "PHP-FPM"), "<=", 0.1, "times its"),
    *(("streams", f"CPU a token, {case}: less than Node", rival(case, "Node", streams.between), "<=", 1, "times its")
      for case in ("2ms", "50ms", "burst", "single")),
    ("streams", "tokens/s, many at once: more than Node", rival("burst", "Node", streams.rate), ">=", 1, "times its"),
    ("exchanges", "exchanges/s: more than Node", lambda found: streams.ratios(
        found["exchanges"]["one"], "Banter", exchanges.rate, "Node"), ">=", 1, "times its"),
    ("thousand", "1,000 within a second: less memory than Node", lambda found: streams.ratios(
        found["thousand"], "Banter", thousand.memory_mb, "Node"), "<=", 1, "times its"),
    ("scale", "4,000 streams: served", lambda found: [found["scale"]["streams"]["served"]], ">=", 4000, ""),
    ("scale", "everything, a stream of 4,000", lambda found: [memory.a_stream(found["scale"]["streams"])], "<=", 300, "KiB"),
    ("scale", "CPU a token to nginx alone: 10, 100, 1,000 streams", lambda found: [scale.straight(found["scale"])],
     "<=", 1.5, "from one to the other"),
]


def table(found):
    """Where the floor was measured too: beside each figure what it has in Banter's place."""
    lowest = floor.in_banters_place(found) if "floor" in found else {}
    made = Table("What must be true", ["measured", "limit", "", "met", *(["the floor's"] if lowest else [])])
    for section, words, figure, way, limit, unit in LIMITS:
        if section not in found:
            continue
        values = figure(found)
        if values:
            value = statistics.median(values)
            cells = [spread(values), f"{way} {limit}", unit, "yes" if met(value, way, limit) else "no"]
            made.row(words, cells + [spread(figure(lowest)) if section in lowest else ""] if lowest else cells)
    return made


def met(value, way, limit):
    return value <= limit if way == "<=" else value >= limit
