"""`banterctl status`: what the pool does, whoever asks and however busy it is."""

import contextlib
import json
import os
import re
import signal
import socket

import servers
from ctl import Terminal, ctl
from fastcgi import chat, stream
from servers import name, script, until


def status(banter, *more):
    code, out, err = ctl("status", "--json", "--pid", banter.process.pid, *more)
    assert (code, err) == (0, ""), (code, out, err)
    return json.loads(out)


def held(banter, tenant, gate):
    """A stream that stands still."""
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    return reply


def test_it_shows_each_process_and_who_waits_while_the_pool_is_full(pool, tenant, model):
    banter = pool(workers=2)
    gate = name("gate")
    running = [held(banter, tenant, gate) for _ in range(2)]
    seen = status(banter)
    workers = [one for one in seen["processes"] if one["kind"] == "worker"]
    assert sorted(one["pid"] for one in workers) == sorted(banter.children())
    assert {(one["state"], one["stage"]) for one in workers} == {("busy", "stream")}
    assert all(one["request"] and one["age_ms"] >= one["stage_ms"] >= 0 for one in workers)
    assert [one["kind"] for one in seen["processes"]].count("admission") == 1
    pooled = seen["pool"]
    assert [pooled[what] for what in ("workers", "most", "busy", "idle", "peak", "waiting", "refused")] == [2, 2, 2, 0, 2, 0, 0]
    assert not seen["ending"]
    model.open_gate(gate)
    for reply in running:
        assert reply.events()[-1]["type"] == "done"
    until(lambda: status(banter)["pool"]["idle"] == 2, "the workers' rest")
    assert all(one["request"] is None for one in status(banter)["processes"])
    assert status(banter)["pool"]["peak"] == 2


def test_a_killed_worker_is_no_longer_busy(pool, tenant, model):
    banter = pool(workers=2)
    gate = name("gate")
    reply = held(banter, tenant, gate)
    (busy,) = [one for one in status(banter)["processes"] if one["state"] == "busy" and one["kind"] == "worker"]
    os.kill(busy["pid"], signal.SIGKILL)
    until(lambda: status(banter)["pool"]["idle"] == 2, "the one in its place")
    assert reply.events() == []
    for _ in range(2):
        assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 200
    assert status(banter)["pool"]["peak"] == 1
    assert status(banter)["pool"]["deaths"] == 1


def test_it_shows_how_many_wait_in_the_kernel_of_a_unix_socket_and_of_a_port(pool, tenant, model):
    """Nobody takes them there: without BANTER_QUEUE_TIME there is no admission process."""
    for listen in (None, servers.free_port()):
        banter = pool(workers=1, queue_time=0, listen=listen, backlog=77)
        where = ("127.0.0.1", listen) if listen else banter.socket
        gate = name("gate")
        reply = stream(where, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}))
        assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
        waiting = [socket.create_connection(where) if listen else socket.socket(socket.AF_UNIX) for _ in range(3)]
        for one in waiting:
            if not listen:
                one.connect(str(where))
        (web,) = until(lambda: [one for one in status(banter)["sockets"] if one["waiting"] == 3], "those who wait", 20)
        assert (web["socket"], web["most"]) == ("web", 77)
        for one in waiting:
            one.close()
        model.open_gate(gate)
        assert reply.events()[-1]["type"] == "done"


def test_asking_takes_no_place_in_the_queue_and_makes_no_worker(pool, tenant, model):
    """It finds the pool by what that says, not by connecting as a client does: at a terminal it asks each second."""
    banter = pool(workers="1:9")
    gate = name("gate")
    replies = [held(banter, tenant, gate)]
    while status(banter)["pool"]["idle"]:
        replies.append(held(banter, tenant, gate))
    before = status(banter)["pool"]["workers"]
    for _ in range(5):
        code, out, err = ctl("status", "--json", BANTER_LISTEN=f"unix:{banter.socket}")
        assert (code, err) == (0, "")
        seen = json.loads(out)
        assert [seen["pool"][what] for what in ("workers", "idle", "waiting", "refused")] == [before, 0, 0, 0]
        assert seen["sockets"][0]["waiting"] == 0
    model.open_gate(gate)
    assert {reply.events()[-1]["type"] for reply in replies} == {"done"}


def test_of_several_pools_it_asks_the_one_at_its_address(pool):
    for banter in (pool(workers=1), pool(workers=2), pool(workers=1, listen=servers.free_port())):
        address = f"127.0.0.1:{banter.port}" if banter.port else f"unix:{banter.socket}"
        code, out, err = ctl("status", "--json", BANTER_LISTEN=address)
        assert (code, err) == (0, "")
        seen = json.loads(out)
        assert seen["sockets"][0]["address"] == address
        assert {one["pid"] for one in seen["processes"] if one["kind"] == "worker"} == set(banter.children())
    code, out, err = ctl("status", BANTER_LISTEN="unix:/nowhere/socket")
    assert (code, out) == (1, "") and "--pid" in err


