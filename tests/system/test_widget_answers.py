"""What a model may say never leaves its box: naughty strings, half Markdown, markup, endless lines, in any pieces. What answers is the
page's own `fetch`, so that an answer may be of any length. BANTER_TEST_SEED=SEED repeats a run's choices."""

import contextlib
import os
import random
import secrets

import pytest
from servers import name, script
from widget import INSIDE, Chat, Shop, browser  # noqa: F401 (one is a fixture)

COUNT = 40

# The page answers /v1/ui with these pieces of a text, and keeps count of what else is asked.
ANSWERS = """
    const real = window.fetch;
    window.asked = [];
    window.pieces = null;
    window.fetch = async (...how) => {
        const address = String(how[0]?.url ?? how[0]);
        asked.push(address);
        if (!window.pieces || !address.endsWith('/v1/ui')) return real(...how);
        const event = value => new TextEncoder().encode(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\\n\\n`);
        const pieces = window.pieces;
        window.pieces = null;
        const body = new ReadableStream({ async start(to) {
            to.enqueue(event({ type: 'start', messageId: 'm' + Math.random(), messageMetadata: { conversationId: 'none' } }));
            to.enqueue(event({ type: 'start-step' }));
            to.enqueue(event({ type: 'text-start', id: 't0' }));
            for (const [at, delta] of pieces.entries()) {
                to.enqueue(event({ type: 'text-delta', id: 't0', delta }));
                if (at % 8 === 7) await new Promise(next => setTimeout(next));
            }
            to.enqueue(event({ type: 'text-end', id: 't0' }));
            to.enqueue(event({ type: 'finish-step' }));
            to.enqueue(event({ type: 'finish', finishReason: 'stop' }));
            to.enqueue(event('[DONE]'));
            to.close();
        } });
        return new Response(body, { status: 200, headers: { 'Content-Type': 'text/event-stream' } });
    };
    for (const kind of ['alert', 'confirm', 'prompt', 'open', 'print']) window[kind] = () => { window.hit = kind };
    window.names = new Set(['Banter', 'names', ...Reflect.ownKeys(window)]);
"""

NAUGHTY = [
    "", " ", "\n\n\n", "\u200b", "\ufeff", "null", "undefined", "[object Object]", "__proto__", "constructor", "toString", "{{7*7}}",
    "${7*7}", "<%= 1 %>", "%s%n%x",
    "\u202eright to left\u202c \u2066isolated \u2067and \u2068more", "\u202e" * 50 + "x",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 and \u05e2\u05d1\u05e8\u05d9\u05ea 123",
    "Z" + "\u0351\u036b\u0343\u036a\u0302\u033d\u0334\u0319" * 20 + "A" + "\u0335\u0316\u0317" * 60 + "L",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 30, "\ufdfd" * 40, "\u2028\u2029\u0085\u000b\u000c", "\u00ad" * 99,
    "\U0001f600\u0301\u20e3", "\U000e0041\U000e0042", "\u3000\u2003\u00a0x", "\uffff\ufffe\ufdd0", "\t" * 40 + "x", "a\rb\r\nc",
]
MARKUP = [
    "<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "<svg onload=window.hit=1>",
    "<iframe src=javascript:window.hit=1></iframe>", "<style>*{display:none}</style>", "<a href=javascript:window.hit=1>x</a>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=window.hit=1&gt;\">",
    "</div></section></banter-chat>", "<plaintext>", "<textarea>", "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<form action=//evil.example><input name=x autofocus onfocus=window.hit=1>", "<link rel=stylesheet href=//evil.example>",
    "<video src=//evil.example/v autoplay>", "<object data=//evil.example>", "&lt;b&gt; &#x3c;i&#x3e; &amp;amp; &nbsp;", "<!-- ",
    "<![CDATA[", "<details open ontoggle=window.hit=1>", "[x](javascript:window.hit=1)", "[x]( javascript:window.hit=1)",
    "[x](java\nscript:window.hit=1)", "[x](JaVaScRiPt:window.hit=1)", "[x](data:text/html,<script>window.hit=1</script>)",
    "[x](vbscript:hit)", "[x](https://x.example\" onmouseover=\"window.hit=1)", "[x](<javascript:window.hit=1>)",
    "![x](https://evil.example/leak.png)", "![x](x \"t\" onerror=window.hit=1)",
    "[![x](https://evil.example/a.png)](https://evil.example/b)", "<javascript:window.hit=1>",
    "https://x.example/\"onmouseover=window.hit=1", "[a][b]\n\n[b]: javascript:window.hit=1", "[x](//evil.example)",
    "[x](/v1/chat)", "[x](file:///etc/passwd)", "[x](blob:x)", "[x](\x01javascript:window.hit=1)",
    "[x](https://user:pw@evil.example/)", "[x](mailto:a@tea.example?body=%0d%0a)",
    "|<img src=x onerror=window.hit=1>|\n|---|\n|[x](javascript:window.hit=1)|", "```<script>window.hit=1</script>\n<b>",
    "`<img src=x onerror=window.hit=1>`",
]
HALF = [
    "**", "*", "***a", "_a", "~~", "`", "``", "```", "```js\n", "~~~", "[", "[a", "[a]", "[a](", "[a](http", "![", "|", "|a|\n|-",
    "|a|b|\n|---|\n|c|d|e|f|\n|", "#", "####### a", "> > > >", "- ", "-", "1.", "1. a\n   - b\n      1. c\n\n  d",
    "999999999999. x", "* a\n+ b\n- c", "***", "---", "===", "a\n===", "\\", "\\\\", "\\*a\\*", "<", "&", "&#", "https://",
    "http://[", "https://x.example/)", "**a*b**c*", "`a``b`", "[a](b(c)d)e", "[[[[a]]]](x)", "| | |\n|:-:|-:|\n", "-\n-\n-",
    "> a\nb\n\n> c\n- d\n  > e", "```\n````\n```", "> ```\n> a\nb", "- ```\n  a\n- b",
]
LONG = [
    "x" * 100_000, "\U0001f600" * 25_000, "a " * 50_000, "*" * 100_000, "[" * 100_000, "`" * 100_000, ">" * 100_000, "**a" * 33_000,
    "[a](" * 25_000, "|" * 100_000, "|a|b|\n|-|-|\n" + "|c|d|\n" * 12_000, "- " * 50_000, "\\" * 100_000, "<" * 100_000, "_a_" * 33_000,
    "https://" + "x" * 100_000, "\n" * 100_000, "- a\n" * 20_000, "> " * 50_000, "```\n" + "y" * 100_000, "#" * 100_000, "![" * 50_000,
    "~" * 100_000, "".join("  " * depth + "- a\n" for depth in range(300)),
    "1. " * 33_000, "| " + "z" * 100_000 + " |\n|---|\n", "https://x.example " * 5_000, "\u202e" * 100_000, "a\u0301" * 50_000,
]

