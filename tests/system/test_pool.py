"""The process layer: births, deaths, drain, reload, and a worker of somebody else's pool."""

import contextlib
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest

import exposition
import fastcgi
import servers
from ctl import ctl
from database import Names
from fastcgi import Connection, chat, chat_body, chat_params, health, stream
from servers import BUILD, name, script, until
from site_client import at_once

NEVER = name("never")  # a gate that nobody opens
SANITIZED = "ASAN_OPTIONS" in os.environ and "sanitized" in str(BUILD)


@pytest.mark.parametrize("addresses, served", [
    (("127.0.0.1", "::1"), ("127.0.0.1", "::1")),
    (("::1", "127.0.0.1"), ("127.0.0.1", "::1")),
    (("127.0.0.1", "127.0.0.2"), ("127.0.0.1", "127.0.0.2")),
    (("127.0.0.1", "192.0.2.1"), ("127.0.0.1",)),
])
def test_every_address_of_localhost_is_listened_on(pool, tmp_path, addresses, served):
    """A web server that is told `localhost` takes one after the other. What cannot be is said."""
    names, port = Names(tmp_path), servers.free_port()
    names.say("local.test", *addresses)
    banter = pool(workers=1, listen=port, options=("--listen", f"local.test:{port}"), **names.environment)
    assert [health((address, port)) for address in served] == [200] * len(served)
    assert ("only the first is listened on" in banter.text()) == (served != tuple(sorted(addresses)))


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def logged(banter, pattern, count=1):
    """Waits until the log has so many lines like that; their matches."""
    return until(
        lambda: found if len(found := list(re.finditer(pattern, banter.text()))) >= count else None,
        f"{count} × {pattern!r} in the log")


def one_of_its_workers(banter):
    return until(banter.children, "a worker")[0]


def exchange_state(postgres, tenant):
    return [row[0] for row in postgres.run(
        "select state from banter_data.exchange where workspace = %s order by started_at", tenant.workspace)]


# Deaths


def test_S1_a_worker_killed_mid_stream_cuts_it_without_done_or_error(start, model):
    """Behind nginx it looks like a clean end; the log names the cause, the age and the stage."""
    site = start(workers=1)
    text = name("killed")
    reply = site.stream(script(text, tokens=["a", "b"], gates={"2": NEVER}))
    assert [next(reply)["type"] for _ in range(2)] == ["start", "token"]
    victim = one_of_its_workers(site.banter)
    os.kill(victim, signal.SIGKILL)
    assert reply.rest() == []
    assert model.wait(text, ended="client_left")["tokens_sent"] == 1
    line = logged(site.banter, rf"error \[\d+\] worker 0 \(pid {victim}\) died: (.*)")[0][1]
    assert re.fullmatch(
        r"killed by signal 9 \(Killed\); age \d+\.\d s, stage stream for \d+\.\d s; "
        r"a replacement starts in \d+\.\d s", line), line
    assert site.chat(script("after it", tokens=["fine"])).json()["message"] == "fine"
    assert site.banter.children() != [victim]


def test_a_killed_worker_leaves_its_connection_without_an_end(pool, tenant):
    """Straight to the socket a cut can be told from an end."""
    banter = pool(workers=1)
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    os.kill(one_of_its_workers(banter), signal.SIGKILL)
    assert reply.event() is None
    assert not reply.whole


def test_G10_what_a_killed_worker_held_of_the_limits_comes_back(pool, tenant):
    banter = pool(workers=2, address_open=1)
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    assert chat(banter.socket, tenant, "one too many").status == 429
    logged(banter, "status=429")
    busy = [pid for pid in banter.children() if f"[{pid}] request=" not in banter.text()][0]
    os.kill(busy, signal.SIGKILL)
    assert reply.event() is None
    logged(banter, "died: ")
    assert chat(banter.socket, tenant, script("now", tokens=["fine"])).status == 200
    assert chat(banter.socket, tenant, script("and now", tokens=["fine"])).status == 200


def test_S10_B5_the_exchange_of_a_dead_worker_is_released_when_its_lease_ends(pool, postgres, tenant):
    """No charge, not in the history, and the same Idempotency-Key runs anew: 409 until then."""
    postgres.run("update banter_data.workspace set credits = 1 where workspace = %s", tenant.workspace)
    postgres.run("update banter_data.chatbot set price = 1 where chatbot = %s", tenant.chatbot)
    banter = pool(workers=1, lease="1h")
    question = script("hello", tokens=["a", "b"], gates={"2": name("gate")})
    reply = stream(banter.socket, tenant, question, HTTP_IDEMPOTENCY_KEY="once")
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    os.kill(one_of_its_workers(banter), signal.SIGKILL)
    assert reply.event() is None
    again = stream(banter.socket, tenant, question, HTTP_IDEMPOTENCY_KEY="once")
    assert again.status == 409
    assert int(again.headers["Retry-After"]) >= 1
    assert chat(banter.socket, tenant, script("other")).status == 402  # the reservation still stands
    changed = postgres.run(
        "update banter_data.exchange set lease_until = clock_timestamp() where workspace = %s"
        " returning exchange", tenant.workspace)
    assert len(changed) == 1  # the hour is over
    after = chat(banter.socket, tenant, script("other", tokens=["fine"]), session="s-1")
    assert (after.status, after.json()["message"]) == (200, "fine")
    assert exchange_state(postgres, tenant) == ["lost", "done"]


