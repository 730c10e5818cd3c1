"""The storm's own hand: what it kills and stops, when, and what of it landed in which stage. A worker is stopped first and
looked at then, so that the stage it is killed in is the one that the scoreboard shows, and not one it has left."""

import collections
import contextlib
import random
import signal
import threading
import time

from fastcgi import Connection
from house import alive, children, send
from servers import PATIENCE, until

# The stages of a worker that has a connection, or may have, and who only waits for one.
STAGES = ("idle", "request", "begin", "connect", "first byte", "stream", "finish", "reply")
SOON_S = 30  # seconds, in which each thing has happened once
GROWN_MS = 10000  # whoever dies younger makes the pool wait with the next one
AHEAD = 5  # so many more in one stage than in another
TRIES = 6  # workers that are looked at for one in the stage that is wanted
STEPS = 30  # in which one is led there, of at most
STEP_S = 0.0002  # seconds each, and then longer, since the other side may have to do something first


class Casualty:
    """A worker that the storm ended, or let stand still until its master ended it. `request`: its request's id; None: it
    had none, or had not read it yet."""

    def __init__(self, site, stage, request, at):
        self.site, self.stage, self.request, self.at = site, stage, request, at


class Outage:
    """From `since` to `until` (time.monotonic(); None: it goes on) a site (None: both) could not serve all."""

    def __init__(self, site, what):
        self.site, self.what, self.since, self.until = site, what, time.monotonic(), None


class Storm:
    """Goes on until stop(). Who does what to one part does one thing after the other, beside those of the other parts.
    Choices are the seed's; whom they meet is chance."""

    def __init__(self, house, seed, tables=None):
        self.house, self.over = house, threading.Event()
        self.landed = collections.Counter()  # (what was done, stage)
        self.done = collections.Counter()  # what was done to the others
        self.casualties, self.outages, self.orphans, self.failures = [], [], set(), []
        self.held = set()  # process ids that one hand has stopped: the other leaves them alone
        self.threads = [threading.Thread(target=hand(self, random.Random(f"{seed} {hand.__name__}"), every).run, daemon=True)
                        for hand, every in (tables or TABLES).items()]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)
        for failure in self.failures:
            raise failure
        assert not any(thread.is_alive() for thread in self.threads), "the storm does not end"
        until(lambda: not any(map(alive, self.orphans)), "the end of the processes whose master was killed")

    def outage(self, site, what):
        one = Outage(site, what)
        self.outages.append(one)
        self.done[what] += 1
        return one


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


