"""What goes wrong about the widget, as a visitor sees it in Chromium: a network that goes away in mid-stream, and errors in words."""

import contextlib
import os
import signal

import pytest
from database import Road
from servers import name, script, until
from tenants import new_key
from test_stop import processes
from test_visitors import Pages
from widget import ASKED, CLOCK, Chat, Shop, browser, comes, gates, opened, quiet, screen, shop  # noqa: F401 (five are fixtures)


# A network that goes away


@pytest.fixture
def road(shop, shared_site):
    """A way to the site that can be cut, and a Shop behind it."""
    with contextlib.closing(Road(shared_site.nginx.port)) as one:
        with contextlib.closing(Shop(shared_site, f"http://127.0.0.1:{one.port}")) as there:
            one.shop = there
            yield one


def test_nothing_is_lost_or_doubled_when_the_network_goes_away(opened, browser, model, gates, road):
    """Behind characters of one byte to four."""
    chat = opened(at=road.shop)
    tokens = ["a", "\u00e9", "\u20ac", "\U0001f600", "ok"]
    held = [gates() for _ in tokens]
    question = script(held[0], tokens=tokens, gates={str(at + 1): gate for at, gate in enumerate(held)})
    chat.ask(question)
    chat.stored("running")
    for at, gate in enumerate(held):
        road.reset()
        model.open_gate(gate)
        chat.run("dispatchEvent(new Event('online'))")
        chat.shows(("user", question), ("assistant", "".join(tokens[:at + 1])))
    chat.ends()
    assert len(chat.said()) == 2 and chat.notice() == ""
    chat.stored("done")


def test_it_waits_for_the_network_and_goes_on_at_once(opened, browser, model, gates, road, screen):
    chat, gate = opened(at=road.shop), gates()
    question = script(gate, tokens=["one ", "two"], gates={"2": gate})
    chat.ask(question)
    chat.shows(("assistant", "one"))
    with browser.offline():
        road.reset()
        comes(lambda: chat.words()["cut"] in chat.notice() or chat.words()["offline"] in chat.notice(), "a notice", chat.notice)
        model.open_gate(gate)
        chat.stored("done")
        assert chat.said() == [("user", question), ("assistant", "one")]
    chat.shows(("user", question), ("assistant", "one two"))
    chat.ends()
    assert chat.notice() == ""


def cut_off(chat, road, gate):
    """An answer is at its first word when it is cut off, and the page waits for its first try; the question."""
    chat.ask(question := script(gate, tokens=["one ", "two"], gates={"2": gate}))
    chat.shows(("assistant", "one"))
    road.reset()
    comes(lambda: chat.words()["cut"] in chat.notice(), "a notice", chat.notice)
    return question


@pytest.mark.parametrize("status", [429, 503])
def test_it_tries_again_no_sooner_than_it_was_told(opened, browser, model, gates, road, status):
    with browser.before_pages(ASKED + CLOCK):
        chat, gate = opened(at=road.shop), gates()
    question = cut_off(chat, road, gate)
    chat.run("""const [status] = arguments; window.via = async () => {
        window.via = go => go();
        return new Response('Not now', { status, headers: { 'Retry-After': '77' } }) }""", status)
    chat.run("return pass(1)")
    comes(lambda: max(chat.run("return pauses()")) == 77, "a pause", lambda: chat.run("return pauses()"))
    chat.run("return pass(76)")
    assert len(chat.asked("/stream")) == 1
    chat.run("return pass(1)")
    assert len(chat.asked("/stream")) == 2
    model.open_gate(gate)
    chat.shows(("user", question), ("assistant", "one two"))
    chat.ends()
    assert chat.notice() == ""


