"""The widget (app/web) on pages of somebody's site, in Chromium: pages as a test writes them, what of the widget a visitor sees and
does there, and the fixtures that the tests of it have in common. What is in it is found by the names of its parts."""

import contextlib
import functools
import html
import http.server
import json
import subprocess
import threading

import pytest
import servers
from browser import Browser
from servers import until
from test_visitors import Pages

WEB = servers.ROOT / "app" / "web"
PAGE = """<!doctype html>
<html lang="{language}"{more}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tea</title><link rel="icon" href="data:,">{head}
{line}
</head><body><main><h1>Tea</h1><p>Green and black, in <a href="#cups">cups</a>.</p>{body}</main></body></html>"""

# What a script in the page finds: the widget's root, its parts by name, and whether one is to be seen.
INSIDE = """
    const host = document.querySelector('banter-chat'), root = host && host.shadowRoot;
    const parts = (name, within = root) => within ? [...within.querySelectorAll(`[part~="${name}"]`)] : [];
    const seen = one => one.checkVisibility({ visibilityProperty: true })
        && one.getBoundingClientRect().width > 0 && one.getBoundingClientRect().height > 0;
    const shown = name => parts(name).filter(seen);
"""

# Before a page's scripts: what it asks of Banter stands in `asked`, and goes by `via`, in whose place a test puts what holds or answers it.
ASKED = """{
    const real = fetch;
    window.asked = [];
    window.via = go => go();
    window.fetch = (...how) => {
        const { url, method, headers, signal } = new Request(...how), go = () => real(...how);
        if (!url.includes('/v1/')) return go();
        asked.push({ path: new URL(url).pathname, method, headers: Object.fromEntries(headers), signal });
        return window.via(go, asked.at(-1));
    };
}"""
# And pauses of a second or more are over when a test says so, by pass(seconds); `pauses` are what is left of them.
CLOCK = """{
    const { setTimeout: set, clearTimeout: clear } = window, waiting = new Map();
    let now = 0, last = 0;
    window.setTimeout = (job, time = 0, ...values) => {
        if (time < 1000) return set(job, time, ...values);
        waiting.set(--last, { end: now + time / 1000, job: () => job(...values) });
        return last;
    };
    window.clearTimeout = which => { waiting.delete(which) || clear(which) };
    window.pauses = () => [...waiting.values()].map(({ end }) => end - now);
    window.pass = async seconds => {
        now += seconds;
        for (const [which, { end, job }] of [...waiting])
            if (end <= now && waiting.delete(which)) job();
        await new Promise(done => set(done));
    };
}"""


def comes(condition, what, instead):
    """As until(); `instead` tells what there is where it does not come about."""
    try:
        return until(condition, str(what))
    except AssertionError as failure:
        raise AssertionError(f"{failure}; there is {instead()}") from None


class Host(http.server.ThreadingHTTPServer):
    """Somebody's web site. Its other name is another site's, for a browser."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            page = self.server.pages.get(self.path.partition("?")[0])
            body, headers = page or ("Not found", {})
            pieces = [body] if isinstance(body, str) else body
            self.send_response(200 if page else 404)
            for header, value in {"Content-Type": "text/html; charset=utf-8", "Connection": "close", **headers}.items():
                self.send_header(header, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    self.wfile.write(piece.encode())
                    self.wfile.flush()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.pages = {}
        self.origins = [f"http://{host}:{self.server_port}" for host in ("127.0.0.1", "localhost")]
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def put(self, body, headers=None):
        """A page, of a text or of pieces that come one after the other; its path."""
        path = f"/{servers.name('page')}"
        self.pages[path] = body, headers or {}
        return path

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


def attributes(**values):
    """A tag's; True is one without a value."""
    named = {f"data-{name}": value for name, value in values.items() if value is not None}
    return " ".join(name if value is True else f'{name}="{html.escape(value)}"' for name, value in named.items())


class Shop:
    """A site with Banter, and a web site whose pages have its widget. Each page is a new tenant's."""

    def __init__(self, site, url=None):
        self.site, self.url = site, url or site.url
        self.host = Host()

    def close(self):
        self.host.close()

    def tenant(self):
        """A new one's Pages: a site key of this web site's, and a chatbot whose answers go on when their page is left."""
        pages = Pages(self.site, self.host.origins)
        pages.site.configure(on_leave="finish")
        return pages

    def line(self, key, how="defer", **given):
        return f'<script src="{self.url}/banter.js" {attributes(key=key, **given)} {how}></script>'

    def put(self, pages, language="en", head="", body="", more="", headers=None, line=None, **given):
        """A page with the one line; its path. `given` are the line's attributes."""
        line = self.line(pages.key, **given) if line is None else line
        text = PAGE.format(language=language, more=more, head=head, line=line, body=body)
        return self.host.put(text, headers)


