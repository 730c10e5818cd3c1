"""Under a service manager that speaks systemd's protocol: the socket it hands over, and what it is told."""

import contextlib
import os
import signal
import socket
import subprocess

import pytest

import servers
from fastcgi import Connection, Reply, begun, chat, chat_body, chat_params, health
from servers import BUILD, name, script, until
from test_upgrade import ROUNDS, Load, old_schema


class Handed(servers.Server):
    """Pools on one listening socket that is ours, as a service manager's would be, and its notification socket."""

    name = "service"

    def __init__(self, database, standin, **settings):
        super().__init__()
        self.socket = self.folder / "socket"
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(self.socket))
        self.listening.listen(128)
        self.socket.chmod(0o666)
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(str(self.folder / "notify"))
        self.told.settimeout(servers.PATIENCE)
        self.env = {"BANTER_DATABASE_URL": database.url(), "BANTER_MODEL_URL": standin.url, "BANTER_WORKERS": "2",
                    "BANTER_ADDRESS_LIMIT": "0", "BANTER_QUEUE_TIME": "10m", "BANTER_DATABASE_TIME": "30s",
                    "BANTER_DATABASE_CONNECT_TIME": "30s",
                    **{f"BANTER_{key.upper()}": str(value) for key, value in settings.items()}}
        self.config = self.folder / "banter.conf"
        self.config.touch()

    def start(self, count=1, pid="$$", source=None, options=()):
        fd = (source or self.listening).fileno()
        line = f'export LISTEN_PID={pid} LISTEN_FDS={count} LISTEN_FDNAMES=web; exec 3<&{fd} "$@"'
        self.spawn(["bash", "-c", line, "start", BUILD / "banter.fcgi", "--config", self.config, *options],
                   pass_fds=[fd], env={**self.env, "NOTIFY_SOCKET": str(self.folder / "notify")})

    def word(self):
        """The next of what it is told, but for how the pool is."""
        while True:
            told = self.told.recv(4096).decode().splitlines()[0]
            if not told.startswith(("STATUS=", "WATCHDOG=")):
                return told

    def hear(self, wanted):
        """Waits until it is told just that."""
        while self.told.recv(4096).decode() != wanted:
            pass

    def close(self):
        try:
            assert self.end() in (0, None), self.text()
        finally:
            self.listening.close()
            self.told.close()
            super().close()


@pytest.fixture
def handed(database, standin):
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(contextlib.closing(Handed(database, standin, **settings)))


def workers(service):
    found = []
    children = servers.pathlib.Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text()
    for pid in children.split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ends just now
            if servers.pathlib.Path(f"/proc/{pid}/comm").read_text() == "banter-worker\n":
                found.append(pid)
    return found


def test_a_handed_socket_runs_a_whole_pool_that_says_when_it_is_ready(handed, tenant):
    service = handed()
    service.start()
    assert service.word() == "READY=1"
    until(lambda: len(workers(service)) == 2, "the workers' own names")
    assert chat(service.socket, tenant, script("hello", tokens=["fine"])).json()["message"] == "fine"
    assert service.end() == 0
    assert service.word() == "STOPPING=1"
    assert service.socket.exists()  # it is not ours to remove
    assert "LISTEN" not in service.text()


def test_a_reload_is_told_from_its_beginning_to_its_end(handed, tenant):
    service = handed()
    service.start()
    assert service.word() == "READY=1"
    old = workers(service)
    service.config.write_text("BANTER_WORKERS=3\n")
    service.process.send_signal(signal.SIGHUP)
    assert service.word() == "RELOADING=1"
    assert service.word() == "READY=1"
    until(lambda: len(set(workers(service)) - set(old)) == 3, "the workers' own names")
    service.config.write_text("BANTER_WORKERS=many\n")
    service.process.send_signal(signal.SIGHUP)
    until(lambda: "the settings stay as they were" in service.text(), "the refusal")
    assert service.end() == 0
    assert service.word() == "STOPPING=1"  # and nothing before it


def test_a_line_says_what_the_pool_does(handed, tenant, model):
    service = handed()
    service.start()
    service.hear("STATUS=workers: 2, busy: 0, streams: 0")
    gate = name("gate")
    running = begun(service.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}), ["start", "token"])
    service.process.send_signal(signal.SIGUSR1)  # nobody is woken for the line alone
    service.hear("STATUS=workers: 2, busy: 1, streams: 1")
    service.process.send_signal(signal.SIGTERM)
    service.hear("STATUS=draining; workers: 1, busy: 1, streams: 1")
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    assert service.process.wait(servers.PATIENCE) == 0


