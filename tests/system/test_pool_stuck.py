"""A worker that gets on with nothing is named, ended and replaced; one that is only slow is left alone."""

import ctypes
import errno
import os
import re
import signal
import time

import exposition
import pytest
from ctl import ctl
from fastcgi import begun, chat, health, stream
from servers import name, script, until
from site_client import at_once
from test_ending import Arriving, Blocked, InTheDatabase, Silent, at  # noqa: F401 (a fixture)
from test_full import admission, ask_status, stages, told
from test_pool import logged

NEVER = name("never")
# Each stage's own time is short too: what comes on top is what is tried.
SHORT = {"worker_stuck_time": 0.5, "write_time": 0.2, "request_time": 0.5, "model_idle_time": "2s"}


def streaming(banter, tenant, gate):
    """A stream that stands still in the middle, and its worker."""
    idle = set(banter.children())
    request = name("request")
    reply = stream(banter.socket, tenant, script(name("stuck"), tokens=["a", "b"], gates={"2": gate}), session=name("s"),
                   HTTP_X_REQUEST_ID=request)
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]

    def who():
        before = len(banter.text())
        banter.process.send_signal(signal.SIGUSR1)
        found = re.findall(r"worker \d+ \(pid (\d+)\): stream for", banter.text()[before:])
        return [int(pid) for pid in found if int(pid) in idle]

    return reply, until(who, "its worker")[-1], request


def gone(banter, pid, count):
    until(lambda: pid not in banter.children() and len(banter.children()) == count, f"{count} workers without {pid}")


def deaths(banter):
    """As they are counted, by process and cause."""
    code, out, err = ctl("metrics", "--pid", banter.process.pid)
    assert (code, err) == (0, "")
    return exposition.read(out).by("banter_deaths", "process", "cause")


def test_S1_a_stopped_worker_is_named_ended_and_replaced(pool, tenant):
    """Its exchange is lost with it, S1; who comes meanwhile is served."""
    banter = pool(workers=2, worker_stuck_time=0.5)
    reply, pid, request = streaming(banter, tenant, NEVER)
    os.kill(pid, signal.SIGSTOP)
    line = logged(banter, rf"error \[\d+\] worker \d \(pid {pid}\) (.*)")[0][1]
    assert re.fullmatch(rf"was stopped for \d\.\d s: stage stream, request={request}; it is told to end; "
                        r"a replacement starts in 0\.1 s", line), line
    until(lambda: len(banter.children()) == 3, "the one in its place")
    assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 200
    logged(banter, rf"worker \d \(pid {pid}\) did not end in its time: it is killed")
    assert reply.event() is None
    gone(banter, pid, 2)
    assert deaths(banter) == {("worker", "stuck"): 1}
    assert banter.text().count("it is told to end; a") == 1


def test_stopped_workers_are_no_outage(pool, tenant):
    """All of them were idle, so that nothing of theirs shows it."""
    banter = pool(workers=2, worker_stuck_time=0.5, queue_time="30s")
    assert health(banter.socket) == 200
    old = banter.children()
    until(lambda: [stages(banter).get(pid) for pid in old] == ["idle"] * 2, "two idle workers")
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 200
    assert logged(banter, "was stopped for .*: stage idle, request=-; it is told to end", 2)
    until(lambda: len(banter.children()) == 2 and not set(old) & set(banter.children()), "the replacements alone")


def test_the_admission_and_the_status_process_are_looked_after_too(pool, tenant, tmp_path):
    status = tmp_path / "status"
    banter = pool(workers=1, worker_stuck_time=0.5, status_listen=f"unix:{status}")
    until(lambda: ask_status(status)[0] == 200, "the status listener")
    stopped = {"admit": admission(banter), "status": banter.children("status")[0]}
    for pid in stopped.values():
        os.kill(pid, signal.SIGSTOP)
    logged(banter, "(admission|status) process .* was stopped for .* it is told to end", 2)
    for kind, pid in stopped.items():
        until(lambda: len(banter.children(kind)) == 1 and banter.children(kind) != [pid], f"the new {kind}")  # noqa: B023
    assert ask_status(status)[0] == 200


