"""The widget and the page it is on: Content-Security-Policy, frames, storage that is refused, styles and names that neither leak in nor
out, its attributes, its API, its languages and colours."""

import json
import re
import threading

import pytest
import servers
from servers import name, script, until
from widget import INSIDE, PHONE, WEB, Chat, browser, comes, opened, quiet, shop, words  # noqa: F401 (three are fixtures)

LANGUAGES = ["en", "de", "es", "fr", "pt", "it", "nl", "pl", "tr", "ar", "ja", "zh"]


def converses(chat):
    """It works, with all kinds of text."""
    chat.ask(script(name(), tokens=["We **are** `open`:\n\n", "- a\n\n```\ncode\n```\n\n| a |\n|---|\n| b |\n"]))
    chat.ends()
    assert "We are open:" in chat.said()[-1][1]


# Content-Security-Policy


def test_it_works_under_a_strict_policy(opened, browser, shop):
    """No source for styles, no eval, no inline handler; nothing of it is refused."""
    policy = f"default-src 'none'; script-src {shop.url}; connect-src {shop.url}"
    with browser.before_pages("""window.refused = [];
            addEventListener('securitypolicyviolation', one => refused.push(`${one.violatedDirective} ${one.blockedURI}`))"""):
        chat = opened(headers={"Content-Security-Policy": policy}, accent="#0a7", theme="dark", privacy="https://tea.example/",
                      suggestions="a|b")
        converses(chat)
        chat.click("erase")
        chat.click("yes")
        comes(lambda: chat.said() == [], "nothing", chat.said)
    assert browser.run("return refused.filter(one => !one.startsWith('img-src'))") == [], "the page's own icon is none of ours"
    quiet(browser, "data:,")
    assert chat.run("return getComputedStyle(parts('panel')[0]).position") == "fixed", "it has its style"
    assert chat.run("return [root.adoptedStyleSheets.length, root.querySelectorAll('style, link, script').length]") == [1, 0]


def test_trusted_types_are_no_trouble(opened, browser, shop):
    chat = opened(headers={"Content-Security-Policy": f"default-src 'none'; script-src {shop.url}; connect-src {shop.url}; img-src data:; "
                           "require-trusted-types-for 'script'"})
    converses(chat)
    quiet(browser)


# Where storage is refused, and frames


@pytest.mark.parametrize("refusal", [
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError') } })",
    "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }",
    "Object.defineProperty(window, 'localStorage', { value: null })",
], ids=["denied", "full", "null"])
def test_without_storage_it_remembers_while_the_page_is_there(opened, browser, refusal):
    with browser.before_pages(refusal):
        chat = opened()
        chat.answer(script(name(), tokens=["one"]), "one")
        chat.answer(script(name(), tokens=["two"]), "two")
        assert len({row["conversation"] for row in chat.stored("done", "done")}) == 1
        quiet(browser)


@pytest.mark.parametrize("refusal", [
    "window.BroadcastChannel = class { constructor() { throw new DOMException('denied', 'SecurityError') } }",
    "delete window.BroadcastChannel",
], ids=["denied", "none"])
def test_without_a_channel_between_tabs(opened, browser, refusal):
    """As in some frames, and in old browsers."""
    with browser.before_pages(refusal):
        chat = opened()
        converses(chat)
        browser.reload()
        chat.ready()
        until(lambda: len(chat.said()) == 2, "the conversation")
        quiet(browser)


def framed(shop, browser, pages, sandbox, origin=0):
    """The widget in a frame; origin 1 is another site's."""
    inner = shop.host.origins[origin] + shop.put(pages)
    frame = f'<!doctype html><title>x</title><iframe {sandbox} src="{inner}" width=500 height=600></iframe>'
    address = shop.host.origins[0] + shop.host.put(frame)
    browser.open(address)
    browser.said()
    browser.enter_frame(browser.find("return document.querySelector('iframe')"))
    chat = Chat(browser, shop, pages, address)
    chat.ready()
    return chat


SANDBOX = 'sandbox="allow-scripts allow-same-origin"'


@pytest.mark.parametrize("sandbox, origin", [("", 1), (SANDBOX, 0), (SANDBOX, 1)],
                         ids=["another site", "sandboxed", "sandboxed, another site"])