def test_the_watchdog_hears_from_a_master_whose_loop_goes_round(handed, tenant):
    """And from nobody else: one that stands still says nothing, whatever its workers do."""
    service = handed()
    service.env["WATCHDOG_USEC"] = "100000"
    service.start()
    for _ in range(3):
        service.hear("WATCHDOG=1")
    service.process.send_signal(signal.SIGSTOP)
    service.told.settimeout(0.5)
    with pytest.raises(TimeoutError):
        while True:
            service.told.recv(4096)
    assert chat(service.socket, tenant, script("hello", tokens=["fine"])).json()["message"] == "fine"
    service.told.settimeout(servers.PATIENCE)
    service.process.send_signal(signal.SIGCONT)
    service.hear("WATCHDOG=1")


def test_the_watchdog_of_another_process_is_none_for_this_one(handed):
    service = handed()
    service.env.update(WATCHDOG_USEC="100000", WATCHDOG_PID="1")
    service.start()
    service.hear("STATUS=workers: 2, busy: 0, streams: 0")
    service.told.settimeout(0.5)
    with pytest.raises(TimeoutError):
        while service.told.recv(4096) != b"WATCHDOG=1":
            pass


def test_a_service_manager_that_does_not_read_stops_nobody(handed, tenant):
    """What it is told is lost, and said; the pool reloads, serves and ends as ever."""
    service = handed()
    service.start()
    assert service.word() == "READY=1"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as others:
        with contextlib.suppress(BlockingIOError):
            while True:
                others.sendto(b"STATUS=busy", str(service.folder / "notify"))
    old = workers(service)
    service.process.send_signal(signal.SIGHUP)
    until(lambda: len(set(workers(service)) - set(old)) == 2, "the new workers")
    assert "the service manager was not told RELOADING=1" in service.text()
    assert chat(service.socket, tenant, script("hello", tokens=["fine"])).json()["message"] == "fine"
    assert service.end() == 0


def test_a_handed_socket_whose_file_was_removed_is_said(handed, tenant, tmp_path):
    """It is not ours to bind again. One whose file was never ours to see, as in a container, is nothing to say."""
    where = tmp_path / "status"
    service = handed(status_listen=f"unix:{where}")
    service.start()
    assert service.word() == "READY=1"
    assert health(where) == 200
    service.socket.unlink()
    assert health(where) == 503
    service.process.send_signal(signal.SIGHUP)
    assert service.word() == "RELOADING=1"
    assert service.word() == "READY=1"
    assert f"{service.socket} is gone, and whoever handed it over must make it again" in service.text()
    assert service.end() == 0
    assert service.word() == "STOPPING=1"
    service.start()
    assert service.word() == "READY=1"
    assert health(where) == 200


def ask(service, tenant, message):
    """Sends a whole request; its reply, not yet read."""
    body = chat_body(message, name())
    connection = Connection(service.socket)
    connection.begin()
    connection.params(chat_params(tenant, body))
    connection.stdin(body)
    return Reply(connection)


def answer(reply):
    """Its text; the connection is closed, as a web server does, or the worker would wait for that."""
    with reply.connection:
        return reply.json()["message"]


def draining(service, tenant):
    """A pool that was told to end, and has one stream to finish first; the stream and its gate."""
    gate = name("gate")
    service.start()
    assert service.word() == "READY=1"
    last = begun(service.socket, tenant, script("last", tokens=["a", "b"], gates={"2": gate}), ["start", "token"])
    service.process.send_signal(signal.SIGTERM)
    assert service.word() == "STOPPING=1"
    until(lambda: len(workers(service)) == 1, "the idle worker's end")
    return last, gate


def test_who_connects_while_it_drains_is_answered_by_the_next_pool(handed, tenant, model):
    service = handed()
    last, gate = draining(service, tenant)
    waiting = [ask(service, tenant, script("waits", tokens=["fine"])) for _ in range(20)]
    model.open_gate(gate)
    assert last.events()[-1]["message"] == "ab"
    assert service.process.wait(servers.PATIENCE) == 0
    service.start()
    assert [answer(reply) for reply in waiting] == ["fine"] * 20


def test_restarts_under_load_lose_no_stream_and_refuse_nobody(handed, tenant):
    """Each stream is shorter than the drain; who comes meanwhile waits for the pool that follows."""
    service = handed(workers=4, drain_time="1h")
    service.start()
    assert service.word() == "READY=1"
    with Load(service.socket, tenant) as load:
        for _ in range(ROUNDS):
            load.some_more()
            assert service.end() == 0
            assert service.word() == "STOPPING=1"
            service.start()
            assert service.word() == "READY=1"
    assert load.faults == []


def test_an_upgrade_tells_the_service_manager_its_new_main_process(handed, tenant, model):
    """The old one does, which is heard; then the new one is."""
    service = handed()
    service.env["WATCHDOG_USEC"] = "100000"
    service.start()
    assert service.word() == "READY=1"
    gate = name("gate")
    running = begun(service.socket, tenant, script("hello", tokens=["a", "b"], gates={"2": gate}), ["start", "token"])
    service.process.send_signal(signal.SIGUSR2)
    assert service.word() == "RELOADING=1"
    told = service.told.recv(4096).decode()
    while not told.startswith("READY=1"):
        told = service.told.recv(4096).decode()
    new = int(told.removeprefix("READY=1\nMAINPID="))
    assert "no setting" not in service.text()
    assert new != service.process.pid
    try:
        service.hear("STATUS=workers: 2, busy: 0, streams: 0")
        service.hear("WATCHDOG=1")
        assert chat(service.socket, tenant, script("new", tokens=["fine"]), session="s").json()["message"] == "fine"
        model.open_gate(gate)
        assert running.events()[-1]["type"] == "done"
        assert service.process.wait(servers.PATIENCE) == 0
        service.hear("WATCHDOG=1")
    finally:
        os.kill(new, signal.SIGTERM)
    assert service.word() == "STOPPING=1"
    assert service.socket.exists()


