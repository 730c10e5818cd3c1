"""The files of deploy/front-ends, each as a site's owner puts it there: pages in Chromium, programs in Node. What they show is what
their protocols' clauses are for: A1 to A3, D1 to D3, N1 to N4, O4."""

import contextlib
import json
import os
import shutil
import subprocess

import pytest
import servers
from browser import Browser
from servers import name, script, until
from test_openai_clients import MODULES, modules  # noqa: F401  (installed, for all tests here)
from test_visitors import Pages

FILES = servers.ROOT / "deploy" / "front-ends"
# What the pages say, and a site's owner replaces.
SITE, KEY = "https://chat.example.com", "pk-site_YOUR-SITE-KEY"
BESIDE = {"deep-chat": "deep-chat/dist", "n8n-chat": "@n8n/chat/dist"}
TOKENS = ["We are ", "**open** & ", "<b>\u65e5\u672c\u8a9e</b> ", "\U0001f469\u200d\U0001f680."]
SHOWN = "We are open & "


@pytest.fixture(scope="module")
def browser():
    with contextlib.closing(Browser()) as one:
        yield one


class Web:
    """A site with pages, on the nginx that stands before Banter. Its other name is another origin."""

    def __init__(self, site):
        self.folder = servers.folder("pages")
        self.nginx = servers.Nginx(site.banter.socket, pages=self.folder)
        self.origins = [f"http://{host}:{self.nginx.port}" for host in ("127.0.0.1", "localhost")]
        self.site = site
        for folder, dist in BESIDE.items():
            (self.folder / folder).symlink_to(MODULES / dist)

    def close(self):
        self.nginx.close()
        shutil.rmtree(self.folder)

    def put(self, page, **changes):
        """A page of a new tenant's; the tenant's Pages, and its own address at each origin."""
        pages = Pages(self.site, self.origins)
        for file in (page, "visitor.js"):
            values = {SITE: self.nginx.url, KEY: pages.key, **changes} if file == page else {}
            (self.folder / file).write_text(servers.filled(f"front-ends/{file}", values))
        return pages, [f"{origin}/pages/{page}" for origin in self.origins]


@pytest.fixture(scope="module")
def web(shared_site):
    with contextlib.closing(Web(shared_site)) as one:
        yield one


class Widget:
    """A component on its page; ready() finds its `input`."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, address):
        self.browser.open(address)
        self.ready()

    def ask(self, text):
        self.browser.type(self.input, text + "\n")


class DeepChat(Widget):
    page = "deep-chat.html"
    inside = "const root = document.querySelector('deep-chat').shadowRoot; "

    def ready(self):
        self.input = self.browser.find(self.inside + "return root && root.querySelector('#text-input')")

    def shown(self):
        """Who said what, and errors."""
        return [tuple(one) for one in self.browser.run(self.inside + """
            return [...root.querySelectorAll('.message-bubble:not(.loading-message-text)')].map(one => [
                one.classList.contains('error-message-text') ? 'error' : one.classList.contains('user-message-text') ? 'user' : 'ai',
                one.innerText.trim()])""")]

    def keeps(self, answer):
        """The component has it in the browser's storage, which it has once the stream has ended."""
        return self.browser.run(f"return Object.values(localStorage).some(one => one.includes('\"{answer}\"'))")


class N8n(Widget):
    page = "n8n.html"

    def ready(self):
        self.browser.click(self.browser.find("return document.querySelector('.chat-window-toggle')"))
        self.input = self.browser.find("return document.querySelector('.chat-inputs textarea:not([disabled])')")

    def shown(self):
        return [tuple(one) for one in self.browser.run("""
            return [...document.querySelectorAll('.chat-message:not(.chat-message-typing)')].map(one => [
                one.classList.contains('chat-message-from-user') ? 'user' : 'ai', one.innerText.trim()])""")]

    def keeps(self, _):
        return True  # Banter does


WIDGETS = pytest.mark.parametrize("widget", [DeepChat, N8n], ids=lambda one: one.__name__)
# On one origin with Banter, and on another.
ORIGINS = pytest.mark.parametrize("origin", [0, 1], ids=["same", "other"])


