"""`make run` as a person has it: in a clone of its own, from the first line to Ctrl-C."""

import base64
import hashlib
import html
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

import pytest
import requests

import servers
from servers import BUILD, ROOT, until


def process_sessions(session):
    """All processes, by id, that belong to that session or descend from it, by what /proc says."""
    parents, found = {}, set()
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            state, parent, _, its_session = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state == "Z":
            continue
        parents[int(entry.name)] = int(parent)
        if int(its_session) == session:
            found.add(int(entry.name))
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Clone:
    """The working tree's files under a folder of its own, with the binaries as if just built."""

    def __init__(self, folder):
        self.folder = folder
        listed = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True).stdout
        for path in filter(None, listed.decode().split("\0")):
            if (ROOT / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, folder / path)
        old = time.time() - 86400
        for path in folder.rglob("*"):
            os.utime(path, (old, old))
        (folder / "build").mkdir()
        # Objects too, else make builds them all again; newest last, as make would have.
        if (BUILD / "obj").is_dir():
            shutil.copytree(BUILD / "obj", folder / "build" / "obj")
        for program in ("banter.fcgi", "banterctl", "banter-model"):
            shutil.copy(BUILD / program, folder / "build" / program)
        for path in (folder / "build").rglob("*"):
            if path.is_file() and path.suffix != ".d":
                os.utime(path, (old + 60, old + 60) if path.suffix in (".o", ".c", ".stamp") or "web" in path.parts else None)

    def start(self, port, **env):
        return Running(self, port, env)


class Running:
    """One `make run`, in a session of its own."""

    def __init__(self, clone, port, env):
        self.clone = clone
        handle, path = tempfile.mkstemp(prefix="make-run-", suffix=".log", dir=clone.folder)
        os.close(handle)
        self.log = pathlib.Path(path)
        base = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "LANG") if name in os.environ}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                base[name] = os.environ[name]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["make", "run"], cwd=clone.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**base, "PORT": str(port), "BANTER_WORKERS": "4", **env})

    def text(self):
        return self.log.read_text(errors="replace")

    def curl_line(self):
        """The line to paste, once it is printed."""

        def printed():
            assert self.process.poll() is None, f"make run ended by itself:\n{self.text()}"
            return next((line for line in self.text().splitlines() if line.startswith("curl ")), None)

        try:
            return until(printed, "the curl line", 180)
        except AssertionError as late:
            raise AssertionError(f"{late}:\n{self.text()}") from late

    def parts(self):
        """Every process it started: its session's, and those that descend from them."""
        return process_sessions(self.process.pid)

    def stop(self):
        """SIGTERM to make, as a supervisor would send it. Whatever it had started must be gone soon."""
        mine = {pid: command for pid in self.parts() if (command := name_of(pid))}  # not what just ended
        assert len(mine) > 6, mine
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(servers.PATIENCE)
        until(lambda: not any(name_of(pid) == command for pid, command in mine.items()), "the end of all parts")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(servers.PATIENCE)


@pytest.fixture(scope="module")
def clone():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="banter-clone-", dir="/tmp"))
    folder.chmod(0o755)
    yield Clone(folder)
    shutil.rmtree(folder)


@pytest.fixture
def make_run(clone):
    started = []

    def begin(port=None, **env):
        started.append(clone.start(port or servers.free_port(), **env))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def paste(line, cwd="/"):
    """Runs the printed line through a shell; the events it printed."""
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=servers.PATIENCE, cwd=cwd,
                          env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    return [json.loads(event) for event in done.stdout.splitlines() if event]