def test_an_upgrade_that_fails_ends_the_reload_for_the_service_manager_too(handed, tenant, tmp_path):
    service = handed()
    service.start()
    assert service.word() == "READY=1"
    service.config.write_text("BANTER_WORKERS=many\n")
    service.process.send_signal(signal.SIGUSR2)
    assert service.word() == "RELOADING=1"
    assert service.word() == "READY=1"
    assert "the new program cannot start, and this one goes on: banter.fcgi: " in service.text()
    assert chat(service.socket, tenant, script("old", tokens=["fine"])).json()["message"] == "fine"


def test_G6_but_nobody_waits_for_it_longer_than_for_a_worker(handed, tenant, model):
    """The web server is told at once then, and answers 503."""
    service = handed(queue_time="1s", drain_time="1h")
    last, gate = draining(service, tenant)
    early = Connection(service.socket)
    assert early.ended()
    late = Connection(service.socket)
    assert late.ended()
    model.open_gate(gate)
    assert last.events()[-1]["message"] == "ab"


@pytest.mark.parametrize("wrong", ["two", "no socket"])
def test_what_is_not_one_listening_socket_is_refused(handed, tmp_path, wrong):
    service = handed()
    with open(tmp_path / "file", "w") as file:
        service.start(**({"count": 2} if wrong == "two" else {"source": file}))
        assert service.process.wait(servers.PATIENCE) == 1
    assert service.text().endswith("the service manager must hand over one listening stream socket\n")
    service.process = None


def test_words_for_another_process_are_none_for_this_one(handed):
    """As a process that inherits the environment of one that had a socket handed over."""
    service = handed(listen="unix:/nonexistent/socket")
    service.start(pid="1")
    assert service.process.wait(servers.PATIENCE) == 1
    assert "cannot listen on unix:/nonexistent/socket" in service.text()
    service.process = None


@pytest.mark.parametrize("fault, code", [("setting", 2), ("option", 2), ("schema", 1)])
def test_G6_who_waits_for_a_start_that_fails_is_turned_away_and_the_next_one_serves(
        handed, tenant, postgres, fault, code):
    """The web server is told at once, and answers 503: on the socket that outlives us nobody else would."""
    service = handed()
    good = dict(service.env)
    if fault == "schema":
        service.env["BANTER_DATABASE_URL"] = old_schema(postgres)
    if fault == "setting":
        service.env["BANTER_WORKERS"] = "many"
    waiting = [ask(service, tenant, "Hello") for _ in range(20)]
    service.start(options=["--nonsense"] if fault == "option" else [])
    assert service.process.wait(servers.PATIENCE) == code, service.text()
    for reply in waiting:
        with reply.connection:
            assert reply.connection.ended()
    service.env = good
    late = ask(service, tenant, script("late", tokens=["fine"]))
    service.start()
    assert answer(late) == "fine"


def test_who_waits_for_a_start_that_crashes_is_served_by_the_next(handed, tenant):
    service = handed()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(service.folder / ".s.PGSQL.5432"))
        silent.listen()
        good = dict(service.env)
        service.env.update(BANTER_DATABASE_URL=f"postgresql://banter_app@/banter?host={service.folder}",
                           BANTER_DATABASE_TIME="60s", BANTER_DATABASE_CONNECT_TIME="60s")
        waiting = ask(service, tenant, script("waits", tokens=["fine"]))
        service.start()
        silent.settimeout(servers.PATIENCE)
        with silent.accept()[0]:  # it is in the midst of its start
            service.end(signal.SIGKILL)
    service.env = good
    service.start()
    assert answer(waiting) == "fine"


@pytest.mark.parametrize("state", ["good", "old", "away"])
def test_check_database_says_whether_this_program_can_start(state, postgres, tmp_path):
    """Asked by the package's upgrade before the old program is stopped."""
    url = postgres.url()
    if state == "away":
        url = f"postgresql://banter_app@/banter?host={tmp_path}"
    if state == "old":
        url = old_schema(postgres)
    done = subprocess.run([BUILD / "banter.fcgi", "--check-database"], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], **servers.settings_for_tests(url, "http://127.0.0.1:9/v1")})
    assert done.returncode == (0 if state == "good" else 1), done.stderr
    assert (done.stdout == "the settings and the database's schema are good\n") == (state == "good")