class Workers(Hand):
    """By their stage."""

    def want(self, how, seen):
        """Of the stages that can be had now the one in which that was done least often; None: it was done often enough."""
        landed = {stage: self.storm.landed[how, stage] for stage in STAGES}
        shown = {one["stage"] for one in seen}
        near = [stage for at, stage in enumerate(STAGES) if shown & {stage, STAGES[at - 1]}]
        wanted = min(near, key=lambda stage: (landed[stage], self.chance.random()), default=None)
        return wanted if wanted and landed[wanted] <= 2 * min(landed.values()) + AHEAD else None

    def grasp(self, how):
        """A worker that stands still: (site's number, what is shown of it); None: there was none to be had. Whoever is in
        the stage before the one that is wanted is led there in steps as short as can be."""
        number = self.chance.randrange(len(self.house.sites))
        site = self.house.sites[number]
        wanted = self.want(how, self.workers(site))
        with half_sent(site) if wanted == "request" else contextlib.nullcontext():
            for last in range(TRIES if wanted else 0, 0, -1):
                found = self.lead(site, wanted)
                if found and (found["stage"] == wanted or (last == 1 and found["stage"] in STAGES)):
                    return number, found
                if found:
                    self.let_go(found["pid"])
                if self.storm.over.is_set():
                    break
        return None

    def workers(self, site):
        return [one for one in self.house.look(site) if one["kind"] == "worker" and one["pid"] not in self.storm.held
                and one["stage"] in STAGES]

    def lead(self, site, wanted):
        """A worker in that stage, or one that came past it: what is shown of it once it stands still; None: there is none."""
        ways = {wanted, STAGES[STAGES.index(wanted) - 1]}
        seen = self.workers(site)
        if self.chance.random() < 0.7:
            seen = [one for one in seen if one["age_ms"] > GROWN_MS] or seen
        seen = [one for one in seen if one["stage"] == wanted] or [one for one in seen if one["stage"] in ways]
        if not seen:
            return None
        pid = self.chance.choice(seen)["pid"]
        self.storm.held.add(pid)
        for step in range(STEPS):
            if not send(pid, signal.SIGSTOP):
                break
            until_stopped(pid)
            now = next((now for now in self.house.look(site) if now["pid"] == pid), None)
            if not now:
                break
            if now["stage"] == wanted or now["stage"] not in ways:
                return now
            send(pid, signal.SIGCONT)
            time.sleep(self.chance.uniform(0, STEP_S * 2 ** (step % 8)))
        self.let_go(pid)
        return None

    def let_go(self, pid):
        send(pid, signal.SIGCONT)
        self.storm.held.discard(pid)

    def fell(self, site, one, how):
        self.storm.landed[how, one["stage"]] += 1
        self.storm.casualties.append(Casualty(site, one["stage"], one["request"], time.monotonic()))

    def kill(self):
        found = self.grasp("killed")
        if found:
            self.fell(*found, "killed")
            send(found[1]["pid"], signal.SIGKILL)
            self.storm.held.discard(found[1]["pid"])

    def pause(self):
        """It goes on before anybody minds."""
        found = self.grasp("stopped for a moment")
        if found:
            self.storm.landed["stopped for a moment", found[1]["stage"]] += 1
            self.rest(0.8)
            self.let_go(found[1]["pid"])

    def leave(self):
        """It stays stopped: its master ends it."""
        found = self.grasp("left stopped")
        if found:
            self.fell(*found, "left stopped")


class Pauses(Workers):
    """What takes time, beside the others."""


class Pool(Hand):
    """A pool's other processes."""

    def one_of(self, kind):
        number = self.chance.randrange(len(self.house.sites))
        found = self.house.sites[number].banter.children(kind)
        return number, self.chance.choice(found) if found else None

    def admission(self):
        number, pid = self.one_of("admit")
        if pid:
            outage = self.storm.outage(number, "admission process killed")
            send(pid, signal.SIGKILL)
            outage.until = time.monotonic() + 1

    def admission_stopped(self):
        number, pid = self.one_of("admit")
        if pid:
            outage = self.storm.outage(number, "admission process stopped")
            send(pid, signal.SIGSTOP)
            self.rest(1.5)
            send(pid, signal.SIGCONT)
            outage.until = time.monotonic() + 1

    def status(self):
        _, pid = self.one_of("status")
        if pid:
            self.storm.done["status process killed"] += 1
            send(pid, signal.SIGKILL)

    def reload(self):
        site = self.chance.choice(self.house.sites)
        self.storm.done["reload"] += 1
        site.banter.process.send_signal(signal.SIGHUP)

    def master(self):
        """Its children let what runs end, and a new one begins."""
        number = self.chance.randrange(len(self.house.sites))
        banter = self.house.sites[number].banter
        outage = self.storm.outage(number, "master killed")
        crew = children(banter.process.pid)
        banter.process.kill()
        banter.process.wait()
        for pid in crew:  # one that was left stopped cannot hear of it
            send(pid, signal.SIGCONT)
        self.storm.orphans.update(crew)
        self.rest(1)
        banter.start()
        outage.until = time.monotonic() + 1