def test_it_works_in_a_frame(shop, browser, sandbox, origin):
    try:
        chat = framed(shop, browser, shop.tenant(), sandbox, origin)
        chat.ask(script(name(), tokens=["by a key"]))
        chat.ends()
        chat.put(question := script(name(), tokens=["by the button"]))
        chat.click("send")
        chat.shows(("user", question), ("assistant", "by the button"))
        chat.ends()
    finally:
        browser.leave_frame()


def test_a_frame_without_an_origin_says_that_it_is_not_set_up(shop, browser):
    """P1: `null` is nobody's origin. Storage is refused there too."""
    try:
        chat = framed(shop, browser, shop.tenant(), 'sandbox="allow-scripts"')
        chat.ask("Hello")
        comes(lambda: chat.words()["notHere"] in chat.notice(), "a notice", chat.notice)
    finally:
        browser.leave_frame()


# Nothing leaks in


HOSTILE = {
    "all is unset": "* { all: unset !important; }",
    "all is hidden": "body * { display: none !important; visibility: hidden !important; opacity: 0 !important; "
                     "pointer-events: none !important; }",
    "all is large": "* { font: 60px serif !important; letter-spacing: 1em !important; text-transform: uppercase !important; "
                    "line-height: 3 !important; box-sizing: content-box !important; padding: 30px !important; "
                    "margin: 30px !important; border: 9px solid red !important; }",
    "the body is odd": "html { font-size: 40px; } body { direction: rtl; font: 44px/3 cursive; color: red; text-align: right; "
                       "visibility: hidden; cursor: none; "
                       "user-select: none; white-space: pre; word-spacing: 2em; text-transform: uppercase; }",
    "a small root": "html { font-size: 62.5%; }",
    "its own element": "banter-chat { display: none !important; position: static !important; width: 3px; transform: scale(3); "
                       "filter: blur(9px); }",
    "its own properties": "",
}
# What a visitor would notice, of every element inside.
LOOKS = INSIDE + """
    const names = ['color', 'background-color', 'font-size', 'font-family', 'font-weight', 'letter-spacing', 'line-height',
        'text-transform', 'text-align', 'direction', 'visibility', 'opacity', 'cursor', 'white-space', 'word-spacing', 'padding-top',
        'margin-top', 'border-top-width', 'box-sizing', 'display', 'pointer-events', 'user-select', 'filter', 'transform'];
    return [...root.querySelectorAll('*')].filter(seen).map(one => {
        const style = getComputedStyle(one), box = one.getBoundingClientRect();
        const places = { width: box.width, right: innerWidth - box.right, bottom: innerHeight - box.bottom };
        return [...Object.keys(places).map(name => `${name}: ${Math.round(places[name])}`),
            ...names.map(name => `${name}: ${style.getPropertyValue(name)}`)].map(text => `${one.tagName} ${one.part} ${text}`);
    })"""


def looks(chat):
    return chat.browser.run(LOOKS)


@pytest.mark.parametrize("width", [1280, 390])
def test_no_style_of_the_page_leaks_in(opened, browser, width):
    """Whatever it says, the widget looks as on a plain page."""
    properties = set(re.findall(r"--[a-z][\w-]*", (WEB / "widget.css").read_text()))
    styles = {**HOSTILE, "its own properties": "* { %s }" % "".join(f"{one}: 77px !important; " for one in sorted(properties))}
    with browser.screen(width, 800, phone=width < 500), browser.prefers(reduced_motion="reduce"):
        plain, differences = None, {}
        for which, style in {"none": "", **styles}.items():
            chat = opened(head=f"<style>{style} main {{ display: none !important; }}</style>", open=False, suggestions="a|b",
                          privacy="https://tea.example/")
            chat.run("Banter.open()")
            until(chat.is_open, f"the panel where {which}")
            chat.ask(script("same", tokens=["**two** and `three`"]))
            chat.ends()
            now = looks(chat)
            plain = plain or now
            assert len(now) == len(plain), which
            if now != plain:
                pairs = zip(plain, now)
                differences[which] = [sorted(set(before) ^ set(after)) for before, after in pairs if before != after][:9]
        assert not differences, json.dumps(differences, indent=1)


def test_odd_pages(opened, browser, shop):
    """A <base>, a direction of its own, names on every object, no doctype."""
    chat = opened(head='<base href="https://elsewhere.example/">', more=' dir="rtl"')
    converses(chat)
    assert chat.run("return getComputedStyle(parts('panel')[0]).direction") == "ltr", "English"
    with browser.before_pages("Object.prototype.extra = () => 1; Array.prototype.more = []; window.name = 'x'"):
        chat = opened()
        converses(chat)
    quiet(browser, "elsewhere.example")
    pages = shop.tenant()
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.host.put(f"<title>x</title>{shop.line(pages.key)}<p>quirks"))
    chat.load()
    converses(chat)


