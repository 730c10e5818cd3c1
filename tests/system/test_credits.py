"""B5: what exchanges cost, and that nothing of it is ever lost, whatever dies."""

import os
import random
import signal
import threading

import apis
import servers
import pytest
import requests
from servers import script, until


@pytest.fixture(params=apis.BOTH, ids=lambda api: api.name)
def api(request, site):
    """A tenant with 10 credits, whose chatbot costs 3."""
    site.sql("update banter_data.chatbot set price = 3 where chatbot = %s", site.tenant.chatbot)
    site.grant(10)
    return request.param(site)


@pytest.fixture(params=[False, True], ids=["json", "stream"])
def streams(request):
    return request.param


def entries(site):
    """The ledger behind the grant: (kind, delta, balance after)."""
    return site.sql("select kind, delta, balance_after from banter_data.ledger where workspace = %s and kind <> 'grant' order by entry",
                    site.tenant.workspace)


def test_B5_done_is_charged(api, streams):
    api.answered("hello", streams)
    assert api.site.credits() == 7
    assert entries(api.site) == [("reserve", -3, 7)]


def test_B5_reserved_while_it_runs(api):
    gate = servers.name()
    stream = api.stream(script("?", tokens=["a"], gates={"1": gate}))
    assert next(stream)["type"] == "start"
    assert api.site.credits() == 7
    api.site.model.open_gate(gate)
    stream.rest()
    assert api.site.credits() == 7


@pytest.mark.parametrize("fault", [{"tokens": ["a", "b"], "cut_after": 1}, {"status": 500}, {"empty": True}],
                         ids=["after some text", "before any", "without any"])
def test_B5_failed_is_given_back(api, streams, fault):
    api.fails(script("?", **fault), streams)
    assert api.site.credits() == 10
    assert entries(api.site) == [("reserve", -3, 7), ("release", 3, 10)]


def test_B5_left_with_text_is_charged_and_without_is_not(api):
    for tokens, state, left in ((["a", "b"], "left", 7), ([], "failed", 7)):
        text = servers.name()
        stream = api.stream(script(text, tokens=[*tokens[:1], "never"], gates={str(len(tokens[:1]) + 1): servers.name()}))
        for _ in range(1 + len(tokens[:1])):
            next(stream)
        stream.close()
        api.site.model.wait(text, ended="client_left")
        until(lambda: state in [e["state"] for e in api.site.exchanges()], "the exchange's end")  # noqa: B023
        assert api.site.credits() == left


def test_B5_refused_below_the_price(api, streams):
    """Never below zero: three of 3 fit into 10, the fourth does not, and what it has left stays."""
    for _ in range(3):
        api.answered("hello", streams)
    assert api.refuses(api.post(api.body("hello", streams), streams), "no_credit")
    assert api.site.credits() == 1
    assert len(entries(api.site)) == 3 == len(api.site.exchanges())


def test_B5_what_is_refused_costs_nothing(api, streams):
    assert api.refuses(api.post(b"{", streams), "invalid")
    api.site.sql("update banter_data.api_key set active = false where workspace = %s", api.site.tenant.workspace)
    assert api.refuses(api.post(api.body("hello", streams), streams), "key")
    assert entries(api.site) == []


def test_B5_unlimited(site):
    assert apis.Chatbot(site).json("hello").status_code == 200
    assert site.sql("select credits from banter_data.workspace where workspace = %s", site.tenant.workspace) == [(None,)]
    assert entries(site) == []


def test_B5_a_dead_workers_reservation_returns_with_its_lease(start):
    site = start(workers=2)
    site.grant(1)
    api = apis.Chatbot(site)
    stream = api.stream(script("?", tokens=["a"], gates={"1": servers.name()}))
    assert next(stream)["type"] == "start"
    crew = site.banter.children()
    for pid in crew:
        os.kill(pid, signal.SIGKILL)
    assert stream.rest() == [], "neither done nor error: a cut stream"
    until(lambda: len(site.banter.children()) == len(crew), "the workers' replacement")
    assert api.refuses(api.json("hello"), "no_credit")
    site.sql("update banter_data.exchange set lease_until = clock_timestamp() where workspace = %s", site.tenant.workspace)
    assert api.json("hello").status_code == 200
    assert [e["state"] for e in site.exchanges()] == ["lost", "done"]
    assert site.credits() == 0
    assert [kind for kind, _, _ in entries(site)] == ["reserve", "release", "reserve"]