def test_breaks_leave_no_listeners_behind(opened, browser, model, gates, road):
    """For the network's return."""
    count = """window.listening = []; {
        const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
        EventTarget.prototype.addEventListener = function (kind, job, ...how) {
            if (kind === 'online') listening.push(job);
            return add.call(this ?? window, kind, job, ...how);
        };
        EventTarget.prototype.removeEventListener = function (kind, job, ...how) {
            listening = listening.filter(one => one !== job);
            return remove.call(this ?? window, kind, job, ...how);
        } }"""
    with browser.before_pages(ASKED + CLOCK + count):
        chat, gate = opened(at=road.shop), gates()
    before = chat.run("return listening.length")
    question = cut_off(chat, road, gate)
    chat.run("window.via = async () => { throw new TypeError('Failed to fetch') }")
    for tries in range(1, 5):
        comes(lambda: len(chat.asked("/stream")) == tries or chat.run("return pass(30)"), "a try", lambda: chat.asked("/stream"))  # noqa: B023
    chat.run("window.via = go => go()")
    model.open_gate(gate)
    chat.run("dispatchEvent(new Event('online'))")
    chat.shows(("user", question), ("assistant", "one two"))
    chat.ends()
    assert before and chat.run("return listening.length") == before


def test_an_answer_that_is_gone_meanwhile(opened, browser, gates, road):
    """Erased elsewhere, say: what is left is shown, and another question can be asked."""
    with browser.before_pages(CLOCK):
        chat, gate = opened(at=road.shop), gates()
    cut_off(chat, road, gate)
    chat.site.sql("delete from banter_data.conversation where workspace = %s", chat.site.tenant.workspace)
    chat.run("return pass(1)")
    comes(lambda: chat.said() == [], "nothing", chat.said)
    chat.answer(script(name(), tokens=["two"]), "two")
    assert len(chat.said()) == 2


def test_nginx_that_is_restarted(opened, model, gates):
    chat, gate = opened(), gates()
    question = script(gate, tokens=["one ", "two"], gates={"2": gate})
    chat.ask(question)
    chat.shows(("assistant", "one"))
    master = chat.site.nginx.process.pid
    for pid in open(f"/proc/{master}/task/{master}/children").read().split():
        os.kill(int(pid), signal.SIGKILL)
    model.open_gate(gate)
    chat.shows(("user", question), ("assistant", "one two"))
    chat.ends()
    chat.stored("done")


@pytest.mark.parametrize("behind", [False, True], ids=["never came", "came"])
def test_a_question_that_was_cut_off_is_asked_once(opened, browser, road, behind):
    """Whether or not Banter has it, sending it again leaves one question."""
    chat = opened(at=road.shop)
    chat.answer(script(name(), tokens=["one"]), "one")
    question = script(name(), tokens=["two"])
    road.cut("POST /v1/ui", behind)
    chat.ask(question)
    until(road.was_cut, "the cut")
    comes(lambda: chat.said()[-1] == ("assistant", "two") or chat.has("again") or chat.input == question, "a way to go on",
          lambda: (chat.said(), chat.notice()))
    if chat.said()[-1] != ("assistant", "two"):
        chat.goes_on(question)
    chat.shows(("user", question), ("assistant", "two"))
    chat.ends()
    assert len(chat.said()) == 4
    chat.stored("done", "done")


def fails_once(chat, status, behind):
    """The next question is answered so: in Banter's place, or behind Banter's own answer, which the page never has."""
    chat.run("""const [status, behind] = arguments; window.via = async (go, { path }) => {
        if (!path.endsWith('/v1/ui')) return go();
        window.via = go => go();
        if (behind) await (await go()).text();
        return new Response('Not now', { status, headers: status === 429 ? { 'Retry-After': '1' } : {} }) }""", status, behind)


@pytest.mark.parametrize("status", [402, 409, 500, 502, 504])
def test_what_failed_and_is_sent_again_is_the_same_request(opened, browser, status):
    """Whatever was said of it, it may have come."""
    with browser.before_pages(ASKED):
        chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    fails_once(chat, status, behind=True)
    chat.ask(question := script(name(), tokens=["two"]))
    comes(lambda: chat.input == question, "the question in the input", lambda: (chat.input, chat.said()))
    browser.press("Enter")
    chat.shows(("assistant", "one"), ("user", question), ("assistant", "two"))
    chat.ends()
    _, first, second = [headers["idempotency-key"] for headers in chat.asked("/v1/ui", "POST")]
    assert first == second
    chat.stored("done", "done")


def test_an_older_question_of_the_same_text_is_another(opened, browser):
    """That it was answered before does not mean that it came this time."""
    with browser.before_pages(ASKED):
        chat = opened()
    question = script(name(), tokens=["one"])
    chat.answer(question, "one")
    fails_once(chat, 429, behind=False)
    chat.run("window.first = shown('message')[0]")
    chat.ask(question)
    until(lambda: not chat.run("return first.isConnected"), "the conversation, read anew")
    assert chat.input == question and len(chat.said()) == 2
    chat.goes_on(question)
    chat.stored("done", "done")
    chat.ends()


