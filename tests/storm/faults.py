"""The storm: hands that kill and stop the parts of a house (by_stage.py, others.py), each beside the others, and what they
did. Not for what clients make of it: that is judge.py's."""

import collections
import contextlib
import random
import signal
import threading
import time

from house import alive, born, send
from servers import PATIENCE, until

STORING_S = 11  # in which an answer is tried to be stored, and told
SOON_S = 40  # seconds, in which each thing has happened once
AFTER_S = 3  # in which those who wait for a database that was away come again


class Storm:
    """Goes on until stop(). `tables`: of each hand, how often it does what, in seconds on average. Choices are the seed's;
    whom they meet is chance."""

    def __init__(self, house, seed, tables):
        self.house, self.over = house, threading.Event()
        self.landed = collections.Counter()  # (what was done, stage)
        self.done = collections.Counter()  # what was done to the others
        # Of requests whose worker was ended, or let stand still until its master ended it. None: of one that had not read
        # whose it was.
        self.felled = set()
        # [since, until, server], of the database (time.monotonic(); None: it goes on), or of one of its servers
        self.outages = []
        # (since, until), from the loss of a primary, all of which its standby had then, until there was another
        self.failovers = []
        self.held = set()  # process ids that one hand has stopped: the others leave them alone
        self.terminated = []  # when a session of the database's was (time.monotonic())
        self.orphans, self.failures = set(), []  # (process id, when it was born); exceptions
        self.threads = [threading.Thread(target=hand(self, random.Random(f"{seed} {hand.__name__}"), every).run, daemon=True)
                        for hand, every in tables.items()]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)
        for failure in self.failures:
            raise failure
        assert not any(thread.is_alive() for thread in self.threads), "the storm does not end"

        def left():
            return [pid for pid, since in self.orphans if alive(pid) and born(pid) == since]

        for pid in left():  # one that was left stopped as its master died hears of it now
            send(pid, signal.SIGCONT)
        until(lambda: not left(), "the end of the processes whose master was killed")

    def unknown(self, record, tenant):
        """Whether the database was away, or a server of it that the tenant needs, when the answer was to be stored."""
        since, then, needed = record["ended"] - STORING_S, record["ended"], self.house.clusters(tenant)
        return any(begun <= then and (over is None or since <= over) and (server is None or server in needed)
                   for begun, over, server in self.outages)


class Hand:
    """Does one thing after the other: `every` says how often, in seconds on average."""

    def __init__(self, storm, chance, every):
        self.storm, self.house, self.chance, self.every = storm, storm.house, chance, every

    def run(self):
        over = self.storm.over
        try:
            due = {what: time.monotonic() + self.chance.uniform(0.1, 1) * min(every, SOON_S) for what, every in self.every.items()}
            while not over.is_set():
                what = min(due, key=due.get)
                if over.wait(max(due[what] - time.monotonic(), 0)):
                    break
                due[what] = time.monotonic() + self.chance.uniform(0.5, 1.5) * self.every[what]
                what(self)
        except BaseException as failure:  # noqa: BLE001  (stop() tells it)
            self.storm.failures.append(failure)

    def rest(self, most):
        self.storm.over.wait(self.chance.uniform(0.01, most))

    @contextlib.contextmanager
    def outage(self, what, server=None):
        """The database may be away in it, or that server of it, and a moment longer."""
        self.storm.done[what] += 1
        outage = [time.monotonic(), None, server]
        self.storm.outages.append(outage)
        yield
        outage[1] = time.monotonic() + AFTER_S