def test_B5_the_lease_is_renewed_while_the_stream_lives(start):
    """It is held until its lease ends after two of its length; meanwhile others look for lapsed ones all the time."""
    site = start(workers=2, lease=12)
    site.grant(100000)
    api, gate = apis.Chatbot(site), servers.name()
    stream = api.stream(script("?", tokens=["a"], gates={"1": gate}))
    assert next(stream)["type"] == "start"

    def renewed():
        assert api.json("hello").status_code == 200
        return site.sql("select lease_until > started_at + interval '24 s' from banter_data.exchange where workspace = %s order by started_at limit 1",
                        site.tenant.workspace) == [(True,)]

    until(renewed, "the renewals")
    site.model.open_gate(gate)
    assert stream.rest()[-1]["type"] == "done"
    assert {e["state"] for e in site.exchanges()} == {"done"}
    assert site.credits() == 100000 - len(site.exchanges())


def storm_case(site, index):
    """One of the storm's exchanges: both APIs, both forms, ends of every kind. True: it was charged, as far as the client knows."""
    api = apis.BOTH[index % 2](site)
    streams = index % 4 < 2
    message = (
        script("?", tokens=["a", "b"], delay_ms=3), script("?", tokens=["a", "b"], cut_after=1), script("?", tokens=5, delay_ms=10),
        script("?", empty=True), script("?", tokens=["a", "b"], delay_ms=2))[index % 5]
    try:
        response = api.post(api.body(message, streams), streams)
        assert response.status_code in (200, 402, 500, 503), (response.status_code, response.text)
        if index % 7 == 0:
            next(response.iter_content(1), None)
            response.close()
            return False
        return response.status_code == 200 and (not streams or b'"type":"done"' in response.content)
    except requests.exceptions.RequestException:
        return False  # its worker was killed


def test_B5_a_storm_of_exchanges_and_deaths(start):
    """1,000 exchanges with 400 credits from 40 clients, while workers are killed at random."""
    site = start(workers=16, lease=2)
    site.grant(400)
    dice = random.Random(4)
    done, told, guard = [0], [0], threading.Lock()
    failures = []

    # One whose worker is killed for sure.
    held = apis.Chatbot(site).stream(script("?", tokens=["a"], gates={"1": servers.name()}))
    assert next(held)["type"] == "start"
    kill(site, site.banter.children())
    assert held.rest() == []
    until(lambda: len(site.banter.children()) == 16, "the workers' replacement")

    def client(number):
        try:
            own = site_of(site)
            for index in range(number, 1000, 40):
                charged = storm_case(own, index)
                with guard:
                    done[0] += 1
                    told[0] += charged
                    now = done[0]
                if now % 160 == 0:
                    living = site.banter.children()
                    kill(site, dice.sample(living, k=min(4, len(living))))
        except BaseException as failure:  # noqa: BLE001  (told below)
            failures.append(failure)

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * servers.PATIENCE)
    if failures:
        raise failures[0]
    assert done[0] == 1000

    until(lambda: site.sql("select count(*) from banter_data.exchange where workspace = %s and state = 'running' and lease_until > now()",
                           site.tenant.workspace) == [(0,)], "the leases' end")
    # The next exchange, of whatever end, finds what the dead have left.
    apis.Chatbot(site).json("the last one")

    states = dict(site.sql("select state, count(*) from banter_data.exchange where workspace = %s group by state", site.tenant.workspace))
    charged = site.sql("select sum(price) from banter_data.exchange where workspace = %s and state in ('done', 'left')",
                       site.tenant.workspace)[0][0]
    ((lowest, booked),) = site.sql("select min(balance_after), sum(delta) from banter_data.ledger where workspace = %s", site.tenant.workspace)
    assert states.get("running", 0) == 0 and states["lost"] >= 1 and states["failed"] >= 1, states
    assert lowest >= 0
    assert booked == site.credits() == 400 - charged, states
    assert told[0] <= charged, "what a client was told is done is charged"
    text = site.banter.text()
    assert "status=402" in text, "the credits were not used up"
    assert "SQLSTATE" not in text, [line for line in text.splitlines() if "SQLSTATE" in line][:5]


def kill(site, pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def site_of(site):
    """The same site with an HTTP client of its own."""
    return apis.Site(site.postgres, site.model, site.banter, site.nginx, site.tenant)