def test_the_pause_before_a_replacement_grows(pool, tenant):
    """As the log tells it; whoever dies young makes it longer, but whoever came up not for ever."""
    banter = pool(workers=1)
    for n in range(1, 7):
        assert health(banter.socket) == 200
        os.kill(until(banter.children, "a worker")[0], signal.SIGKILL)
        logged(banter, "died: ", n)
    told = [float(match[1]) for match in logged(banter, r"a replacement starts in (\d+\.\d) s", 6)]
    assert told == [0.1, 0.2, 0.4, 0.8, 1, 1]
    assert health(banter.socket) == 200


@pytest.mark.parametrize("number, words", [(signal.SIGSEGV, "signal 11"), (signal.SIGABRT, "signal 6")])
def test_a_crash_of_an_idle_worker_is_named(pool, tenant, number, words):
    # A sanitizer would take the signal for a fault of the program's.
    options = os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0:handle_abort=0"
    banter = pool(workers=1, ASAN_OPTIONS=options)

    def idles():
        banter.process.send_signal(signal.SIGUSR1)
        return re.search(r"worker \d \(pid \d+\): idle for ", banter.text())

    until(idles, "an idle worker")
    os.kill(one_of_its_workers(banter), number)
    assert words in logged(banter, "died: killed by (.*), stage idle for")[0][1]
    assert health(banter.socket) == 200


def test_a_worker_that_is_told_to_end_by_hand_is_replaced(pool, tenant):
    banter = pool(workers=1)
    first = one_of_its_workers(banter)
    os.kill(first, signal.SIGTERM)
    until(lambda: banter.children() not in ([], [first]), "the replacement")
    assert health(banter.socket) == 200
    assert "died" not in banter.text()


def test_the_workers_end_with_a_killed_master_and_the_stale_socket_is_replaced(pool, tenant):
    banter = pool(workers=3)
    assert health(banter.socket) == 200
    children = banter.children() + until(lambda: banter.children("admit"), "the admission process")
    banter.process.kill()
    banter.process.wait()
    banter.process = None
    until(lambda: not any(alive(pid) for pid in children), "the children's end")
    assert banter.socket.is_socket()
    banter.start()
    assert health(banter.socket) == 200


def test_orphans_and_strangers_among_the_children_are_reaped(pool):
    """As process 1 of a container it inherits what others leave."""
    banter = pool(workers=1)
    worker = one_of_its_workers(banter)
    os.kill(worker, signal.SIGKILL)
    logged(banter, "died: ")
    until(lambda: banter.children() not in ([], [worker]), "the replacement")
    assert not pathlib.Path(f"/proc/{worker}").exists()


# Drain


def end_of(banter):
    """The pool's exit code, once it ends."""
    code = banter.process.wait(servers.PATIENCE)
    banter.process = None
    return code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_running_exchange_finishes_after_SIGTERM(pool, tenant, model, postgres, number):
    """And new connections are refused meanwhile."""
    banter = pool(workers=3)
    gate = name("gate")
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    banter.process.send_signal(number)
    logged(banter, "draining: ")
    until(lambda: len(banter.children()) == 1, "the idle workers' end")
    until(lambda: not servers.listens(banter.socket), "its refusal")
    model.open_gate(gate)
    assert [event["type"] for event in reply.events()] == ["token", "done"]
    assert reply.whole
    assert end_of(banter) == 0
    assert "drained" in banter.text().splitlines()[-1]
    assert exchange_state(postgres, tenant) == ["done"]
    assert not banter.socket.exists()


