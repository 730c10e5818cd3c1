"""Keys change while the pool runs: the model's by a reload, the API's at once."""

import json
import signal

from ctl import ctl
from fastcgi import chat, stream
from servers import Tenant, name, script, until
from test_settings import sent_key


def test_the_models_key_changes_with_its_file_and_a_reload(pool, tenant, model, tmp_path):
    path = tmp_path / "model-key"
    path.write_text("sk-the-old-one\n")
    banter = pool(workers=2, BANTER_MODEL_KEY_FILE=path)
    old, master = banter.children(), banter.process.pid
    assert sent_key(banter, model, tenant) == "Bearer sk-the-old-one"
    gate, text = name("gate"), name("running")
    running = stream(banter.socket, tenant, script(text, tokens=["a", "b"], gates={"2": gate}))
    assert [running.event()["type"] for _ in range(2)] == ["start", "token"]

    path.write_text("sk-the-new-one\n")
    banter.process.send_signal(signal.SIGHUP)
    until(lambda: len(set(banter.children()) & set(old)) == 1, "the end of the idle old worker")
    until(lambda: set(banter.children()) - set(old), "a worker with the new key")
    assert sent_key(banter, model, tenant) == "Bearer sk-the-new-one"
    model.open_gate(gate)
    assert [event["type"] for event in running.events()] == ["token", "done"]
    until(lambda: not set(banter.children()) & set(old), "the end of the worker with the old key")
    assert banter.process.pid == master and banter.process.poll() is None
    assert "sk-the" not in banter.text()


def test_an_API_key_is_exchanged_for_another_while_the_pool_runs(pool, postgres, tenant, model):
    """The new one works before the old one ends, and a running stream outlives its key."""
    banter = pool(workers=2)
    url = postgres.url("owner")
    old = postgres.run("select api_key from banter_data.api_key where workspace = %s and kind = 'widget'",
                       tenant.workspace)[0][0]
    gate, text = name("gate"), name("running")
    running = stream(banter.socket, tenant, script(text, tokens=["a", "b"], gates={"2": gate}))
    assert running.event()["type"] == "start"

    code, out, err = ctl("key", "create", "--chatbot", tenant.chatbot, "--json", url=url)
    assert code == 0, err
    after = Tenant(json.loads(out)["key"], None, tenant.chatbot)
    assert chat(banter.socket, after, script("hello", tokens=["fine"])).status == 200
    assert ctl("key", "revoke", old, "--yes", url=url)[0] == 0
    assert chat(banter.socket, tenant, script("hello", tokens=["fine"])).status == 401
    assert chat(banter.socket, after, script("hello", tokens=["fine"])).status == 200
    model.open_gate(gate)
    assert [event["type"] for event in running.events()][-1] == "done"
