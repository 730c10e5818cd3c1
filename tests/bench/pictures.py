"""What is drawn of the figures: latency at the pace of real models, and the memory of a thousand streams."""

import statistics

import thousand

try:
    import plot
except ImportError:
    plot = None

QUANTILES = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9}


def draw(found, folder):
    """latency.svg and memory.svg in that folder, as far as there are figures for them."""
    if plot and "streams" in found:
        plot.latency(folder / "latency.svg", {
            name: [(share, statistics.median(run["token_ns"][key] for run in runs) / 1e6) for key, share in QUANTILES.items()]
            for name, runs in found["streams"]["50ms"].items() if name != "model"})
    if plot and "thousand" in found:
        plot.memory(folder / "memory.svg", [
            (name, statistics.median(map(thousand.memory_mb, runs)) * 1024) for name, runs in found["thousand"].items()
            if name not in ("bare relay", "floor")])