def test_G6_behind_a_web_server_a_draining_pool_is_a_503(start, model):
    site = start(workers=1)
    gate = name("gate")
    reply = site.stream(script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [next(reply)["type"] for _ in range(2)] == ["start", "token"]
    site.banter.process.send_signal(signal.SIGTERM)
    logged(site.banter, "draining: ")
    refused = site.chat("hello")
    assert (refused.status_code, refused.json()) == (503, {"error": "Service unavailable"})
    assert refused.headers["Retry-After"]
    model.open_gate(gate)
    assert reply.rest()[-1]["type"] == "done"
    assert end_of(site.banter) == 0


def test_S1_S10_what_does_not_finish_in_BANTER_DRAIN_TIME_ends_in_error(pool, tenant, model, postgres):
    """Never in silence: a stream that had text, one that had none, a JSON exchange."""
    banter = pool(workers=3, drain_time="300ms")
    texts = [name("drained") for _ in range(3)]
    begun = stream(banter.socket, tenant, script(texts[0], tokens=["a", "b"], gates={"2": NEVER}))
    silent = stream(banter.socket, tenant, script(texts[1], silence=True), session="s-2")
    whole = chat(banter.socket, tenant, script(texts[2], hang=True), session="s-3")
    assert [begun.event()["type"] for _ in range(2)] == ["start", "token"]
    assert silent.event()["type"] == "start"
    for text in texts:
        model.wait(text)
    banter.process.send_signal(signal.SIGTERM)
    error = {"type": "error", "error": "Internal server error"}
    assert begun.events() == [error]
    assert silent.events() == [error]
    assert (whole.status, whole.json()) == (500, {"error": "Internal server error"})
    assert begun.whole and silent.whole and whole.whole
    assert end_of(banter) == 0
    assert exchange_state(postgres, tenant) == ["failed"] * 3
    for text in texts:
        model.wait(text, ended="client_left")
    assert banter.text().count('cause="this worker had to stop"') == 3


def test_a_second_SIGINT_ends_at_once(pool, tenant):
    banter = pool(workers=1)
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    banter.process.send_signal(signal.SIGINT)
    logged(banter, "draining: ")
    banter.process.send_signal(signal.SIGINT)
    assert end_of(banter) == 0
    assert reply.event() is None
    assert "told twice" in banter.text()


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's check at the end touches all there is")
def test_an_idle_worker_ends_without_touching_what_all_of_them_share(pool):
    """Each page it wrote on would be copied for it first: a thousand workers would take seconds to end."""
    faults = {}
    for workers in (2, 34):
        banter = pool(workers=workers)
        until(lambda: len(banter.children()) == workers, "all workers")
        banter.process.terminate()
        _, code, usage = os.wait4(banter.process.pid, 0)
        banter.process = None
        assert code == 0
        faults[workers] = usage.ru_minflt
    assert (faults[34] - faults[2]) / 32 < 120, faults


def test_a_draining_pool_does_not_replace_its_dead(pool, tenant):
    banter = pool(workers=1)
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")
    os.kill(one_of_its_workers(banter), signal.SIGKILL)
    assert end_of(banter) == 0
    assert "it was told to end" in banter.text()


# Reload


@pytest.fixture
def configured(pool, tmp_path):
    """A pool with a --config file; .write(text) changes it, .reload() has it read again."""

    def begin(text, **settings):
        path = tmp_path / "banter.conf"
        path.write_text(text)
        banter = pool(options=("--config", path), **settings)
        banter.write = path.write_text
        banter.reloads = 0

        def reload(expected="the settings are loaded again"):
            banter.reloads += 1
            banter.process.send_signal(signal.SIGHUP)
            logged(banter, "the settings (are loaded again|stay as they were)", banter.reloads)
            assert expected in banter.text()

        banter.reload = reload
        return banter

    return begin


def all_new(banter, old, count):
    until(lambda: len(banter.children()) == count and not set(old) & set(banter.children()), "the exchange of the workers")


def test_SIGHUP_reads_the_file_again_and_running_exchanges_go_on(configured, tenant, model):
    banter = configured("BANTER_MODEL=first-model\n", workers=2)
    old = banter.children()
    gate, text = name("gate"), name("running")
    running = stream(banter.socket, tenant, script(text, tokens=["a", "b"], gates={"2": gate}))
    assert [running.event()["type"] for _ in range(2)] == ["start", "token"]
    assert model.wait(text)["body"]["model"] == "first-model"
    banter.write("BANTER_MODEL=second-model\n")
    banter.reload()
    # The idle one of the old may still take a request, until it was told to end.
    until(lambda: len(set(banter.children()) & set(old)) == 1, "the end of the idle old worker")
    until(lambda: set(banter.children()) - set(old), "a worker of the new settings")
    other = name("after")
    assert chat(banter.socket, tenant, script(other, tokens=["fine"])).status == 200
    assert model.wait(other)["body"]["model"] == "second-model"
    model.open_gate(gate)
    assert [event["type"] for event in running.events()] == ["token", "done"]
    all_new(banter, old, 2)


def test_a_reload_ends_no_exchange_however_short_the_drain_but_SIGTERM_does(pool, tenant, model, postgres):
    """The retired have all the time of an exchange; told to drain, they have what the others have."""
    banter = pool(workers=2, drain_time=0)
    gate = name("gate")
    running, cut = (stream(banter.socket, tenant, script(name("long"), tokens=["a", "b"], gates={"2": which}),
                           session=name("s")) for which in (gate, NEVER))
    for reply in (running, cut):
        assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    old = banter.children()
    before = old
    for _ in range(3):
        banter.process.send_signal(signal.SIGHUP)
        # The busy ones stay, and of the idle ones only the latest.
        until(lambda: len(set(banter.children()) - set(before)) == 2 and len(banter.children()) == 4, "the exchange")
        before = banter.children()
        assert set(old) < set(before)
    waits = stream(banter.socket, tenant, script("new", tokens=["fine"]), session="new")
    assert waits.events()[-1]["message"] == "fine"
    model.open_gate(gate)
    assert [event["type"] for event in running.events()] == ["token", "done"]
    until(lambda: len(banter.children()) == 3, "the end of the one that is done")
    banter.process.send_signal(signal.SIGTERM)
    assert cut.events() == [{"type": "error", "error": "Internal server error"}]
    assert end_of(banter) == 0
    assert sorted(exchange_state(postgres, tenant)) == ["done", "done", "failed"]
    assert "died" not in banter.text() and "killed" not in banter.text()


def test_retired_workers_end_with_a_killed_master(pool, tenant):
    banter = pool(workers=1, drain_time=0)
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    (old,) = banter.children()
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: len(banter.children()) == 2, "the new worker beside it")
    banter.process.kill()
    banter.process.wait()
    banter.process = None
    assert reply.events() == [{"type": "error", "error": "Internal server error"}]
    until(lambda: not alive(old), "its end")


