"""G10: how many exchanges may be open at once, of an address, of a key, of a workspace."""

import apis
import servers
import pytest
from servers import script
from site_client import at_once


@pytest.fixture(scope="module")
def capped(postgres, database, standin):
    """A pool whose settings cap keys at 2 and workspaces at 3."""
    site = apis.Site.start(postgres, database.url(), standin, workers=8, key_open=2, workspace_open=3)
    yield site
    site.close()


@pytest.fixture(params=apis.BOTH, ids=lambda api: api.name)
def api(request, capped):
    return request.param(capped.for_new_tenant())


class Open:
    """A stream whose model waits."""

    def __init__(self, api, headers=None):
        self.gate = servers.name()
        self.message = script("?", tokens=["a"], gates={"1": self.gate})
        self.model = api.site.model
        self.stream = api.stream(self.message, headers=headers)
        assert next(self.stream)["type"] == "start"

    def end(self):
        self.model.open_gate(self.gate)
        assert self.stream.rest()[-1]["type"] == "done"


def full(api, streams=False, headers=None):
    response = api.post(api.body("hello", streams), streams, headers)
    assert api.refuses(response, "too_many")
    assert response.headers["Retry-After"] == "1"
    return True


def test_G10_a_keys_places(api):
    first, second = Open(api), Open(api)
    began = len(api.site.exchanges())
    assert full(api) and full(api, streams=True)
    assert len(api.site.exchanges()) == began == 2, "what is refused has not begun"
    first.end()
    assert api.json("hello").status_code == 200
    second.end()


def test_G10_a_workspaces_places(capped):
    """Of all its keys together; another workspace has its own."""
    site = capped.for_new_tenant()
    headless, chatbot = apis.Headless(site), apis.Chatbot(site)
    opened = [Open(headless), Open(headless), Open(chatbot)]
    assert full(chatbot), "its key has one place left, its workspace none"
    assert apis.Chatbot(capped.for_new_tenant()).json("hello").status_code == 200
    for one in opened:
        one.end()
    assert chatbot.json("hello").status_code == 200


def test_G10_a_workspaces_own_caps_count(api):
    site = api.site
    site.sql("update banter_data.workspace set max_open = 5, max_open_per_key = 4 where workspace = %s", site.tenant.workspace)
    opened = [Open(api) for _ in range(4)]
    assert full(api)
    site.sql("update banter_data.workspace set max_open = 4, max_open_per_key = 9 where workspace = %s", site.tenant.workspace)
    assert full(api)
    for one in opened:
        one.end()


def test_G10_exact_under_concurrency(api):
    """At once, no more begin than have places; none of them ends before all have been judged."""
    api.site.sql("update banter_data.workspace set max_open = 3, max_open_per_key = 3 where workspace = %s", api.site.tenant.workspace)
    gate = servers.name()
    message = script("?", tokens=["a"], gates={"1": gate})
    responses = at_once(40, lambda index: api.post(api.body(message, True), True))
    assert sorted(r.status_code for r in responses) == [200] * 3 + [429] * 37
    assert len(api.site.exchanges()) == 3
    api.site.model.open_gate(gate)
    assert all(b'"done"' in r.content for r in responses if r.status_code == 200)


def test_G10_a_wrong_key_takes_nobodys_place(capped):
    """Keys made up for a workspace, in whatever number, are refused as keys; its own has all of its places."""
    site = capped.for_new_tenant()
    api = apis.Chatbot(site)
    site.sql("update banter_data.workspace set max_open = 1, max_open_per_key = 1 where workspace = %s", site.tenant.workspace)
    revoked = site.tenant.workspace_key
    site.sql("update banter_data.api_key set revoked_at = now() where workspace = %s and kind = 'workspace'", site.tenant.workspace)
    bad = {"Authorization": f"Bearer {revoked}"}
    headless = apis.Headless(site)

    def mixed(index):
        if index % 8:
            return api.post(api.body("hello", False), headers=bad)
        return None

    one = Open(headless)
    refused = [r for r in at_once(16, mixed) if r is not None]
    assert all(api.refuses(r, "key") for r in refused)
    one.end()
    assert headless.json("hello").status_code == 200


def test_G10_a_client_one_after_another_is_never_refused(start):
    """Its place is free when it hears the end: it may call again at once."""
    site = start(workers=4, key_open=1, address_open=1)
    for kind in apis.BOTH:
        api = kind(site)
        for number in range(60):
            assert api.answered(script("?", tokens=["a"]), bool(number % 2)) == "a"
        for number in range(20):
            api.fails(script("?", status=500), bool(number % 2))


def test_G10_the_chatbots_window_is_not_used_up(capped):
    api = apis.Chatbot(capped.for_new_tenant())
    api.site.sql("update banter_data.chatbot set rate_limit = 10, rate_window = 1000 where chatbot = %s", api.site.tenant.chatbot)
    opened = [Open(api), Open(api)]
    refused = api.json("hello")
    assert api.refuses(refused, "too_many")
    assert (refused.headers["X-RateLimit-Limit"], refused.headers["X-RateLimit-Remaining"]) == ("10", "8")
    for one in opened:
        one.end()
    assert api.json("hello").headers["X-RateLimit-Remaining"] == "7"


def test_G10_credits_and_idempotency_keys_are_not_touched(api):
    api.site.grant(10)
    opened = [Open(api), Open(api)]
    once = {"Idempotency-Key": servers.name()}
    assert full(api, headers=once)
    assert api.site.credits() == 8
    for one in opened:
        one.end()
    assert api.json("another body", headers=once).status_code == 200


def test_G10_an_answer_given_again_needs_no_place(api):
    once = {"Idempotency-Key": servers.name()}
    body = api.body("hello", False)
    first = api.post(body, headers=once)
    opened = [Open(api), Open(api)]
    assert api.post(body, headers=once).content == first.content
    for one in opened:
        one.end()


def test_G10_a_dead_workers_place_comes_back_with_its_lease(start):
    site = start(workers=2, key_open=1)
    api = apis.Headless(site)
    held = Open(api)
    for pid in site.banter.children():
        servers.os.kill(pid, servers.signal.SIGKILL)
    servers.until(lambda: len(site.banter.children()) == 2, "the workers' replacement")
    assert full(api)
    assert held.stream.rest() == []
    site.sql("update banter_data.exchange set lease_until = clock_timestamp() where workspace = %s", site.tenant.workspace)
    assert api.json("hello").status_code == 200


def test_G10_an_addresss_places(start):
    """Headless only: a back end calls the chatbot API for many, all from its own address."""
    site = start(workers=4, address_open=1)
    headless, chatbot = apis.Headless(site), apis.Chatbot(site)
    one = Open(headless)
    assert full(headless)
    status, headers, body = site.raw("POST", "/v1/chat", {"x-api-key": site.tenant.widget_key}, b'{"sessionId":"s","message":"x"}', source="127.0.0.2")
    assert status == 200, body
    assert chatbot.json("hello").status_code == 200
    one.end()
    assert headless.json("hello").status_code == 200


def test_G10_no_cap_is_the_default(site):
    opened = [Open(apis.Headless(site)) for _ in range(7)]
    assert apis.Chatbot(site).json("hello").status_code == 200
    for one in opened:
        one.end()