def test_one_that_was_stopped_for_a_moment_goes_on(pool, tenant, model):
    banter = pool(workers=1, worker_stuck_time="30s")
    gate = name("gate")
    reply, pid, _ = streaming(banter, tenant, gate)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: "T" in open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0], "its stop")
    os.kill(pid, signal.SIGCONT)
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    assert banter.children() == [pid]
    assert "died" not in banter.text() and "told to end" not in banter.text()


def test_one_that_goes_on_after_it_was_told_ends_its_exchange(pool, tenant, model):
    banter = pool(workers=1, worker_stuck_time=0.5)
    gate = name("gate")
    reply, pid, _ = streaming(banter, tenant, gate)
    os.kill(pid, signal.SIGSTOP)
    logged(banter, rf"pid {pid}\) was stopped for")
    os.kill(pid, signal.SIGCONT)
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    gone(banter, pid, 1)
    assert "died" not in banter.text() and "killed" not in banter.text()


def test_one_that_dies_while_it_retires_is_counted_and_one_that_ends_is_not(pool, tenant, model):
    banter = pool(workers=1)
    gate = name("gate")
    for how, counted in ((None, {}), (signal.SIGKILL, {("worker", "SIGKILL"): 1})):
        reply, pid, _ = streaming(banter, tenant, gate if not how else NEVER)
        banter.process.send_signal(signal.SIGHUP)
        until(lambda: len(banter.children()) == 2, "the one in its place")
        if how:
            os.kill(pid, how)
        else:
            model.open_gate(gate)
            assert reply.events()[-1]["type"] == "done"
        gone(banter, pid, 1)
        assert deaths(banter) == counted


class Trapped:
    """A process that a debugger holds: it stands still, and its parent is told nothing."""

    SEIZE, INTERRUPT, WAIT_ALL = 0x4206, 0x4207, 0x40000000  # <sys/ptrace.h>, <sys/wait.h>

    def __init__(self, pid):
        self.pid = pid
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        if libc.ptrace(self.SEIZE, pid, None, None):
            assert ctypes.get_errno() == errno.EPERM
            pytest.skip("this user may trace no process")
        libc.ptrace(self.INTERRUPT, pid, None, None)
        os.waitpid(pid, self.WAIT_ALL)

    def end(self):
        """Its tracer is the first to hear of it."""
        until(lambda: os.WIFSIGNALED(os.waitpid(self.pid, self.WAIT_ALL)[1]), "its end")


def test_S1_a_worker_that_makes_no_step_is_ended_after_its_stages_time(pool, tenant):
    """No signal stopped it: only that nothing comes from it is known."""
    banter = pool(workers=1, **SHORT)
    reply, pid, request = streaming(banter, tenant, NEVER)
    trapped = Trapped(pid)
    line = logged(banter, rf"worker \d \(pid {pid}\) (made .*)")[0][1]
    silent = re.fullmatch(rf"made no progress for (\d+\.\d) s: stage stream, request={request}; it is told to end; "
                          r"a replacement starts in 0\.1 s", line)
    assert silent and 2.5 <= float(silent[1]) < 15, line
    logged(banter, rf"worker \d \(pid {pid}\) did not end in its time: it is killed")
    trapped.end()
    gone(banter, pid, 1)
    assert reply.event() is None
    assert health(banter.socket) == 200


# Each long enough for the worker to be trapped before it breaks off by itself.
EACH = dict.fromkeys(["request_time", "database_time", "model_first_time", "model_idle_time", "write_time"], "3s")