def test_a_line_in_the_head_before_there_is_a_body(shop, browser):
    """Without `defer`, of a page whose rest comes late: behind the widget's last file."""
    pages, came = shop.tenant(), threading.Event()
    watch = """<script>const wait = setInterval(() => {
        if (!performance.getEntriesByType('resource').some(one => one.name.endsWith('/words-en.js'))) return;
        clearInterval(wait); fetch('%s') }, 10)</script>"""

    class Signal(list):
        def __iter__(self):
            came.set()
            return iter(["well"])

    class Late(list):
        def __iter__(self):
            yield f"<!doctype html><html lang=en><head><title>x</title>{shop.line(pages.key, how='')}{watch % shop.host.put(Signal())}"
            assert came.wait(servers.PATIENCE)
            yield "</head><body><p>late</p></body></html>"

    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.host.put(Late()))
    browser.said()
    chat.load()
    converses(chat)
    quiet(browser, "favicon")


# Nothing leaks out


# Names that chromedriver gives a page.
DRIVERS_OWN = "cdc_", "$cdc", "ret_nodes", "se_"


def test_no_name_but_one(shop, browser):
    pages = shop.tenant()
    before = """window.names = () => [window, document, ...[Object, Array, Element, String, Promise].map(one => one.prototype)]
        .map(one => Reflect.ownKeys(one).map(String)); window.first = names()"""
    with browser.before_pages(before):
        chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages))
        chat.load()
        converses(chat)
    new = browser.run("return names().map((now, which) => now.filter(name => !first[which].includes(name)))")
    assert [[one for one in names if one != "first" and not one.startswith(DRIVERS_OWN)] for names in new] == [["Banter"], *[[]] * 6]


def test_the_page_is_as_it_was(shop, browser):
    """Its styles, its size, its focus; open, closed, and on a phone, where the sheet covers it."""
    pages = shop.tenant()
    body = '<div style="height: 3000px">long</div><input id="mine">'
    plain, with_line = (shop.host.origins[0] + shop.put(pages, body=body, line=line) for line in ("", None))
    state = """const page = document.documentElement, { body } = document;
        const all = [page, body, ...body.querySelectorAll(':not(banter-chat, script)')];
        // Emulating a touch screen changes the one that is left out.
        const style = one => [...getComputedStyle(one)].filter(name => name !== '-webkit-tap-highlight-color')
            .map(name => `${one.tagName} ${name}: ${getComputedStyle(one).getPropertyValue(name)}`);
        return [...all.flatMap(style), page.scrollWidth, page.scrollHeight, document.querySelectorAll('style, link').length,
            ...all.flatMap(one => [...one.attributes]).map(one => one.name + one.value)]"""

    def unchanged():
        after = browser.run(state)
        assert [pair for pair in zip(before, after) if pair[0] != pair[1]] == [] and len(before) == len(after)

    for size in ({"width": 1280, "height": 800}, PHONE):
        with browser.screen(**size):
            browser.open(plain)
            before = browser.run(state)
            chat = Chat(browser, shop, pages, with_line)
            chat.load(open=False)
            unchanged()
            chat.click("launcher")
            until(chat.is_open, "the panel")
            if "phone" not in size:
                unchanged()
            chat.click("close")
            until(lambda: not chat.is_open(), "no panel")
            unchanged()


def test_a_pages_own_keys_do_not_hear_what_is_typed(opened, browser):
    """Many sites have shortcuts on the document, and take a custom element for no input."""
    chat = opened(body="<p id=keys></p>")
    browser.run("""window.heard = []; for (const on of [document, window]) for (const kind of ['keydown', 'keypress', 'keyup'])
        on.addEventListener(kind, event => heard.push(kind + event.key))""")
    chat.browser.type(chat.find("input"), "s/j")
    assert chat.input == "s/j" and browser.run("return heard") == []


def test_events_of_its_own_stay_inside(opened, browser):
    """A page that watches its forms sees none of ours."""
    chat = opened()
    browser.run("window.heard = []; document.addEventListener('submit', event => heard.push(event.type), true)")
    converses(chat)
    assert browser.run("return heard") == []


