"""The page of three database machines as a person follows it, on three and on Banter's own, with a network between them.
What Patroni does when a machine is lost under load: tests/storm/test_high_availability.py. In `tests/run ha_long`."""

import os
import subprocess

import pytest
from fastcgi import chat
from page import Page
from sandbox import ROOT, needs_root, until
from servers import name, script
from test_pages import tenant_of

PAGE = Page(ROOT / "deploy/high-availability/README.md")
SERVICE = Page(ROOT / "deploy/systemd/README.md")
NETWORK = "10.0.0"


def connect(boxes):
    """boxes: last number of the address: machine. A switch in the first one's network, and a line from it to each."""
    first = next(iter(boxes.values()))
    first.run("ip link add switch type bridge && ip link set switch up")
    for number, box in boxes.items():
        subprocess.run(["nsenter", "--target", str(first.init), "--net", "ip", "link", "add", f"to{number}", "type", "veth",
                        "peer", "name", "line", "netns", str(box.init)], check=True)
        first.run(f"ip link set to{number} master switch up")
        box.run(f"ip address add {NETWORK}.{number}/24 dev line && ip link set line up")


@needs_root
@pytest.mark.skipif(not os.environ.get("BANTER_TEST_LONG"), reason="takes minutes: tests/run ha_long")
def test_the_page_of_three_machines(installed, machine):
    boxes = {number: machine(installed) for number in (10, 1, 2, 3)}
    connect(boxes)
    home, databases = boxes[10], [boxes[number] for number in (1, 2, 3)]
    database, listed, roles, service = PAGE.commands()
    for number, box in enumerate(databases, 1):
        first = "here=db1 address=10.0.0.1 "
        assert database.startswith(first)
        box.run("set -e\n" + database.replace(first, f"here=db{number} address={NETWORK}.{number} "))
    until(lambda: databases[0].run(listed, check=False).stdout.count("Sync Standby") == 1, "a synchronous standby")

    (leader,) = (box for number, box in enumerate(databases, 1)
                 if box.run(f"curl -sf http://{NETWORK}.{number}:8008/primary", check=False).returncode == 0)
    leader.run(roles)
    home.run("systemctl disable --now postgresql")
    home.run("set -e\n" + "".join([service, *SERVICE.commands()[1:]]))
    path, tenant = f"/proc/{home.init}/root/run/banter/banter.sock", tenant_of(home)

    def answer():
        return chat(path, tenant, script(name("hello"), tokens=["fine"]))

    assert answer().json()["message"] == "fine"
    leader.halt()
    until(lambda: answer().status == 200, "another primary")
