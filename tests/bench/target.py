"""Where a load goes, and one run of it: what the client found, and what each process group took for it."""

import json
import subprocess

import processes
from servers import BUILD

# The process groups of every target; what a rival calls otherwise is its workers.
GROUPS = ("nginx", "workers", "postgres", "pgbouncer", "router", "model")


def group_of(name):
    return name if name in GROUPS else "workers"


class Target:
    """`groups`: the process groups whose time it takes, by name, each a server; `refuses`: that it turns requests away is
    its figure, and no fault."""

    def __init__(self, name, api, port, groups, key=None):
        self.name = name
        self.groups = groups
        self.command = [str(BUILD / "bench" / "load"), "--api", api, "--port", str(port)]
        self.env = {"BENCH_KEY": key} if key else {}

    def cpu(self):
        """Nanoseconds that each group has taken so far."""
        taken = {}
        for name, part in self.groups.items():
            name = group_of(name)
            taken[name] = taken.get(name, 0) + processes.cpu_ns(part.process.pid)
        return taken

    def load(self, case, refuses=False, look=None):
        """One run. `look` is called with the load's process id when every client has had its first token; what it gives is
        `found["look"]`."""
        words = [*self.command, *case.options(), *(["--refusals"] if refuses else [])]
        before, machine, seen = self.cpu(), processes.machine_busy_ns(), None
        load = subprocess.Popen(words, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            if load.stdout.readline() == "begun\n" and look:
                seen = look(load.pid)
            text, fault = load.communicate()
        finally:
            load.kill()
            load.wait()
        if load.returncode != 0:
            raise SystemExit(f"{self.name}: {case.title}:\n{fault}{text}")
        found = json.loads(text)
        after = self.cpu()
        cpu = {name: after[name] - before[name] for name in after}
        cpu["load"] = found["cpu_ns"]
        found["cpu"] = cpu
        found["others"] = max(0, processes.machine_busy_ns() - machine - sum(cpu.values())) / found["wall_ns"]
        if look:
            found["look"] = seen
        return found


def in_turns(bench, cases, targets, wanted=lambda case, target: True, **options):
    """Every case against every target, `bench.rounds` times: by case and target, a list of runs. Another target begins each
    round, so that nobody always comes after the same neighbour."""
    runs = {case.key: {target.name: [] for target in targets if wanted(case, target)} for case in cases}
    for number in range(bench.rounds):
        bench.say(f"round {number + 1} of {bench.rounds}")
        for case in cases:
            for place in range(len(targets)):
                target = targets[(place + number) % len(targets)]
                if wanted(case, target):
                    runs[case.key][target.name].append(target.load(case, **options))
    return runs