def test_a_bad_file_keeps_the_old_settings_and_says_so(configured, tenant, model):
    banter = configured("BANTER_MODEL=first-model\n", workers=2)
    old = banter.children()
    banter.write("BANTER_MODEL=second-model\nBANTER_HEARTBEAT=often\n")
    banter.reload("the settings stay as they were: ")
    line = logged(banter, "the settings stay as they were: (.*)")[0][1]
    assert re.fullmatch(r".*/banter\.conf: line 2: BANTER_HEARTBEAT must be seconds from .*", line), line
    assert "often" not in banter.text()
    text = name("after")
    assert chat(banter.socket, tenant, script(text, tokens=["fine"])).status == 200
    assert model.wait(text)["body"]["model"] == "first-model"
    assert banter.children() == old


def test_a_file_that_is_gone_keeps_the_old_settings(configured, tmp_path, tenant):
    banter = configured("BANTER_MODEL=first-model\n", workers=1)
    (tmp_path / "banter.conf").unlink()
    banter.reload("the settings stay as they were: ")
    assert health(banter.socket) == 200


def test_the_number_of_workers_can_be_changed(configured, tenant):
    banter = configured("BANTER_WORKERS=2\n", workers=None)
    until(lambda: len(banter.children()) == 2, "two workers")
    for count in (5, 1):
        old = banter.children()
        banter.write(f"BANTER_WORKERS={count}\n")
        banter.reload()
        all_new(banter, old, count)
        assert health(banter.socket) == 200


def test_what_changes_with_a_restart_only_is_said_and_kept(configured, tenant):
    banter = configured("BANTER_BACKLOG=100\n", workers=1)
    old = banter.children()
    banter.write("BANTER_BACKLOG=200\n")
    banter.reload()
    assert logged(banter, "a restart is needed to change it: (.*)")[0][1] == "BANTER_BACKLOG"
    all_new(banter, old, 1)
    assert health(banter.socket) == 200


def healthy(*sockets):
    """Whether each answers 200; one that is being bound anew may not be there yet."""
    with contextlib.suppress(OSError, fastcgi.Cut):
        return [health(one) for one in sockets] == [200] * len(sockets)
    return False


def test_G8_a_socket_file_that_was_removed_is_said_and_bound_again_by_SIGHUP(pool, tenant, model, tmp_path):
    """A running exchange goes on; the end removes the file as ever."""
    where = tmp_path / "status"
    banter = pool(workers=2, status_listen=f"unix:{where}")
    until(lambda: healthy(where), "the status listener")
    gate = name("gate")
    running = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [running.event()["type"] for _ in range(2)] == ["start", "token"]
    banter.socket.unlink()
    assert health(where) == 503
    assert "cause=\"the pool's socket file is gone: SIGHUP makes it again\"" in banter.text()
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: healthy(where, banter.socket), "the socket's file")
    logged(banter, f"{banter.socket} was gone: it is bound again")
    assert banter.socket.stat().st_mode & 0o777 == 0o660
    assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).json()["message"] == "fine"
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    assert banter.end() == 0
    assert not banter.socket.exists()


def test_the_status_listeners_own_file_is_bound_again_too(pool, tmp_path):
    where = tmp_path / "status"
    banter = pool(workers=1, status_listen=f"unix:{where}")
    until(lambda: healthy(where), "the status listener")
    where.unlink()
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: healthy(where), "the status listener again")
    assert health(banter.socket) == 200


def test_another_programs_file_in_the_sockets_place_stays_its_own(pool, tmp_path):
    """It was removed, and somebody else listens there by now: a reload says so, to who asked for it too, and the old
    settings' workers are exchanged."""
    where = tmp_path / "status"
    banter = pool(workers=1, status_listen=f"unix:{where}")
    until(lambda: healthy(where), "the status listener")
    banter.socket.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(banter.socket))
        other.listen()
        assert health(where) == 503
        banter.process.send_signal(signal.SIGHUP)
        logged(banter, f"another program already listens on {banter.socket}")
        logged(banter, "the settings are loaded again")
        assert health(where) == 503
        code, out, err = ask_reload("--pid", banter.process.pid)
        assert (code, out, "a socket's file is gone and could not be made again" in err) == (1, "", True), err
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: healthy(where, banter.socket), "the socket again")


def test_a_reload_while_draining_is_passed_over(configured, tenant, model):
    banter = configured("BANTER_MODEL=first-model\n", workers=1)
    gate = name("gate")
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")
    banter.process.send_signal(signal.SIGHUP)
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    assert end_of(banter) == 0
    assert "loaded again" not in banter.text()


# Without descriptors, without memory: a line and a replacement


@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs descriptors for its check at the end")
def test_an_admission_process_without_descriptors_is_replaced(pool, tenant, model):
    """Who waits is refused in time by the next one, G6, and does not hang with the one that cannot accept."""
    banter = pool(workers=1, queue_time="1s")
    (admission,) = until(lambda: banter.children("admit"), "the admission process")
    gate = name("gate")
    busy = stream(banter.socket, tenant, script("hello", tokens=["a"], gates={"1": gate}))
    assert busy.event()["type"] == "start"
    limit = resource.prlimit(admission, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(admission, resource.RLIMIT_NOFILE, (3, limit))
    assert stream(banter.socket, tenant, "hello").status == 503
    logged(banter, "cannot accept a connection: Too many open files")
    logged(banter, rf"admission process \d+ \(pid {admission}\) died: exited with 1; .* a replacement starts in ")
    assert banter.children("admit") != [admission]
    model.open_gate(gate)
    assert busy.events()[-1]["type"] == "done"


@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs descriptors for its check at the end")
def test_a_worker_without_descriptors_is_replaced(pool, tenant):
    banter = pool(workers=1, queue_time="0")
    (worker,) = banter.children()
    limit = resource.prlimit(worker, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (3, limit))
    assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).json()["message"] == "fine"
    logged(banter, rf"worker \d+ \(pid {worker}\) died: exited with 1; .* a replacement starts in ")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes all addresses for itself")
