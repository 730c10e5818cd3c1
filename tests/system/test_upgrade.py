"""An upgrade without a gap: the new program's master beside the old one, on the same sockets; and reloads, under load."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading

import pytest

import servers
from fastcgi import begun, chat, health, stream
from servers import BUILD, name, script, until
from test_pool import alive, logged

FOR_LONG = {"model_idle_time": "1h", "exchange_time": "1h", "lease": "1h"}
VERSION = re.search(r'BANTER_VERSION "(.*)"', (servers.ROOT / "include/base/version.h").read_text())[1]
ROUNDS = int(os.environ.get("BANTER_TEST_ROUNDS", 3))  # the long suite has more


class Upgraded(servers.Banter):
    """A pool whose program's file can be replaced; `masters` are all that served, the last one first asked."""

    def start(self, *options):
        self.program = self.folder / "banter.fcgi"
        self.replace()
        self.masters = []
        self.config = self.folder / "banter.conf"
        self.set(f"BANTER_LISTEN=unix:{self.socket}")
        self.spawn([self.program, "--config", self.config, "--workers", self.workers, *self.options], env=self.env)
        self.masters.append(self.process.pid)
        self.await_start(self.listening, "the pool's start")
        self.await_start(lambda: len(self.children()) >= self.workers, "the workers' start")

    def set(self, *lines):
        with self.config.open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def replace(self, content=None, mode=0o755):
        fresh = self.folder / "fresh"
        if content:
            fresh.write_text(content)
            fresh.chmod(mode)
        else:
            shutil.copy(BUILD / "banter.fcgi", fresh)
        fresh.rename(self.program)

    def ask(self, *words):
        """banterctl's exit code and words."""
        done = subprocess.run([BUILD / "banterctl", *map(str, words)], capture_output=True, text=True, timeout=servers.PATIENCE,
                              env={"PATH": os.environ["PATH"], "BANTER_LISTEN": f"unix:{self.socket}"})
        return done.returncode, done.stdout + done.stderr

    def upgrade(self):
        self.replace()
        code, words = self.ask("reload")
        assert code == 0, words
        self.masters.append(int(re.fullmatch(r"the new program serves, as process (\d+)\n", words)[1]))

    def close(self):
        try:
            for pid in reversed(self.masters):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            if self.process:
                self.process.wait(servers.PATIENCE)
            until(lambda: not any(map(alive, self.masters)), "the masters' end")
            assert "died" not in self.text() and "Sanitizer" not in self.text(), self.text()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def upgraded(database, standin):
    with contextlib.ExitStack() as stack:
        def begin(**settings):
            where = servers.folder("status")
            stack.callback(shutil.rmtree, where, ignore_errors=True)
            settings = {"workers": 2, "status_listen": f"unix:{where}/socket", **settings}
            return stack.enter_context(contextlib.closing(Upgraded(database.url(), standin.url, **settings)))

        yield begin


def old_schema(postgres):
    """The URL of a database whose schema is older than the program needs."""
    base = name("old").replace("-", "_")
    postgres.run(f"create database {base}", database="postgres")
    url = postgres.url("owner", base)
    env = {"PATH": os.environ["PATH"], "BANTER_DATABASE_URL": url}
    subprocess.run([BUILD / "banterctl", "migrate"], check=True, stdout=subprocess.DEVNULL, env=env)
    postgres.run("create or replace function banter.schema_version() returns integer"
                 " language sql as 'select 0'", database=base)
    return url


