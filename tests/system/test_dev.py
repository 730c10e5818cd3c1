"""deploy/dev.sh and deploy/multiwatch/run.sh as they stand: workers that spawn-fcgi gives their socket."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
import requests
import servers
from apis import BOTH
from fastcgi import chat
from servers import BUILD, ROOT, name, script, until
from site_client import Site
from test_pool import alive, exchange_state
from test_run import Clone


class Dev(servers.Server):
    """deploy/dev.sh in a clone; it is a Site's web server and pool in one."""

    name = "dev"
    path = ""

    def __init__(self, folder, url, standin, *options, user=None):
        super().__init__()
        self.port = servers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = servers.settings_for_tests(url, standin.url)
        reading, self.keyboard = os.pipe()
        self.spawn([folder / "deploy" / "dev.sh", *options], cwd=folder, stdin=reading, start_new_session=True,
                   env={**settings, "PORT": str(self.port)}, user=user, group=user, extra_groups=[] if user else None)
        os.close(reading)

    def press_enter(self):
        os.write(self.keyboard, b"\n")

    def health(self):
        with contextlib.suppress(requests.RequestException, ValueError):
            with servers.session() as http:
                http.held = False  # a test changes what it says
                return http.get(self.url + "/health", timeout=servers.PATIENCE).json().get("status")

    def awaited(self):
        """Itself, once it serves."""
        def serves():
            assert self.process.poll() is None, f"dev.sh ended by itself:\n{self.text()}"
            return self.health()

        self.await_start(serves, "dev.sh's start")
        return self

    def worker(self):
        """The one worker's process id."""
        children = subprocess.run(["pgrep", "-s", str(self.process.pid), "-f", "banter.fcgi"],
                                  capture_output=True, text=True, check=False).stdout.split()
        return int(children[0]) if children else None

    def close(self):
        os.close(self.keyboard)
        super().close()