def test_what_failed_before_another_question_is_asked_anew(opened, browser):
    """It came, and its answer was not heard; who asks it later wants an answer then."""
    with browser.before_pages(ASKED):
        chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    fails_once(chat, 504, behind=True)
    chat.ask(question := script(name(), tokens=["two"]))
    comes(lambda: chat.input == question, "the question in the input", lambda: (chat.input, chat.said()))
    chat.answer(script(name(), tokens=["three"]), "three")
    chat.answer(question, "two")
    chat.stored("done", "done", "done", "done")


def test_without_a_network_it_says_so(opened, browser, road):
    chat = opened(at=road.shop)
    with browser.offline():
        chat.ask(question := script(name(), tokens=["one"]))
        comes(lambda: chat.words()["offline"] in chat.notice(), "a notice", chat.notice)
    comes(lambda: chat.said()[-1:] == [("assistant", "one")] or chat.has("again") or chat.input == question, "a way to go on", chat.said)
    if chat.said()[-1:] != [("assistant", "one")]:
        chat.goes_on(question)
    chat.shows(("user", question), ("assistant", "one"))
    chat.ends()
    assert len(chat.said()) == 2
    chat.stored("done")


def test_a_worker_that_dies_is_said_and_it_is_asked_again(opened, browser, model, gates, start):
    """Once its lease has ended, since nobody can tell before."""
    with contextlib.closing(Shop(start(workers=4))) as shop:
        chat, gate = opened(at=shop), gates()
        question = script(gate, tokens=["one ", "two"], gates={"2": gate})
        chat.ask(question)
        chat.shows(("assistant", "one"))
        for one in processes(chat.site.banter):
            if one["stage"] == "stream":
                os.kill(one["pid"], signal.SIGKILL)
        chat.site.sql("update banter_data.exchange set lease_until = clock_timestamp() where workspace = %s", chat.site.tenant.workspace)
        chat.ends("failed")
        assert chat.words()["failed"] in chat.notice()
        model.open_gate(gate)
        chat.click("again")
        chat.shows(("user", question), ("assistant", "one two"))
        chat.ends()
        assert len(chat.said()) == 2, "the failed one is replaced"
        assert chat.notice() == ""


# Errors in words


def said_in_words(chat, question, *words):
    """One of these words, and nothing that is for programs; the question is not lost."""
    known = chat.words()
    beginnings = [known[word].partition("{n}") for word in words]
    comes(lambda: any(before in chat.notice() and after in chat.notice() for before, _, after in beginnings) and chat.notice(),
          [known[word] for word in words], lambda: (chat.notice(), chat.said()))
    for wrong in ("{", "<", "undefined", "null", "NaN", "Error", "[object"):
        assert wrong not in chat.notice(), chat.notice()
    assert chat.input == question or ("user", question) in chat.said()
    assert chat.has("send") and not chat.has("stop")


def refusing(status, body, headers):
    """Banter, or a web server in its place, answers a question so; once, if it is told to be well."""
    return """const real = fetch; window.ill = true; window.fetch = async (...how) => window.ill && String(how[0]).endsWith('/v1/ui')
        ? new Response(%r, { status: %d, headers: %r }) : real(...how)""" % (body, status, headers)