def of(pid):
    """Its children."""
    with contextlib.suppress(FileNotFoundError):
        return [int(one) for one in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def test_a_reload_after_the_programs_file_has_changed_starts_the_new_one_beside_the_old(upgraded, tenant, model):
    """On the same sockets; what runs goes on in the old one, which ends with it, and leaves the sockets' files alone."""
    banter = upgraded()
    status = pathlib.Path(banter.env["BANTER_STATUS_LISTEN"].removeprefix("unix:"))
    file = banter.socket.stat().st_ino
    gate = name("gate")
    running = begun(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}), ["start", "token"])
    old = banter.masters[0]
    banter.upgrade()
    new = banter.masters[1]
    until(lambda: len(of(old)) == 2, "the end of all of the old one's but the busy worker, and who may stop it")
    assert chat(banter.socket, tenant, script("new", tokens=["fine"]), session="s").json()["message"] == "fine"
    until(lambda: health(status) == 200, "the status listener")
    assert alive(old)
    code, words = banter.ask("status", "--json")  # the new one is asked, while both run
    assert code == 0 and {one["pid"] for one in json.loads(words)["processes"]} <= set(of(new)), words
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    assert banter.process.wait(servers.PATIENCE) == 0
    assert banter.socket.stat().st_ino == file
    assert health(banter.socket) == 200 and health(status) == 200
    assert os.readlink(f"/proc/{new}/exe") == str(banter.program)
    os.kill(new, signal.SIGTERM)
    until(lambda: not alive(new), "its end")
    assert not banter.socket.exists() and not status.exists()


def held(banter, tenant):
    """A stream that stands in its midst; and the gate that lets it go on."""
    gate = name("gate")
    text = script("hello", tokens=["a", "b"], gates={"2": gate})
    return begun(banter.socket, tenant, text, ["start", "token"], session=name()), gate


def test_a_stream_outlives_two_upgrades_in_a_row(upgraded, tenant, model):
    """The master in between stays for it, without a child: whoever ends the last one means all."""
    banter = upgraded()
    first, gate = held(banter, tenant)
    banter.upgrade()
    until(lambda: len(of(banter.masters[0])) == 2, "the end of all but the busy worker, which takes no other, and who may stop it")
    second, gate_of_second = held(banter, tenant)
    banter.upgrade()
    old, between, new = banter.masters
    until(lambda: (len(of(old)), len(of(between))) == (2, 2), "the end of all but the busy workers, and who may stop them")
    model.open_gate(gate_of_second)
    assert second.events()[-1]["type"] == "done"
    until(lambda: not of(between), "the end of its last worker")
    assert alive(old) and alive(between)
    model.open_gate(gate)
    assert first.events()[-1]["type"] == "done"
    until(lambda: not alive(old) and not alive(between), "their end")
    assert alive(new)
    assert chat(banter.socket, tenant, script("new", tokens=["fine"]), session="s").json()["message"] == "fine"


@pytest.mark.parametrize("count", [1, 2])
def test_SIGTERM_after_an_upgrade_means_the_old_ones_exchanges_too(upgraded, tenant, model, count):
    """They have their time, as all have; the last master, which is the service, ends after them."""
    banter = upgraded(drain_time="1h")
    running, gate = held(banter, tenant)
    for _ in range(count):
        banter.upgrade()
    until(lambda: len(of(banter.masters[0])) == 2, "the end of all but the busy worker, and who may stop it")
    os.kill(banter.masters[-1], signal.SIGTERM)
    logged(banter, "draining: ", count + 1)
    until(lambda: not of(banter.masters[-1]), "the end of its own")
    assert all(map(alive, banter.masters))
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    until(lambda: not any(map(alive, banter.masters)), "the end of all")


@pytest.mark.parametrize("how", ["drain", "second"])
def test_S1_an_old_ones_exchange_ends_in_error_as_any_other(upgraded, tenant, how):
    banter = upgraded(drain_time="1h" if how == "second" else "300ms")
    running, _ = held(banter, tenant)
    banter.upgrade()
    old, new = banter.masters
    os.kill(new, signal.SIGTERM)
    logged(banter, "draining: ", 2)
    if how == "second":
        os.kill(new, signal.SIGTERM)
    assert running.events()[-1] == {"type": "error", "error": "Internal server error"}
    until(lambda: not alive(old) and not alive(new), "the end of both")


def test_the_old_one_killed_its_exchanges_end_and_the_new_one_serves(upgraded, tenant, model):
    banter = upgraded(drain_time="1h")
    running, gate = held(banter, tenant)
    banter.upgrade()
    banter.process.kill()
    banter.process.wait()
    assert chat(banter.socket, tenant, script("new", tokens=["fine"]), session="s").json()["message"] == "fine"
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    banter.process = None