# What has left its box, is no part of an answer, or leads elsewhere.
ESCAPED = INSIDE + """
    const faults = [], panel = parts('panel')[0], log = parts('log')[0], outer = panel.getBoundingClientRect();
    const say = (fault, one) => faults.length < 5 && faults.push(fault + ' ' + (one ? one.outerHTML.slice(0, 120) : ''));
    if (window.hit !== undefined) say('it ran: ' + window.hit);
    for (const one of Reflect.ownKeys(window))
        if (!names.has(one) && !/^(\\$?cdc_|ret_nodes|se_)/.test(String(one))) say('a new name: ' + String(one));
    if (document.documentElement.scrollWidth > innerWidth) say('the page scrolls to the side');
    if (log.scrollWidth > log.clientWidth && getComputedStyle(log).overflowX !== 'hidden') say('the log scrolls to the side');
    if (document.body.querySelector('img, iframe, form, object, video, banter-chat ~ banter-chat')) say('the page has something new');
    const message = shown('message').at(-1), text = parts('text', message)[0];
    const allowed = new Set(['p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'ul', 'ol', 'li', 'blockquote', 'table', 'thead', 'tbody',
        'tr', 'th', 'td', 'hr', 'a', 'h3', 'h4', 'h5', 'h6', 'div', 'span', 'section', 'figure', 'button']);
    const attributes = new Set(['class', 'part', 'dir', 'href', 'target', 'rel', 'start', 'type', 'aria-label', 'title', 'tabindex',
        'role', 'scope', 'align', 'value']);
    const safe = ({ href, target, rel }) => /^(https?|mailto):/.test(href) && target === '_blank' && /noopener noreferrer/.test(rel);
    const boxes = [...text.querySelectorAll('*')];
    for (const one of boxes) {
        if (!allowed.has(one.localName)) say('an element that no answer has:', one);
        for (const { name } of one.attributes) if (!attributes.has(name)) say(`an attribute that no answer has, ${name}:`, one);
        if (one.localName === 'a' && !safe(one)) say('a link:', one);
    }
    // Marks upon marks make a letter as wide as they like: what clips it is its box. An element is in the log without that.
    const inside = (one, box, glyphs) => {
        for (let at = one; at && at !== panel; at = at.parentElement) {
            const style = getComputedStyle(at);
            if (at !== one && (at !== log || glyphs) && /auto|scroll|hidden|clip/.test(style.overflowX)) {
                const clip = at.getBoundingClientRect();
                box = { left: Math.max(box.left, clip.left), right: Math.min(box.right, clip.right) };
            }
            if (style.position === 'fixed') return false;
        }
        return box.left >= outer.left - 1 && box.right <= outer.right + 1 || box.right <= box.left;
    };
    const some = boxes.length > 2000 ? boxes.filter((_, at) => at % Math.ceil(boxes.length / 2000) === 0) : boxes;
    for (const one of some) if (!inside(one, one.getBoundingClientRect())) say('outside of the panel:', one);
    for (const one of [message, text]) if (!inside(one, one.getBoundingClientRect())) say('outside of the panel:', one);
    const range = document.createRange(), walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    for (let count = 0, node; count < 500 && (node = walk.nextNode()); count++) {
        range.selectNodeContents(node);
        const box = range.getBoundingClientRect();
        if (box.width && !inside(node.parentElement, box, true)) { say('a text outside of the panel:', node.parentElement); break }
    }
    const places = performance.getEntriesByType('resource').map(one => one.name).concat(asked.map(one => new URL(one, location).href));
    for (const place of places)
        if (![arguments[0], location.origin].includes(new URL(place).origin) && !place.startsWith('data:')) say('it asked ' + place);
    return faults"""