# The line


def test_twice_in_a_page_is_once(shop, browser):
    pages, other = shop.tenant(), shop.tenant()
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages, line=shop.line(pages.key) + shop.line(other.key)))
    browser.said()
    chat.load()
    converses(chat)
    assert browser.run("return document.querySelectorAll('banter-chat').length") == 1
    chat.stored("done")
    said = browser.said()
    assert said and all("anter" in line for line in said), "a warning"


def test_without_a_key_the_owner_is_told(shop, browser):
    page = f"<!doctype html><title>x</title><script src='{shop.url}/banter.js' defer></script><p>x"
    browser.open(shop.host.origins[0] + shop.host.put(page))
    comes(lambda: any("data-key" in line for line in browser.said()), "a warning", lambda: "")
    assert not browser.run("return document.querySelector('banter-chat')")


def test_added_by_another_script(shop, browser):
    """As tag managers do."""
    pages = shop.tenant()
    line = f"""<script>const one = document.createElement('script');
        one.src = '{shop.url}/banter.js'; one.dataset.key = '{pages.key}'; document.head.append(one)</script>"""
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages, line=line))
    chat.load()
    converses(chat)


def test_texts_of_attributes_are_texts(opened, browser):
    wrong = "<img src=x onerror=window.hit=1>\"'&amp;"
    chat = opened(name=wrong, welcome=wrong, suggestions=f"{wrong}|b", position="left\" onclick=hit", accent="red;}*{display:none",
                  theme="x", session="main")
    assert wrong in chat.run("return parts('title')[0].innerText") and wrong in chat.run("return parts('log')[0].innerText")
    assert chat.run("return [parts('panel')[0].ariaLabel, shown('suggestion')[0].innerText.trim()]") == [wrong, wrong]
    converses(chat)
    assert chat.run("return [root.querySelectorAll('img').length, window.hit ?? null]") == [0, None]
    quiet(browser)


def test_where_it_stands(opened, browser):
    with browser.screen(1280, 800):
        for position, side in (("left", "left"), ("right", "right"), (None, "right")):
            chat = opened(open=False, position=position)
            left, right = chat.run("const box = shown('launcher')[0].getBoundingClientRect(); return [box.left, innerWidth - box.right]")
            assert (left < 40) == (side == "left") and (right < 40) == (side == "right")


def test_inline(opened, browser):
    """It fills an element of the page, has no launcher, and begins open."""
    with browser.screen(1280, 800):
        chat = opened(open=False, inline="#here", body='<div id="here" style="width: 500px; height: 450px"></div>')
        until(chat.is_open, "the panel")
        assert not chat.has("launcher") and not chat.has("close")
        inside = chat.run("""const both = [parts('panel')[0], document.querySelector('#here')];
            const [box, here] = both.map(one => one.getBoundingClientRect());
            return [box.left - here.left, box.top - here.top, here.right - box.right, here.bottom - box.bottom].map(Math.round)""")
        assert all(abs(edge) <= 1 for edge in inside), inside
        assert browser.run("return document.activeElement === document.body"), "the page's focus is left alone"
        converses(chat)
        browser.reload()
        chat.ready(open=False)
        until(lambda: len(chat.said()) == 2, "the conversation")
        assert chat.run("return parts('panel')[0].getAttribute('role')") == "region"
        assert browser.run("return [scrollX, scrollY]") == [0, 0]


def test_an_inline_element_may_come_later(opened, browser, shop):
    """And be another, where a page is made anew by a script."""
    pages = shop.tenant()
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages, inline="#here"))
    browser.open(chat.address)
    make = """const one = Object.assign(document.createElement('div'), { id: 'here' });
        one.style.height = '500px'; document.querySelector('main').replaceChildren(one)"""
    browser.run(make)
    chat.ready(open=False)
    converses(chat)
    browser.run(make)
    until(lambda: len(chat.said()) == 2 and chat.run("return document.querySelector('#here').contains(host)"), "the chat in the other")


def test_open_from_the_beginning(opened, shop, browser):
    """Until it was closed."""
    pages = shop.tenant()
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages, line=shop.line(pages.key, open=True)))
    chat.load(open=False)
    until(chat.is_open, "the panel")


