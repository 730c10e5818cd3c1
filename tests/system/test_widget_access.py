"""The widget for everybody: by the keyboard alone, for screen readers, enlarged, on a phone, with less motion. axe-core finds nothing."""

import json

import pytest
from servers import name, script, until
from test_openai_clients import MODULES, modules  # noqa: F401  (installed, for all tests here)
from widget import INSIDE, PHONE, browser, comes, gates, opened, shop, words  # noqa: F401 (four are fixtures)

AXE = MODULES / "axe-core" / "axe.min.js"
RICH = ["## Hours\n\nWe are **open**:\n\n- Monday\n  1. nine\n  2. five\n- Tuesday\n\n",
        "```python\nprint('a long line of code that does not fit into the panel at all', 1)\n```\n\n",
        "| day | opens | closes | tea |\n|---|---|---|---|\n| Monday | nine | five | green, black, white and oolong |\n\n",
        "> [ours](https://tea.example/hours)\n\n`x`"]


def rich(chat):
    """A conversation with all there is in one."""
    chat.ask(script("When are you open?", tokens=RICH))
    chat.ends()


def focus(chat):
    """The part that has the focus, or what of the page does."""
    return chat.run("""const inside = root && root.activeElement;
        const outside = document.activeElement;
        return inside ? inside.closest('[part]').getAttribute('part').split(' ')[0] : outside.id || outside.tagName""")


# By the keyboard


def test_by_the_keyboard_alone(opened, browser, model, gates):
    """Every step of a conversation; the focus is never lost, and given back."""
    chat, gate = opened(open=False, body='<button id="mine">mine</button>', suggestions="a|b", privacy="https://tea.example/"), gates()
    chat.run("document.querySelector('#mine').focus()")
    for _ in range(3):
        if focus(chat) != "launcher":
            browser.press("Tab")
    assert focus(chat) == "launcher"
    controls = "root.getElementById(parts('launcher')[0].getAttribute('aria-controls'))"
    assert chat.run(f"return parts('launcher')[0].ariaExpanded === 'false' && {controls} === parts('panel')[0]")
    browser.press("Enter")
    until(chat.is_open, "the panel")
    comes(lambda: focus(chat) == "input", "the focus in the input", lambda: focus(chat))
    assert chat.run("return parts('launcher')[0].ariaExpanded") == "true"
    chat.put(script(gate, tokens=["one ", "two"], gates={"2": gate}))
    browser.press("Enter")
    chat.shows(("assistant", "one"))
    assert focus(chat) == "input"
    go(browser, chat, "stop")
    browser.press("Enter")
    chat.ends("stopped")
    assert focus(chat) in ("input", "send", "again", "panel"), "what had the focus is gone"
    model.open_gate(gate)
    go(browser, chat, "again")
    browser.press("Enter")
    chat.shows(("assistant", "one two"))
    chat.ends()
    assert focus(chat) not in ("BODY", None)
    for part in ("good", "bad"):
        go(browser, chat, part)
        browser.press(" ")
        comes(lambda part=part: chat.run("return parts(arguments[0]).at(-1).ariaPressed", part) == "true", part, lambda: "")
        assert focus(chat) == part
    go(browser, chat, "erase")
    browser.press("Enter")
    until(lambda: chat.has("yes"), "the question")
    go(browser, chat, "no")
    browser.press("Enter")
    until(lambda: not chat.has("no"), "no question")
    assert focus(chat) not in ("BODY", "mine")
    browser.press("Escape")
    until(lambda: not chat.is_open(), "no panel")
    assert focus(chat) == "launcher"


def go(browser, chat, part):
    """By Tab, to a part that is there."""
    seen = []
    for _ in range(40):
        seen.append(focus(chat))
        if seen[-1] == part:
            return
        browser.press("Tab")
    raise AssertionError(f"Tab does not lead to {part}, but to {seen}")


def test_the_focus_is_given_back_to_what_had_it(opened, browser):
    chat = opened(open=False, body='<button id="mine" onclick="Banter.open()">ask</button>')
    chat.run("document.querySelector('#mine').focus()")
    browser.press("Enter")
    until(chat.is_open, "the panel")
    comes(lambda: focus(chat) == "input", "the focus in the input", lambda: focus(chat))
    browser.press("Escape")
    until(lambda: not chat.is_open(), "no panel")
    assert focus(chat) == "mine"