@pytest.fixture(scope="module")
def clone():
    if BUILD != ROOT / "build":
        pytest.skip("dev.sh makes what it runs itself")
    folder = pathlib.Path(servers.tempfile.mkdtemp(prefix="banter-clone-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield Clone(folder).folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def dev(clone, database, standin):
    """dev(*options) -> Dev, which is ended at the test's end."""
    with contextlib.ExitStack() as stack:

        def begin(*options, **more):
            return stack.enter_context(contextlib.closing(Dev(clone, database.url(), standin, *options, **more)))

        yield begin


def as_site(one, postgres, standin):
    return Site(postgres, standin.control, one, one, postgres.demo())


def test_dev_serves_both_apis(dev, postgres, standin, model):
    """Each token as it is sent; and Ctrl-C ends everything."""
    one = dev().awaited()
    site = as_site(one, postgres, standin)
    for api in BOTH:
        gate = name("gate")
        events = api(site).stream(script(name(), tokens=["a", "b"], gates={"2": gate}))
        assert [next(events)["type"] for _ in range(2)] == ["start", "token"]
        model.open_gate(gate)
        assert events.rest()[-1]["message"] == "ab"
    socket = pathlib.Path(re.search(r"fastcgi_pass unix:(\S+);", one.text())[1])
    assert chat(socket, site.tenant, script("hello", tokens=["a"])).json()["message"] == "a"
    worker = one.worker()
    os.killpg(one.process.pid, signal.SIGINT)
    assert one.process.wait(servers.PATIENCE) == 0
    assert not alive(worker) and not socket.parent.exists()


def test_Enter_builds_and_restarts_and_a_running_stream_ends_first(dev, clone, postgres, standin, model):
    one = dev().awaited()
    site = as_site(one, postgres, standin)
    gate = name("gate")
    stream = site.stream(script(name(), tokens=["a", "b"], gates={"2": gate}))
    assert [next(stream)["type"] for _ in range(2)] == ["start", "token"]
    worker = one.worker()
    source = clone / "app" / "http" / "health.c"
    was = source.read_text()
    try:
        source.write_text("not C\n")
        one.press_enter()
        until(lambda: "not built" in one.text(), "the compiler's word")
        assert one.worker() == worker
        source.write_text(was.replace('\\"ok\\"', '\\"built anew\\"'))
        one.press_enter()
        until(lambda: "restarting" in one.text(), "the build", 2 * servers.PATIENCE)
        model.open_gate(gate)
        assert stream.rest()[-1]["message"] == "ab"
        until(lambda: one.health() == "built anew", "the new program")
    finally:
        source.write_text(was)


def test_a_worker_that_died_is_started_again_by_Enter(dev):
    one = dev().awaited()
    os.kill(one.worker(), signal.SIGKILL)
    until(lambda: "Enter starts it again" in one.text(), "the news")
    one.press_enter()
    until(lambda: one.health() == "ok", "the new worker")


def test_one_exchange_under_valgrind_without_a_fault(dev, postgres, standin):
    one = dev("--valgrind").awaited()
    site = as_site(one, postgres, standin)
    for api in BOTH:
        assert api(site).answered(script(name(), tokens=["a", "b"]), True) == "ab"
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(servers.PATIENCE) == 0, one.text()


@pytest.mark.parametrize("user", [None, "postgres"] if os.geteuid() == 0 else [None])
def test_one_exchange_under_gdb(dev, postgres, standin, user):
    """A breakpoint is met, whoever runs it: the program's memory is protected from others only."""
    one = dev("--gdb", "-batch", "-ex", "break turn_play", "-ex", "run", "-ex", "backtrace 5", "-ex", "continue",
              user=user).awaited()
    site = as_site(one, postgres, standin)
    assert site.chat(script("hello", tokens=["a"])).json()["message"] == "a"
    os.kill(one.worker(), signal.SIGTERM)
    one.process.wait(servers.PATIENCE)
    assert re.search(r"^#\d .* exchange_serve ", one.text(), re.M), one.text()


def test_it_says_what_is_missing(clone):
    done = subprocess.run([clone / "deploy" / "dev.sh"], capture_output=True, text=True, timeout=2 * servers.PATIENCE,
                          stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 1
    assert done.stderr == "dev.sh: start 'make run' in another terminal first, or set BANTER_DATABASE_URL\n"


# multiwatch


class Watched(servers.Server):
    """deploy/multiwatch/run.sh with a socket of its own."""

    name = "multiwatch"

    def __init__(self, url, standin, workers, **settings):
        super().__init__()
        self.socket = self.folder / "socket"
        env = servers.settings_for_tests(url, standin.url, **{
            "listen": f"unix:{self.socket}", "workers": workers, "shared_file": self.folder / "shared", **settings})
        self.workers = workers
        self.spawn([ROOT / "deploy/multiwatch/run.sh"], env={**env, "BANTER_PROGRAM": str(BUILD / "banter.fcgi")})
        self.await_start(lambda: len(self.children()) == workers and servers.listens(self.socket), "multiwatch's start")

    def children(self):
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]


@pytest.fixture
def watched(database, standin):
    with contextlib.ExitStack() as stack:

        def begin(workers, **settings):
            return stack.enter_context(contextlib.closing(Watched(database.url(), standin, workers, **settings)))

        yield begin


def test_multiwatch_replaces_a_worker_that_dies(watched, tenant, postgres):
    pool = watched(2)
    before = pool.children()
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(now := pool.children()) == 2 and before[0] not in now, "the replacement")
    for n in range(4):
        assert chat(pool.socket, tenant, script(f"{n}", tokens=["a"]), session=name()).json()["message"] == "a"
    assert exchange_state(postgres, tenant) == ["done"] * 4


def test_multiwatch_ends_them_all_when_it_is_told_to_and_a_running_exchange_first(watched, tenant, model):
    pool = watched(3)
    gate, text = name("gate"), name("running")
    reply = chat(pool.socket, tenant, script(text, tokens=["a", "b"], gates={"2": gate}), "/v1/chat/stream")
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    workers = pool.children()
    pool.process.send_signal(signal.SIGTERM)
    until(lambda: sum(alive(pid) for pid in workers) == 1, "the idle workers' end")
    model.open_gate(gate)
    assert reply.events()[-1]["message"] == "ab"
    reply.connection.close()
    pool.process.wait(servers.PATIENCE)
    assert not any(alive(pid) for pid in workers)


def test_the_workers_end_with_a_killed_multiwatch(watched):
    pool = watched(2)
    workers = pool.children()
    # Before that they are setpriv, which may not have tied them to multiwatch yet.
    until(lambda: all(str(BUILD) in pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0] for pid in workers),
          "the program itself")
    pool.end(signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in workers), "their end")


def test_H4_its_workers_count_one_address_together(watched, tenant):
    pool = watched(4, address_limit=3, address_window="1h")
    statuses = [chat(pool.socket, tenant, script("x", tokens=["a"]), session=name()).status for _ in range(6)]
    assert sorted(statuses) == [200] * 3 + [429] * 3