@pytest.fixture(scope="module")
def chat(shared_site, browser):
    """One page, whose answers are the test's."""
    with (contextlib.closing(Shop(shared_site)) as shop, browser.screen(1280, 800), browser.prefers(reduced_motion="reduce"),
          browser.before_pages(ANSWERS)):
        pages = shop.tenant()
        chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages))
        chat.load()
        yield chat


def answered(chat, pieces):
    """An answer of these pieces is in the last message, and its stream has ended."""
    assert chat.run("window.pieces = arguments[0]; return Banter.send('x')", pieces) == "".join(pieces)
    assert chat.statuses()[-1] == "done"


def kept(chat, text):
    """Nothing has left its box."""
    faults = chat.run(ESCAPED.removeprefix(INSIDE), chat.shop.url)
    assert faults == [], (repr(text[:300]), faults)


def in_pieces(chance, text):
    """Cut anywhere, a few at most."""
    cuts = sorted(chance.randrange(len(text) + 1) for _ in range(min(len(text), chance.choice([0, 1, 7, 40]))))
    return [piece for piece in (text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)])) if piece] or ["x"]


def made_up(chance):
    """A text of some of all these, joined by something."""
    return chance.choice(["", " ", "\n", "\n\n", "\n- ", "\n> ", "|", "\n\n```\n"]).join(
        chance.choice(chance.choice([NAUGHTY, MARKUP, HALF])) for _ in range(chance.randrange(1, 30)))


@pytest.mark.parametrize("what", [NAUGHTY, MARKUP, HALF], ids=["naughty", "markup", "half"])
def test_each_stays_in_its_box(chat, what):
    """Each in a paragraph of its own, and all of them in one."""
    for text in ("\n\n".join(what), " ".join(what), "- " + "\n- ".join(what), "> " + "\n> ".join(what)):
        answered(chat, [text[at:at + 5] for at in range(0, len(text), 5)])
        kept(chat, text)


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_text(chat, text):
    """A piece at a time, so that no half of it is something."""
    answered(chat, list(text))
    kept(chat, text)


def test_made_up_ones(chat):
    seed = os.environ.get("BANTER_TEST_SEED") or secrets.token_hex(4)
    print(f"BANTER_TEST_SEED={seed}")
    chance = random.Random(seed)
    for _ in range(COUNT):
        text = made_up(chance)
        answered(chat, in_pieces(chance, text))
        kept(chat, text)


@pytest.mark.parametrize("text", LONG, ids=[one[:8].encode("unicode_escape").decode() for one in LONG])
def test_a_hundred_thousand(chat, text):
    chat.load()
    answered(chat, [text[at:at + 20_000] for at in range(0, len(text), 20_000)])
    kept(chat, text)


def test_it_works_after_all_of_that(chat, browser):
    chat.answer(script(name(), tokens=["one ", "two"]), "one two")
    assert browser.run("return window.hit ?? null") is None
    assert not [line for line in browser.said() if "conversations" not in line]
