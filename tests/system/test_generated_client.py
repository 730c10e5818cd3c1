"""A client that is made of the API's description as it is served, by npm's openapi-typescript and openapi-fetch: G12."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
import servers

HERE = pathlib.Path(__file__).parent / "generated"
MODULES = servers.ROOT / "build" / "npm-generated" / "node_modules"


def node(*words, **how):
    """What the program says; it must be well."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(["node", *words], capture_output=True, text=True, timeout=servers.PATIENCE, env=environment, **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def client(shared_site, tmp_path_factory):
    """The program client.ts, with the description's types: what these do not have, it cannot name."""
    lock, done = HERE / "package-lock.json", MODULES / ".done"
    assert done.exists() and done.read_bytes() == lock.read_bytes(), "deploy/packages.sh test installs npm's packages"
    folder = tmp_path_factory.mktemp("generated")
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "package.json").write_text('{"type":"module"}')
    (folder / "openapi.json").write_bytes(shared_site.request("GET", "/v1/openapi.json", key=False).content)
    for name in ("client.ts", "node.d.ts"):
        shutil.copy(HERE / name, folder)
    node(MODULES / "openapi-typescript/bin/cli.js", "openapi.json", "--output", "banter.ts", cwd=folder)
    node(MODULES / "typescript/bin/tsc", "--strict", "--skipLibCheck", "--noUncheckedIndexedAccess", "--module", "nodenext", "--target", "es2022",
         "--lib", "es2022,dom", "client.ts", "node.d.ts", cwd=folder)
    return folder / "client.js"


def test_G12_a_client_that_is_made_of_the_description_works(site, client):
    tenant = site.tenant
    said = json.loads(node(client, site.url, tenant.widget_key, tenant.workspace_key, tenant.chatbot))
    answer = said["whole"]
    assert answer and said["streamed"][0] == "start" and said["streamed"][-1] == "".join(said["streamed"][1:-1])
    assert said["list"] == {"session": "generated", "messages": ["Hello", "done"] * 2}
    assert said["refusals"] == [401, "Unauthorized", 404, "CHATBOT_NOT_FOUND"]
