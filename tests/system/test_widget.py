"""The widget's conversation, as a visitor has it in Chromium: asking, an answer as it comes, what was said before, another tab, stopping,
asking again, thumbs, and how an answer reads."""

import urllib.parse

import pytest
from servers import name, script, until
from test_visitors import signed
from widget import ASKED, browser, comes, gates, opened, quiet, screen, shop  # noqa: F401 (five are fixtures)

# Of one byte to four, and in several blocks.
TOKENS = ["We ", "are **open** ", "\u00e9\u20ac\U0001f600 ", "today.\n\n", "- a\n- b"]
SHOWN = "We are open \u00e9\u20ac\U0001f600 today.\na\nb"


def lines(chat):
    """The last answer, without the space between its blocks."""
    return [line for line in chat.said()[-1][1].split("\n") if line.strip()]


def reads(chat, text):
    comes(lambda: lines(chat) == text.split("\n"), text, chat.said)


# Asking


def test_one_line_is_enough(opened, browser, model, gates, screen):
    chat, gate = opened(open=False), gates()
    asked = "return performance.getEntriesByType('resource').map(one => one.name)"
    assert not [one for one in browser.run(asked) if "/v1/" in one], "nothing is asked before a question"
    before = browser.run("return { ...localStorage }")
    chat.click("launcher")
    chat.browser.type(chat.find("input"), question := script(gate, tokens=TOKENS, gates={"3": gate}))
    chat.click("send")
    chat.shows(("user", question), ("assistant", "We are open"))
    assert chat.statuses()[-1] == "running" and chat.input == ""
    model.open_gate(gate)
    chat.ends()
    reads(chat, SHOWN)
    kept = browser.run("return { ...localStorage }")
    assert set(kept) - set(before) == {f"banter {chat.pages.key}"} and kept[f"banter {chat.pages.key}"].startswith("vt-site_")
    chat.stored("done")
    quiet(browser)


def test_it_says_that_it_thinks_until_the_first_token(opened, model, gates):
    chat, gate = opened(), gates()
    chat.ask(script(gate, tokens=["one"], gates={"1": gate}))
    until(lambda: chat.has("stop") and chat.words()["thinking"] in chat.run("return root.textContent"), "a sign that it thinks")
    model.open_gate(gate)
    chat.shows(("assistant", "one"))
    chat.ends()


def test_the_next_question_is_of_the_same_conversation(opened):
    chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    chat.answer(script(name(), tokens=["two"]), "two")
    assert [text for _, text in chat.said()][1::2] == ["one", "two"]
    assert len({row["conversation"] for row in chat.stored("done", "done")}) == 1


def test_asking_twice_by_mistake_is_asking_once(opened, browser, model, gates):
    chat, gate = opened(), gates()
    chat.put(script(gate, tokens=["one"], gates={"1": gate}))
    chat.run("const send = parts('send')[0]; send.click(); send.click()")
    browser.press("Enter")
    until(lambda: chat.has("stop"), "the answer's beginning")
    model.open_gate(gate)
    chat.shows(("assistant", "one"))
    chat.ends()
    chat.stored("done")


def test_shift_makes_a_line_and_a_composition_is_not_sent(opened, browser):
    chat = opened()
    chat.find("input")
    chat.put("a")
    browser.press("Shift", "Enter")
    browser.press("b")
    assert chat.input == "a\nb"
    chat.run("""for (const how of [{ isComposing: true }, { keyCode: 229 }]) parts('input')[0].dispatchEvent(
        new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, composed: true, ...how }))""")
    assert chat.input == "a\nb" and chat.said() == []
    browser.press("Enter")
    until(lambda: chat.said()[:1] == [("user", "a\nb")], "the question")
    chat.ends()


def test_blanks_are_no_question(opened, browser):
    chat = opened()
    chat.ask(" \n ")
    assert chat.said() == [] and not chat.has("stop")


def test_a_question_is_as_long_as_it_may_be(opened):
    """In characters as Banter counts them, not in UTF-16."""
    chat = opened()
    chat.put("x" * 4001)
    chat.browser.press("Enter")
    comes(lambda: "4" in chat.notice(), "a notice", chat.notice)
    assert chat.said() == [] and len(chat.input) == 4001
    chat.ask("\U0001f600" * 4000)
    until(lambda: chat.said()[:1] == [("user", "\U0001f600" * 4000)], "the question")
    chat.ends()
    assert chat.notice() == ""