class Chat:
    """The widget on the page that is open."""

    def __init__(self, browser, shop, pages, address):
        self.browser, self.shop, self.pages, self.address = browser, shop, pages, address
        self.site = pages.site

    def run(self, script, *values):
        """As Browser.run(), with INSIDE before it."""
        return self.browser.run(INSIDE + script, *values)

    def load(self, open=True):
        """The page, anew; the widget is there, and open."""
        self.browser.open(self.address)
        self.ready(open)

    def ready(self, open=True):
        until(lambda: self.run("return shown('launcher').length + shown('panel').length"), "the widget")
        if open and not self.is_open():
            self.click("launcher")
            until(self.is_open, "the panel")

    def is_open(self):
        return self.run("return shown('panel').length > 0")

    def find(self, part, which=-1):
        """The last one of a part's elements that is to be seen, or another of them, once there is one."""
        return self.browser.find(INSIDE + f"return shown({part!r}).at({which})")

    def click(self, part, which=-1):
        self.browser.click(self.find(part, which))

    def has(self, part):
        return self.run("return shown(arguments[0]).length", part)

    def put(self, text):
        """Into the input, as if it was pasted."""
        self.find("input")
        self.run("""const input = parts('input')[0];
            input.focus();
            input.value = arguments[0];
            input.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }))""", text)

    def ask(self, text):
        self.put(text)
        self.browser.press("Enter")

    @property
    def input(self):
        return self.run("return parts('input')[0].value")

    def said(self):
        """Who said what, as it is to be read."""
        return [tuple(one) for one in self.run("""
            return shown('message').map(one => [one.dataset.role, parts('text', one).map(text => text.innerText).join('\\n').trim()])""")]

    def statuses(self):
        return self.run("return shown('message').map(one => one.dataset.status ?? null)")

    def shows(self, *last):
        """What was said last comes to be this."""
        comes(lambda: tuple(self.said()[-len(last):]) == last, last, self.said)

    def ends(self, status="done"):
        """The last answer has ended so, and another question may be asked."""
        comes(lambda: self.statuses()[-1:] == [status] and not self.has("stop") and self.has("send"), status, self.statuses)

    def answer(self, question, *answer):
        """Asks, and waits for the end."""
        self.ask(question)
        self.shows(("user", question), ("assistant", "".join(answer)))
        self.ends()

    def goes_on(self, question):
        """The text of a question that failed is not lost: it stands in the input, or can be sent again; it is, unless the
        widget finds before that it came after all."""
        if self.input == question:
            until(lambda: self.input != question or self.run("return shown('send').some(one => !one.disabled)"), "the button")
            if self.input == question:
                self.run("parts('input')[0].focus()")
                self.browser.press("Enter")
        else:
            assert ("user", question) in self.said()
            self.click("again")

    def notice(self):
        """What is said of a failure: for all of the chat, or with the last answer."""
        return self.run("""const last = shown('message').at(-1), state = last && parts('state', last).filter(seen);
            return [...shown('notice'), ...state || []].map(one => one.innerText.trim()).join('\\n').trim()""")

    def asked(self, end, method="GET"):
        """The headers of what was asked so far where a path ends so; the page has ASKED."""
        return self.run("""const [end, method] = arguments;
            return asked.filter(one => one.path.endsWith(end) && one.method === method).map(one => one.headers)""", end, method)

    def words(self, language="en"):
        return words()[language]

    def thumbs(self):
        """What is stored of what the tenant's visitors think."""
        statement = "select thumb from banter_data.feedback where workspace = %s"
        return [thumb for (thumb,) in self.site.sql(statement, self.site.tenant.workspace)]

    def stored(self, *states):
        """The tenant's exchanges come to be these; they are returned."""
        comes(lambda: tuple(row["state"] for row in self.site.exchanges()) == states, states, self.site.exchanges)
        return self.site.exchanges()


@functools.cache
def words():
    """What the widget says, by language and the words' names."""
    program = """const [, ...files] = process.argv;
        const all = await Promise.all(files.map(file => import(file)));
        console.log(JSON.stringify(all.map(one => one.default)))"""
    files = sorted(WEB.glob("words-*.js"))
    options = ["--experimental-default-type=module", "--input-type=module"]
    done = subprocess.run(["node", *options, "-e", program, *files], capture_output=True, text=True, check=True)
    return dict(zip((file.stem.removeprefix("words-") for file in files), json.loads(done.stdout), strict=True))


def quiet(browser, *allowed):
    """The page complains of nothing else."""
    said = [line for line in browser.said() if not any(word in line for word in allowed)]
    assert said == [], said


PHONE = {"width": 390, "height": 844, "phone": True}


# Fixtures; a file of tests has a browser and a site for itself.


@pytest.fixture(scope="module")
def browser():
    with contextlib.closing(Browser()) as one:
        yield one


@pytest.fixture(scope="module")
def shop(shared_site):
    with contextlib.closing(Shop(shared_site)) as one:
        yield one


@pytest.fixture(params=[{"width": 1280, "height": 800}, PHONE], ids=["desktop", "phone"])
def screen(browser, request):
    """The test is for both."""
    with browser.screen(**request.param):
        yield request.param


@pytest.fixture
def opened(shop, browser):
    """opened(**page) -> Chat: the widget, open, on a page of a new tenant's; `at` is another Shop."""
    def begin(open=True, at=shop, **page):
        pages = at.tenant()
        chat = Chat(browser, at, pages, at.host.origins[0] + at.put(pages, **page))
        browser.said()
        chat.load(open)
        return chat

    return begin


@pytest.fixture
def gates(model):
    """gates(): a gate's name. All are open when the test ends."""
    named = []

    def new():
        named.append(servers.name("gate"))
        return named[-1]

    yield new
    for gate in named:
        model.open_gate(gate)
