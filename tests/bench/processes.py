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


def uss_kib(pids):
    """Median and maximum of the memory that each of the processes has to itself, and how many they are."""
    sizes = []
    for one in pids:
        try:
            lines = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        sizes.append(sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))))
    return {"count": len(sizes), "median": statistics.median(sizes), "max": max(sizes)}
