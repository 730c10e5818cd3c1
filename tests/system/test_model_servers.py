"""More model servers than one: the file of them, as an operator writes and reloads it. What becomes of an exchange whose
first server fails is test_failover.py's."""

import os
import re
import signal
import subprocess

import pytest

import servers
from fastcgi import chat
from servers import BUILD, ROOT, script, until

SECRET = "sk-secretword-0123456789"
GOOD = "[a]\nURL=http://127.0.0.1:9/v1\n"


def check(path, *options):
    """banter.fcgi --check with that file of servers: its exit code, and what it says."""
    done = subprocess.run(
        [BUILD / "banter.fcgi", "--check", *options], capture_output=True, text=True, timeout=servers.PATIENCE,
        stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "BANTER_MODEL_SERVERS": str(path)})
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def conf(tmp_path):
    """conf(text) -> the path of a file with it, for its owner alone."""
    def write(text):
        path = tmp_path / "servers.conf"
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


@pytest.mark.parametrize("place", ["deploy/models/servers.conf", "deploy/models/README.md"])
def test_the_example_is_a_good_file(conf, tmp_path, place):
    text = (ROOT / place).read_text()
    if place.endswith(".md"):
        [text] = re.findall(r"^```ini\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "key").write_text(SECRET)
    assert "/etc/banter/hosted-key" in text
    assert check(conf(text.replace("/etc/banter/hosted-key", str(tmp_path / "key")))) == (0, "the settings are good\n")


def test_the_page_shows_what_the_example_has():
    """The one with its reasons and the one without say the same."""
    [page] = re.findall(r"^```ini\n(.*?)^```$", (ROOT / "deploy/models/README.md").read_text(), re.MULTILINE | re.DOTALL)
    example = (ROOT / "deploy/models/servers.conf").read_text()
    lines = [line for line in example.splitlines() if line and not line.startswith("#")]
    assert [line for line in page.splitlines() if line] == lines


@pytest.mark.parametrize("text, said", [
    (f"[a]\nURL={SECRET}\n", "line 2: [a] URL must be http(s)://HOST[:PORT][/PATH][?QUERY]"),
    (f"{GOOD}FIRST_TIME={SECRET}\n", "line 3: [a] FIRST_TIME must be seconds from 0.1 to 3600, or with a unit: ms, s, m, h"),
    (f"{GOOD}HEADERS={SECRET}\n", "line 3: [a] HEADERS must be NAME: VALUE, more in lines of their own or behind |"),
    (f"{GOOD}CA=relative.pem\n", "line 3: [a] CA must be the absolute path of a PEM file; empty: the system's"),
    (f"{GOOD}MODELS=x=\n", "line 3: [a] MODELS must be NAME or NAME=NAME-THERE, more behind commas; empty: any"),
    (f"{GOOD}{SECRET}\n", "line 3: [a] must be [NAME], NAME=value, blank, or begin with #"),
    (f"{GOOD}SECRETWORD0123={SECRET}\n",
     "line 3: [a] unknown name: a server has URL, KEY, KEY_FILE, HEADERS, HEADERS_FILE, MEMBERS, CA, CONNECT_TIME, "
     "FIRST_TIME, IDLE_TIME, OPEN, MODELS"),
    (f"{GOOD}KEY={SECRET}\nKEY_FILE=/dev/null\n", "line 4: [a] KEY and KEY_FILE are both set: leave one"),
    (f"{GOOD}KEY_FILE=/nonexistent\n", "line 3: [a] KEY_FILE: /nonexistent cannot be read: No such file or directory"),
    (f"KEY={SECRET}\n", "line 1: a line [NAME] must stand above it, the server's name"),
    (f"[{SECRET} x]\n", "line 1: a server's name must be 1 to 64 letters, digits, dots, _ or -"),
    (f"{GOOD}[default]\n", "line 3: [default] is the server of BANTER_MODEL_URL: give it another name"),
    (f"{GOOD}{GOOD}", "line 3: [a] stands above already"),
    (f"[a]\nKEY={SECRET}\n", "[a] has no URL"),
    ("".join(f"[s{n}]\nURL=http://h/v1\n" for n in range(16)), "line 31: one server too many: there may be 15"),
])
def test_what_is_wrong_is_named_with_its_place_and_without_the_value(conf, text, said):
    path = conf(text)
    code, out = check(path)
    assert (code, out) == (2, f"banter.fcgi: BANTER_MODEL_SERVERS: {path}: {said}\n")


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "none"
    assert check(path) == (
        2, f"banter.fcgi: BANTER_MODEL_SERVERS: {path}: cannot be read: No such file or directory\n")


def test_a_file_with_keys_that_everybody_may_read_is_warned_of(conf):
    path = conf(f"{GOOD}KEY={SECRET}\n")
    assert check(path) == (0, "the settings are good\n")
    path.chmod(0o644)
    code, out = check(path)
    assert (code, f"{path} holds secrets and everybody may read it: chmod o-r" in out, SECRET in out) == (0, True, False)
    path = conf(GOOD)
    path.chmod(0o644)
    assert check(path) == (0, "the settings are good\n")


def test_a_reload_with_a_wrong_file_keeps_all_old_settings(pool, tenant, conf):
    path = conf(GOOD)
    banter = pool(workers=1, model_servers=path)
    path.write_text(f"[a]\nKEY={SECRET}\n")
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: "[a] has no URL" in banter.text(), "the reload's refusal")
    assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == 200
    assert SECRET not in banter.text()