def test_a_worker_without_memory_is_replaced(pool, tenant):
    """The request that meets it may fail; the next is served by another."""
    banter = pool(workers=1)
    (worker,) = banter.children()
    size = int(pathlib.Path(f"/proc/{worker}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(worker, resource.RLIMIT_AS, (size + 300000, resource.RLIM_INFINITY))
    chat(banter.socket, tenant, script("hello", tokens=["fine"])).connection.ended()
    logged(banter, rf"\[{worker}\] there is no memory for another request: the worker ends")
    logged(banter, rf"worker \d+ \(pid {worker}\) died: exited with 1; .* a replacement starts in ")
    assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).json()["message"] == "fine"


# A reload that answers who asked for it


def ask_reload(*words, settings=None, user=()):
    """banterctl reload: its exit code, and what it said to standard output and standard error."""
    done = subprocess.run([*user, BUILD / "banterctl", "reload", *map(str, words)], capture_output=True, text=True,
                          timeout=servers.PATIENCE, env={"PATH": os.environ["PATH"], **(settings or {})})
    return done.returncode, done.stdout, done.stderr


def test_banterctl_reload_ends_when_all_workers_have_the_new_settings(configured, tenant, model):
    """Found by its socket or named by its id; a running exchange is not waited for."""
    banter = configured("BANTER_MODEL=first-model\n", workers=2)
    gate = name("gate")
    running = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [running.event()["type"] for _ in range(2)] == ["start", "token"]
    for number, words in enumerate(([], ["--pid", banter.process.pid])):
        banter.write(f"BANTER_MODEL=model-{number}\n")
        code, out, err = ask_reload(*words, settings={"BANTER_LISTEN": f"unix:{banter.socket}"})
        assert (code, out, err) == (0, "the settings are loaded again; workers: 2\n", "")
        text = name("after")
        assert chat(banter.socket, tenant, script(text, tokens=["fine"])).status == 200
        assert model.wait(text)["body"]["model"] == f"model-{number}"
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    banter.write("BANTER_BACKLOG=7\n")
    code, out, err = ask_reload("--pid", banter.process.pid)
    assert (code, err) == (0, "")
    assert out.endswith("; changed, but a restart is needed to change it: BANTER_BACKLOG\n")


def test_banterctl_reload_fails_for_a_wrong_setting_and_the_pool_goes_on(configured, tenant):
    banter = configured("BANTER_MODEL=first-model\n", workers=2)
    old = banter.children()
    banter.write("BANTER_MODEL=second-model\nBANTER_HEARTBEAT=often\n")
    code, out, err = ask_reload("--pid", banter.process.pid)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"banterctl: .*/banter\.conf: line 2: BANTER_HEARTBEAT must be seconds from .*\n", err), err
    # What it can see for itself is not even asked for.
    code, _, err = ask_reload(settings={"BANTER_LISTEN": f"unix:{banter.socket}", "BANTER_HEARTBEAT": "often"})
    assert (code, "the environment: BANTER_HEARTBEAT must be seconds" in err) == (2, True), err
    assert banter.children() == old
    assert health(banter.socket) == 200
    assert banter.text().count("the settings stay as they were: ") == 1


def test_banterctl_reload_where_no_pool_can_be_asked(pool, tenant, model, tmp_path):
    code, _, err = ask_reload(settings={"BANTER_LISTEN": f"unix:{tmp_path}/none"})
    assert (code, "No such file or directory; is the pool running?" in err) == (1, True), err
    code, _, err = ask_reload("--pid", os.getpid())
    assert (code, f"process {os.getpid()} is no pool" in err) == (1, True), err
    code, _, err = ask_reload(settings={"BANTER_LISTEN": "127.0.0.1:9"})
    assert (code, "--pid" in err) == (1, True), err
    assert ask_reload("--pid", "0")[0] == 2
    banter = pool(workers=1)
    if os.geteuid() == 0:
        code, _, err = ask_reload("--pid", banter.process.pid, user=servers.unprivileged())
        assert (code, "you are neither root nor its user" in err) == (1, True), err
    gate = name("gate")
    running = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [running.event()["type"] for _ in range(2)] == ["start", "token"]
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")
    code, _, err = ask_reload("--pid", banter.process.pid)
    assert (code, err) == (1, "banterctl: the pool is ending\n")
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    assert end_of(banter) == 0
    assert "loaded again" not in banter.text()


def test_many_ask_for_a_reload_at_once_and_each_is_answered(pool):
    banter = pool(workers=2)
    codes = at_once(6, lambda _: ask_reload("--pid", banter.process.pid)[0])
    assert codes == [0] * 6
    assert health(banter.socket) == 200


