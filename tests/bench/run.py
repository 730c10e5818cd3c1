"""make bench, bench-quick and bench-all: what Banter costs, beside the limit of its design and what people use today.

Starts everything it measures (private, on loopback, in temporary folders), in turns, and prints tables of medians and
spreads. Speed never fails; a token that is lost, repeated or out of order does. README.md says what each line means.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "system"))
import exchanges  # noqa: E402
import floor  # noqa: E402
import hops  # noqa: E402
import limits  # noqa: E402
import memory  # noqa: E402
import parts  # noqa: E402
import pictures  # noqa: E402
import scale  # noqa: E402
import streams  # noqa: E402
import thousand  # noqa: E402
from servers import ROOT  # noqa: E402

# A section measures one thing: measure(bench, enter) gives what goes into the JSON, tables(that) what is printed.
SECTIONS = {"streams": streams, "exchanges": exchanges, "thousand": thousand, "memory": memory, "scale": scale, "hops": hops,
            "floor": floor}
QUICK = ["streams"]
USUAL = ["streams", "exchanges", "thousand", "memory"]

# Beside the sections in --all, each with a table of its own: the database as it fills, and how long a start takes.
PROGRAMS = ["exchange.py", "growth.py", "start.py"]


class Bench:
    """What all sections share: the model, PostgreSQL with a chatbot's key, how many rounds, and a voice."""

    def __init__(self, enter, rounds, with_rivals, thorough):
        self.rounds = rounds
        self.thorough = thorough  # it may take its time
        self.began = time.monotonic()
        self.section = ""
        self.say("PostgreSQL and the model start")
        self.model = enter(parts.Model())
        self.postgres = enter(parts.Postgres(max_connections=parts.CONNECTIONS))
        self.key = self.postgres.demo().widget_key
        self.others = None
        if with_rivals and (HERE / "rivals.py").exists():
            import rivals
            missing = rivals.available()
            if missing:
                self.say(f"nothing to compare with, {missing}")
                return
            rivals.prepare(self.postgres)
            self.others = rivals

    def say(self, words):
        place = f"{self.section}: " if self.section else ""
        print(f"{round(time.monotonic() - self.began):4} s  {place}{words} ...", file=sys.stderr, flush=True)

    def rivals(self, children):
        """Name and start of each."""
        if not self.others:
            return []
        return [("PHP-FPM", lambda: self.others.PhpFpm(self.model.url, self.postgres, children)),
                ("Node", lambda: self.others.Node(self.model.url, self.postgres))]


def machine(rounds):
    """Of what was built just now: the tree may change meanwhile."""
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
                            capture_output=True, text=True).stdout.strip()
    disk = subprocess.run(["stat", "-f", "-c", "%T", "/tmp"], capture_output=True, text=True).stdout.strip()
    processor = pathlib.Path("/proc/cpuinfo").read_text().partition("model name")[2].partition("\n")[0].strip("\t: ")
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024
    return [
        f"Banter {commit or 'of no known commit'}; medians of {rounds} rounds in turns (lowest-highest)",
        f"{processor or platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}",
        f"1 nginx worker, PostgreSQL with fsync on {disk}; all on loopback",
    ]


def measure(chosen, rounds, with_rivals, thorough, keep):
    """`keep` is called with all that has been found so far, after each section."""
    found = {"machine": machine(rounds)}
    with contextlib.ExitStack() as stack:
        bench = Bench(lambda part: stack.enter_context(contextlib.closing(part)), rounds, with_rivals, thorough)
        for name in chosen:
            bench.section = name
            bench.say("the parts start")
            with contextlib.ExitStack() as own:
                found[name] = SECTIONS[name].measure(bench, lambda part: own.enter_context(contextlib.closing(part)))
            found["seconds"] = round(time.monotonic() - bench.began)
            keep(found)
    return found


def tables(found):
    made = [one for name in SECTIONS if name in found for one in SECTIONS[name].tables(found[name])]
    return [one for one in (*made, limits.table(found)) if one.rows]


def show(found, markdown):
    print("\n".join(found["machine"]))
    for one in tables(found):
        print(one.markdown() if markdown else one.text())
    print(f"\nevery count matched; {found['seconds']} s in all")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--quick", action="store_true", help="without rivals, and only what a token costs")
    options.add_argument("--all", action="store_true", help="every section, and the programs that have output of their own")
    options.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    options.add_argument("--json", metavar="FILE", help="also keep every run's figures, and draw pictures beside it")
    options.add_argument("--markdown", metavar="FILE", help="measure nothing: print what such a file says, for a README")
    chosen = options.parse_args()
    if chosen.markdown:
        show(json.loads(pathlib.Path(chosen.markdown).read_text()), True)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = chosen.only or (QUICK if chosen.quick else list(SECTIONS) if chosen.all else USUAL)

    def keep(found):
        if chosen.json:
            pathlib.Path(chosen.json).write_text(json.dumps(found, indent=1))

    found = measure(wanted, chosen.rounds, not chosen.quick, chosen.all, keep)
    if chosen.json:
        pictures.draw(found, pathlib.Path(chosen.json).parent)
    show(found, False)
    if chosen.all:
        sys.stdout.flush()
        for program in PROGRAMS:
            if (HERE / program).exists():
                subprocess.run([sys.executable, HERE / program], check=True)


if __name__ == "__main__":
    main()