@pytest.fixture
def opened(web, browser):
    """opened(widget, origin, ...): a chat on a page of a new tenant's, where nobody was before; and the tenant's Pages."""
    def begin(widget, origin=1, **changes):
        pages, addresses = web.put(widget.page, **changes)
        browser.open(addresses[origin])
        browser.clear()
        browser.said()
        chat = widget(browser)
        chat.open(addresses[origin])
        return chat, pages

    return begin


def shows(chat, *last):
    """The last things that are shown come to be these."""
    until(lambda: tuple(chat.shown()[-len(last):]) == last, f"{last} on the page")


def quiet(browser, allowed=()):
    """The page complains of nothing, and asks nobody else for anything."""
    said = [line for line in browser.said() if "favicon.ico" not in line and not any(word in line for word in allowed)]
    assert said == []


@WIDGETS
@ORIGINS
def test_D2_N2_a_page_shows_an_answer_as_it_comes(opened, browser, model, widget, origin):
    chat, _ = opened(widget, origin)
    gate = name()
    question = script(gate, tokens=TOKENS, gates={"3": gate})
    chat.ask(question)
    shows(chat, ("user", question.replace("**", "")), ("ai", SHOWN.strip()))
    model.open_gate(gate)
    shows(chat, ("ai", SHOWN + "".join(TOKENS[2:])))
    quiet(browser)


@WIDGETS
def test_D3_N4_a_page_shows_errors(opened, widget):
    chat, pages = opened(widget)
    chat.ask(script(name(), tokens=["We"], cut_after=1))
    prefix = "" if widget is DeepChat else "Error: "
    error = "error" if widget is DeepChat else "ai"
    shows(chat, ("ai", "We"), (error, f"{prefix}Internal server error"))
    pages.site.grant(0)
    chat.ask("x")
    shows(chat, ("user", "x"), (error, "Insufficient credits" if widget is DeepChat else "Error: Failed to receive response"))


@WIDGETS
def test_D1_N3_a_page_that_is_loaded_anew_goes_on(opened, browser, widget):
    chat, pages = opened(widget)
    word = name()
    chat.ask(script(word, tokens=["one"]))
    shows(chat, ("ai", "one"))
    until(lambda: chat.keeps("one") and pages.site.exchanges()[-1]["state"] == "done", "the answer's end")
    browser.reload()
    chat.ready()
    shows(chat, ("user", script(word, tokens=["one"])), ("ai", "one"))
    chat.ask(script(word + "b", tokens=["two"]))
    shows(chat, ("ai", "two"))
    assert len({row["conversation"] for row in pages.site.exchanges()}) == 1, "it is the same visitor"
    ((visitors,),) = pages.site.sql("select count(*) from banter_data.visitor where workspace = %s", pages.site.tenant.workspace)
    assert visitors == 1


@WIDGETS
def test_P2_a_visitor_who_was_erased_begins_anew(opened, browser, widget):
    chat, pages = opened(widget)
    chat.ask("Hello")
    until(lambda: [row["state"] for row in pages.site.exchanges()] == ["done"], "the answer")
    pages.site.sql("delete from banter_data.conversation where workspace = %s", pages.site.tenant.workspace)
    pages.site.sql("delete from banter_data.visitor where workspace = %s", pages.site.tenant.workspace)
    browser.reload()
    chat.ready()
    chat.ask(script(name(), tokens=["anew"]))
    shows(chat, ("ai", "anew"))


def test_N1_the_widget_without_streaming(opened, browser):
    chat, pages = opened(N8n, **{"enableStreaming: true": "enableStreaming: false"})
    chat.ask(script(name(), tokens=["We are ", "open"]))
    shows(chat, ("ai", "We are open"))
    quiet(browser)
    pages.site.grant(0)
    chat.ask("x")
    shows(chat, ("ai", "Insufficient credits"))


def test_D1_the_component_without_streaming(opened, browser):
    chat, _ = opened(DeepChat, **{"stream: true, ": ""})
    chat.ask(script(name(), tokens=["We are ", "open"]))
    shows(chat, ("ai", "We are open"))
    quiet(browser)