def test_a_conversation_of_another_name(opened, shop, browser):
    chat = opened(session="other")
    chat.answer(script(name(), tokens=["one"]), "one")
    browser.open(shop.host.origins[0] + shop.put(chat.pages))
    chat.ready()
    chat.answer(script(name(), tokens=["two"]), "two")
    assert len(chat.said()) == 2 and len({row["conversation"] for row in chat.stored("done", "done")}) == 2


# The API


def test_the_api(opened, browser, model):
    with browser.before_pages("""window.heard = []; const wait = setInterval(() => {
            if (!window.Banter) return;
            clearInterval(wait);
            window.offs = ['ready', 'open', 'close', 'message', 'error']
                .map(event => Banter.on(event, value => heard.push([event, value ?? null]))) })"""):
        chat = opened(open=False)
    kinds = "return heard.map(one => one[0])"
    chat.run("Banter.open()")
    until(chat.is_open, "the panel")
    chat.run("Banter.close()")
    until(lambda: not chat.is_open(), "no panel")
    question = script(name(), tokens=["one ", "two"])
    assert chat.run("return Banter.send(arguments[0])", question) == "one two"
    assert chat.is_open() and chat.said() == [("user", question), ("assistant", "one two")]
    assert [kind for kind in browser.run(kinds) if kind != "ready"] == ["open", "close", "open", "message", "message"]
    assert browser.run("return heard.filter(one => one[0] === 'message').map(one => one[1])") == [
        {"role": "user", "text": question}, {"role": "assistant", "text": "one two"}]
    chat.site.grant(0)
    failed = chat.run("return Banter.send('x').then(() => 'well', () => 'failed')")
    assert failed == "failed"
    ((status, text),) = browser.run("return heard.filter(one => one[0] === 'error').map(one => [one[1].status, one[1].text])")
    assert status == 402 and isinstance(text, str) and text
    browser.run("offs.forEach(off => off())")
    count = len(browser.run("return heard"))
    chat.run("Banter.close()")
    until(lambda: not chat.is_open(), "no panel")
    assert len(browser.run("return heard")) == count
    quiet(browser, "402")


def test_what_is_called_at_once_waits(shop, browser):
    """Each method is there as soon as the line has run."""
    pages = shop.tenant()
    question = script(name(), tokens=["one"])
    after = f"""<script type="module">window.early = []; Banter.on('ready', () => early.push('ready'));
        Banter.texts({{ send: 'Ab die Post' }}); Banter.theme('dark');
        Banter.send({json.dumps(question)}).then(text => early.push(text))</script>"""
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages, line=shop.line(pages.key) + after))
    chat.load(open=False)
    comes(lambda: browser.run("return early") == ["ready", "one"], "an answer", lambda: browser.run("return early"))
    assert chat.is_open() and chat.said() == [("user", question), ("assistant", "one")]
    chat.ends()
    assert "Ab die Post" in chat.run("const one = parts('send')[0]; return one.innerText + one.ariaLabel + one.title")
    quiet(browser)


def test_a_listener_that_throws_harms_nobody(opened, browser):
    chat = opened()
    chat.run("for (const event of ['message', 'open', 'close']) Banter.on(event, () => { throw new Error('the page\\'s own') })")
    chat.answer(script(name(), tokens=["one"]), "one")
    chat.run("Banter.close()")
    until(lambda: not chat.is_open(), "no panel")


def background(chat):
    return chat.run("return getComputedStyle(parts('panel')[0]).backgroundColor")


def bright(colour):
    return sum(map(int, re.findall(r"\d+", colour)[:3])) > 384


def test_light_dark_and_what_the_visitor_prefers(opened, browser):
    for prefers in ("light", "dark"):
        with browser.prefers(color_scheme=prefers):
            for theme, expected in ((None, prefers), ("auto", prefers), ("light", "light"), ("dark", "dark")):
                chat = opened(theme=theme)
                assert bright(background(chat)) == (expected == "light"), (prefers, theme)
            chat.run("Banter.theme('light')")
            assert bright(background(chat))
            chat.run("Banter.theme('auto')")
            assert bright(background(chat)) == (prefers == "light")


# Languages