PAGE = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
REFUSALS = [
    (400, "Invalid request payload", {}, ("failed", "unavailable", "tooLong")),
    (409, "Idempotency key reused", {}, ("failed", "unavailable")),
    (409, "Request in progress", {"Retry-After": "1"}, ("failed", "unavailable", "wait")),
    (413, PAGE, {"Content-Type": "text/html"}, ("tooLong", "failed")),
    (429, "Too many requests", {"Retry-After": "90"}, ("wait",)),
    (429, "Too many requests", {}, ("wait", "unavailable")),
    (429, PAGE, {"Content-Type": "text/html", "Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, ("wait", "unavailable")),
    (500, "Internal server error", {}, ("failed", "unavailable")),
    (502, PAGE, {"Content-Type": "text/html"}, ("failed", "unavailable")),
    (503, "Service unavailable", {"Retry-After": "1"}, ("failed", "unavailable", "wait")),
    (504, PAGE, {"Content-Type": "text/html"}, ("failed", "unavailable")),
    (200, PAGE, {"Content-Type": "text/html"}, ("failed", "unavailable")),
    (200, "", {"Content-Type": "text/event-stream"}, ("failed", "unavailable", "cut")),
    (404, "Not found", {}, ("failed", "unavailable", "notHere")),
]


@pytest.mark.parametrize("status, body, headers, words", REFUSALS, ids=[f"{one[0]} {one[1][:12]}" for one in REFUSALS])
def test_an_error_in_words(opened, browser, status, body, headers, words):
    with browser.before_pages(refusing(status, body, headers)):
        chat = opened()
    question = script(name(), tokens=["one"])
    chat.ask(question)
    said_in_words(chat, question, *words)
    if status == 429:
        return
    chat.run("window.ill = false")
    chat.goes_on(question)
    chat.shows(("user", question), ("assistant", "one"))
    chat.ends()
    assert len(chat.said()) == 2 and chat.notice() == ""
    quiet(browser, "Banter:")


def test_without_credits(opened, screen):
    chat = opened()
    chat.site.grant(0)
    chat.ask("What do you sell?")
    said_in_words(chat, "What do you sell?", "unavailable")
    chat.site.grant(9)
    chat.goes_on("What do you sell?")
    comes(lambda: chat.said()[-1:] != [] and chat.said()[-1][0] == "assistant" and chat.said()[-1][1], "an answer", chat.said)
    chat.ends()


@pytest.mark.parametrize("why", ["the page", "the key"])
def test_a_page_that_may_not(opened, shop, browser, why):
    """The visitor is told that it is not theirs to mend, the owner what it is."""
    pages = Pages(shop.site, ["https://tea.example"])
    key = pages.key if why == "the page" else new_key("site", 1)
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages, line=shop.line(key)))
    chat.load()
    browser.said()
    chat.ask("Hello")
    said_in_words(chat, "Hello", "notHere")
    said = browser.said()
    assert any(("Forbidden" if why == "the page" else "Unauthorized") in line and key not in line for line in said), said


def test_429_says_when_and_the_button_returns_by_itself(opened, start):
    with contextlib.closing(Shop(start(visitor_address_limit=1, visitor_window="3s", workers=2))) as shop:
        chat = opened(at=shop)
        chat.answer(script(name(), tokens=["one"]), "one")
        chat.ask(question := script(name(), tokens=["two"]))
        comes(lambda: chat.notice(), "a notice", chat.notice)
        assert any(digit in chat.notice() for digit in "123"), chat.notice()
        comes(lambda: chat.notice() == "" and chat.run("return shown('send').some(one => !one.disabled)"), "the button", chat.notice)
        if chat.said()[-1] != ("assistant", "two"):
            chat.goes_on(question)
        chat.shows(("user", question), ("assistant", "two"))
        chat.ends()


def test_an_answer_that_fails_is_said(opened, browser):
    """In its stream, behind some text and before any."""
    chat = opened()
    chat.ask(script(name(), tokens=["some "], cut_after=1))
    chat.ends("failed")
    assert chat.said()[-1] == ("assistant", "some"), "what came is still to be read"
    said_in_words(chat, chat.said()[0][1], "failed", "unavailable")
    chat.ask(question := script(name(), status=400))
    comes(lambda: chat.statuses()[-1:] == ["failed"] and ("user", question) in chat.said(), "the failure", chat.statuses)
    said_in_words(chat, question, "failed", "unavailable")
    chat.answer(script(name(), tokens=["well"]), "well")
    assert chat.notice() == ""


def test_a_conversation_that_cannot_be_read(opened, browser):
    """Another question can be asked all the same."""
    chat = opened()
    chat.answer(script(name(), tokens=["one"]), "one")
    with browser.before_pages("""const real = fetch; window.fetch = async (...how) => String(how[0]).includes('/v1/chat/conversations')
            ? new Response('<h1>Bad gateway', { status: 502 }) : real(...how)"""):
        browser.reload()
    chat.ready()
    chat.ask(script(name(), tokens=["two"]))
    chat.shows(("assistant", "two"))
