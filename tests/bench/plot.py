"""The benchmark's pictures, as SVG: latencies by quantile, memory in bars. Written by hand, so that nothing has to be
installed. Each has its own background, light or dark as its reader has it, and names its lines where they end."""

import html
import math
import pathlib

WIDTH = 720
QUANTILES = (50, 90, 99, 99.9)
ABOUT = "Banter"  # whom the pictures are about: drawn with more weight
# The first is its own. Told apart without red and green; the second of each pair is for dark.
HUES = (("#0060c0", "#58a6ff"), ("#b35900", "#f0a050"), ("#007a5e", "#3fc9a0"), ("#8b3f96", "#d491dd"), ("#57606a", "#a0a8b0"),
        ("#8a6d00", "#d8bb40"))


def style():
    def rules(which, back, ink, faint):
        hues = "".join(f".l{n}{{stroke:{hue[which]}}}.f{n}{{fill:{hue[which]}}}" for n, hue in enumerate(HUES))
        return f".back{{fill:{back}}}text{{fill:{ink}}}.faint{{stroke:{faint}}}{hues}"
    return ("<style>text{font-family:system-ui,'Segoe UI','Noto Sans','DejaVu Sans',sans-serif;font-size:13px}"
            ".title{font-size:15px;font-weight:600}.name{font-weight:600}.small{font-size:12px}"
            ".line{fill:none;stroke-width:2;stroke-linejoin:round}.about{stroke-width:3}.faint{stroke-width:1}"
            f"{rules(0, '#ffffff', '#1f2328', '#d8dee4')}"
            f"@media(prefers-color-scheme:dark){{{rules(1, '#0d1117', '#e6edf3', '#30363d')}}}</style>")


def text(x, y, words, anchor="start", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{html.escape(words)}</text>'


def rule(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="faint"/>'


def write(path, height, title, parts):
    pathlib.Path(path).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">'
        f"<title>{html.escape(title)}</title>{style()}"
        f'<rect class="back" width="{WIDTH}" height="{height}"/>{text(16, 28, title, kind="title")}\n' + "\n".join(parts) + "\n</svg>\n")


def digits(value):
    """Two that count."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def widths(names):
    """Room for the longest of these, at about the width of a bold letter."""
    return max(len(name) for name in names) * 7.4


def steps(low, high):
    """1, 2, 5, 10 … that enclose both, fewer of them where they would be many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 3 else (1,)
    every = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    return every[max(n for n, step in enumerate(every) if step <= low * 1.000001):
                 min((n for n, step in enumerate(every) if step >= high * 0.999999), default=len(every) - 1) + 1]


def spread(wanted, gap):
    """The places nearest to those wanted, in their order, that are a gap apart."""
    placed = []
    for at in sorted(wanted):
        placed.append([at, 1])  # a block: its middle, and how many are in it
        while len(placed) > 1 and placed[-1][0] - placed[-2][0] < gap * (placed[-1][1] + placed[-2][1]) / 2:
            (upper, n), (lower, m) = placed[-2], placed[-1]
            placed[-2:] = [[(upper * n + lower * m) / (n + m), n + m]]
    return [middle + (place - (count - 1) / 2) * gap for middle, count in placed for place in range(count)]


def latency(path, series, title="Latency of a token, ms"):
    """`series`: name → list of (quantile in percent, ms)."""
    series = {name: sorted((q, max(ms, 0.001)) for q, ms in points) for name, points in series.items() if points}
    height, left, top, bottom = 368, 60, 52, 316
    labels = {name: f"{name}  {digits(points[-1][1])}" for name, points in series.items()}
    right = WIDTH - 26 - widths(labels.values())
    every = [ms for points in series.values() for _, ms in points]
    ticks = steps(min(every), max(every))
    low, high = math.log(ticks[0]), math.log(ticks[-1]) if ticks[-1] > ticks[0] else math.log(ticks[0]) + 1

    def x(quantile):
        first, last = (-math.log10(1 - q / 100) for q in (QUANTILES[0], QUANTILES[-1]))
        return left + (right - left) * (-math.log10(1 - quantile / 100) - first) / (last - first)

    def y(ms):
        return bottom - (bottom - top) * (math.log(ms) - low) / (high - low)

    parts = [rule(left, y(tick), right, y(tick)) + text(left - 8, y(tick) + 4, f"{tick:,g}", "end", "small") for tick in ticks]
    parts += [rule(x(q), top, x(q), bottom + 5) + text(x(q), bottom + 22, f"{q:g} %", "middle", "small") for q in QUANTILES]
    parts.append(text((left + right) / 2, bottom + 38, "of all tokens were not later", "middle", "small"))
    order = sorted(series, key=lambda name: y(series[name][-1][1]))
    label_at = dict(zip(order, spread([y(series[name][-1][1]) for name in order], 17)))
    hues = {name: 1 + n % (len(HUES) - 1) for n, name in enumerate(name for name in series if name != ABOUT)}
    for name, points in sorted(series.items(), key=lambda item: item[0] == ABOUT):  # the last one lies above
        hue = hues.get(name, 0)
        line = " ".join(f"{x(q):.1f},{y(ms):.1f}" for q, ms in points)
        parts.append(f'<polyline points="{line}" class="line l{hue}{"" if hue else " about"}"/>')
        parts += [f'<circle cx="{x(q):.1f}" cy="{y(ms):.1f}" r="{3 if hue else 3.5}" class="f{hue}"/>' for q, ms in points]
        parts.append(text(right + 10, label_at[name] + 4, labels[name], kind=f"name f{hue}"))
    write(path, height, title, parts)


def memory(path, rows, title="Memory"):
    """`rows`: (name, KiB), from above to below."""
    step, top = 30, 46
    left = 24 + widths(name for name, _ in rows)
    most = max(kib for _, kib in rows)
    parts = []
    for n, (name, kib) in enumerate(rows):
        y, long = top + n * step, (WIDTH - left - 100) * kib / most if most else 0
        shown = f"{digits(kib / 1024)} MiB" if kib >= 1024 else f"{kib:,.0f} KiB"
        parts.append(text(left - 10, y + 15, name, "end", "name" if name == ABOUT else ""))
        parts.append(f'<rect x="{left:.1f}" y="{y}" width="{max(long, 1):.1f}" height="20" rx="2" class="f{0 if name == ABOUT else 4}"/>')
        parts.append(text(left + max(long, 1) + 8, y + 15, shown, kind="name" if name == ABOUT else ""))
    write(path, top + len(rows) * step + 10, title, parts)