@pytest.mark.parametrize("size", [1, 7])
def test_a_stream_may_come_in_any_pieces(opened, browser, size):
    """Characters and events that are cut anywhere."""
    with browser.before_pages("""const real = fetch; window.fetch = async (...how) => {
            const reply = await real(...how);
            if (!String(how[0]).endsWith('/v1/ui')) return reply;
            const bytes = new Uint8Array(await reply.arrayBuffer()), size = """ + str(size) + """;
            const body = new ReadableStream({ start(to) {
                for (let at = 0; at < bytes.length; at += size) to.enqueue(bytes.slice(at, at + size));
                to.close();
            } });
            return new Response(body, reply);
        }"""):
        chat = opened()
    chat.ask(script(name(), tokens=TOKENS))
    chat.ends()
    reads(chat, SHOWN)


# What was said before


def test_it_is_there_after_a_reload(opened, browser):
    chat = opened()
    question = script(name(), tokens=TOKENS)
    chat.ask(question)
    chat.ends()
    browser.reload()
    chat.ready()
    until(lambda: len(chat.said()) == 2, "the conversation")
    reads(chat, SHOWN)
    assert chat.said()[0] == ("user", question) and chat.statuses()[-1] == "done"
    chat.answer(script(name(), tokens=["two"]), "two")
    assert len({row["conversation"] for row in chat.stored("done", "done")}) == 1
    quiet(browser)


def test_an_answer_that_runs_goes_on_after_a_reload(opened, browser, model, gates, screen):
    chat, first, second = opened(), gates(), gates()
    question = script(first, tokens=["one ", "\u20ac ", "three"], gates={"2": first, "3": second})
    chat.ask(question)
    chat.shows(("assistant", "one"))
    browser.reload()
    chat.ready()
    chat.shows(("user", question), ("assistant", "one"))
    assert chat.has("stop") and chat.statuses()[-1] == "running"
    model.open_gate(first)
    chat.shows(("assistant", "one \u20ac"))
    model.open_gate(second)
    chat.shows(("user", question), ("assistant", "one \u20ac three"))
    chat.ends()
    assert len(chat.said()) == 2
    chat.stored("done")


def test_a_second_tab_has_the_same_conversation_as_it_comes(opened, browser, model, gates):
    chat, first, second = opened(), gates(), gates()
    chat.answer(script(name(), tokens=["before"]), "before")
    with browser.another_tab(chat.address) as show:
        chat.ready()
        chat.shows(("assistant", "before"))
        question = script(first, tokens=["one ", "two ", "three"], gates={"2": first, "3": second})
        chat.ask(question)
        chat.shows(("user", question), ("assistant", "one"))
        show(0)
        chat.shows(("assistant", "before"), ("user", question), ("assistant", "one"))
        model.open_gate(first)
        chat.shows(("user", question), ("assistant", "one two"))
        model.open_gate(second)
        chat.shows(("user", question), ("assistant", "one two three"))
        chat.ends()
        show(1)
        chat.shows(("assistant", "before"), ("user", question), ("assistant", "one two three"))
        chat.ends()
        assert len(chat.said()) == 4
    chat.stored("done", "done")


def test_a_tab_that_comes_while_an_answer_runs(opened, browser, model, gates):
    chat, gate = opened(), gates()
    question = script(gate, tokens=["one ", "two"], gates={"2": gate})
    chat.ask(question)
    chat.shows(("assistant", "one"))
    with browser.another_tab(chat.address) as show:
        chat.ready()
        chat.shows(("user", question), ("assistant", "one"))
        chat.click("stop")
        chat.ends("stopped")
        show(0)
        chat.ends("stopped")
        assert chat.said() == [("user", question), ("assistant", "one")]
    chat.stored("left")


