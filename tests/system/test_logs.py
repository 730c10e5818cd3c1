"""The log: one line an exchange with what an operator needs, and never a key or a word of a message."""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess

import pytest

from fastcgi import Connection, chat, chat_body, chat_params, health, stream
from servers import Banter, filled, name, script, until

LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) info \[(?P<pid>\d+)\] request=(?P<request>\S+)"
    r" method=(?P<method>\S*) path=(?P<path>\S*) status=(?P<status>\d+) first_ms=(?P<first>-|\d+) ms=(?P<ms>\d+)"
    r" tokens=(?P<tokens>\d+) worker=(?P<worker>\d+)(?: server=(?P<server>\S+))?(?: tries=\"(?P<tries>[^\"]+)\")?"
    r"(?: cause=\"(?P<cause>[^\"]+)\")?")


def line_of(banter, request):
    """The one line of that request, taken apart."""
    lines = until(
        lambda: [line for line in banter.text().splitlines() if f" request={request} method=" in line], f"{request}'s line")
    assert len(lines) == 1
    found = LINE.fullmatch(lines[0])
    assert found, lines[0]
    return found


def test_one_line_an_exchange(pool, tenant):
    banter = pool(workers=3)
    request = name("request")
    reply = stream(banter.socket, tenant, script("hello", tokens=["a", "b"]), HTTP_X_REQUEST_ID=request)
    assert reply.events()[-1]["type"] == "done"
    line = line_of(banter, request)
    assert line.group("method", "path", "status", "tokens", "cause") == ("POST", "/v1/chat/stream", "200", "2", None)
    assert line.group("server", "tries") == ("default", None)
    assert int(line["pid"]) in banter.children()
    assert int(line["worker"]) < 20
    assert 0 <= int(line["first"]) <= int(line["ms"])


def test_a_generated_request_id_is_the_one_the_client_got(pool, tenant):
    banter = pool(workers=1)
    reply = chat(banter.socket, tenant, script("hello", tokens=["a"]))
    line = line_of(banter, reply.headers["X-Request-Id"])
    assert line.group("path", "status", "tokens") == ("/v1/chat", "200", "1")


@pytest.mark.parametrize("directive, status, cause", [
    ({"status": 503}, "200", "the model's server answered with HTTP status 503"),
    ({"empty": True}, "200", "the model answered without any text"),
    ({"tokens": ["a", "b"], "end_after": 1}, "200", "the model's answer ended in the middle"),
])
def test_the_cause_of_an_error(pool, tenant, directive, status, cause):
    banter = pool(workers=1)
    request = name("request")
    stream(banter.socket, tenant, script("hello", **directive), HTTP_X_REQUEST_ID=request).events()
    assert line_of(banter, request).group("status", "cause") == (status, cause)


def test_the_cause_of_a_refusal(pool, tenant):
    banter = pool(workers=1, address_limit=2, failed_key_limit=1, address_window="1h")
    asked = [
        ({"HTTP_X_API_KEY": "no-key"}, "401", None),
        ({"HTTP_X_API_KEY": "no-key"}, "429", "too many failed keys from this address"),
        ({}, "429", "too many requests from this address"),
    ]
    for more, status, cause in asked:
        request = name("request")
        chat(banter.socket, tenant, "hello", HTTP_X_REQUEST_ID=request, **more).json()
        assert line_of(banter, request).group("status", "cause") == (status, cause)


def test_the_client_left(pool, tenant, model):
    banter = pool(workers=1)
    request, text = name("request"), name("left")
    reply = stream(banter.socket, tenant, script(text, tokens=["a", "b"], gates={"2": "never"}),
                   HTTP_X_REQUEST_ID=request)
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    reply.connection.close()
    assert line_of(banter, request).group("tokens", "cause") == ("1", "the client left")


def test_what_a_client_sends_starts_no_line_of_its_own(pool, tenant):
    banter = pool(workers=1)
    path = b"/x\n2026-01-01T00:00:00.000Z error [1] forged\x1b[31m\r\x7f" + b"y" * 3000
    reply = chat(banter.socket, tenant, "hello", REQUEST_URI=path, REQUEST_METHOD=b"GE\nT")
    assert reply.status == 404
    reply.body()
    (line,) = until(lambda: [line for line in banter.text().split("\n")[:-1] if "forged" in line], "the line")
    assert len(line) < 600
    text = banter.text()
    assert "\x1b" not in text and "\x7f" not in text and "\r" not in text
    ours = re.compile(rf"[-0-9]+T[.:0-9]+Z \w+ \[({'|'.join(map(str, [banter.process.pid, *banter.children()]))})\] ")
    assert [one for one in text.splitlines() if not ours.match(one)] == []