def test_who_has_not_spoken_yet_is_served_across_reloads(pool):
    """The admission process that ends may be the one that has let them in."""
    banter, ended = pool(workers=2), threading.Event()

    def ask(_):
        statuses = []
        while not ended.is_set():
            with Connection(banter.socket) as connection:
                time.sleep(0.03)  # a web server whose machine is busy
                statuses.append(connection.ask({"REQUEST_METHOD": "GET", "REQUEST_URI": "/health"}).status)
        return statuses

    def reload(_):
        for _ in range(10):
            assert ask_reload("--pid", banter.process.pid)[0] == 0
        ended.set()

    came = at_once(7, lambda n: ask(n) if n else reload(n))
    assert {status for statuses in came[1:] for status in statuses} <= {200, 503}, came


# Exchanging workers


def test_a_worker_is_replaced_after_BANTER_WORKER_REQUESTS(pool, tenant):
    banter = pool(workers=1, worker_requests=2)
    for n in range(7):
        assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 200
    until(lambda: banter.text().count(" request=") == 7, "the log's lines")
    served = re.findall(r"\[(\d+)\] request=", banter.text())
    assert [served.count(pid) for pid in dict.fromkeys(served)] == [2, 2, 2, 1]
    assert "died" not in banter.text()

    def shown():
        banter.process.send_signal(signal.SIGUSR1)
        line = logged(banter, r"worker \d \(pid (\d+)\): .*; (\d+) requests, (\d+) exchanges, (\d+) tokens")[-1]
        return line.groups() == (served[-1], "1", "1", "1")

    until(shown, "what it served, not those before it in its place")  # it counts when the reply is out


def test_all_workers_are_exchanged_while_50_exchanges_go_on_and_none_is_lost(pool, tenant, model, postgres):
    banter = pool(workers=50, worker_requests=0)
    old = banter.children()
    gate = name("gate")
    running = [
        stream(banter.socket, tenant, script(f"{n}", tokens=[f"a{n}", "b"], gates={"2": gate}), session=f"s-{n}")
        for n in range(50)
    ]
    for reply in running:
        assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    banter.process.send_signal(signal.SIGHUP)
    # Half of them can be ready beside the old ones, which all still stream.
    until(lambda: set(banter.children()) - set(old), "a worker of the new generation")
    model.open_gate(gate)
    for n, reply in enumerate(running):
        assert reply.events()[-1]["message"] == f"a{n}b"
        assert reply.whole
    all_new(banter, old, 50)
    assert exchange_state(postgres, tenant) == ["done"] * 50
    assert "died" not in banter.text()


def test_requests_that_come_while_workers_are_exchanged_are_all_served(pool, tenant):
    banter = pool(workers=4, worker_requests=3)

    def ask(n):
        for _ in range(8):
            assert chat(banter.socket, tenant, script("hello", tokens=["fine"]), session=f"s-{n}").status == 200
            if n == 0:
                banter.process.send_signal(signal.SIGHUP)

    at_once(4, ask)
    assert "died" not in banter.text()


# Start


def run_pool(*arguments, env=None, **options):
    """Runs the program to its end, as a start that fails does."""
    return subprocess.run(
        [BUILD / "banter.fcgi", *arguments], capture_output=True, text=True, timeout=servers.PATIENCE,
        stdin=options.pop("stdin", subprocess.DEVNULL), env={"PATH": os.environ["PATH"], **(env or {})}, **options)


def test_a_second_pool_on_the_same_socket_is_refused(pool, tenant, database):
    banter = pool(workers=1)
    done = run_pool("--listen", f"unix:{banter.socket}", env={"BANTER_DATABASE_URL": database.url()})
    assert done.returncode == 1
    assert done.stderr.endswith(f"another program already listens on {banter.socket}\n")
    assert len(done.stderr.splitlines()) == 1
    assert health(banter.socket) == 200


def test_so_is_one_on_a_socket_whose_backlog_is_full(tmp_path, database):
    """It does not wait with those that wait there."""
    path = str(tmp_path / "full")
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX)))
        other.bind(path)
        other.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                client = stack.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX)))
                client.setblocking(False)
                client.connect(path)
        done = run_pool("--listen", f"unix:{path}", env={"BANTER_DATABASE_URL": database.url()})
    assert (done.returncode, done.stderr.endswith(f"another program already listens on {path}\n")) == (1, True)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path, database):
    path = tmp_path / "precious"
    path.write_text("mine")
    done = run_pool("--listen", f"unix:{path}", env={"BANTER_DATABASE_URL": database.url()})
    assert done.returncode == 1
    assert "is there and is no socket: move it away" in done.stderr
    assert path.read_text() == "mine"


def test_a_taken_port_is_one_clear_line(database):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        done = run_pool("--listen", address, env={"BANTER_DATABASE_URL": database.url()})
    assert done.returncode == 1
    assert done.stderr.endswith(f"cannot listen on {address}: the port is taken\n")
    assert len(done.stderr.splitlines()) == 1


def test_it_listens_on_a_port_too(database, standin, tenant):
    port = servers.free_port()
    banter = servers.Server()
    banter.spawn([BUILD / "banter.fcgi", "--listen", f"127.0.0.1:{port}", "--workers", "2"],
                 env={"BANTER_DATABASE_URL": database.url(), "BANTER_MODEL_URL": standin.url})

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(listens, "the pool's start")
        reply = stream(("127.0.0.1", port), tenant, script("hello", tokens=["fine"]))
        assert reply.events()[-1]["message"] == "fine"
        assert banter.end() == 0
    finally:
        banter.close()