def test_a_tab_that_nobody_sees_asks_nothing(opened, browser):
    """Until it is seen; then it has what was said meanwhile."""
    watch = """{
        const real = fetch, note = (name, value) => localStorage[name] = (localStorage[name] ?? '') + value;
        window.fetch = (address, ...how) => {
            if (document.hidden && String(address).includes('/v1/')) note('asked', address);
            return real(address, ...how);
        };
        window.BroadcastChannel = class extends BroadcastChannel {
            constructor(name) {
                super(name);
                this.addEventListener('message', () => document.hidden && setTimeout(() => {
                    dispatchEvent(new Event('online'));
                    note('heard', 1);
                }));
            }
        };
    }"""
    with browser.before_pages(watch):
        chat = opened()
        chat.answer(script(name(), tokens=["one"]), "one")
        with browser.another_tab(chat.address) as show:
            chat.ready()
            chat.answer(question := script(name(), tokens=["two"]), "two")
            until(lambda: browser.run("return localStorage.heard"), "what the first tab was told")
            assert browser.run("return localStorage.asked ?? null") is None
            show(0)
            chat.shows(("assistant", "one"), ("user", question), ("assistant", "two"))


def test_what_is_open_stays_open_on_the_next_page(opened, browser):
    chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    browser.reload()
    chat.ready(open=False)
    until(chat.is_open, "the panel")
    chat.shows(("assistant", "one"))
    chat.click("close")
    browser.reload()
    chat.ready(open=False)
    assert not chat.is_open()


def test_who_was_erased_begins_anew(opened, browser):
    chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    chat.site.sql("delete from banter_data.conversation where workspace = %s", chat.site.tenant.workspace)
    chat.site.sql("delete from banter_data.visitor where workspace = %s", chat.site.tenant.workspace)
    chat.answer(question := script(name(), tokens=["two"]), "two")
    browser.reload()
    chat.ready()
    chat.shows(("user", question), ("assistant", "two"))
    assert len(chat.said()) == 2


# Stopping, asking again, thumbs


def test_stop_ends_an_answer_and_keeps_what_came(opened, browser, model, gates, screen):
    chat, gate = opened(), gates()
    question = script(gate, tokens=["one ", "two"], gates={"2": gate})
    chat.ask(question)
    chat.shows(("assistant", "one"))
    chat.click("stop")
    chat.ends("stopped")
    assert chat.said() == [("user", question), ("assistant", "one")]
    model.wait(gate, ended="client_left")
    chat.stored("left")
    browser.reload()
    chat.ready()
    chat.shows(("user", question), ("assistant", "one"))
    assert chat.statuses()[-1] == "stopped"
    model.open_gate(gate)
    chat.click("again")
    chat.shows(("assistant", "one two"))
    chat.ends()


def test_stop_before_the_first_token(opened, model, gates):
    chat, gate = opened(), gates()
    question = script(gate, tokens=["one"], gates={"1": gate})
    chat.ask(question)
    chat.stored("running")
    chat.click("stop")
    comes(lambda: chat.statuses()[-1:] in (["stopped"], ["failed"]) and chat.has("send"), "the end", chat.statuses)
    chat.answer(script(name(), tokens=["two"]), "two")


# The answer to the next question does not come before the page is told.
HOLD = """window.via = async (go, { path }) => {
    if (!path.endsWith('/v1/ui')) return go();
    window.via = go => go();
    const reply = await go();
    await new Promise(done => window.release = done);
    return reply }"""


def test_stop_of_what_has_not_begun_to_be_heard(opened, browser, gates):
    """As where streams arrive whole: all that runs in the conversation is stopped."""
    with browser.before_pages(ASKED):
        chat, gate = opened(), gates()
    chat.answer(script(name(), tokens=["one"]), "one")
    chat.run(HOLD)
    chat.ask(script(gate, tokens=["two ", "three"], gates={"2": gate}))
    chat.stored("done", "running")
    chat.click("stop")
    chat.stored("done", "left")
    until(lambda: chat.run("return !!window.release"), "a reply")
    chat.run("release()")
    chat.ends("stopped")
    chat.answer(script(name(), tokens=["four"]), "four")


