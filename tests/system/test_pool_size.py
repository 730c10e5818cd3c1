"""A pool that breathes: BANTER_WORKERS=LEAST:MOST. Gates keep the workers busy."""

import os
import signal
import time

import pytest

from fastcgi import chat, health
from servers import name, script, until
from site_client import at_once
from test_full import FULL, admission, ask_status, busy, finish, held, send, stages, told, wakeups
from test_pool import all_new, ask_reload, configured, end_of, logged  # noqa: F401 (a fixture)

def size(banter, count):
    until(lambda: len(banter.children()) == count, f"{count} workers")


def test_G6_a_connection_that_waits_makes_a_worker_more_up_to_the_most(pool, tenant, model):
    """Nobody waits for another's end until there are as many as there may be; then as ever."""
    banter = pool(workers="2:4", queue_time="2s")
    assert "workers: 2:4" in banter.text()
    size(banter, 2)
    gate = name("gate")
    running = busy(banter, tenant, gate, 2)
    size(banter, 2)
    running += busy(banter, tenant, gate, 1)
    size(banter, 3)
    running += busy(banter, tenant, gate, 1)
    size(banter, 4)
    began = time.monotonic()
    assert told(send(banter, tenant, "Hello")) == (503, FULL["headless"])
    # The queueing time plus a second; on a busy machine what it can.
    assert 2 <= time.monotonic() - began < 3 + 15
    size(banter, 4)
    model.open_gate(gate)
    finish(running)
    assert "died" not in banter.text()


def test_a_crowd_at_once_finds_a_worker_each(pool, tenant, model):
    banter = pool(workers="1:20", queue_time="30s")
    gate = name("gate")
    running = [one for some in at_once(20, lambda _: busy(banter, tenant, gate, 1)) for one in some]
    size(banter, 20)
    model.open_gate(gate)
    finish(running)


def test_a_stopped_worker_that_was_idle_keeps_no_pool_from_growing(pool, tenant):
    """It takes nobody, and it will be a while before it is given up."""
    banter = pool(workers="1:3", queue_time="30s")
    assert health(banter.socket) == 200
    (pid,) = banter.children()
    until(lambda: stages(banter).get(pid) == "idle", "an idle worker")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 200
        size(banter, 2)
        assert "told to end" not in banter.text()
    finally:
        os.kill(pid, signal.SIGCONT)


def test_without_a_queueing_time_the_pool_grows_too_and_refuses_nobody(pool, tenant, model):
    banter = pool(workers="1:2", queue_time=0)
    gate = name("gate")
    running = busy(banter, tenant, gate, 2)
    size(banter, 2)
    waiting = [send(banter, tenant, script(f"{n}", tokens=[f"{n}"])) for n in range(5)]
    held(banter)
    model.open_gate(gate)
    assert [told(reply)[1]["message"] for reply in waiting] == [f"{n}" for n in range(5)]
    finish(running)


def test_idle_workers_above_the_least_leave_after_a_while(pool, tenant, model):
    """Not while they are busy, and the least stay. What comes then is served, and the pool grows again."""
    banter = pool(workers="2:5", worker_idle_time="300ms", queue_time="30s")
    for _ in range(2):
        gate = name("gate")
        running = busy(banter, tenant, gate, 5)
        size(banter, 5)
        model.open_gate(gate)
        finish(running)
        size(banter, 2)
        for _ in range(3):
            assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 200
    assert "died" not in banter.text()


def test_a_busy_worker_above_the_least_stays(pool, tenant, model):
    banter = pool(workers="1:3", worker_idle_time="200ms", queue_time="30s")
    gates = [name("gate") for _ in range(3)]
    running = [busy(banter, tenant, gate, 1) for gate in gates]
    size(banter, 3)
    model.open_gate(gates[0])
    finish(running[0])
    size(banter, 2)
    model.open_gate(gates[1])
    finish(running[1])
    size(banter, 1)
    model.open_gate(gates[2])
    finish(running[2])
    assert health(banter.socket) == 200


def test_the_dead_of_a_grown_pool_are_replaced(pool, tenant, model):
    banter = pool(workers="1:2", queue_time="30s")
    gate = name("gate")
    running = busy(banter, tenant, gate, 2)
    os.kill(banter.children()[0], signal.SIGKILL)
    logged(banter, "died: killed by signal 9 .* a replacement starts in 0.1 s")
    size(banter, 2)
    model.open_gate(gate)
    assert sorted(event is not None for event in (reply.event() for reply in running)) == [False, True]


def test_the_bounds_can_be_changed_by_a_reload(configured, tenant, model):
    banter = configured("BANTER_WORKERS=1:2\nBANTER_QUEUE_TIME=30\n", workers=None)
    size(banter, 1)
    gate = name("gate")
    running = busy(banter, tenant, gate, 2)
    size(banter, 2)
    banter.write("BANTER_WORKERS=2:4\nBANTER_QUEUE_TIME=30\n")
    code, out, err = ask_reload("--pid", banter.process.pid)
    assert (code, out, err) == (0, "the settings are loaded again; workers: 2:4\n", "")
    size(banter, 4)  # two that retire, and two new ones
    running += busy(banter, tenant, gate, 4)
    size(banter, 6)
    model.open_gate(gate)
    finish(running)
    size(banter, 4)
    banter.write("BANTER_WORKERS=3\n")
    old = banter.children()
    banter.reload()
    all_new(banter, old, 3)
    assert health(banter.socket) == 200


def test_a_grown_pool_drains_as_ever(pool, tenant, model):
    banter = pool(workers="1:3", queue_time="30s")
    gate = name("gate")
    running = busy(banter, tenant, gate, 3)
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, r"draining: up to .* s; workers: 3")
    model.open_gate(gate)
    finish(running)
    assert end_of(banter) == 0


@pytest.mark.parametrize("workers", [3, "2:5"])
def test_an_idle_pool_wakes_nobody_but_the_master(pool, tenant, tmp_path, workers):
    """But the admission process when a worker died: it may have been woken for a connection that nobody took."""
    status = tmp_path / "status"
    banter = pool(workers=workers, status_listen=f"unix:{status}")
    pid = admission(banter)
    assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 200
    until(lambda: ask_status(status)[0] == 200, "the status listener")
    until(lambda: set(stages(banter).values()) == {"idle"}, "everybody's rest")
    children = banter.children() + banter.children("status") + banter.children("stopper") + [pid]

    def nobody_woke():
        before = [wakeups(child) for child in children]
        time.sleep(2.5)  # nothing happens, and for that there is no gate
        return [wakeups(child) for child in children] == before

    until(nobody_woke, "a rest")  # whoever had something to end, as the stopper a connection, has done so before
    before = wakeups(pid)
    os.kill(banter.children()[-1], signal.SIGKILL)
    logged(banter, "died: ")
    until(lambda: wakeups(pid) > before, "a look of the admission process")
    assert admission(banter) == pid
    assert health(banter.socket) == 200