def test_a_key_in_a_wrong_place_is_not_logged_either(pool, postgres, tenant):
    """As the request's id, which is stored too, or in the path; and an id that only looks like one passes."""
    banter = pool(workers=1, log_level="debug")
    for key in tenant.widget_key, tenant.workspace_key:
        reply = chat(banter.socket, tenant, script("hello", tokens=["a"]), HTTP_X_REQUEST_ID=key)
        assert reply.status == 200 and key not in reply.headers["X-Request-Id"]
        assert line_of(banter, reply.headers["X-Request-Id"])["path"] == "/v1/chat"
        request = name("request")
        lost = chat(banter.socket, tenant, "hello", f"/v1/chat/{key}", HTTP_X_REQUEST_ID=request)
        assert lost.status == 404
        lost.body()
        assert line_of(banter, request)["path"] == "(a-key)"
        assert key not in banter.text()
    stored = postgres.run("select request_id from banter_data.exchange where workspace = %s", tenant.workspace)
    assert len(stored) == 2 and not any("sk-" in id for (id,) in stored)


def test_no_key_and_no_word_of_a_conversation_is_ever_logged(pool, postgres, tenant, model):
    """A whole set of exchanges at the debug level: good ones, failures, refusals, a reload and a death."""
    word = "MARKERWORD"
    prompt, keys = f"{word}-prompt", [f"{word}-badkey", f"{word}-model"]
    postgres.run("update banter_data.chatbot set system_prompt = %s where chatbot = %s", prompt, tenant.chatbot)
    banter = pool(workers=2, log_level="debug", model_key=keys[1], model_first_time="3s", answer_bytes=1024)
    socket = banter.socket
    answer = [f"{word}-answer", " and more"]
    session = f"{word}-session"
    error = {"message": f"{word}-error", "type": f"{word}"}
    for directive in (
        {}, {"split": 1}, {"status": 500, "error": error}, {"status": 400, "body": word}, {"drop": True},
        {"cut_after": 1}, {"end_after": 1}, {"error_after": 1, "error": error}, {"hang": True}, {"empty": True},
        {"raw": [f"data: {word}\n\n"]}, {"raw": [f"{word}: {word}\n\ndata: {{}}"]}, {"finish": word},
        {"tokens": [word * 200]}, {"tokens": [{"escaped": "\\ud800"}, {"b64": "/w=="}, word]},
    ):
        question = script(f"{word}-question", **{"tokens": answer, **directive})
        stream(socket, tenant, question, session).events()
        chat(socket, tenant, question, session=session).body()
    for more in ({"HTTP_X_API_KEY": keys[0]}, {"HTTP_AUTHORIZATION": f"Bearer {word}"}, {"HTTP_COOKIE": word},
                 {"HTTP_IDEMPOTENCY_KEY": f"{word}-idempotency"}, {"HTTP_IDEMPOTENCY_KEY": word + "\x01"},
                 {"QUERY_STRING": word, "REQUEST_URI": f"/v1/chat?{word}"}, {"HTTP_ORIGIN": f"https://{word}"}):
        chat(socket, tenant, script(word, tokens=answer), session=session, **more).body()
    for body in (f'{{"sessionId":"s","message":"{word}', f"{word}", f'{{"sessionId":"{word}!","message":"{word}"}}'):
        with Connection(socket) as connection:
            connection.ask(chat_params(tenant, body.encode()), body.encode()).body()
    with Connection(socket) as connection:
        body = chat_body(word)
        connection.ask(
            {**chat_params(tenant, body, f"/api/v1/chatbots/{tenant.chatbot}/chat"), "HTTP_X_API_KEY": "",
             "HTTP_AUTHORIZATION": f"Bearer {tenant.workspace_key}"}, body).body()
    postgres.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'banter_app'")
    chat(socket, tenant, script(word, tokens=answer), session=session).body()
    banter.process.send_signal(signal.SIGHUP)
    banter.process.send_signal(signal.SIGUSR1)
    until(lambda: "loaded again" in banter.text(), "the reload")
    chat(socket, tenant, script(word, tokens=answer), session=session).body()
    reply = stream(socket, tenant, script(word, tokens=[*answer, "x"], gates={"3": "never"}), session)
    assert [reply.event()["type"] for _ in range(3)] == ["start", "token", "token"]
    for pid in banter.children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: "died: " in banter.text(), "the death's line")
    assert health(socket) == 200
    assert banter.end() == 0
    text = banter.text()
    assert text.count(" request=") > 40
    assert word not in text
    for secret in (tenant.widget_key, tenant.workspace_key, tenant.widget_key[12:], str(tenant.workspace)):
        assert secret not in text