def test_make_run_from_the_first_line_to_the_end(make_run, clone):
    """The printed line works as it stands; `build/run/env` can be sourced; a second run keeps the data."""
    port = servers.free_port()
    first = make_run(port)
    line = first.curl_line()
    events = paste(line)
    assert [events[0]["type"], events[-1]["type"]] == ["start", "done"]
    assert "".join(event["token"] for event in events[1:-1]) == events[-1]["message"]
    assert f"http://127.0.0.1:{port}/v1/chat/stream" in line
    said = first.text()
    for step in ("database", "schema", "demo", "model", "pool", "web"):
        assert re.search(rf"^  {step} +\S", said, re.M), step

    env = clone.folder / "build" / "run" / "env"
    assert env.stat().st_mode & 0o777 == 0o600
    asked = (
        '. build/run/env && curl -q -sS --noproxy "*" "$BANTER_URL/v1/chat" -H "x-api-key: $BANTER_WIDGET_KEY"'
        """ -d '{"sessionId":"me","message":"How much have you seen?"}'""")
    [answer] = paste(asked, clone.folder)
    assert answer["conversationId"] == events[0]["conversationId"]

    first.stop()
    assert "stopped; the data is kept" in first.text()
    assert not env.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0

    second = make_run(port)
    assert second.curl_line() == line  # the same key, too
    again = paste(line)
    assert again[0]["conversationId"] == events[0]["conversationId"]
    # The stand-in's friendly voice tells how much history it saw: it must have grown.
    numbers = [int(n) for n in re.findall(r"\d+", again[-1]["message"])]
    assert numbers and max(numbers) >= 4, again[-1]["message"]
    second.stop()
    assert "stopped; the data is kept" in second.text()


def test_Ctrl_C_lets_a_running_stream_end_and_stops_everything(make_run, clone, standin, model):
    """A terminal sends SIGINT to the whole foreground group."""
    running = make_run(BANTER_MODEL_URL=standin.url)
    running.curl_line()
    mine = running.parts()
    assert len(mine) > 6
    gate = servers.name("gate")
    message = servers.script("Hello", tokens=["a", "b"], gates={"2": gate})
    asked = (
        '. build/run/env && exec curl -q -sS --no-buffer --noproxy "*" "$BANTER_URL/v1/chat/stream"'
        ' -H "x-api-key: $BANTER_WIDGET_KEY" -d "$0"')
    with subprocess.Popen(["sh", "-c", asked, json.dumps({"sessionId": "ends", "message": message})], text=True,
                          stdout=subprocess.PIPE, cwd=clone.folder, env={"PATH": os.environ["PATH"]}) as client:
        assert [json.loads(client.stdout.readline())["type"] for _ in range(2)] == ["start", "token"]
        os.killpg(running.process.pid, signal.SIGINT)
        until(lambda: "stopping" in running.text(), "the signal's arrival")
        model.open_gate(gate)
        assert json.loads(client.stdout.readlines()[-1])["type"] == "done"
    running.process.wait(servers.PATIENCE)
    until(lambda: not running.parts() & mine, "the end of all parts")
    assert "stopped; the data is kept" in running.text()


def demo_page(running):
    """(its address, the page, its policy, its widget's address, its key): of the address that is printed first."""
    running.curl_line()
    address = next(line for line in running.text().partition("Banter is up.")[2].splitlines() if line.startswith(("http", "curl")))
    reply = requests.get(address, timeout=servers.PATIENCE)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    [(src, key)] = re.findall(r'^<script src="([^"]+)" data-key="(pk-site_\w+)"\s[^>]*defer></script>$', reply.text, re.M)
    assert "@" not in re.sub(r"@(media|supports)", "", reply.text)
    return address, reply.text, reply.headers["Content-Security-Policy"], urllib.parse.urljoin(address, src), key


def ask_as_page(url, key, origin):
    reply = requests.post(f"{url}/v1/ui", timeout=servers.PATIENCE, headers={"x-api-key": key, "Origin": origin}, json={
        "id": "main", "messages": [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "Hello"}]}]})
    return reply.status_code, reply.text.endswith("data: [DONE]\n\n")