def test_SIGUSR2_starts_the_same_program_anew(upgraded, tenant):
    banter = upgraded()
    banter.process.send_signal(signal.SIGUSR2)
    banter.masters.append(int(logged(banter, r"the new program serves, as process (\d+)")[0][1]))
    assert banter.process.wait(servers.PATIENCE) == 0
    assert chat(banter.socket, tenant, script("new", tokens=["fine"])).json()["message"] == "fine"
    assert banter.ask("reload") == (0, "the settings are loaded again; workers: 2\n")


@pytest.mark.parametrize("content, reason", [
    ("#!/bin/sh\necho 'some library: not found' >&2\nexit 127\n", "some library: not found"),
    ("#!/bin/sh\nkill -SEGV $$\n", "it ended without a word"),
    ("#!/nonexistent/loader\n", "No such file or directory"),
    ("#!/bin/sh\nBANTER_WORKERS=many exec {program} --listen unix:/nonexistent\n", "BANTER_WORKERS must be"),
])
def test_a_new_program_that_cannot_start_leaves_the_old_one_and_the_reload_says_why(upgraded, tenant, model, content, reason):
    banter = upgraded()
    gate = name("gate")
    running = begun(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}), ["start", "token"])
    workers = banter.children()
    banter.replace(content.format(program=BUILD / "banter.fcgi"))
    code, words = banter.ask("reload")
    assert code == 1
    assert words.startswith("banterctl: the new program cannot start, and this one goes on: ") and reason in words, words
    assert banter.children() == workers
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    assert chat(banter.socket, tenant, script("old", tokens=["fine"]), session="s").json()["message"] == "fine"
    banter.upgrade()  # and a good one is taken later


def test_a_new_program_that_may_not_be_executed_is_said_too(upgraded):
    banter = upgraded()
    banter.replace("#!/bin/sh\n", mode=0o644)
    code, words = banter.ask("reload")
    assert (code, words[-20:]) == (1, ": Permission denied\n"), words
    banter.upgrade()


def refused(banter, tenant, reason):
    """Asserts that an upgrade is, and that nothing has changed."""
    workers = banter.children()
    banter.replace()
    code, words = banter.ask("reload")
    assert code == 1 and reason in words, words
    assert banter.children() == workers
    assert chat(banter.socket, tenant, script("old", tokens=["fine"]), session="s").json()["message"] == "fine"


def test_an_upgrade_with_a_wrong_setting_is_refused(upgraded, tenant):
    banter = upgraded()
    banter.set("BANTER_HEARTBEAT=often")
    refused(banter, tenant, "BANTER_HEARTBEAT")


def test_an_upgrade_to_a_program_for_another_schema_is_refused(upgraded, tenant, postgres):
    banter = upgraded()
    banter.set(f"BANTER_DATABASE_URL={old_schema(postgres)}")
    refused(banter, tenant, "run banterctl migrate")


def test_an_upgrade_says_which_settings_take_a_restart(upgraded, tenant):
    """Where the sockets are; they stay so for what comes later too. Their mode is the new one's."""
    banter = upgraded()
    status = pathlib.Path(banter.env["BANTER_STATUS_LISTEN"].removeprefix("unix:"))
    banter.set(f"BANTER_LISTEN=unix:{banter.folder}/other", f"BANTER_STATUS_LISTEN=unix:{banter.folder}/other-status",
               "BANTER_SOCKET_MODE=0600")
    banter.upgrade()
    assert f"banter {VERSION} on unix:{banter.socket}; workers: 2\n" in banter.text().partition("to take over")[2]
    assert "no setting" not in banter.text()
    for one in ("BANTER_LISTEN", "BANTER_STATUS_LISTEN"):
        assert f"changed, but a restart is needed to change it: {one}\n" in banter.text()
    until(lambda: banter.socket.stat().st_mode & 0o777 == 0o600, "the new mode")
    assert not (banter.folder / "other").exists() and not (banter.folder / "other-status").exists()
    assert health(status) == 200
    banter.socket.unlink()
    os.kill(banter.masters[-1], signal.SIGHUP)
    until(banter.socket.exists, "the file, where it was")
    assert chat(banter.socket, tenant, script("new", tokens=["fine"])).json()["message"] == "fine"
    logged(banter, "changed, but a restart is needed to change it: BANTER_LISTEN, BANTER_STATUS_LISTEN")