def test_a_stuck_master_is_said_and_holds_nobody_up(pool, tenant):
    """Not even those who find no place to ask in."""
    banter = pool(workers=1)
    os.kill(banter.process.pid, signal.SIGSTOP)
    crowd = []
    try:
        with contextlib.suppress(BlockingIOError):
            while True:
                crowd.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
                crowd[-1].connect(f"\0banter-show-{banter.process.pid}")
        code, out, err = ctl("status", "--pid", banter.process.pid)
        assert (code, out) == (1, "") and "did not answer within" in err
        assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 200
    finally:
        os.kill(banter.process.pid, signal.SIGCONT)
        for one in crowd:
            one.close()
    until(lambda: ctl("status", "--pid", banter.process.pid)[0] == 0, "the master's answer")


def test_it_shows_the_model_servers_and_their_breakers(pool, tenant):
    port = servers.free_port()
    banter = pool(workers=1, model_url=f"http://127.0.0.1:{port}/v1", model_open=5)
    (server,) = status(banter)["model_servers"]
    assert server == {"server": "default", "breaker": "closed", "failures": 0, "open_ms": 0, "requests_open": 0, "most": 5}
    for _ in range(3):
        assert chat(banter.socket, tenant, "hello").status == 500
    (server,) = status(banter)["model_servers"]
    assert server["breaker"] == "open" and 0 < server["open_ms"] <= 5100  # a pause ends with a tenth of a second


def test_its_exit_codes_are_those_of_others(pool):
    banter = pool(workers=1)
    assert ctl("status", "--pid", "x")[0] == ctl("status", "--pid", 0)[0] == ctl("status", "more")[0] == 2
    code, out, err = ctl("status", "--pid", os.getpid())
    assert (code, out) == (1, "") and f"process {os.getpid()} is no pool" in err
    code, out, err = ctl("status", BANTER_LISTEN=f"unix:{banter.socket}")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if line] .count("web") == 1
    code, out, err = ctl("status", "--csv", "--pid", banter.process.pid)
    assert code == 0 and len(out.splitlines()) == 1 + 3  # a worker, and who helps it


def test_at_a_terminal_it_is_shown_anew_until_Ctrl_C(pool, tenant, model):
    banter = pool(workers=1)
    with Terminal("none", columns=120) as terminal:
        mark = terminal.start("status", "--pid", banter.process.pid)
        gate = name("gate")
        reply = held(banter, tenant, gate)
        until(lambda: " stream " in terminal.screen(), "the stream in the terminal")
        model.open_gate(gate)
        assert reply.events()[-1]["type"] == "done"
        terminal.type("C-c")
        assert terminal.await_text(f"{mark}=").rpartition(f"{mark}=")[2].split()[0] == "0"


def test_80_columns_have_room_for_what_matters(pool, tenant, model):
    """Who does what, for how long and for which request; and who was refused."""
    banter = pool(workers=2)
    gate = name("gate")
    reply = held(banter, tenant, gate)
    (request,) = [one["request"] for one in status(banter)["processes"] if one["request"]]
    with Terminal("none", columns=80) as terminal:
        terminal.start("status", "--pid", banter.process.pid)
        until(lambda: request in terminal.screen(), "the request in the terminal")
        heads = " ".join(terminal.screen().split())
        for head in ("busy peak idle deaths", "waiting s refused waited", "pid kind state stage s s request id"):
            assert head in heads, heads
    model.open_gate(gate)
    assert reply.events()[-1]["type"] == "done"


def test_what_a_terminal_has_no_line_for_is_counted_and_nothing_scrolls_away(pool, tenant, model):
    banter = pool(workers=3)
    gate = name("gate")
    replies = [held(banter, tenant, gate) for _ in range(3)]
    with Terminal("none", columns=80, lines=8) as terminal:
        mark = terminal.start("status", "--pid", banter.process.pid)
        until(lambda: re.search(r"^\d+ lines more$", terminal.screen(), re.M), "the count of what has no room")
        assert "workers  most" in "".join(terminal.tmux("capture-pane", "-p").splitlines()[:2])  # a heading's two
        terminal.type("C-c")
        assert terminal.await_text(f"{mark}=").rpartition(f"{mark}=")[2].split()[0] == "0"
    model.open_gate(gate)
    assert {reply.events()[-1]["type"] for reply in replies} == {"done"}


def test_a_stopped_reader_holds_nobody_up(pool, tenant):
    """Who asks and does not read costs the master nothing, and others are answered."""
    banter = pool(workers=1)
    silent = []
    for _ in range(3):
        one = socket.socket(socket.AF_UNIX)
        one.connect(f"\0banter-show-{banter.process.pid}")
        silent.append(one)
    assert status(banter)["pool"]["workers"] == 1
    assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 200
    for one in silent:
        one.close()
