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


# What is asked of them


@pytest.fixture
def other(tmp_path):
    """A second stand-in, which wants a key of its own; `.key` is the file it is in."""
    key = tmp_path / "other-key"
    key.write_text(SECRET)
    server = servers.StandIn("--key-file", key)
    server.key = key
    yield server
    server.close()


@pytest.fixture
def lists(postgres, tenant):
    """lists("a", "b"): the chatbot asks these, in this order."""
    return lambda *names: postgres.run(
        "update banter_data.chatbot set servers = %s where chatbot = %s", list(names) or None, tenant.chatbot)


def test_a_server_is_asked_as_its_section_says(pool, tenant, model, other, lists, conf):
    """By its own name for the model, with its own key, headers and members, and with nothing of the default one's."""
    path = conf(f'[other]\nURL={other.url}\nKEY_FILE={other.key}\nHEADERS=X-Team: a\nMEMBERS={{"top_p":0.5}}\n'
                "MODELS=gpt-4o-mini=theirs\n")
    banter = pool(workers=1, model_servers=path, model_key="ours", model_members='{"seed":1}', model_headers="X-Ours: 1")
    lists("other")
    text = servers.name("there")
    assert chat(banter.socket, tenant, script(text, tokens=["a"])).status == 200
    asked = other.control.wait(text)
    assert asked["headers"]["authorization"] == f"Bearer {SECRET}"
    assert asked["headers"]["x-team"] == "a" and "x-ours" not in asked["headers"]
    assert (asked["body"]["model"], asked["body"]["top_p"], "seed" in asked["body"]) == ("theirs", 0.5, False)
    lists()
    text = servers.name("here")
    assert chat(banter.socket, tenant, script(text, tokens=["a"])).status == 200
    asked = model.wait(text)
    assert asked["headers"]["authorization"] == "Bearer ours"
    assert (asked["body"]["model"], "top_p" in asked["body"], asked["body"]["seed"]) == ("gpt-4o-mini", False, 1)
    assert SECRET not in banter.text()


def test_the_first_of_the_list_that_has_the_model_is_asked(pool, postgres, tenant, model, other, lists, conf):
    path = conf(f"[other]\nURL={other.url}\nKEY_FILE={other.key}\nMODELS=special\n")
    banter = pool(workers=1, model_servers=path)
    lists("gone", "other", "default")
    for name, asked in ((None, model), ("special", other.control)):
        postgres.run("update banter_data.chatbot set model = %s where chatbot = %s", name, tenant.chatbot)
        text = servers.name("which")
        assert chat(banter.socket, tenant, script(text, tokens=["a"])).status == 200
        assert asked.wait(text)["body"]["model"] == (name or "gpt-4o-mini")


def test_a_reload_takes_a_new_server(pool, tenant, model, other, lists, conf):
    path = conf(GOOD)
    banter = pool(workers=1, model_servers=path)
    lists("other", "default")
    text = servers.name("before")
    assert chat(banter.socket, tenant, script(text, tokens=["a"])).status == 200
    assert model.wait(text)
    path.write_text(f"[other]\nURL={other.url}\nKEY={SECRET}\n")
    [old] = banter.children()
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: old not in banter.children(), "the new worker")
    text = servers.name("after")
    assert chat(banter.socket, tenant, script(text, tokens=["a"])).status == 200
    assert other.control.wait(text)


def test_a_servers_own_time_ends_its_request_and_is_named(pool, tenant, other, lists, conf):
    path = conf(f"[other]\nURL={other.url}\nKEY_FILE={other.key}\nFIRST_TIME=300ms\n")
    banter = pool(workers=1, model_servers=path)
    lists("other")
    assert chat(banter.socket, tenant, script("hello", hang=True)).status == 500
    until(lambda: "the model did not begin to answer in time ([other] FIRST_TIME)" in banter.text(), "its line in the log")


def test_a_servers_own_authority_vouches_for_it(pool, tenant, lists, conf, tmp_path):
    """Its path begins beside the file of servers."""
    pem, key = tmp_path / "cert.pem", tmp_path / "cert.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem],
                   check=True, capture_output=True)
    server = servers.StandIn("--tls-cert", pem, "--tls-key", key, verify=str(pem))
    try:
        banter = pool(workers=1, model_servers=conf(f"[safe]\nURL={server.url}\nCA={pem.name}\n[unsafe]\nURL={server.url}\n"))
        for name, status in (("safe", 200), ("unsafe", 500)):
            lists(name)
            assert chat(banter.socket, tenant, script("hello", tokens=["a"])).status == status
    finally:
        server.close()