def test_an_error_of_the_database_is_logged_without_its_values(pool, postgres, tenant):
    """PostgreSQL quotes the row that a check refused; a constraint of the owner's own may refuse one."""
    banter = pool(workers=1)
    postgres.run(
        f"alter table banter_data.exchange add constraint own check (workspace <> {tenant.workspace}"
        " or question not like '%MARKERWORD%')")
    try:
        reply = chat(banter.socket, tenant, "MARKERWORD")
        assert reply.status == 500
        assert re.search(r"exchange_begin failed in the database: SQLSTATE 23514: see the server's log", banter.text())
        assert "MARKERWORD" not in banter.text()
    finally:
        postgres.run("alter table banter_data.exchange drop constraint own")


@pytest.mark.parametrize("level, said", [("error", False), ("warning", False), ("info", True), ("debug", True)])
def test_BANTER_LOG_LEVEL(pool, tenant, level, said):
    banter = pool(workers=1, log_level=level)
    assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 200
    assert health(banter.socket) == 200
    assert (" request=" in banter.text()) == said


# A log that is not read, not there, full, or moved away.


class Apart(Banter):
    """A pool with a /dev/log of the test's own, which nobody else sees: in a mount namespace."""

    name = "apart"
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    # The devices that a program wants, by their names, and the test's folder beside them.
    own_devices = """
        mount -t tmpfs tmpfs "$0/dev" && mkdir "$0/dev/shm" "$0/dev/logs" && mount --bind "$0/logs" "$0/dev/logs" &&
        ln -s logs/socket "$0/dev/log" && ln -s /proc/self/fd "$0/dev/fd" &&
        for one in null zero random urandom; do : >"$0/dev/$one" && mount --bind "/dev/$one" "$0/dev/$one" || exit; done &&
        mount --rbind "$0/dev" /dev && exec "$@"
    """

    def spawn(self, command, env=None, **options):
        for one in "dev", "logs":
            (self.folder / one).mkdir(exist_ok=True)
        super().spawn([*self.unshare, "sh", "-c", self.own_devices, self.folder, *command], env, **options)

    def listen(self):
        """The daemon behind /dev/log: what comes waits in the socket until the test reads it."""
        path = self.folder / "logs" / "socket"
        path.unlink(missing_ok=True)
        daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        daemon.bind(str(path))
        path.chmod(0o666)
        return daemon


def heard(daemon):
    """All that waits there."""
    lines = []
    with contextlib.suppress(BlockingIOError):
        while True:
            lines.append(daemon.recv(4096).decode())
    return lines


@pytest.fixture
def apart(database, standin):
    """apart(**settings) -> Apart: a pool that logs to syslog."""
    if subprocess.run([*Apart.unshare, "true"], capture_output=True).returncode:
        pytest.skip("this user may not have a /dev of its own")
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            contextlib.closing(Apart(database.url(), standin.url, log="syslog", **settings)))


def test_a_syslog_daemon_that_lives_and_does_not_read_stops_nobody(apart, tenant):
    """More lines than it takes; then a reload, a death and SIGTERM are heard as ever, and what was lost is counted."""
    banter = apart(workers=2)
    assert "the log's lines go to standard error: /dev/log: " in banter.text()
    daemon = banter.listen()
    for _ in range(80):
        assert chat(banter.socket, tenant, script("hello", tokens=["a"])).json()["message"] == "a"
    first = set(banter.children())
    banter.process.send_signal(signal.SIGUSR1)
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: len(banter.children()) == 2 and not first & set(banter.children()), "the exchange of the workers")
    os.kill(banter.children()[0], signal.SIGKILL)
    until(lambda: len(banter.children()) == 2, "a replacement")
    lines = heard(daemon)
    assert len(lines) < 80
    assert all(re.match(r"<\d+>\w{3} [ \d]\d \d\d:\d\d:\d\d banter\[\d+\]: ", line) for line in lines)
    assert any(" path=/v1/chat status=200" in line for line in lines)
    banter.process.send_signal(signal.SIGUSR1)
    until(lambda: any("nobody read the log: " in line for line in heard(daemon)), "what the master lost")
    for _ in range(80):
        assert chat(banter.socket, tenant, script("hello", tokens=["a"])).json()["message"] == "a"
    assert banter.end() == 0


