"""Workers, killed and stopped by their stage. One is stopped first and looked at then, so that the stage it is killed in is the
one that the scoreboard shows, and not one that it has left."""

import contextlib
import signal
import time

from fastcgi import Connection
from faults import Hand
from house import send, stopped
from servers import PATIENCE
from steps import Led

# Of a worker that has a connection, or waits for one.
STAGES = ("idle", "request", "begin", "connect", "first byte", "stream", "finish", "reply")
GROWN_MS = 10000  # whoever dies younger makes the pool wait with the next one
AHEAD = 5  # so many more in one stage than in another
TRIES = 6  # workers that are looked at for one in the stage that is wanted
STEPS = 30  # in which one is led there, of at most
STEP_S = 0.0002  # seconds each, and then longer, since the other side may have to do something first
CALLS = 200  # the beginnings and ends of system calls that a stage has, of at most


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
        """A worker that stands still, as it is shown; None: there was none to be had. Whoever is in the stage before the one
        that is wanted is led there in steps as short as can be."""
        site = self.chance.choice(self.house.sites)
        wanted = self.want(how, self.workers(site))
        with half_sent(site) if wanted == "request" else contextlib.nullcontext():
            for last in range(TRIES if wanted else 0, 0, -1):
                found = self.lead(site, wanted)
                if found and (found["stage"] == wanted or (last == 1 and found["stage"] in STAGES)):
                    return found
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
        found = self.chance.choice((self.at_any_moment, self.by_its_calls))(site, pid, wanted, ways)
        if not found:
            self.let_go(pid)
        return found

    def shown(self, site, pid):
        return next((now for now in self.house.look(site) if now["pid"] == pid), None)

    def at_any_moment(self, site, pid, wanted, ways):
        for step in range(STEPS):
            if not send(pid, signal.SIGSTOP):
                break
            until_stopped(pid)
            now = self.shown(site, pid)
            if not now or now["stage"] == wanted or now["stage"] not in ways:
                return now
            send(pid, signal.SIGCONT)
            time.sleep(self.chance.uniform(0, STEP_S * 2 ** (step % 8)))
        return None

    def by_its_calls(self, site, pid, wanted, ways):
        """It comes to the stages that are over in no time, where no moment would be met by chance."""
        with contextlib.suppress(OSError):  # it is gone, or may not be led
            with Led(pid) as led:
                for _ in range(CALLS):
                    now = self.shown(site, pid)
                    if not now or now["stage"] == wanted or now["stage"] not in ways or not led.step():
                        break
                send(pid, signal.SIGSTOP)
            until_stopped(pid)
            return self.shown(site, pid)
        return None

    def let_go(self, pid):
        send(pid, signal.SIGCONT)
        self.storm.held.discard(pid)

    def fell(self, one, how):
        self.storm.landed[how, one["stage"]] += 1
        self.storm.felled.add(one["request"])

    def kill(self):
        found = self.grasp("killed")
        if found:
            self.fell(found, "killed")
            send(found["pid"], signal.SIGKILL)
            self.storm.held.discard(found["pid"])

    def pause(self):
        """It goes on before anybody minds."""
        found = self.grasp("stopped for a moment")
        if found:
            self.storm.landed["stopped for a moment", found["stage"]] += 1
            self.rest(0.8)
            self.let_go(found["pid"])

    def leave(self):
        """It stays stopped: its master ends it."""
        found = self.grasp("left stopped")
        if found:
            self.fell(found, "left stopped")


class Pauses(Workers):
    """What takes time, beside the others."""


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