WAITING = "#!/bin/sh\nwhile [ ! -e {go} ]; do sleep 0.01; done\nexec {program} \"$@\"\n"


def starting(banter):
    """A new program that waits in the midst of its start, until the file that is returned is there; its pid."""
    go = banter.folder / name("go")
    banter.replace(WAITING.format(go=go, program=BUILD / "banter.fcgi"))
    banter.process.send_signal(signal.SIGHUP)
    return go, int(logged(banter, r"is started as process (\d+), to take over")[0][1])


def test_who_asks_during_an_upgrade_hears_what_becomes_of_it(upgraded, tenant):
    """A second one is not begun, and the settings are read by the new program alone."""
    banter = upgraded()
    go, pid = starting(banter)
    banter.process.send_signal(signal.SIGHUP)
    banter.process.send_signal(signal.SIGUSR2)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [pool.submit(banter.ask, "reload") for _ in range(2)]
        assert chat(banter.socket, tenant, script("old", tokens=["fine"]), session="s").json()["message"] == "fine"
        go.touch()
        assert [one.result() for one in asked] == [(0, f"the new program serves, as process {pid}\n")] * 2
    banter.masters.append(pid)
    assert banter.process.wait(servers.PATIENCE) == 0
    assert len(of(pid)) == 5 and banter.text().count("to take over") == 1


def test_an_old_one_killed_during_an_upgrade_leaves_it_all_to_the_new_one(upgraded, tenant):
    """Who connects once the old one's children have ended waits for it."""
    banter = upgraded()
    go, pid = starting(banter)
    banter.masters.append(pid)
    children = of(banter.masters[0])
    banter.process.kill()
    until(lambda: not any(alive(one) for one in children if one != pid), "its children's end")
    banter.process.wait()
    banter.process = None
    waits = chat(banter.socket, tenant, script("new", tokens=["fine"]), session="s")
    go.touch()
    assert waits.json()["message"] == "fine"
    logged(banter, "taken over")
    os.kill(pid, signal.SIGTERM)
    until(lambda: not alive(pid), "its end")
    assert not banter.socket.exists()


def test_an_upgrade_is_none_while_the_pool_ends(upgraded, tenant, model):
    banter = upgraded(drain_time="1h")
    running, gate = held(banter, tenant)
    banter.process.send_signal(signal.SIGTERM)
    logged(banter, "draining: ")
    banter.replace()
    banter.process.send_signal(signal.SIGUSR2)
    assert banter.ask("reload", "--pid", banter.process.pid) == (1, "banterctl: the pool is ending\n")
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    assert banter.process.wait(servers.PATIENCE) == 0
    assert "to take over" not in banter.text()


def test_what_waits_in_the_queue_is_served_by_the_new_program(upgraded, tenant, model):
    """In its turn, however the old one's admission process held it."""
    banter = upgraded(workers=1)
    gate = name("gate")
    running = begun(banter.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}), ["start", "token"])
    waiting = [chat(banter.socket, tenant, script("waits", tokens=["fine"]), session=name()) for _ in range(5)]
    until(lambda: "hold for" in shown(banter), "the admission process's queue")
    banter.upgrade()
    for reply in waiting:
        assert reply.json()["message"] == "fine"
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"


def shown(banter):
    os.kill(banter.masters[-1], signal.SIGUSR1)
    return banter.text()


def test_SIGTERM_during_an_upgrade_ends_both(upgraded, tenant):
    banter = upgraded()
    banter.replace("#!/bin/sh\nexec sleep 1000\n")
    banter.process.send_signal(signal.SIGHUP)
    pid = int(logged(banter, r"is started as process (\d+), to take over")[0][1])
    banter.process.send_signal(signal.SIGTERM)
    assert banter.process.wait(servers.PATIENCE) == 0
    until(lambda: not alive(pid), "the new one's end")