def test_the_demo_is_what_is_printed_first_and_a_page_may_chat_there(make_run, clone):
    """On 127.0.0.1 and on localhost, and after a start on another port too, with the same key. Others may not."""
    for number in range(2):
        port = servers.free_port()
        running = make_run(port)
        address, page, policy, widget, key = demo_page(running)
        assert address == f"http://127.0.0.1:{port}/demo"
        assert requests.get(widget, timeout=servers.PATIENCE).headers["Content-Type"].startswith("text/javascript")
        assert html.escape(f'<script src="{widget}" data-key="{key}" defer></script>', quote=False) in page
        for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
            assert ask_as_page(f"http://127.0.0.1:{port}", key, origin) == (200, True)
        assert ask_as_page(f"http://127.0.0.1:{port}", key, "http://127.0.0.1:1")[0] == 403
        if number:
            assert key == before and ask_as_page(f"http://127.0.0.1:{port}", key, f"http://127.0.0.1:{port_before}")[0] == 403
        before, port_before = key, port
        inline = requests.get(f"{address}/inline", timeout=servers.PATIENCE).text
        assert 'data-inline="#chat"' in inline and 'data-inline' not in page and 'id="chat"' in inline
        # The page lives by what the widget promises: no source of styles but the page's own, and nothing of other places.
        style = base64.b64encode(hashlib.sha256(re.search(r"<style>(.*)</style>", page, re.S)[1].encode()).digest()).decode()
        assert f"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-{style}';" in policy
        shown = subprocess.run(
            ["sh", "-c", '. build/run/env; build/banterctl chatbot show "$BANTER_CHATBOT_ID"'], capture_output=True, text=True,
            cwd=clone.folder, timeout=servers.PATIENCE, env={"PATH": os.environ["PATH"]}).stdout
        assert re.search(r"on leave +finish", shown), shown
        running.stop()


def test_the_demo_of_a_folder_of_a_site(make_run):
    """What BANTER_PATH_PREFIX names; the page lies where it always does."""
    address, _, _, widget, key = demo_page(make_run(BANTER_PATH_PREFIX="/chatter"))
    url = address.removesuffix("/demo") + "/chatter"
    assert widget == f"{url}/banter.js" and requests.get(widget, timeout=servers.PATIENCE).ok
    assert ask_as_page(url, key, address.removesuffix("/demo")) == (200, True)


def test_settings_of_the_environment_reach_the_pool(make_run):
    running = make_run(BANTER_ADDRESS_LIMIT="1", BANTER_ADDRESS_WINDOW="1h", BANTER_PATH_PREFIX="/chatter",
                       BANTER_WORKERS="2:6")
    line = running.curl_line()
    assert "2:6 workers" in running.text()
    assert "/chatter/v1/chat/stream" in line
    assert paste(line)[-1]["type"] == "done"
    assert paste(line) == [{"error": "Too many requests"}]


def one_line(running):
    """A start that fails: its exit code, and what it said besides make's own last word."""
    code = running.process.wait(120)
    return code, [line for line in running.text().splitlines() if not line.startswith("make")]


def test_a_taken_port_is_one_clear_line(make_run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, lines = one_line(make_run(port))
    assert code != 0
    assert lines == [f"banter: port {port} is taken: PORT={port + 1} make run"]


def test_a_port_that_is_none_is_one_clear_line(make_run):
    code, lines = one_line(make_run("http"))
    assert code != 0
    assert lines == ["banter: PORT=http is not a port: 1 to 65535"]


def test_a_second_make_run_in_the_same_folder_is_one_clear_line(make_run):
    first = make_run()
    first.curl_line()
    code, lines = one_line(make_run())
    assert code != 0
    assert len(lines) == 1 and "make run is already running in this folder" in lines[0]
    assert paste(first.curl_line())[-1]["type"] == "done"


def test_a_wrong_setting_says_so_and_leaves_nothing_running(make_run):
    running = make_run(BANTER_HEARTBEAT="often")
    code, lines = one_line(running)
    assert code != 0
    assert any("BANTER_HEARTBEAT must be seconds" in line for line in lines), lines
    until(lambda: not running.parts(), "the end of all parts")


def test_what_a_killed_run_left_behind_does_not_hinder_the_next(make_run):
    """kill -9 of the script: its parts end, and the next run starts."""
    running = make_run()
    running.curl_line()
    mine = running.parts()
    [script] = [pid for pid in mine if "deploy/run.sh" in name_of(pid) and os.getpgid(pid) == running.process.pid]
    os.kill(script, signal.SIGKILL)
    assert running.process.wait(servers.PATIENCE) != 0
    following = make_run()
    assert paste(following.curl_line())[-1]["type"] == "done"
    until(lambda: not running.parts() & mine, "the end of the killed run's parts")


def test_make_run_prints_a_line_for_the_chatbot_api_too(make_run, clone):
    """It streams as it stands, and build/run/env names its key and its chatbot."""
    running = make_run()
    running.curl_line()
    line = until(lambda: next((l for l in running.text().splitlines() if l.startswith("curl ") and "/api/" in l), None), "its line")

    def events(text):
        done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=servers.PATIENCE, cwd=clone.folder,
                              env={"PATH": os.environ["PATH"]})
        assert done.returncode == 0, done.stderr
        return [json.loads(one[6:]) for one in done.stdout.splitlines() if one.startswith("data: ")]

    asked = (
        '. build/run/env && curl -q -sS --noproxy "*" "$BANTER_URL/api/v1/chatbots/$BANTER_CHATBOT_ID/chat"'
        """ -H "Authorization: Bearer $BANTER_WORKSPACE_KEY" -d '{"message":"Hello","stream":true}'""")
    for text in (line, asked):
        streamed = events(text)
        assert [streamed[0]["type"], streamed[-1]["type"]] == ["start", "done"]
        assert streamed[-1]["messageId"] == streamed[0]["messageId"]
    # What the API's page promises of a chatbot with a rate limit.
    headers = subprocess.run(["sh", "-c", asked + " --include"], capture_output=True, text=True, timeout=servers.PATIENCE,
                             cwd=clone.folder, env={"PATH": os.environ["PATH"]}).stdout
    assert re.search(r"^X-RateLimit-Limit: 60\r?$", headers, re.M) and "X-RateLimit-Remaining: 5" in headers, headers
    # A newcomer sources the file and types the command, no more.
    doctor = subprocess.run(
        ["sh", "-c", ". build/run/env; build/banterctl doctor --json"], capture_output=True, text=True,
        cwd=clone.folder, timeout=servers.PATIENCE, env={"PATH": os.environ["PATH"]})
    assert not [finding for finding in json.loads(doctor.stdout) if finding["verdict"] in ("wrong", "warning")], doctor.stdout
    assert "no setting" not in doctor.stdout + doctor.stderr