class Database(Hand):
    """PostgreSQL, its sessions, and PgBouncer."""

    def session(self, sig):
        """One of PostgreSQL's own for the application, one that is at work if there is one."""
        found = self.house.sessions()
        busy = [pid for pid, at in found.items() if at == "SELECT"]
        some = busy if busy and self.chance.random() < 0.7 else list(found)
        if not some:
            return None
        pid = self.chance.choice(some)
        return pid if send(pid, sig) else None

    def terminate_session(self):
        if self.session(signal.SIGTERM):  # as pg_terminate_backend() does
            self.storm.done["session terminated"] += 1

    def stop_session(self):
        pid = self.session(signal.SIGSTOP)
        if pid:
            outage = self.storm.outage(None, "session stopped")
            self.rest(4)
            send(pid, signal.SIGCONT)
            outage.until = time.monotonic() + 1

    def crash_cluster(self):
        """PostgreSQL ends all of its sessions then, and starts anew."""
        outage = self.storm.outage(None, "session killed, so that the cluster crashed")
        if self.session(signal.SIGKILL):
            self.rest(0.5)
            until(self.house.answers, "PostgreSQL after a crash")
        outage.until = time.monotonic() + 3

    def kill(self):
        outage = self.storm.outage(None, "PostgreSQL killed")
        self.house.cut_power()
        self.rest(1.5)
        self.house.postgres.start()
        outage.until = time.monotonic() + 3

    def restart(self):
        outage = self.storm.outage(None, "PostgreSQL restarted")
        self.house.postgres.stop()
        self.rest(0.5)
        self.house.postgres.start()
        outage.until = time.monotonic() + 3

    def pause(self):
        outage = self.storm.outage(None, "PostgreSQL stopped for a moment")
        crew = [self.house.postgres.process.pid, *children(self.house.postgres.process.pid)]
        for pid in crew:
            send(pid, signal.SIGSTOP)
        self.rest(3)
        for pid in crew:
            send(pid, signal.SIGCONT)
        outage.until = time.monotonic() + 3

    def kill_pooler(self):
        outage = self.storm.outage(None, "PgBouncer killed")
        self.house.pooler.end(signal.SIGKILL)
        self.rest(1)
        (self.house.pooler.folder / f".s.PGSQL.{self.house.pooler.port}").unlink(missing_ok=True)
        self.house.pooler.start()
        outage.until = time.monotonic() + 3

    def pause_pooler(self):
        outage = self.storm.outage(None, "PgBouncer stopped for a moment")
        self.house.pooler.process.send_signal(signal.SIGSTOP)
        self.rest(3)
        self.house.pooler.process.send_signal(signal.SIGCONT)
        outage.until = time.monotonic() + 3


@contextlib.contextmanager
def half_sent(site):
    """A request whose body does not come: web servers send theirs at once."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            connection = stack.enter_context(Connection(site.banter.socket))
            connection.begin()
            connection.params({"REQUEST_METHOD": "POST", "REQUEST_URI": "/v1/chat", "CONTENT_LENGTH": "100"})
            connection.stdin(b"{", end=False)
        yield


def until_stopped(pid):
    end = time.monotonic() + PATIENCE
    while not stopped(pid):
        assert time.monotonic() < end, "it does not stop"
        time.sleep(0)


def stopped(pid):
    """Whether it stands still, or is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] in "TtZX"
    except (FileNotFoundError, ProcessLookupError):
        return not alive(pid)


# How often each comes, in seconds on average.
TABLES = {
    Workers: {Workers.kill: 0.15, Workers.leave: 2},
    Pauses: {Pauses.pause: 0.3},
    Pool: {Pool.admission: 5, Pool.admission_stopped: 15, Pool.status: 20, Pool.reload: 45, Pool.master: 30},
    Database: {
        Database.terminate_session: 0.3, Database.stop_session: 10, Database.crash_cluster: 20, Database.kill: 40,
        Database.restart: 60, Database.pause: 40, Database.kill_pooler: 20, Database.pause_pooler: 40,
    },
}
