"""What processes take, from the kernel: their time in nanoseconds, their memory in KiB."""

import os
import pathlib
import statistics
import time

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def tree(pid):
    """A process and all below it."""
    found = [pid]
    for one in found:
        try:
            text = pathlib.Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue
        found += [int(child) for child in text.split()]
    return found


def cpu_ns(pid):
    """The time that a process and all below it have taken, with that of children that have ended.

    /proc/PID/stat counts in ticks of 10 ms, which is nothing to measure two hundred workers with: the processes' own
    CPU clocks are read instead; only what has ended comes from there.
    """
    total = 0
    for one in tree(pid):
        try:
            total += time.clock_gettime_ns((~one << 3) | 2)  # CPUCLOCK_SCHED of that process
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) * TICK_NS  # cutime, cstime
        except OSError:
            continue  # it has just ended
    return total


def machine_busy_ns():
    """The time that all cores have spent on anything."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) * TICK_NS


def rollup(pid):
    """/proc/PID/smaps_rollup in KiB, by the lines' names; nothing of a process that has just ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def uss_kib(pids):
    """Median and maximum of the memory that each of the processes has to itself, and how many they are."""
    sizes = [one["Private_Clean"] + one["Private_Dirty"] for one in map(rollup, pids) if one]
    return {"count": len(sizes), "median": statistics.median(sizes), "max": max(sizes)} if sizes else None


def pss_kib(pid, shared=True):
    """What a process and all below it take, pages of several divided among those; `shared`: with shared memory."""
    sizes = [one for one in map(rollup, tree(pid)) if one]
    return sum(one["Pss"] - (0 if shared else one["Pss_Shmem"]) for one in sizes)


def available_kib():
    """What the machine could still give to programs."""
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(text.partition("MemAvailable:")[2].split()[0])


def named(pid, start):
    """Those of a process's children that have a title which begins so."""
    found = []
    for one in tree(pid)[1:]:
        try:
            if pathlib.Path(f"/proc/{one}/cmdline").read_text().startswith(start):
                found.append(one)
        except OSError:
            continue
    return found