def test_SIGTERM_during_an_upgrade_cuts_nothing_that_the_new_one_serves(upgraded, tenant, model):
    """Its workers take connections before all of them are up."""
    banter = upgraded(workers=1, drain_time="1h")
    running = [held(banter, tenant)]
    go, pid = starting(banter)
    banter.process.send_signal(signal.SIGSTOP)
    go.touch()
    running.append(held(banter, tenant))  # the old one's worker is busy
    banter.process.send_signal(signal.SIGTERM)
    banter.process.send_signal(signal.SIGCONT)
    logged(banter, "draining: ", 2)
    assert alive(banter.masters[0]) and alive(pid)
    for stream, gate in running:
        model.open_gate(gate)
        assert stream.events()[-1]["type"] == "done"
    assert banter.process.wait(servers.PATIENCE) == 0
    until(lambda: not alive(pid), "the new one's end")
    assert not banter.socket.exists()
    assert "goes on" not in banter.text()


def test_nothing_piles_up_from_one_upgrade_to_the_next(upgraded):
    """The new program has what it is given, and no descriptor besides."""
    banter = upgraded()
    least = 100
    for number in range(3):
        banter.upgrade()
        logged(banter, "taken over", number + 1)
        until(lambda: not alive(banter.masters[-2]) and len(of(banter.masters[-1])) == 5, "the old one's end")
        until(lambda: len(descriptors(banter.masters[-1])) <= least, "no more than there were")  # noqa: B023
        least = min(least, len(descriptors(banter.masters[-1])))  # with one more, maybe, that it is just done with


def descriptors(pid):
    return os.listdir(f"/proc/{pid}/fd")


def test_secrets_of_the_environment_reach_the_new_program(upgraded, tenant, model):
    banter = upgraded(model_key="sk-of-the-environment")
    banter.upgrade()
    text = name("asked")
    assert chat(banter.socket, tenant, script(text, tokens=["fine"])).json()["message"] == "fine"
    assert model.wait(text)["headers"]["authorization"] == "Bearer sk-of-the-environment"


class Load:
    """Clients that never stop asking: short exchanges, and streams that outlive what happens meanwhile."""

    def __init__(self, socket, tenant, clients=4):
        self.socket, self.tenant = socket, tenant
        self.ended = threading.Event()
        self.served, self.faults = [], []
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(clients)]

    def run(self, number):
        tokens = {"tokens": 20, "delay_ms": 50} if number % 2 else {"tokens": ["fine"]}
        while not self.ended.is_set():
            try:
                events = stream(self.socket, self.tenant, script("hello", **tokens), session=name()).events()
                assert events[-1]["type"] == "done", events
                self.served.append(number)
            except Exception as fault:  # noqa: BLE001  (told to the test)
                self.faults.append(repr(fault))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(servers.PATIENCE)

    def some_more(self):
        count = len(self.served)
        until(lambda: self.faults or len(self.served) > count + 4, "more exchanges")


def test_upgrades_under_load_lose_no_request(upgraded, tenant, model):
    """Nor a stream that runs through all of them."""
    banter = upgraded(workers=4, drain_time=0, **FOR_LONG)
    running, gate = held(banter, tenant)
    with Load(banter.socket, tenant) as load:
        for _ in range(ROUNDS):
            banter.upgrade()
            load.some_more()
    assert (load.faults, len(banter.masters)) == ([], ROUNDS + 1)
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"


def test_reloads_under_load_lose_no_request_and_the_socket_stays(pool, tenant, model):
    banter = pool(workers=4, drain_time=0, **FOR_LONG)
    running, gate = held(banter, tenant)
    file = banter.socket.stat().st_ino
    with Load(banter.socket, tenant) as load:
        for number in range(ROUNDS * 5 // 2):
            banter.process.send_signal(signal.SIGHUP)
            logged(banter, "the settings are loaded again", number + 1)
            load.some_more()
    assert load.faults == []
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    assert banter.socket.stat().st_ino == file
    assert "died" not in banter.text()
