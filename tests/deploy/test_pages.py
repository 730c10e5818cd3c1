"""Every page of deploy/ as a person follows it: each command runs, in order, on a fresh Debian, and the last one shows
that it works."""

import json
import re
import shlex

import pytest

from fastcgi import chat
from page import SHOWN, Page
from servers import name as some_name
from servers import Tenant, script
from sandbox import ROOT, needs_root

# Followed elsewhere, with the reason and the test that does it.
ELSEWHERE = {
    "api": "its examples are asked of `make run`: tests/system/test_run.py",
    "containers": "no engine here; tests/system/test_containers.py checks what it names",
    "dev": "in a clone, not on a machine with the package: tests/system/test_dev.py",
    "front-ends": "a reference without commands; its files: tests/system/test_front_end_pages.py",
    "high-availability": "on four machines: tests/deploy/test_three_machines.py",
    "models": "a reference without commands; what servers answer: tests/system/test_model_quirks.py",
    "monitoring": "a reference without commands; what it names: tests/system/test_monitoring.py",
    "moving": "a reference without commands; a partition that moves: tests/system/test_shards_move.py",
    "operating": "a reference without commands; signals and exit codes: tests/system/test_pool.py",
    "promises": "a reference without commands; what is promised: tests/storm/test_storm.py",
    "scale": "a reference without commands; a router and its partitions: tests/system/test_shards.py; the plan: tests/bench/test_plan.py",
    "settings": "a reference without commands; what settings do: tests/system/test_settings.py",
    "shared-host": "on a host that is not one's own: tests/system/test_shared_host.py",
    "web-servers": "a reference without commands; what each does: tests/system/test_fronts.py",
    "widget": "in pages and in their back ends, besides two commands: tests/system/test_widget_manual.py",
}
# What Debian starts when the page's server is installed; here it is installed already, and does not run.
STARTED = {"apache": "apache2", "caddy": "caddy", "h2o": "h2o", "lighttpd": "lighttpd", "nginx": "nginx",
           "pgbouncer": "pgbouncer"}

README = Page(ROOT / "README.md", "Deploy")
WITHOUT_A_WEB_SERVER = {"backup", "multiwatch", "pgbouncer"}
PAGES = {path.parent.name: Page(path) for path in sorted(ROOT.glob("deploy/*/README.md"))}
FOLLOWED = [name for name in PAGES if name not in ELSEWHERE and name != "systemd"]


@pytest.mark.parametrize("name", [*PAGES, "README"])
def test_every_block_is_run_or_shown(name):
    page = PAGES.get(name, README)
    assert {kind for kind, _ in page.blocks} <= SHOWN | {"sh"}
    assert name in ELSEWHERE or page.hidden_commands() == []


def test_every_way_has_its_page():
    ways = {path.name for path in (ROOT / "deploy").iterdir() if path.is_dir()} - {"debian", "man", "run"}
    assert ways == set(PAGES)


@needs_root
def test_the_first_page(served, machine):
    """Followed by the fixture; the service it started comes up again with the machine."""
    assert PAGES["systemd"].commands()
    machine(served).run("systemctl is-active banter.socket && systemctl start banter.service")


@pytest.mark.parametrize("name", [name for name, reason in ELSEWHERE.items() if reason.startswith("a reference")])
def test_a_reference_has_no_commands(name):
    assert PAGES[name].commands() + PAGES[name].hidden_commands() == []


def test_what_is_followed_elsewhere_is():
    for reason in ELSEWHERE.values():
        assert (ROOT / re.search(r"tests/\S+\.py", reason)[0]).is_file(), reason


def tenant_of(box):
    values = dict(line.split("=", 1) for line in box.run("cat /root/banter-demo.env").stdout.splitlines())
    return Tenant(values["BANTER_WIDGET_KEY"], values["BANTER_WORKSPACE_KEY"], values["BANTER_CHATBOT_ID"])


def asks_through(box, health):
    """An exchange of each API, in the way of the page's curl, which asked for /health."""
    tenant, message = tenant_of(box), script(some_name("hello"), tokens=["fi", "ne"])
    for path, header, body in (
        ("/v1/chat/stream", f"x-api-key: {tenant.widget_key}", {"sessionId": "s-1", "message": message}),
        (f"/api/v1/chatbots/{tenant.chatbot}/chat", f"Authorization: Bearer {tenant.workspace_key}",
         {"message": message, "stream": True}),
    ):
        words = [word.replace("/health", path) for word in shlex.split(health)]
        answer = box.run(shlex.join([*words, "-H", header, "-d", json.dumps(body)])).stdout
        assert '"type":"done","message":"fine"' in answer, answer


@needs_root
@pytest.mark.parametrize("name", FOLLOWED)
def test_a_page(name, served, machine):
    """What it set up then answers both APIs: through its web server, or straight from the pool where it has none."""
    page, box = PAGES[name], machine(served)
    if name in STARTED:
        box.run(f"systemctl enable --now {STARTED[name]}")
    page.follow(box)
    last = page.commands()[-1].strip().splitlines()[-1]
    if name in WITHOUT_A_WEB_SERVER:
        path = f"/proc/{box.init}/root/run/banter/banter.sock"
        assert chat(path, tenant_of(box), script(some_name("hello"), tokens=["fine"])).json()["message"] == "fine"
    else:
        assert re.match(r"curl .*-f.*/health$|curl --fail .*/health$", last), "its last command shows that it works"
        asks_through(box, last)


@needs_root
def test_the_commands_of_the_README(with_clone):
    """Its section "Deploy", in a clone on a machine that has nothing of Banter's."""
    assert README.commands(), "the README says how to install it"
    README.follow(with_clone, "/root/banter")
    with_clone.run("banterctl --version")
