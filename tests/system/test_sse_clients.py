"""Other people's readers of server-sent events against a real site, each used as its own page has it: a stream is read whole,
and however long the model is silent it is asked once."""

import json
import os
import pathlib
import subprocess
import threading

import pytest
import servers
from apis import Chatbot
from servers import name, script
from site_client import Site

CLIENTS = pathlib.Path(__file__).parent / "clients"
MODULES = servers.ROOT / "build" / "npm" / "node_modules"
# Each is a reader of clients/sse_clients.mjs.
NPM = sorted(json.loads((CLIENTS / "package.json").read_text())["dependencies"])
TOKENS = ["plain ", "data: x\n\n", ": no comment\r\n", "\u65e5\u672c\u8a9e ", "\U0001f469\u200d\U0001f680 ", "\u2028\u0085",
          "x" * 1500, "\u65e5" * 1500]


@pytest.fixture(scope="module")
def beating(postgres, database, standin):
    site = Site.start(postgres, database.url(), standin, workers=4, heartbeat=0.05)
    yield site
    site.close()


@pytest.fixture
def site(beating):
    return beating.for_new_tenant()


@pytest.fixture(scope="session")
def modules():
    lock = CLIENTS / "package-lock.json"
    done = MODULES / ".done"
    assert done.exists() and done.read_bytes() == lock.read_bytes(), "deploy/packages.sh test installs npm's packages"
    return MODULES


def curl(url, key, message):
    command = ["curl", "--no-buffer", "-sS", "--noproxy", "*", "-X", "POST", url, "-H", f"Authorization: Bearer {key}", "-H",
               "Content-Type: application/json", "-d", json.dumps({"message": message, "stream": True})]
    done = subprocess.run(command, capture_output=True, text=True, timeout=servers.PATIENCE, check=True)
    return [line[6:] for line in done.stdout.split("\n") if line.startswith("data: ")]


def python(url, key, message):
    with servers.session() as session:
        reply = session.post(url, headers={"Authorization": f"Bearer {key}"}, json={"message": message, "stream": True}, stream=True)
        return [line[6:] for line in reply.iter_lines() if line.startswith(b"data: ")]


def node(client, modules, url, key, message):
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    command = ["node", CLIENTS / "sse_clients.mjs", modules, client, url, key, message]
    done = subprocess.run(command, capture_output=True, text=True, timeout=servers.PATIENCE, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


def open_after_silence(site, mark, gates):
    """Opens each gate once a stream beside the one that waits there has seen several heartbeats."""
    for sent, gate in gates.items():
        site.model.wait(mark, tokens_sent=sent)
        own = name("gate")
        beside = Chatbot(site).stream(script("beside", tokens=["x"], gates={"1": own}))
        assert next(beside)["type"] == "start"
        beside.wait_beats(5)
        site.model.open_gate(gate)
        site.model.open_gate(own)
        beside.rest()


@pytest.mark.parametrize("client", ["curl", "requests", *NPM])
def test_S6_B2_real_clients_read_a_silent_models_answer_and_ask_once(site, client, request):
    """Heartbeats before the first token and between two; tokens of many sizes and scripts, cut anywhere."""
    mark = name()
    gates = {sent: name("gate") for sent in (0, 3)}
    message = script(mark, tokens=TOKENS, gates={str(sent + 1): gate for sent, gate in gates.items()})
    where = f"{site.url}{Chatbot(site).path(True)}", site.tenant.workspace_key, message
    opener = threading.Thread(target=open_after_silence, args=(site, mark, gates), daemon=True)
    opener.start()
    if client in NPM:
        said = node(client, request.getfixturevalue("modules"), *where)
    else:
        said = {"curl": curl, "requests": python}[client](*where)
    opener.join(servers.PATIENCE)
    events = [json.loads(one) for one in said]
    assert [event["type"] for event in events] == ["start", *["token"] * len(TOKENS), "done"]
    assert [event["token"] for event in events[1:-1]] == TOKENS
    assert events[-1]["message"] == "".join(TOKENS)
    assert len(site.model.requests(mark)) == 1