def test_every_language_has_every_word():
    assert set(words()) == set(LANGUAGES)
    for language, said in words().items():
        assert set(said) == set(words()["en"]), language
        for word, text in said.items():
            assert text.strip() == text and text and ("{n}" in text) == ("{n}" in words()["en"][word]), (language, word)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language(opened, browser, language):
    """In its own words and direction; nothing is cut off, on a phone either."""
    said = words()[language]
    with browser.screen(320, 568, phone=True):
        chat = opened(language="x-none" if language == "en" else language, privacy="https://tea.example/")
        assert chat.run("return [parts('panel')[0].ariaLabel, parts('title')[0].innerText]") == [said["title"]] * 2
        assert chat.run("return parts('input')[0].placeholder") == said["placeholder"]
        for part, word in (("log", "welcome"), ("privacy", "privacy")):
            assert said[word] in chat.run("return parts(arguments[0])[0].innerText", part)
        called = "return [...root.querySelectorAll('button')].map(one => one.ariaLabel || one.title || one.innerText)"
        assert {said["send"], said["close"], said["erase"]} <= set(chat.run(called))
        directions = chat.run("return ['panel', 'input'].map(name => getComputedStyle(parts(name)[0]).direction)")
        assert directions == ["rtl" if language == "ar" else "ltr"] * 2, "an empty input too"
        assert chat.run("return parts('panel')[0].closest('[lang]').lang").startswith(language)
        cut = chat.run("""return ['title', 'privacy', 'send'].flatMap(shown)
            .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
            .map(one => one.getAttribute('part'))""")
        assert cut == []
        chat.answer(script(name(), tokens=["one"]), "one")
        names = chat.run("""return ['good', 'bad', 'again'].map(name => shown(name)[0])
            .map(one => one.ariaLabel || one.innerText)""")
        assert names == [said["good"], said["bad"], said["again"]]


@pytest.mark.parametrize("given, expected", [("de-AT", "de"), ("pt-BR", "pt"), ("zh-Hant-TW", "zh"), ("EN-us", "en"), ("ar-EG", "ar")])
def test_which_language(opened, given, expected):
    assert opened(language=given).run("return parts('title')[0].innerText") == words()[expected]["title"]


# Colours

ACCENTS = ["#ff0", "#ffffff", "#000", "#777777", "#808080", "#0a7", "#c00", "#00f", "#f0f", "#0ff", "rebeccapurple", "hsl(70 90% 40%)", "no colour"]
# Of everything with a text, the least contrast of it with what is behind it; and of pictures in buttons, at least 3.
CONTRASTS = INSIDE + """
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const numbers = colour => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below) => [0, 1, 2].map(at => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
    const behind = one => {
        const layers = [];
        for (let at = one; at; at = at.assignedSlot || at.parentElement || at.getRootNode().host) {
            const style = getComputedStyle(at);
            layers.push(numbers(style.backgroundColor));
            if (layers.at(-1)[3] === 1) break;
        }
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    };
    const light = colour => colour.slice(0, 3).map(one => one / 255).map(one => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
        .reduce((sum, one, at) => sum + one * [.2126, .7152, .0722][at], 0);
    const contrast = (one, two) => {
        const [low, high] = [light(one), light(two)].sort((a, b) => a - b);
        return (high + .05) / (low + .05);
    };
    const poor = [];
    for (const one of root.querySelectorAll('*')) {
        if (!seen(one) || one.disabled) continue;
        const picture = one.tagName === 'svg', text = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!picture && !text) continue;
        const style = getComputedStyle(one), below = behind(one);
        let opacity = 1; for (let at = one; at instanceof Element; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
        const colour = numbers(style.color); colour[3] *= opacity;
        const ratio = contrast(over(colour, below), below);
        if (ratio < (picture ? 3 : 4.5)) poor.push([one.closest('[part]').part.value, one.tagName, style.color, below.join(), ratio]);
    }
    const field = shown('input')[0], empty = getComputedStyle(field, '::placeholder').color;
    const ratio = contrast(over(numbers(empty), behind(field)), behind(field));
    if (ratio < 4.5) poor.push(['placeholder', ratio]);
    return poor"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_accent_can_be_read(opened, browser, theme):
    wrong = {}
    with browser.prefers(reduced_motion="reduce"):
        for accent in ACCENTS:
            chat = opened(accent=accent, theme=theme, privacy="https://tea.example/", suggestions="a|b")
            poor = browser.run(CONTRASTS)
            text = "See [ours](https://tea.example/), `code`.\n\n```\nmore\n```\n\n> said\n\n|a|b|\n|-|-|\n|c|d|"
            chat.ask(script("same", tokens=[text]))
            chat.ends()
            chat.put("a question")
            poor += browser.run(CONTRASTS)
            if poor:
                wrong[accent] = poor
    assert not wrong, json.dumps(wrong, indent=1)