def test_stop_of_a_first_question_that_has_not_begun_to_be_heard(opened, browser, gates):
    """Its conversation is not known yet: it is stopped as soon as it is."""
    with browser.before_pages(ASKED):
        chat, gate = opened(), gates()
    chat.run(HOLD)
    chat.ask(script(gate, tokens=["one ", "two"], gates={"2": gate}))
    chat.stored("running")
    until(lambda: chat.run("return !!window.release"), "a reply")
    chat.click("stop")
    chat.run("release()")
    chat.ends("stopped")
    chat.stored("left")


def test_again_is_another_question_of_the_same_text(opened):
    chat = opened()
    question = script(name(), tokens=["one"])
    chat.answer(question, "one")
    chat.click("again")
    chat.shows(("user", question), ("assistant", "one"), ("user", question), ("assistant", "one"))
    chat.ends()
    chat.stored("done", "done")


def test_again_after_an_error_takes_its_place(opened, model):
    chat, word = opened(), name()
    question = script(word, tokens=["one "], cut_after=1)
    chat.ask(question)
    chat.ends("failed")
    chat.click("again")
    model.wait(word, ended="cut")
    comes(lambda: [row["state"] for row in chat.site.exchanges()] == ["failed", "failed"], "a second exchange", chat.site.exchanges)
    chat.ends("failed")
    assert [role for role, _ in chat.said()] == ["user", "assistant"]


def pressed(chat):
    return chat.run("return ['good', 'bad'].map(name => parts(name).at(-1).getAttribute('aria-pressed'))")


def test_thumbs_are_stored(opened, browser, screen):
    chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    for part, stored, shown in (("good", ["up"], ["true", "false"]), ("bad", ["down"], ["false", "true"])):
        chat.click(part)
        comes(lambda stored=stored: chat.thumbs() == stored, stored, chat.thumbs)
        comes(lambda shown=shown: pressed(chat) == shown, shown, lambda: pressed(chat))
    browser.reload()
    chat.ready()
    chat.shows(("assistant", "one"))
    assert pressed(chat) == ["false", "true"]
    chat.click("bad")
    comes(lambda: chat.thumbs() == [], "no thumb", chat.thumbs)
    comes(lambda: pressed(chat) == ["false", "false"], "none pressed", lambda: pressed(chat))


# What the page says


def test_welcome_suggestions_and_privacy(opened, browser, screen):
    suggestions = [script(name(), tokens=["one"]), "What do you sell?"]
    chat = opened(welcome="Good <b>morning</b>.", suggestions="|".join(suggestions), privacy="https://tea.example/privacy")
    assert "Good <b>morning</b>." in chat.run("return parts('log')[0].innerText")
    assert chat.run("return shown('suggestion').map(one => one.innerText.trim())") == suggestions
    link = chat.run("const { href, target, rel, innerText } = shown('privacy')[0]; return [href, target, rel, innerText]")
    assert link[:2] == ["https://tea.example/privacy", "_blank"] and "noopener" in link[2] and chat.words()["privacy"] in link[3]
    chat.click("suggestion", 0)
    chat.shows(("user", suggestions[0]), ("assistant", "one"))
    chat.ends()
    assert not chat.has("suggestion"), "they are for a beginning"
    browser.reload()
    chat.ready()
    chat.shows(("assistant", "one"))
    assert not chat.has("suggestion")


def test_delete_my_conversation(opened, browser, screen):
    chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    chat.click("erase")
    chat.click("no")
    assert len(chat.said()) == 2
    chat.stored("done")
    with browser.another_tab(chat.address) as show:
        chat.ready()
        chat.shows(("assistant", "one"))
        show(0)
        chat.click("erase")
        chat.click("yes")
        comes(lambda: chat.said() == [], "nothing", chat.said)
        chat.stored()
        show(1)
        comes(lambda: chat.said() == [], "nothing", chat.said)
    chat.answer(script(name(), tokens=["two"]), "two")
    assert len(chat.said()) == 2
    chat.stored("done")


# Reading


LONG = "\n\n".join(f"Paragraph {number} of a long answer, which has some words more." for number in range(40))


def place(chat):
    return chat.run("const log = parts('log')[0]; return [log.scrollTop, log.scrollHeight - log.clientHeight - log.scrollTop]")