def test_escape_closes_what_is_in_front_first(opened, browser):
    chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    chat.click("erase")
    until(lambda: chat.has("no"), "the question")
    browser.press("Escape")
    until(lambda: not chat.has("no"), "no question")
    assert chat.is_open()
    chat.stored("done")


def test_every_focus_can_be_seen(opened, browser):
    """An outline, or another border, where Tab leads."""
    chat = opened(privacy="https://tea.example/")
    rich(chat)
    chat.put("a question")
    chat.run("parts('close')[0].focus()")
    parts = []
    look = """return ['outline', 'border-color', 'box-shadow', 'background-color']
        .map(name => getComputedStyle(window.one).getPropertyValue(name))"""
    while len(parts) < 30:
        browser.press("Tab")
        if focus(chat) in ("BODY", "launcher"):
            break
        parts.append(focus(chat))
        chat.run("window.one = root.activeElement.part.contains('input') ? parts('form')[0] : root.activeElement")
        focused = chat.run(look)
        chat.run("window.had = root.activeElement; had.blur()")
        assert chat.run(look) != focused, parts[-1]
        chat.run("had.focus()")
    assert {"log", "copy", "good", "again", "input", "send", "privacy"} <= set(parts), parts


# For screen readers


def test_the_live_region_says_whole_sentences(opened, browser, model, gates):
    """Of an answer in sixty tokens, what a reader is told is a handful of sentences; no token is in a live region."""
    chat, gate = opened(), gates()
    chat.run("""window.told = []; const status = parts('status')[0];
        new MutationObserver(() => { const text = status.textContent.trim(); if (text && text !== told.at(-1)) told.push(text) })
            .observe(status, { childList: true, characterData: true, subtree: true })""")
    assert chat.run("const one = parts('status')[0]; return [one.getAttribute('aria-live'), one.ariaAtomic]")[0] == "polite"
    sentence = "We are open from nine to five. On Sundays we are not. "
    chat.ask(script(gate, tokens=[piece + " " for piece in (sentence * 5).split()], gates={"40": gate}))
    comes(lambda: "Sundays" in chat.said()[-1][1], "the beginning", chat.said)
    live = """return parts('text').filter(one => { for (let at = one; at instanceof Element; at = at.parentElement)
        if (at.matches('[aria-live=polite], [aria-live=assertive], [role=alert], [role=status], [role=log]')) return true }).length"""
    assert chat.run(live) == 0
    model.open_gate(gate)
    chat.ends()
    comes(lambda: chat.words()["ready"] in chat.run("return told.at(-1) || ''"), "that it is ready", lambda: chat.run("return told"))
    told = chat.run("return told")
    assert 1 <= len(told) <= 12, told
    for one in told:
        assert one == chat.words()["thinking"] or one.rstrip()[-1] in ".!?:\u2026" or one in words()["en"].values(), told


def test_an_error_is_told_at_once(opened):
    chat = opened()
    chat.site.grant(0)
    chat.ask("Hello")
    comes(chat.notice, "a notice", chat.said)
    assert chat.run("return shown('notice').every(one => one.closest('[role=alert]'))")


def test_all_has_a_name_and_says_who_speaks(opened):
    chat = opened(suggestions="a|b")
    rich(chat)
    unnamed = chat.run("""return [...root.querySelectorAll('button, textarea, a, [role=dialog], [role=region]')].filter(seen)
        .filter(one => !(one.ariaLabel || one.title || one.innerText || one.placeholder || '').trim())
        .map(one => one.outerHTML.slice(0, 99))""")
    assert unnamed == []
    said = chat.run("return shown('message').map(one => one.textContent + (one.ariaLabel || ''))")
    assert words()["en"]["you"] in said[0] and words()["en"]["bot"] in said[1]


# axe-core


