"""The table: medians over the rounds, one block a case, and each figure's ratio to nginx alone."""

import statistics

TARGETS = ["model", "nginx", "Banter"]
GROUPS = ["nginx", "banter", "postgres", "model", "load"]
OWN = ["nginx", "banter", "postgres"]  # what stands between the load and the model


def median(runs, figure):
    return statistics.median(figure(run) for run in runs)


def show(value):
    """Three digits that count."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value, base):
    return f"{value / base:.2f}" if value is not None and base is not None and base > 0 and value >= 0 else "-"


def line(name, values):
    """`values`: of the model directly, nginx alone, Banter; None: there is none."""
    cells = [f"{show(value):>13}" for value in values]
    return f"  {name:<30}{''.join(cells)}{ratio(values[0], values[1]):>14}{ratio(values[2], values[1]):>14}"


def row(name, found, figure):
    return line(name, [median(found[target], figure) for target in TARGETS])


def latencies(name, key, found, unit=1e6):
    """A latency, and what is added to the model's own."""
    lines = []
    for share in ("p50", "p99"):
        values = [median(found[target], lambda run: run[key][share] / unit) for target in TARGETS]
        lines.append(line(f"{name} {share}, ms", values))
        lines.append(line("  added to the model's own", [None, values[1] - values[0], values[2] - values[0]]))
    return lines


def cpu(case, found):
    """Microseconds of CPU a token, or an exchange, by process group."""
    per = "tokens" if case.tokens > 1 else "exchanges"
    unit = f"CPU us/{per[:-1]}"
    lines = [row(f"{unit}: all between", found, lambda run: own(run) / run[per] / 1e3)]
    for group in GROUPS:
        values = [
            median(found[target], lambda run: run["cpu"][group] / run[per] / 1e3)
            if group in found[target][0]["cpu"] else None
            for target in TARGETS
        ]
        lines.append(line(f"  {group}", values))
    return lines


def own(run):
    return sum(run["cpu"].get(group, 0) for group in OWN)


def case(case, found):
    lines = [
        "",
        f"{case.title}",
        f"  {'':<30}{'model':>13}{'nginx alone':>13}{'Banter':>13}{'model/nginx':>14}{'Banter/nginx':>14}",
    ]
    if case.tokens > 1:
        lines.append(row("tokens/s", found, lambda run: run["tokens"] / run["wall_ns"] * 1e9))
        lines += latencies("token latency", "token_ns", found)
        lines.append(row("first token p50, ms", found, lambda run: run["first_ns"]["p50"] / 1e6))
        lines.append(row("tokens a read", found, lambda run: run["tokens"] / run["reads"]))
    else:
        lines.append(row("exchanges/s", found, lambda run: run["exchanges"] / run["wall_ns"] * 1e9))
        lines += latencies("exchange", "exchange_ns", found)
    lines += cpu(case, found)
    lines.append(row("others on the machine, cores", found, lambda run: run["others"]))
    return lines


def memory(uss):
    lines = ["", "memory of its own (USS), KiB"]
    base = uss["nginx worker"]["median"]
    for name, sizes in uss.items():
        lines.append(f"  {name:<30}median {sizes['median']:>8,.0f}   max {sizes['max']:>8,.0f}   of {sizes['count']:>4}"
                     f"   median/nginx {ratio(sizes['median'], base):>6}")
    return [*lines, ""]