def test_a_shell_that_sourced_build_run_env_has_the_settings_and_runs_it_again(make_run, clone, tmp_path):
    """All settings of the pool are in the file; what was private to a run that has ended is no setting of the next one."""
    listed = tmp_path / "servers.conf"
    listed.write_text(f"[other]\nURL=http://127.0.0.1:{servers.free_port()}/v1\n")
    first = make_run(BANTER_MODEL_SERVERS=str(listed), BANTER_MODEL="of the caller's")
    first.curl_line()
    shell = subprocess.run(["sh", "-c", ". build/run/env; env -0"], capture_output=True, text=True, cwd=clone.folder,
                           timeout=servers.PATIENCE, env={"PATH": os.environ["PATH"]}, check=True).stdout
    sourced = dict(line.split("=", 1) for line in shell.split("\0") if line.startswith("BANTER_"))
    assert sourced["BANTER_MODEL_SERVERS"] == str(listed) and sourced["BANTER_MODEL"] == "of the caller's"
    first.stop()
    second = make_run(**sourced)
    assert paste(second.curl_line())[-1]["type"] == "done"
    for step in (r"database +PostgreSQL \d+, private", "model +the stand-in"):
        assert re.search(step, second.text()), second.text()


def examples():
    """The commands of the two pages that show the API: what a newcomer pastes into another terminal, in order."""
    front = (ROOT / "README.md").read_text().partition("\n## The API by example\n")[2].partition("\n## ")[0]
    blocks = {"README": front, "api": (ROOT / "deploy" / "api" / "README.md").read_text()}
    found = {page: re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S) for page, text in blocks.items()}
    assert all(len(commands) >= 2 for commands in found.values())
    return found


def test_the_examples_of_the_README_and_of_the_APIs_page(make_run, clone):
    """Each, as it stands, is answered to its end."""
    make_run().curl_line()
    for page, commands in examples().items():
        for number, command in enumerate(commands):
            done = subprocess.run(["sh", "-e", "-c", f". build/run/env\n{command}"], capture_output=True, text=True,
                                  timeout=servers.PATIENCE, cwd=clone.folder, env={"PATH": os.environ["PATH"]})
            assert done.returncode == 0, (page, number, done.stderr)
            if "curl" in command:
                assert re.search(r'"type":"done"|^\{"conversationId":"[^"]+","message":"|^\{"success":true,', done.stdout), (
                    page, number, done.stdout)