def test_a_long_answer_does_not_jump(opened, browser, model, gates, screen):
    """Its beginning stays in view; who reads above is left there, and comes down by a button."""
    chat, first, second = opened(), gates(), gates()
    pieces = [f"Line {number}.\n\n" for number in range(40)]
    chat.ask(script(first, tokens=pieces[:20] + ["x\n\n"] * 20 + pieces[20:], gates={"21": first, "41": second}))
    comes(lambda: "Line 19." in chat.said()[-1][1], "half of it", chat.said)
    top = """const log = parts('log')[0].getBoundingClientRect(), one = shown('message').at(-1).getBoundingClientRect();
        return one.top - log.top"""
    comes(lambda: -5 <= chat.run(top) <= 120, "the answer's beginning in view", lambda: chat.run(top))
    chat.run("parts('log')[0].scrollTop = 0")
    before = place(chat)[0]
    model.open_gate(first)
    comes(lambda: chat.said()[-1][1].count("x") == 20, "more of it", chat.said)
    assert place(chat)[0] == before == 0
    chat.click("down")
    comes(lambda: place(chat)[1] < 3, "the end in view", lambda: place(chat))
    comes(lambda: not chat.has("down"), "no button", lambda: place(chat))
    model.open_gate(second)
    chat.ends()


def test_what_is_read_stays_where_it_is_while_more_comes(opened, model, gates):
    """Blocks that are whole are the same nodes: a selection is kept."""
    chat, gate = opened(), gates()
    tokens = ["first block\n\n", "| a | b |\n|--|--|\n| 1 | 2 |\n\n", "- one", "\n- two\n\n", "last"]
    chat.ask(script(gate, tokens=tokens, gates={"4": gate}))
    comes(lambda: "one" in chat.said()[-1][1], "the beginning", chat.said)
    chat.run("""const text = parts('text').at(-1), walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
        window.node = walk.nextNode(); window.table = text.querySelector('table');
        const range = document.createRange(); range.setStart(node, 0); range.setEnd(node, 5);
        getSelection().setBaseAndExtent(node, 0, node, 5)""")
    model.open_gate(gate)
    chat.ends()
    assert chat.run("return [node.isConnected && node.data, table.isConnected]") == ["first block", True]


def test_code_is_copied(opened, browser):
    clipboard = "{ value: { writeText: async text => { window.copied = text } } }"
    with browser.before_pages(f"Object.defineProperty(navigator, 'clipboard', {clipboard})"):
        chat = opened()
    code = "for x in a:\n\tprint('<b>', \"x\" ** 2)\n"
    chat.ask(script(name(), tokens=["So:\n\n```py", "thon\n", code, "```\n\nand that."]))
    chat.ends()
    assert chat.run("return root.querySelector('pre code').textContent").rstrip("\n") == code.rstrip("\n")
    chat.click("copy")
    comes(lambda: (browser.run("return window.copied") or "").rstrip("\n") == code.rstrip("\n"), "a copy", chat.said)
    comes(lambda: chat.words()["copied"] in chat.run("return root.textContent"), "a word", chat.said)


def test_what_markdown_is_understood(opened):
    chat = opened()
    tokens = ["## Tea\n\nWe **have** *two* `kinds`:\nthese\n\n1. green\n2. black\n   - hot\n\n> said\n\n",
              "| kind | price |\n|---|--:|\n| green | 3 |\n\n---\n\n",
              "[ours](https://tea.example/a?b=c&d) https://tea.example/bare. ![alt](https://evil.example/x.png) ",
              "[no](javascript:alert(1)) <b>no</b>"]
    chat.ask(script(name(), tokens=tokens))
    chat.ends()
    shape = chat.run("""const text = parts('text').at(-1), elements = name => [...text.querySelectorAll(name)];
        const all = name => elements(name).map(one => one.textContent.trim());
        return { strong: all('strong'), em: all('em'), code: all('code'), items: all('ol > li').length, inner: all('ol ul li'),
            quote: all('blockquote'), cells: all('th, td'), rule: all('hr').length, images: all('img, b').length, text: text.textContent,
            links: elements('a').map(one => [one.href, one.target, one.rel, one.textContent]) }""")
    assert (shape["em"], shape["code"], shape["items"], shape["inner"]) == (["two"], ["kinds"], 2, ["hot"])
    assert "have" in shape["strong"] and shape["quote"] == ["said"] and shape["cells"] == ["kind", "price", "green", "3"]
    assert (shape["rule"], shape["images"]) == (1, 0) and "<b>no</b>" in shape["text"]
    links = {address: (target, rel) for address, target, rel, _ in shape["links"]}
    assert set(links) == {"https://tea.example/a?b=c&d", "https://tea.example/bare", "https://evil.example/x.png"}
    for target, rel in links.values():
        assert target == "_blank" and {"noopener", "noreferrer", "nofollow", "ugc"} <= set(rel.split())
    assert [words for address, _, _, words in shape["links"] if urllib.parse.urlsplit(address).path == "/x.png"] == ["alt"]


