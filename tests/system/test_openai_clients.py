"""OpenAI's protocol as its own library and others' speak it, against a real site: O1 to O4."""

import json
import os
import pathlib
import subprocess

import pytest
import servers
from servers import name, script

FRONT_ENDS = pathlib.Path(__file__).parent / "front_ends"
MODULES = servers.ROOT / "build" / "npm-front-ends" / "node_modules"
LIBRARIES = ["openai", "vercel"]
TOKENS = ["plain ", "data: x\n\n", "\u65e5\u672c\u8a9e ", "\U0001f469\u200d\U0001f680", "\u2028 ", "x" * 1500]


@pytest.fixture(scope="session", autouse=True)
def modules():
    lock, done = FRONT_ENDS / "package-lock.json", MODULES / ".done"
    assert done.exists() and done.read_bytes() == lock.read_bytes(), "deploy/packages.sh test installs npm's packages"


def run(library, site, message, *conversation, key=None, model=None):
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        ["node", FRONT_ENDS / "openai.mjs", MODULES, library, site.url, key or site.tenant.workspace_key, model or site.tenant.chatbot,
         message, *conversation], capture_output=True, text=True, timeout=servers.PATIENCE, env=environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("library", LIBRARIES)
def test_O1_a_library_reads_streams_and_answers(site, library):
    said = run(library, site, script(name(), tokens=TOKENS))
    assert "error" not in said, said["error"]
    assert said["streamed"] == said["whole"] == "".join(TOKENS)
    assert said["pieces"] == len(TOKENS) and said["reason"] == "stop"
    assert any(value for value in said["usage"].values())
    if library == "openai":
        assert said["models"] == [site.tenant.chatbot]
    assert [row["state"] for row in site.exchanges()] == ["done", "done"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_O1_an_error_in_mid_stream_is_one_for_a_library(site, library):
    said = run(library, site, script(name(), tokens=["We"], cut_after=1))
    assert said["streamed"] == "We" and "Internal server error" in said["error"]["message"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_O1_a_library_understands_refusals(site, library):
    said = run(library, site, "x", key="sk-none")["error"]
    assert said["status"] == 401 and "Incorrect API key" in said["message"]
    said = run(library, site, "x", model="none")["error"]
    assert said["status"] == 404 and "does not exist" in said["message"]
    site.configure(rate_limit=1, rate_window=100)
    assert site.chatbot("Hello").status_code == 200
    assert run(library, site, "x")["error"]["status"] == 429


@pytest.mark.parametrize("library", LIBRARIES)
def test_O4_a_library_goes_on_with_a_conversation(site, library):
    called, word = name(), name()
    for turn in range(2):
        said = run(library, site, script(f"{word}-{turn}", tokens=["x"]), called)
        assert said["streamed"] == "x"
    assert len({row["conversation"] for row in site.exchanges()}) == 1
    assert len([one for one in site.model.wait(f"{word}-1")["body"]["messages"] if one["role"] != "system"]) == 3
