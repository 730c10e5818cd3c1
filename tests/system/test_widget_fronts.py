"""The widget behind other web servers: Apache, a folder of somebody's site, and a shared host, where a stream arrives whole."""

import contextlib

import pytest
from fronts.fcgid import SharedHost
from fronts.proxy_fcgi import ProxyFcgi, ProxyFcgiFolder
from servers import name, script, until
from widget import Chat, Shop, browser, comes, quiet  # noqa: F401 (one is a fixture)


@pytest.fixture(scope="module", params=[ProxyFcgi, ProxyFcgiFolder, SharedHost], ids=lambda one: one.name)
def shop(postgres, database, standin, request):
    with contextlib.closing(request.param.site(postgres, database.url(), standin)) as site, contextlib.closing(Shop(site)) as one:
        yield one


def test_a_conversation(shop, browser, model):
    """It says that it thinks until something comes; what came is there after a reload, and an answer can be stopped where its
    beginning has come."""
    pages, whole = shop.tenant(), shop.site.nginx.holds_tokens_back
    chat = Chat(browser, shop, pages, shop.host.origins[0] + shop.put(pages))
    browser.said()
    chat.load()
    gate = name()
    question = script(gate, tokens=["one ", "two"], gates={"2": gate})
    chat.ask(question)
    if whole:
        comes(lambda: chat.words()["thinking"] in chat.run("return root.textContent"), "a sign that it thinks", chat.said)
    else:
        chat.shows(("user", question), ("assistant", "one"))
    model.open_gate(gate)
    chat.shows(("user", question), ("assistant", "one two"))
    chat.ends()
    browser.reload()
    chat.ready()
    chat.shows(("user", question), ("assistant", "one two"))
    chat.click("good")
    comes(lambda: chat.thumbs() == ["up"], "a thumb", chat.notice)
    gate = name()
    chat.ask(script(gate, tokens=["three ", "four"], gates={"2": gate}))
    model.wait(gate, tokens_sent=1)
    until(lambda: chat.has("stop"), "a way to stop")
    chat.click("stop")
    if not whole:
        chat.ends("stopped")
    model.open_gate(gate)
    comes(lambda: chat.statuses()[-1] in ("stopped", "done") and chat.has("send"), "the end", chat.statuses)
    chat.answer(script(name(), tokens=["five"]), "five")
    quiet(browser)