def test_a_users_own_text_is_text(opened):
    chat = opened()
    chat.ask("**a** <i>b</i> [c](https://x.example) `d`\n  e")
    until(lambda: chat.said(), "the question")
    assert chat.said()[0] == ("user", "**a** <i>b</i> [c](https://x.example) `d`\n  e")
    chat.ends()


# Who is signed in


def test_identity(opened, browser):
    """A text, or what a function of the page's gives; who is signed in has what the visitor had."""
    chat = opened()
    chat.pages.sign("a secret of 32 characters or more")
    user = {word: signed(chat.pages, "a secret of 32 characters or more", word)["X-Visitor-Identity"] for word in ("ann", "bob")}
    chat.answer(script(name(), tokens=["one"]), "one")
    chat.run("Banter.identify(arguments[0])", user["ann"])
    chat.shows(("assistant", "one"))
    chat.answer(script(name(), tokens=["two"]), "two")
    chat.run("const { bob } = arguments[0]; Banter.identify(async () => bob)", user)
    comes(lambda: chat.said() == [], "nothing of another's", chat.said)
    chat.answer(script(name(), tokens=["three"]), "three")
    chat.run("const { ann } = arguments[0]; Banter.identify(() => ann)", user)
    chat.shows(("assistant", "two"))
    assert len(chat.said()) == 4
    chat.run("Banter.identify(null)")
    comes(lambda: chat.said() == [], "nothing of who was signed in", chat.said)


@pytest.fixture
def users(opened, browser):
    """A Chat whose page has ASKED, and two users' identities: each has said one thing, their name. ann is who is signed in."""
    with browser.before_pages(ASKED):
        chat = opened()
    chat.pages.sign("a secret of 32 characters or more")
    chat.users = {word: signed(chat.pages, "a secret of 32 characters or more", word)["X-Visitor-Identity"] for word in ("bob", "ann")}
    chat.questions = {user: script(name(), tokens=[user]) for user in chat.users}
    for user, identity in chat.users.items():
        chat.run("Banter.identify(arguments[0])", identity)
        chat.answer(chat.questions[user], user)
    return chat


def identities(chat, end, method="GET"):
    return [headers.get("x-visitor-identity") for headers in chat.asked(end, method)]


def test_an_identity_that_comes_late_is_nobodys(users, browser):
    """It has changed meanwhile: nothing of the older one is asked or shown."""
    chat, (bob, ann) = users, users.users.values()
    chat.run("Banter.identify(() => new Promise(done => window.late = done))")
    until(lambda: chat.run("return !!window.late"), "a call of the page's function")
    before = chat.run("return asked.length")
    chat.run("Banter.identify(arguments[0])", bob)
    chat.run("""window.texts = [];
        new MutationObserver(() => texts.push(...parts('text').map(one => one.innerText.trim())))
            .observe(root, { childList: true, subtree: true, characterData: true });
        late(arguments[0])""", ann)
    chat.shows(("assistant", "bob"))
    said = chat.run("return asked.slice(arguments[0]).map(one => one.headers['x-visitor-identity'])", before)
    assert set(said) == {bob} and "ann" not in chat.run("return texts")
    chat.answer(script(name(), tokens=["two"]), "two")
    assert identities(chat, "/v1/ui", "POST")[-1] == bob and chat.notice() == ""
    quiet(browser)


