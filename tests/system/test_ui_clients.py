"""The UI message stream as the AI SDK, its React hook and assistant-ui read it, against a real site: F1, U1 to U5."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
import servers
from servers import name, script
from test_ui import UI, Running, joined, widget
from test_visitors import PAGE, Pages

FRONT_ENDS = pathlib.Path(__file__).parent / "front_ends"
MODULES = servers.ROOT / "build" / "npm-front-ends" / "node_modules"
LIBRARIES = ["ai", "ai7", "react", "assistant"]
CHATS = LIBRARIES[:3]
TOKENS = ["plain ", "data: x\n\n", "\u65e5\u672c\u8a9e ", "\U0001f469\u200d\U0001f680", "\u2028 ", "x" * 1500]


@pytest.fixture(scope="session", autouse=True)
def modules():
    lock, done = FRONT_ENDS / "package-lock.json", MODULES / ".done"
    assert done.exists() and done.read_bytes() == lock.read_bytes(), "deploy/packages.sh test installs npm's packages"


def node(program, *words, given=""):
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        ["node", program, *words], capture_output=True, text=True, timeout=servers.PATIENCE, env=environment, input=given)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def run(library, site, *steps, headers=None, chat=None, **more):
    """Steps are messages to be sent, or other steps as they are."""
    steps = [{"send": step} if isinstance(step, str) else step for step in steps]
    config = {"url": site.url, "headers": headers or {"x-api-key": site.tenant.widget_key}, "chat": chat or name(), "messages": [],
              "steps": steps, **more}
    return node(FRONT_ENDS / "ai_sdk.mjs", MODULES, library, given=json.dumps(config))


def texts(message):
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


@pytest.mark.parametrize("library", LIBRARIES)
def test_U2_a_client_reads_an_answer(site, library):
    """Whose bytes come one by one."""
    said = run(library, site, script(name(), tokens=TOKENS), bytes=True)
    assert "error" not in said, said
    assert [one["role"] for one in said["messages"]] == ["user", "assistant"]
    assert texts(said["messages"][1]) == "".join(TOKENS)
    if library == "assistant":
        assert said["status"] == {"type": "complete", "reason": "stop"} and said["header"] == "v1"
        return
    assert (said["status"], said["finish"]) == ("ready", ["stop"])
    ((answer, conversation),) = site.sql(
        "select answer_id, conversation from banter_data.exchange where workspace = %s", site.tenant.workspace)
    assert said["messages"][1]["id"] == answer and said["messages"][1]["metadata"] == {"conversationId": conversation}
    assert all(part.get("state", "done") == "done" for part in said["messages"][1]["parts"])


@pytest.mark.parametrize("library", CHATS)
def test_U1_F3_a_long_chat_of_several_turns(site, library):
    """What a client sends of its history is more than other paths take, and none of it counts but the question."""
    word, chat = name(), name()
    history = [{"id": f"m{place}", "role": ("user", "assistant")[place % 2], "parts": [{"type": "text", "text": "x" * 20000}]}
               for place in range(10)]
    said = run(library, site, script(word, tokens=["one"]), script(word + "b", tokens=["two"]), chat=chat, messages=history)
    assert [texts(one) for one in said["messages"][11::2]] == ["one", "two"]
    assert len([one for one in site.model.wait(word + "b")["body"]["messages"] if one["role"] != "system"]) == 3
    assert len({row["conversation"] for row in site.exchanges(chat)}) == 1


@pytest.mark.parametrize("library", CHATS)
def test_U2_a_client_hears_how_it_ended(site, library):
    said = run(library, site, *(script(name(), tokens=["x"], finish=reason) for reason in ("length", "content_filter", "odd")))
    assert said["finish"] == ["length", "content-filter", "other"]


@pytest.mark.parametrize("library", CHATS)
def test_U3_an_error_in_mid_stream_is_one(site, library):
    said = run(library, site, script(name(), tokens=["We"], cut_after=1))
    assert said["status"] == "error" and said["error"]["message"] == "Internal server error"
    assert texts(said["messages"][1]) == "We"


@pytest.mark.parametrize("library", CHATS)
def test_U3_F4_a_client_shows_the_words_of_a_refusal(site, library):
    site.configure(active=False)
    said = run(library, site, "x")
    assert (said["status"], said["error"]["message"]) == ("error", "Unauthorized")
    assert said["error"]["status"] == (401 if library == "ai7" else None)


@pytest.mark.parametrize("library", CHATS)
def test_U4_a_client_has_an_answer_made_anew(site, library):
    """Of its messages, which are a question, an answer, a question, an answer, by the place of one."""
    chat, (one, two) = name(), [script(name(), tokens=[word]) for word in ("one", "two")]
    said = run(library, site, one, two, *({"regenerate": place} for place in (3, 2, 1)), chat=chat)
    assert [row["question"] for row in site.exchanges(chat)] == [one, two, two, two, one]
    assert [texts(message) for message in said["messages"]] == [one, "one"]


@pytest.mark.parametrize("library", CHATS)
def test_U5_a_client_takes_a_stream_up_again(site, library):
    """In another document than asked: all of the answer, then what comes; and nothing where nothing runs."""
    running = Running(widget(site))
    asked = {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "as it was asked"}]}
    said = run(library, site, {"resume": True}, {"resume": True}, chat=running.chat, messages=[asked], heard={
        "url": site.model.url + "/_model/open", "body": json.dumps({"gate": running.gate})})
    assert said["resumed"] == [200, 204] and said["status"] == "ready" and "error" not in said
    assert [one["role"] for one in said["messages"]] == ["user", "assistant"]
    assert texts(said["messages"][1]) == "We are \u00e9 open" and said["finish"][0] == "stop"
    assert joined(running.rest())[1] == "We are \u00e9 open"


@pytest.mark.parametrize("library", ["ai", "ai7"])
def test_F1_what_a_page_sends_a_preflight_allows(shared_site, library):
    pages = Pages(shared_site)
    said = run(library, pages.site, "Hello", headers={"x-api-key": pages.key, "Origin": PAGE})
    assert said["finish"] == ["stop"]
    sent = set(said["sent"]) - {"origin"}
    reply = pages.site.request("OPTIONS", UI, {
        "Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ",".join(sorted(sent))}, key=False)
    assert sent <= set(reply.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(","))


# The example


@pytest.fixture
def example(tmp_path):
    """A copy, as in somebody's project."""
    (tmp_path / "node_modules").symlink_to(MODULES)
    for file in "visitor.js", "ai-sdk.mjs":
        shutil.copy(servers.ROOT / "deploy" / "front-ends" / file, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path / "ai-sdk.mjs"


def use(example, pages, *steps, stored=None):
    config = {"site": pages.site.url, "siteKey": pages.key, "origin": PAGE, "steps": steps, "stored": stored or {}}
    return node(FRONT_ENDS / "ai_sdk_page.mjs", example, given=json.dumps(config))


def test_F1_U4_the_example_is_a_chat(shared_site, example):
    """One visitor talks, has an answer made anew, and finds all of it again when the page is loaded anew."""
    pages = Pages(shared_site)
    asked = [script(name(), tokens=[word]) for word in ("one", "two")]
    said = use(example, pages, {"say": asked[0]}, {"see": "one"}, {"say": asked[1]}, {"see": "two"}, {"press": "Again"})
    assert said["said"] == [["user", asked[0]], ["assistant", "one"], ["user", asked[1]], ["assistant", "two"]]
    (token,) = said["stored"].values()
    assert token.startswith("vt-site_")
    said = use(example, pages, {"see": "one"}, stored=said["stored"])
    assert [text for _, text in said["said"]] == [asked[0], "one", asked[1], "two", asked[1], "two"]


def test_R5_the_example_stops_an_answer(shared_site, example):
    pages, gate = Pages(shared_site), name()
    asked = script(gate, tokens=["one", "two"], gates={"2": gate})
    said = use(example, pages, {"say": asked}, {"see": "one"}, {"press": "Stop"})
    assert said["said"] == [["user", asked], ["assistant", "one"]]
    assert [row["state"] for row in pages.site.exchanges()] == ["left"]


def test_U5_the_example_takes_a_stream_up_again(shared_site, example):
    """Loaded anew while an answer comes, it shows all of that."""
    pages, gate = Pages(shared_site), name()
    asked = script(gate, tokens=["one", "two"], gates={"2": gate})
    said = use(example, pages, {"say": asked}, {"see": "one"}, {"load": True}, {"see": "one"},
               {"post": {"url": shared_site.model.url + "/_model/open", "body": json.dumps({"gate": gate})}}, {"see": "onetwo"})
    assert said["said"] == [["user", asked], ["assistant", "onetwo"]]


def test_P2_the_example_drops_a_token_that_is_nobodys(shared_site, example):
    pages, asked = Pages(shared_site), script(name(), tokens=["one"])
    said = use(example, pages, {"say": asked}, {"see": "one"}, stored={f"banter-visitor {pages.key}": "vt-site_0123456789abcdefghijkl"})
    assert said["said"] == [["user", asked], ["assistant", "one"]]
    assert said["stored"][f"banter-visitor {pages.key}"] != "vt-site_0123456789abcdefghijkl"


def test_F4_the_example_shows_an_error(shared_site, example):
    pages = Pages(shared_site)
    pages.site.configure(active=False)
    assert use(example, pages, {"say": "Hello"}, {"see": "Unauthorized"})["said"] == [["user", "Hello"], ["alert", "Unauthorized"]]