def test_a_syslog_daemon_that_is_started_again_is_found(apart, tenant):
    banter = apart(workers=1)
    daemon = banter.listen()

    def line(daemon):
        request = name("request")
        assert chat(banter.socket, tenant, script("hello", tokens=["a"]), HTTP_X_REQUEST_ID=request).status == 200
        lines = []
        until(lambda: lines.extend(heard(daemon)) or any(f" request={request} " in line for line in lines), "its line")
        return lines

    line(daemon)
    daemon.close()
    request = name("request")
    assert chat(banter.socket, tenant, script("hello", tokens=["a"]), HTTP_X_REQUEST_ID=request).status == 200
    # Nobody is there: standard error has it.
    until(lambda: f" request={request} " in banter.text(), "its line on standard error")
    daemon = banter.listen()
    assert "1 of this process's lines are missing here" in "".join(line(daemon))


def test_BANTER_LOG_may_be_a_file_that_is_moved_away(pool, tenant, tmp_path, model):
    """As logrotate does it: every process, one that drains too, writes into the new one from its next line on."""
    log = tmp_path / "banter.log"
    banter = pool(workers=2, log=log)

    def ask():
        request = name("request")
        assert chat(banter.socket, tenant, script("hello", tokens=["a"]), HTTP_X_REQUEST_ID=request).status == 200
        return f" request={request} "

    first, gate, mark = ask(), name("gate"), name()
    until(lambda: first in log.read_text(), "its line")
    request = name("request")
    running = stream(banter.socket, tenant, script(mark, tokens=["a", "b"], gates={"2": gate}), HTTP_X_REQUEST_ID=request)
    assert [running.event()["type"] for _ in range(2)] == ["start", "token"]
    old = log.rename(tmp_path / "banter.log.1")
    second = ask()
    until(lambda: log.exists() and second in log.read_text(), "its line in the new file")
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: "the settings are loaded again" in log.read_text(), "the reload")
    model.open_gate(gate)
    assert running.events()[-1]["type"] == "done"
    until(lambda: f" request={request} " in log.read_text(), "the line of the one that drained")
    assert second not in old.read_text() and request not in old.read_text()
    assert banter.end() == 0
    assert log.read_text().endswith(" drained\n")
    assert banter.text() == ""


def test_logrotate_with_the_files_of_the_page(pool, tenant, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    banter = pool(workers=1, log=logs / "banter.log")
    rules = tmp_path / "rules"
    rules.write_text(filled("operating/banter.logrotate", {
        "/var/log/banter": logs, "su banter banter": "", "create 640 banter banter": "create 640"}))
    for turn in range(3):
        request = name("request")
        assert chat(banter.socket, tenant, script("hello", tokens=["a"]), HTTP_X_REQUEST_ID=request).status == 200
        until(lambda: f" request={request} " in (logs / "banter.log").read_text(), "its line")
        subprocess.run(["/usr/sbin/logrotate", "--force", "--state", tmp_path / "state", rules], check=True)
        assert f" request={request} " in (logs / "banter.log.1").read_text()
    assert sorted(file.name for file in logs.iterdir()) == ["banter.log", "banter.log.1", "banter.log.2.gz", "banter.log.3.gz"]
    assert banter.text() == ""


def test_a_full_disk_costs_no_answer_and_is_said(pool, tenant, tmp_path):
    """The device that is always full in place of a file: standard error has the lines."""
    banter = pool(workers=1, log="/dev/full")
    request = name("request")
    assert chat(banter.socket, tenant, script("hello", tokens=["a"]), HTTP_X_REQUEST_ID=request).json()["message"] == "a"
    assert line_of(banter, request)["status"] == "200"
    text = banter.text()
    assert text.count("the log's lines go to standard error: /dev/full: No space left on device") == 2  # the master's, the worker's


def test_a_log_that_may_not_grow_ends_nobody(pool, tenant, tmp_path):
    """Beyond its limit a write is a signal too. What was cut is counted, once it may grow."""
    log = tmp_path / "banter.log"
    banter = pool(workers=1, log=log, worker_requests=0)
    (worker,) = banter.children()
    for pid in worker, banter.process.pid:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 50, resource.RLIM_INFINITY))
    for _ in range(3):
        assert chat(banter.socket, tenant, script("hello", tokens=["a"])).json()["message"] == "a"
    assert health(banter.socket) == 200  # the line of the request before it is written by now, or not
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert banter.children() == [worker]
    request = name("request")
    assert chat(banter.socket, tenant, script("hello", tokens=["a"]), HTTP_X_REQUEST_ID=request).status == 200
    lines = until(lambda: f" request={request} " in log.read_text() and log.read_text().splitlines(), "its line")
    assert re.search(r"the log could not be written \(File too large\): [34] of this process's lines are missing here", lines[-2])
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in lines)