def test_the_socket_has_the_mode_that_was_asked_for(pool):
    assert pool(workers=1).socket.stat().st_mode & 0o777 == 0o660
    assert pool(workers=1, socket_mode="0600").socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("option", ["--help", "--version", "--check"])
def test_help_version_and_check_print_and_end(option):
    done = run_pool(option)
    assert (done.returncode, done.stderr) == (0, "")
    expected = {"--help": "usage: banter.fcgi", "--version": "banter ", "--check": "the settings are good\n"}
    assert done.stdout.startswith(expected[option])


def test_help_names_every_setting_with_its_default(tmp_path):
    text = run_pool("--help").stdout
    table = (servers.ROOT / "app" / "wire" / "config_table.c").read_text()
    names = set(re.findall(r'"(BANTER_[A-Z_]+)"', table))
    assert len(names) > 30
    for setting in names:
        assert f"\n  {setting}" in text, setting
    assert "exit codes:" in text


@pytest.mark.parametrize("arguments, env, code", [
    (["--nonsense"], {}, 2),
    (["word"], {}, 2),
    (["--workers"], {}, 2),
    (["--workers", "many"], {}, 2),
    (["--workers", "0"], {}, 2),
    (["--listen", "nowhere"], {}, 2),
    (["--config", "/nonexistent"], {}, 2),
    (["--check", "--config", "/nonexistent"], {}, 2),
    (["--check"], {"BANTER_HEARTBEAT": "often"}, 2),
    (["--check"], {"BANTER_TRUSTED_PROXIES": "10.0.0.0/33"}, 2),
    (["--listen", "unix:/nonexistent/folder/socket"], {}, 1),
    (["--listen", "unix:/tmp/" + "x" * 200], {}, 2),
], ids=lambda value: repr(value)[:40])
def test_exit_codes_of_a_start_that_fails(arguments, env, code):
    done = run_pool(*arguments, env=env)
    assert done.returncode == code, done.stderr
    assert done.stderr


def test_SIGUSR1_logs_what_each_worker_does(pool, tenant, model):
    banter = pool(workers=2)
    gate = name("gate")
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    shape = r"(\w+) for \d+\.\d s; age \d+\.\d s, generation \d; \d+ requests, \d+ exchanges, \d+ tokens"

    def seen():
        banter.process.send_signal(signal.SIGUSR1)
        lines = logged(banter, r"worker (\d) \(pid (\d+)\): (.*)", 2)[-2:]
        assert {int(line[2]) for line in lines} == set(banter.children())
        return sorted(re.fullmatch(shape, line[3])[1] for line in lines)

    until(lambda: seen() == ["idle", "stream"], "both workers' stages")  # one may still start
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    chat(banter.socket, tenant, script("hello", tokens=3)).json()

    def sums():
        banter.process.send_signal(signal.SIGUSR1)
        lines = logged(banter, r"(\d+) requests, (\d+) exchanges, (\d+) tokens", 4)[-2:]
        return [sum(int(line[n]) for line in lines) for n in (1, 2, 3)]

    until(lambda: sums() == [2, 2, 5], "2 requests, 2 exchanges and 5 tokens on the scoreboard")


# Somebody else's pool: the listening socket is fd 0