def test_what_comes_late_is_of_nobody(users, browser):
    """As above, of what was asked before the identity changed."""
    chat, (bob, ann) = users, users.users.values()
    chat.run("""window.via = async (go, { path }) => {
        const reply = await go();
        if (!path.endsWith('/messages')) return reply;
        window.via = go => go();
        await new Promise(done => window.release = done);
        return reply }""")
    chat.run("Banter.identify(arguments[0])", ann)
    until(lambda: chat.run("return !!window.release"), "a reply")
    chat.run("""window.texts = [];
        new MutationObserver(() => texts.push(...parts('text').map(one => one.innerText.trim())))
            .observe(root, { childList: true, subtree: true, characterData: true });
        Banter.identify(arguments[0]);
        release()""", bob)
    chat.shows(("assistant", "bob"))
    assert "ann" not in chat.run("return texts") and chat.notice() == ""
    quiet(browser)


@pytest.mark.parametrize("how", ["another user", "deleted"])
def test_an_answer_is_not_heard_any_longer(users, gates, how):
    """Where somebody else signs in, or its conversation is deleted, while it runs: it holds up nothing."""
    chat, gate = users, gates()
    chat.ask(script(gate, tokens=["one ", "two"], gates={"2": gate}))
    chat.shows(("assistant", "one"))
    if how == "deleted":
        chat.click("erase")
        chat.click("yes")
        comes(lambda: chat.said() == [], "nothing", chat.said)
    else:
        chat.run("Banter.identify(arguments[0])", chat.users["bob"])
        chat.shows(("assistant", "bob"))
    assert chat.run("return asked.filter(one => one.path.endsWith('/v1/ui')).at(-1).signal.aborted")
    chat.answer(script(name(), tokens=["three"]), "three")
    assert ("assistant", "one") not in chat.said() and chat.notice() == ""


@pytest.mark.parametrize("nobody", ["null", "undefined", "''"])
def test_a_function_that_knows_of_nobody(opened, browser, nobody):
    """It is signed out then, and no error."""
    chat = opened()
    chat.run("window.errors = []; Banter.on('error', error => errors.push(error))")
    chat.run(f"Banter.identify(async () => {nobody})")
    chat.answer(question := script(name(), tokens=["one"]), "one")
    chat.run(f"Banter.identify(() => {nobody})")
    chat.shows(("user", question), ("assistant", "one"))
    assert chat.run("return errors") == []
    quiet(browser, "401")


def is_given_back(chat):
    """A question that waits for `release` when bob signs in is not sent, but put into the input: for him to send, or not. He has
    asked the same before, which does not count."""
    sent, bob, question = len(chat.asked("/v1/ui", "POST")), chat.users["bob"], chat.questions["bob"]
    chat.ask(question)
    until(lambda: chat.run("return !!window.release"), "something to wait for")
    chat.run("Banter.identify(arguments[0]); release()", bob)
    comes(lambda: chat.input == question, "the question in the input", lambda: (chat.input, chat.said()))
    comes(lambda: chat.said() == [("user", question), ("assistant", "bob")], "what bob said", chat.said)
    assert len(chat.asked("/v1/ui", "POST")) == sent and chat.input == question and chat.notice() == ""
    chat.goes_on(question)
    chat.shows(*[("user", question), ("assistant", "bob")] * 2)
    chat.ends()
    assert identities(chat, "/v1/ui", "POST")[sent:] == [bob] and chat.input == ""


def test_a_question_behind_another_job_is_not_sent_as_somebody_else(users):
    """It waits until what ann said before has been read."""
    chat = users
    chat.run("""window.via = async (go, { path }) => {
        if (!path.endsWith('/conversations')) return go();
        window.via = go => go();
        await new Promise(done => window.release = done);
        return go() }
        Banter.identify(arguments[0])""", chat.users["ann"])
    until(lambda: chat.run("return !!window.release"), "reading")
    is_given_back(chat)


def test_a_question_behind_an_identity_is_not_sent_as_somebody_else(users):
    """It waits for the page's function, which knew of nobody before."""
    chat = users
    chat.run("""window.known = null;
        return Banter.identify(() => known).then(() => { window.first = parts('welcome')[0] })""")
    until(lambda: not chat.run("return first.isConnected"), "what nobody has said")
    chat.run("const [ann] = arguments; window.known = new Promise(done => window.release = () => done(ann))", chat.users["ann"])
    is_given_back(chat)