def axe(browser):
    """What it finds, and what it could not decide of contrast, in the whole page."""
    loaded = "return !!window.axe"
    if not browser.run(loaded):
        browser.run(AXE.read_text())
    found = browser.run("""return axe.run(document, { resultTypes: ['violations', 'incomplete'] }).then(({ violations, incomplete }) =>
        [...violations, ...incomplete.filter(one => one.id !== 'color-contrast')].map(one =>
            [one.id, one.impact, one.nodes.map(node => [node.target.flat().join(' '), node.html.slice(0, 160), node.failureSummary])]))""")
    assert found == [], json.dumps(found, indent=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(opened, browser, scheme, size):
    with browser.screen(**size), browser.prefers(color_scheme=scheme, reduced_motion="reduce"):
        chat = opened(open=False, suggestions="a|b", privacy="https://tea.example/")
        axe(browser)
        chat.click("launcher")
        until(chat.is_open, "the panel")
        axe(browser)
        rich(chat)
        axe(browser)
        chat.site.grant(0)
        chat.ask("And on Sundays?")
        comes(chat.notice, "a notice", chat.said)
        axe(browser)
        chat.click("erase")
        until(lambda: chat.has("yes"), "the question")
        axe(browser)


@pytest.mark.parametrize("page", [{"language": "ar"},
                                  {"inline": "#here", "body": '<div id="here" style="width: 600px; height: 600px"></div>'},
                                  {"accent": "#ff0", "theme": "dark"}], ids=["right to left", "inline", "an accent"])
def test_axe_finds_nothing_there_either(opened, browser, page):
    with browser.prefers(reduced_motion="reduce"):
        chat = opened(privacy="https://tea.example/", **page)
        rich(chat)
        axe(browser)


# Sizes


SIZES = {"desktop": {"width": 1280, "height": 800}, "200 %": {"width": 640, "height": 400, "scale": 2},
         "400 %": {"width": 320, "height": 256, "scale": 4}, "narrow": {"width": 320, "height": 568, "phone": True}, "phone": PHONE,
         "phone on its side": {"width": 844, "height": 390, "phone": True}}
# What is cut off, and which controls lie on another.
FAULTS = INSIDE + """
    const faults = [], log = parts('log')[0], page = document.documentElement;
    const label = one => one.getAttribute('part') || one.tagName;
    if (page.scrollWidth > innerWidth) faults.push(`the page scrolls to the side: ${page.scrollWidth}`);
    if (log.scrollWidth > log.clientWidth) {
        const right = one => one.getBoundingClientRect().right;
        const wide = [...log.querySelectorAll('*')].filter(one => right(one) > right(log));
        faults.push(`the log scrolls to the side: ${log.scrollWidth} of ${log.clientWidth}, by ${wide.map(label)}`);
    }
    for (const one of root.querySelectorAll('[part]')) {
        if (!seen(one) || log.contains(one) && one !== log || one.closest('[part~=status]')) continue;
        const box = one.getBoundingClientRect();
        if (Math.min(box.left, box.top, innerWidth - box.right, innerHeight - box.bottom) < -.5)
            faults.push(`${label(one)} is outside: ${JSON.stringify(box)}`);
    }
    const controls = [...root.querySelectorAll('button, textarea, a')].filter(one => seen(one) && !log.contains(one));
    for (const one of controls) {
        const box = one.getBoundingClientRect();
        const top = root.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        if (top !== one && !one.contains(top)) faults.push(`${label(one)} lies beneath ${top && label(top)}`);
    }
    if (log.clientHeight < Math.min(60, innerHeight / 5)) faults.push(`the log is ${log.clientHeight} high`);
    for (const one of controls.filter(one => one.tagName === 'BUTTON')) {
        const box = one.getBoundingClientRect();
        if (box.width < 24 || box.height < 24) faults.push(`${label(one)} is small: ${box.width} x ${box.height}`);
    }
    return faults"""


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_nothing_is_cut_off_or_overlaps(opened, browser, size):
    with browser.screen(**size), browser.prefers(reduced_motion="reduce"):
        chat = opened(privacy="https://tea.example/", suggestions="What do you sell?|When are you open?",
                      name="A shop with a rather long name")
        assert browser.run(FAULTS) == []
        rich(chat)
        assert browser.run(FAULTS) == []
        chat.put("several\nlines\nof\na\nquestion\nthat\nis\nlong\nand\nlonger")
        assert browser.run(FAULTS) == []
        assert size != SIZES["desktop"] or chat.run("return document.elementFromPoint(5, 5) !== host")
        chat.ask(script(name(), tokens=["w" * 300, " ", "https://tea.example/" + "x" * 200]))
        chat.ends()
        assert browser.run(FAULTS) == []


def test_larger_letters(opened, browser):
    """The visitor's own size of text, not the page's, is the widget's."""
    chat = opened()
    rich(chat)
    size = "return parseFloat(getComputedStyle(parts('input')[0]).fontSize)"
    before = chat.run(size)
    browser.devtools("Page.enable")
    browser.devtools("Page.setFontSizes", fontSizes={"standard": 32, "fixed": 26})
    try:
        comes(lambda: chat.run(size) >= 1.9 * before, "letters twice as large", lambda: (before, chat.run(size)))
        assert browser.run(FAULTS) == []
    finally:
        browser.devtools("Page.setFontSizes", fontSizes={"standard": 16, "fixed": 13})


# On a phone


def test_on_a_phone_it_is_a_sheet(opened, browser):
    with browser.screen(**PHONE), browser.prefers(reduced_motion="reduce"):
        chat = opened(body='<input id="mine">')
        box = chat.run("""const box = parts('panel')[0].getBoundingClientRect();
            return [box.left, box.top, innerWidth - box.right, innerHeight - box.bottom]""")
        assert all(abs(edge) <= 1 for edge in box), box
        assert chat.run("return parts('panel')[0].matches('[role=dialog][aria-modal=true]')")
        assert chat.run("return parseFloat(getComputedStyle(parts('input')[0]).fontSize)") >= 16, "no zoom on focus"
        assert focus(chat) != "input", "no keyboard that nobody asked for"
        assert focus(chat) not in ("BODY", "mine")
        rich(chat)
        seen = set()
        for _ in range(25):
            browser.press("Tab")
            seen.add(focus(chat))
        assert not seen & {"BODY", "mine", "A", "launcher"} and {"input", "close"} <= seen, seen
        browser.press("Shift", "Tab")
        assert focus(chat) not in ("BODY", "mine", "A")
        chat.click("close")
        until(lambda: not chat.is_open(), "no panel")
        assert focus(chat) == "launcher"


def test_a_phones_keyboard_does_not_cover_the_input(opened, browser):
    """Which is what visualViewport tells: here a test says it."""
    with browser.screen(**PHONE), browser.prefers(reduced_motion="reduce"):
        chat = opened()
        rich(chat)
        chat.find("input")
        chat.run("""parts('input')[0].focus(); Object.defineProperty(visualViewport, 'height', { value: 400, configurable: true });
            visualViewport.dispatchEvent(new Event('resize'))""")
        bottom = "return parts('form')[0].getBoundingClientRect().bottom"
        comes(lambda: chat.run(bottom) <= 401, "the input above the keyboard", lambda: chat.run(bottom))
        assert chat.run("return parts('header')[0].getBoundingClientRect().top") >= -1
        chat.run("delete visualViewport.height; visualViewport.dispatchEvent(new Event('resize'))")
        comes(lambda: chat.run(bottom) > 700, "the input below", lambda: chat.run(bottom))


def test_it_becomes_a_sheet_and_a_window_again(opened, browser):
    """A tablet is turned, a window is made narrow."""
    with browser.screen(1280, 800), browser.prefers(reduced_motion="reduce"):
        chat = opened()
        assert chat.run("return parts('panel')[0].getAttribute('aria-modal')") in (None, "false")
        with browser.screen(400, 800):
            comes(lambda: chat.run("return parts('panel')[0].getAttribute('aria-modal')") == "true", "a sheet", lambda: "")
            assert browser.run(FAULTS) == []


# Motion and colours


def test_less_motion(opened, browser, model, gates):
    with browser.prefers(reduced_motion="reduce"):
        chat, gate = opened(), gates()
        chat.ask(script(gate, tokens=["one"], gates={"1": gate}))
        until(lambda: chat.has("stop"), "the beginning")
        moving = """return [...document.getAnimations(), ...root.getAnimations()]
            .filter(one => one.effect.getComputedTiming().duration > 50).map(one => one.animationName || one.transitionProperty)"""
        assert chat.run(moving) == []
        smooth = chat.run("return [...root.querySelectorAll('*')].filter(one => getComputedStyle(one).scrollBehavior === 'smooth').length")
        assert smooth == 0


def test_forced_colours(opened, browser):
    """What is told by a colour alone elsewhere has a border there; pictures are to be seen."""
    with browser.prefers(forced_colors="active", reduced_motion="reduce"):
        chat = opened(privacy="https://tea.example/")
        rich(chat)
        bare = chat.run("""const question = parts('text', root.querySelector('[data-role=user]'));
            return [...shown('panel'), ...shown('form'), ...shown('send'), ...question]
                .filter(one => parseFloat(getComputedStyle(one).borderTopWidth) === 0).map(one => one.getAttribute('part'))""")
        assert bare == []
        hidden = chat.run("""return [...root.querySelectorAll('button svg')].filter(seen)
            .filter(one => getComputedStyle(one).color === getComputedStyle(one.closest('button')).backgroundColor).length""")
        assert hidden == 0
        axe(browser)