class Single(servers.Server):
    """One worker with its listening socket on fd 0, started as a web server or spawn-fcgi would."""

    name = "single"

    def __init__(self, database_url, model_url, spawner=False, **settings):
        super().__init__()
        self.socket = self.folder / "socket"
        self.settings = {
            "BANTER_DATABASE_URL": database_url, "BANTER_MODEL_URL": model_url,
            "BANTER_SHARED_FILE": self.folder / "shared", "BANTER_ADDRESS_LIMIT": 0, "BANTER_ADDRESS_OPEN": 0,
            "BANTER_DATABASE_TIME": "30s", "BANTER_DATABASE_CONNECT_TIME": "30s",
            **{f"BANTER_{key.upper()}": value for key, value in settings.items()},
        }
        env = {key: str(value) for key, value in self.settings.items()}
        if spawner:
            self.spawn(["/usr/bin/spawn-fcgi", "-n", "-s", self.socket, "--", BUILD / "banter.fcgi"], env=env)
            until(self.listens, "spawn-fcgi's socket")
            return
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.socket))
            listening.listen(64)
            self.spawn([BUILD / "banter.fcgi"], env=env, stdin=listening)

    def listens(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0


@pytest.fixture
def single(database, standin):
    started = []

    def begin(**settings):
        started.append(Single(database.url(), standin.url, **settings))
        return started[-1]

    yield begin
    for one in started:
        one.close()


@pytest.mark.parametrize("spawner", [False, True], ids=["fd0", "spawn-fcgi"])
def test_with_the_socket_on_fd_0_it_is_one_worker(single, tenant, model, spawner):
    one = single(spawner=spawner)
    gate = name("gate")
    reply = stream(one.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    path = f"/proc/{one.process.pid}/task/{one.process.pid}/children"
    assert pathlib.Path(path).read_text() == ""
    assert b"banter.fcgi" in pathlib.Path(f"/proc/{one.process.pid}/cmdline").read_bytes()
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    assert one.end() == 0


def test_BANTER_WORKERS_has_no_effect_there_and_that_is_said(single, tenant):
    for workers, said in (("2:4", True), (3, True), (16, False)):
        one = single(workers=workers)
        assert chat(one.socket, tenant, script("hello", tokens=["fine"])).status == 200
        assert ("BANTER_WORKERS has no effect: whoever opened the socket starts the workers" in one.text()) == said
        assert one.end() == 0


def test_SIGTERM_lets_the_one_worker_finish(single, tenant, model):
    one = single()
    gate = name("gate")
    reply = stream(one.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    one.process.send_signal(signal.SIGTERM)
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"
    assert end_of(one) == 0


def test_the_callers_web_server_may_keep_its_connection(single, tenant):
    one = single()
    body = chat_body(script("hello", tokens=["fine"]))
    with Connection(one.socket) as connection:
        for _ in range(3):
            reply = connection.ask(chat_params(tenant, body), body, keep=True)
            assert reply.json()["message"] == "fine"
            assert reply.whole
        one.process.send_signal(signal.SIGTERM)
        assert connection.ended()
    assert end_of(one) == 0


def test_the_one_worker_ends_after_BANTER_WORKER_REQUESTS(single, tenant):
    """Its caller replaces it."""
    one = single(worker_requests=2)
    for _ in range(2):
        assert chat(one.socket, tenant, script("hello", tokens=["fine"])).status == 200
    assert end_of(one) == 0
    # What it counted stays for the one that follows.
    code, out, err = ctl("metrics", BANTER_LISTEN=f"unix:{one.folder}/none", BANTER_SHARED_FILE=one.folder / "shared")
    assert (code, err) == (0, "")
    counted = exposition.read(out)
    assert [counted.value(f"banter_{what}") for what in ("requests", "exchanges", "tokens")] == [2, 2, 2]


def test_two_such_workers_count_in_one_file_and_a_killed_ones_counts_stay(single, tenant, model, tmp_path):
    """What their clients counted, in both forms, without a pool that could be asked."""
    first, second = (single(shared_file=tmp_path / "shared") for _ in range(2))

    def counted(*form):
        code, out, err = ctl("metrics", *form, BANTER_LISTEN=f"unix:{tmp_path}/none", BANTER_SHARED_FILE=tmp_path / "shared")
        assert (code, err) == (0, "")
        return exposition.read(out, openmetrics=bool(form))

    for one, tokens in ((first, "ab"), (second, "c"), (second, "de")):
        assert chat(one.socket, tenant, script("hello", tokens=list(tokens))).status == 200
    assert chat(second.socket, tenant, script("hello", tokens=["a"], status=401)).status == 500
    reply = stream(first.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    until(lambda: counted().value("banter_streams_open") == 1, "the open stream")
    first.end(signal.SIGKILL)
    assert chat(second.socket, tenant, script("hello", tokens=["f"])).status == 200
    until(lambda: counted().value("banter_exchanges", end="done") == 4, "the last exchange")
    for now in (counted(), counted("--openmetrics")):
        assert now.value("banter_streams_open") == 0
        assert now.value("banter_tokens") == 6 + 1
        assert now.value("banter_exchanges_begun") == 6
        assert now.by("banter_exchanges", "end") == {"done": 4, "failed": 1}
        assert now.by("banter_requests", "route", "status") == {("/v1/chat", "200"): 4, ("/v1/chat", "500"): 1}
        assert now.by("banter_model_requests", "server") == {"default": 6}
        assert now.by("banter_model_failures", "server", "cause") == {("default", "status"): 1}
        assert now.value("banter_first_token_seconds", "_count") == 5
        assert now.value("banter_database_call_seconds", "_count", call="exchange_begin") == 6
        assert not {"banter_workers", "banter_breaker_open"} & set(now)


def test_H4_two_such_workers_count_one_address_together(single, tenant, tmp_path):
    """The shared table is a file."""
    shared = tmp_path / "shared"
    first = single(shared_file=shared, address_limit=3, address_window="1h")
    second = single(shared_file=shared, address_limit=3, address_window="1h")
    asked = [first, second, first, second, first]
    assert [chat(one.socket, tenant, script("hello", tokens=["a"])).status for one in asked] == [200] * 3 + [429] * 2
    assert shared.stat().st_mode & 0o777 == 0o600
    other = single(shared_file=tmp_path / "other", address_limit=3)
    assert chat(other.socket, tenant, script("hello", tokens=["a"])).status == 200


def test_G10_what_a_killed_one_held_is_given_back_by_the_others(single, tenant, tmp_path):
    first = single(shared_file=tmp_path / "shared", address_open=1)
    second = single(shared_file=tmp_path / "shared", address_open=1)
    reply = stream(first.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": NEVER}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    assert chat(second.socket, tenant, script("hello", tokens=["a"])).status == 429
    first.end(signal.SIGKILL)
    assert chat(second.socket, tenant, script("hello", tokens=["a"])).status == 200


def test_a_shared_file_that_is_something_else_is_left_alone(tmp_path, database):
    path = tmp_path / "precious"
    path.write_text("mine, and longer than the magic")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        done = run_pool(stdin=listening, env={"BANTER_DATABASE_URL": database.url(), "BANTER_SHARED_FILE": str(path)})
    assert done.returncode == 1
    assert f"the shared limits' file {path} cannot be used: it is something else; set BANTER_SHARED_FILE" in done.stderr
    assert path.read_text() == "mine, and longer than the magic"