def test_P2_a_fetch_that_keeps_its_visitor(web, browser):
    """For components that are given one, such as AG-UI's in a page."""
    pages, addresses = web.put("deep-chat.html")
    browser.open(addresses[1])
    browser.clear()
    for turn in range(2):
        said = browser.run("""
            const [site, key, body] = arguments;
            return import('./visitor.js').then(async ({ visitorFetch }) => (await visitorFetch(key)(site + '/v1/ag-ui', {
                method: 'POST', headers: { 'Content-Type': 'application/json' }, body })).text())""",
            web.nginx.url, pages.key, json.dumps({"threadId": "t", "runId": "r", "messages": [{"role": "user", "content": f"turn {turn}"}]}))
        assert '"RUN_FINISHED"' in said
    assert len({row["conversation"] for row in pages.site.exchanges()}) == 1


# Heartbeats, to real readers.


@pytest.fixture
def beaten(start, model):
    """A site whose streams have heartbeats, and a function: when it returns, some have come on a stream that is silent."""
    site = start(workers=4, heartbeat="200ms")

    def wait():
        gate = name()
        stream = site.stream(script(gate, gates={"1": gate}))
        assert next(stream)["type"] == "start"
        stream.wait_beats(4)
        model.open_gate(gate)

    return site, wait


@WIDGETS
def test_S6_a_page_takes_no_heartbeat_for_an_answer(beaten, browser, model, widget):
    site, beats = beaten
    with contextlib.closing(Web(site)) as web:
        _, addresses = web.put(widget.page)
        chat, gate = widget(browser), name()
        chat.open(addresses[0])
        question = script(gate, tokens=["one ", "two"], gates={"2": gate})
        chat.ask(question)
        shows(chat, ("ai", "one"))
        beats()
        model.open_gate(gate)
        shows(chat, ("user", question), ("ai", "one two"))


@pytest.mark.parametrize("file", ["ag-ui.mjs", "openai.mjs"])
def test_S6_nor_does_a_program(beaten, model, file):
    site, beats = beaten
    program, gate = Program(site, file), name()
    process = program.begin(name(), script(gate, tokens=["one ", "two"], gates={"2": gate}))
    assert process.stdout.read(4) == b"one "
    beats()
    model.open_gate(gate)
    assert program.end(process) == (0, "two\n", "")
    shutil.rmtree(program.folder)


# Programs.


class Program:
    """A file, as it stands, beside its packages."""

    def __init__(self, site, file):
        self.site = site
        self.folder = servers.folder("program")
        shutil.copy(FILES / file, self.folder)
        (self.folder / "node_modules").symlink_to(MODULES)
        self.file = self.folder / file

    def begin(self, conversation, question, **more):
        environment = {"PATH": os.environ["PATH"], "BANTER_URL": self.site.url, "BANTER_KEY": self.site.tenant.workspace_key,
                       "BANTER_CHATBOT": self.site.tenant.chatbot, **more}
        return subprocess.Popen(["node", self.file, conversation, question], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, process):
        out, err = process.communicate(timeout=servers.PATIENCE)
        return process.returncode, out.decode(), err.decode()

    def run(self, *words, **more):
        return self.end(self.begin(*words, **more))


@pytest.fixture(params=["ag-ui.mjs", "openai.mjs"])
def program(site, request):
    one = Program(site, request.param)
    yield one
    shutil.rmtree(one.folder)


def test_A2_O4_a_program_writes_an_answer_as_it_comes(program, model):
    gate = name()
    process = program.begin(name(), script(gate, tokens=TOKENS, gates={"3": gate}))
    before = "".join(TOKENS[:2]).encode()
    assert process.stdout.read(len(before)) == before
    model.open_gate(gate)
    assert program.end(process) == (0, "".join(TOKENS[2:]) + "\n", "")


def test_A1_O4_a_program_goes_on_with_a_conversation(program):
    called, word = name(), name()
    for turn in range(2):
        assert program.run(called, script(f"{word}-{turn}", tokens=["x"])) == (0, "x\n", "")
    assert len({row["conversation"] for row in program.site.exchanges()}) == 1
    assert len([one for one in program.site.model.wait(f"{word}-1")["body"]["messages"] if one["role"] != "system"]) == 3


def test_A3_O1_a_program_tells_of_errors(program):
    code, out, err = program.run(name(), script(name(), tokens=["We"], cut_after=1))
    assert (code, out) == (1, "We") and "Internal server error" in err
    code, out, err = program.run(name(), "x", BANTER_KEY="sk-none")
    assert (code, out) == (1, "") and "401" in err
    code, out, err = program.run(name(), "x", BANTER_CHATBOT="none")
    assert (code, out) == (1, "") and "404" in err
