"""make bench-quick: what Banter adds to a stream of tokens, beside what nginx alone adds, in one run.

Starts everything it measures (private, on loopback, in temporary folders), sends the same load to the model directly,
through nginx alone and through Banter, in turns, and prints one table of medians. Speed never fails; a token that is
lost, repeated or out of order does. README.md says what each line means.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "system"))
import servers  # noqa: E402
import processes  # noqa: E402
import table  # noqa: E402
from servers import BUILD, ROOT, until  # noqa: E402

WORKERS = 208


class Case:
    """One kind of load: `clients` at once, each with `exchanges` one after the other."""

    def __init__(self, title, clients, exchanges, tokens, gap_us):
        self.title = title
        self.clients = clients
        self.exchanges = exchanges
        self.tokens = tokens
        self.gap_us = gap_us


CASES = [
    Case("50 streams x 200 tokens, as fast as they come", 50, 4, 200, 0),
    Case("50 streams x 200 tokens, 2 ms apart", 50, 4, 200, 2000),
    Case("200 streams x 100 tokens, 50 ms apart", 200, 1, 100, 50000),
    Case("1-token exchanges, 16 clients", 16, 125, 1, 0),
]
WARM = Case("warm-up", WORKERS, 1, 20, 50000)


class Postgres(servers.Postgres):
    """As a user would have it: every commit reaches the disk. The tests' own cluster does without."""

    def start(self):
        self.spawn(
            [*servers.unprivileged(), servers.postgres_bin() / "postgres", "-D", self.data, "-k", self.folder,
             "-c", "listen_addresses=", "-c", "fsync=on", "-c", f"max_connections={WORKERS + 20}",
             "-c", "unix_socket_permissions=0777"],
            cwd="/",
        )
        ready = [servers.postgres_bin() / "pg_isready", "-q", "-h", self.folder, "-d", "postgres", "-U", "owner"]
        until(lambda: subprocess.run(ready).returncode == 0, "PostgreSQL's start")


class Model(servers.Server):
    """The bench model."""

    name = "bench-model"

    def __init__(self):
        super().__init__()
        self.spawn([BUILD / "bench" / "model"])
        until(lambda: "listening on " in self.text(), "the model's start")
        self.url = self.text().split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])


class Proxy(servers.Nginx):
    """nginx alone, with nginx.conf of this folder."""

    name = "bench-nginx"

    def __init__(self, model_port):
        servers.Server.__init__(self)
        self.port = servers.free_port()
        text = (HERE / "nginx.conf").read_text()
        text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        for name, value in {
            "FOLDER": self.folder,
            "PORT": self.port,
            "MODEL": f"127.0.0.1:{model_port}",
            "USER": "user root;" if os.geteuid() == 0 else "",
        }.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "nginx.conf").write_text(text)
        self.spawn(["/usr/sbin/nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"])
        until(self.answers, "nginx's start")


class Target:
    """Where the load goes, and the process groups whose time it takes."""

    def __init__(self, name, api, port, groups, key=None):
        self.name = name
        self.groups = groups
        self.command = [str(BUILD / "bench" / "load"), "--api", api, "--port", str(port)]
        self.env = {"BENCH_KEY": key} if key else {}

    def load(self, case):
        """One run: what the load client found, and the nanoseconds of CPU of each group."""
        before = {name: processes.cpu_ns(part.process.pid) for name, part in self.groups.items()}
        machine = processes.machine_busy_ns()
        done = subprocess.run(
            [*self.command, "--clients", str(case.clients), "--exchanges", str(case.exchanges),
             "--tokens", str(case.tokens), "--gap-us", str(case.gap_us)],
            env=self.env, capture_output=True, text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"{self.name}: {case.title}:\n{done.stderr}{done.stdout}")
        found = json.loads(done.stdout)
        cpu = {name: processes.cpu_ns(part.process.pid) - before[name] for name, part in self.groups.items()}
        cpu["load"] = found["cpu_ns"]
        found["cpu"] = cpu
        found["others"] = max(0, processes.machine_busy_ns() - machine - sum(cpu.values())) / found["wall_ns"]
        return found


def start(stack):
    """All the parts: the three targets, and what tells the memory they take."""
    enter = lambda part: stack.enter_context(contextlib.closing(part))  # noqa: E731
    model = enter(Model())
    postgres = enter(Postgres())
    banter = enter(servers.Banter(postgres.url(), f"{model.url}/v1", workers=WORKERS, worker_requests=0))
    front = enter(servers.Nginx(banter.socket))
    proxy = enter(Proxy(model.port))
    key = postgres.demo().widget_key
    targets = [
        Target("model", "openai", model.port, {"model": model}),
        Target("nginx", "openai", proxy.port, {"nginx": proxy, "model": model}),
        Target("Banter", "headless", front.port,
               {"nginx": front, "banter": banter, "postgres": postgres, "model": model}, key),
    ]
    return targets, lambda: {
        "banter worker": processes.uss_kib(banter.children()),
        "nginx worker": processes.uss_kib(processes.tree(front.process.pid)[1:]),
        "postgres backend": processes.uss_kib(processes.tree(postgres.process.pid)[1:]),
    }


def describe(rounds):
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
                            capture_output=True, text=True).stdout.strip()
    disk = subprocess.run(["stat", "-f", "-c", "%T", "/tmp"], capture_output=True, text=True).stdout.strip()
    return [
        f"Banter {commit or 'of no known commit'}, {os.cpu_count()} cores, Linux {platform.release()}; "
        f"medians of {rounds} rounds in turns",
        f"{WORKERS} workers, 1 nginx worker, PostgreSQL with fsync on, on {disk}; all on loopback",
    ]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", metavar="FILE", help="also keep every run's figures")
    chosen = options.parse_args()
    rounds = chosen.rounds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    head = describe(rounds)  # of what was built just now: the tree may change meanwhile
    with contextlib.ExitStack() as stack:
        print("starting PostgreSQL, the model, the pool and two nginx ...", file=sys.stderr)
        targets, memory = start(stack)
        runs = {(case.title, target.name): [] for case in CASES for target in targets}
        for target in targets:
            target.load(WARM)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds} ...", file=sys.stderr)
            for case in CASES:
                for place in range(len(targets)):
                    # Another one begins each round: nobody always comes after the same neighbour.
                    target = targets[(place + number) % len(targets)]
                    runs[case.title, target.name].append(target.load(case))
        uss = memory()
    print("\n".join(head))
    for case in CASES:
        print("\n".join(table.case(case, {t.name: runs[case.title, t.name] for t in targets})))
    print("\n".join(table.memory(uss)))
    print(f"every count matched; {time.monotonic() - began:.0f} s in all")
    if chosen.json:
        figures = [{"case": case, "target": target, "runs": found} for (case, target), found in runs.items()]
        pathlib.Path(chosen.json).write_text(json.dumps({"figures": figures, "uss_kib": uss}, indent=1))


if __name__ == "__main__":
    main()