@pytest.mark.parametrize("state", [Arriving, InTheDatabase, Silent, Blocked], ids=lambda state: state.__name__)
def test_S1_whatever_a_worker_is_at_its_stage_and_request_are_named(at, state):
    banter, one = at(state, workers=1, worker_stuck_time=0.5, **EACH)
    (pid,) = banter.children()
    trapped = Trapped(pid)
    line = logged(banter, rf"worker 0 \(pid {pid}\) (made .*)")[0][1]
    silent = re.match(rf"made no progress for (\d+\.\d) s: stage {one.at}, request=[a-z0-9]{{26}}; it is told to end; ", line)
    assert silent and float(silent[1]) >= 3.5, line
    os.kill(pid, signal.SIGKILL)
    trapped.end()
    gone(banter, pid, 1)


def test_what_slept_with_its_master_was_not_silent(pool, tenant):
    """A frozen container, a suspended machine: whichever goes on first."""
    banter = pool(workers=2, worker_stuck_time=1)
    reply = begun(banter.socket, tenant, script(name("long"), tokens=200, delay_ms=50), ["start", "token"], session=name("s"))
    children = banter.children() + banter.children("admit")
    for order in ([banter.process.pid, *children], [*children, banter.process.pid]):
        for pid in order:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(3)  # nothing happens, and for that there is no gate
        for pid in order:
            os.kill(pid, signal.SIGCONT)
    assert reply.events()[-1]["type"] == "done"
    assert "told to end" not in banter.text()
    assert banter.children() + banter.children("admit") == children


def test_a_stream_that_goes_on_for_long_is_left_alone(pool, tenant):
    """Many times as long as it may be silent: its tokens, and while there are none its heartbeats, are steps."""
    banter = pool(workers=1, **{**SHORT, "model_idle_time": "30s", "heartbeat": "100ms"})
    text = script(name("long"), tokens=80, delay_ms=50)
    reply = begun(banter.socket, tenant, text, ["start", "token"], session=name("s"))
    assert reply.events()[-1]["type"] == "done"
    assert "no progress" not in banter.text()


def test_BANTER_WORKER_STUCK_TIME_0_is_for_a_debugger(pool, tenant, model):
    banter = pool(workers=1, worker_stuck_time=0)
    gate = name("gate")
    reply, pid, _ = streaming(banter, tenant, gate)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(1.5)  # nothing happens, and for that there is no gate
    os.kill(pid, signal.SIGCONT)
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    assert banter.children() == [pid]


def test_workers_that_stick_again_and_again_are_replaced_ever_later(pool):
    banter = pool(workers=1, worker_stuck_time=0.1)
    before = set()
    for n in range(1, 4):
        (pid,) = until(lambda: [one for one in banter.children() if one not in before], "a worker")  # noqa: B023
        before.add(pid)
        os.kill(pid, signal.SIGSTOP)
        logged(banter, "was stopped for", n)
    told = [match[1] for match in logged(banter, r"was stopped for .* a replacement starts in (\d\.\d) s", 3)]
    assert told == ["0.1", "0.2", "0.4"]


@pytest.mark.parametrize("most, replaced", [(1, True), (4096, False)])
def test_a_worker_with_more_than_BANTER_WORKER_MEMORY_is_replaced(pool, tenant, most, replaced):
    """Once its request has ended: none fails for it."""
    banter = pool(workers=1, worker_memory=most)
    for _ in range(3):
        assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 200
    served = [line[1] for line in logged(banter, r"\[(\d+)\] request=", 3)]
    assert len(set(served)) == (3 if replaced else 1)
    assert ("MiB of its own: it makes room for another" in banter.text()) == replaced
    assert "died" not in banter.text()


def test_workers_that_are_exchanged_for_their_memory_under_load_lose_nobody(pool, tenant):
    banter = pool(workers=2, worker_memory=1, queue_time="60s")

    def ask(_):
        replies = [chat(banter.socket, tenant, script("hello", tokens=["fine"]), session=name("s")) for _ in range(8)]
        return [told(reply)[0] for reply in replies]

    assert at_once(6, ask) == [[200] * 8] * 6
    until(lambda: banter.text().count("it makes room for another") == 48, "the last worker's end")
    assert "died" not in banter.text()
