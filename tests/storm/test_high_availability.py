"""What deploy/high-availability/README.md says of a primary that is lost, by real machines of Patroni's and etcd's, with traffic
on them: nothing acknowledged is lost or doubled, nobody waits in vain, and who comes afterwards is served.

Times are printed: they are the machine's own. BANTER_TEST_SEED repeats what the clients choose."""

import contextlib
import os
import signal
import time

import pytest
import servers
from dialects import DONE
from house import House, own_deaths
from judge import Judge, Stored, stored
from machines import Machines, Proxy, kill
from people import LIMITS, SEED, Crowd, ends_of, tenants
from servers import name, script, until
from site_client import Site

long = pytest.mark.skipif(not os.environ.get("BANTER_TEST_LONG"), reason="takes minutes: tests/run ha_long")
STORING_S = 11  # in which an answer is tried to be stored, and told
SOME = 40  # requests, before and after


class Home(House):
    """One site knows the three addresses; the other goes by PgBouncer and HAProxy."""

    def databases(self):
        machines = self.enter(Machines())
        self.proxy = self.enter(Proxy(machines.network))
        return machines, self.enter(servers.Pooler(machines, **{
            f"host={servers.Pooler.debian}": f"host=127.0.0.1 port={self.proxy.port}"}))


@pytest.fixture(scope="module")
def home():
    with contextlib.closing(Home(workers=8, database_time="6s", database_connect_time="5s")) as one:
        yield one


@pytest.fixture
def people(home):
    return tenants(home)


class Traffic:
    """Clients on both sites, while something is done to the machines: `with traffic.outage(): …` is when they may be refused."""

    def __init__(self, home, people, folder):
        self.home, self.people, self.outages, self.began = home, people, [], time.monotonic()
        self.crowd = Crowd(home, people, folder, clients=8)
        self.flow()

    def flow(self):
        """More requests have ended."""
        enough = self.crowd.count() + SOME
        until(lambda: self.crowd.count() >= enough, "traffic")

    @contextlib.contextmanager
    def outage(self):
        """Until both sites are well again. The first request behind it is served."""
        began = time.monotonic()
        yield
        self.home.settle()
        self.outages.append((began, time.monotonic()))
        for site in self.home.sites:
            assert site.chat("hello").status_code == 200

    def away(self, record):
        return any(begun <= record["ended"] and record["ended"] - STORING_S <= over for begun, over in self.outages)

    def end(self):
        self.flow()
        records = self.crowd.end()
        self.home.postgres.whole()
        self.home.settle()
        self.home.let_leases_end(self.people)
        own = {one.workspace for one in self.people.values()}
        database = Stored(*([row for row in rows if row.workspace in own] for rows in stored(self.home.postgres.run)))
        judge = Judge(records, database, self.people, lambda _: False, self.away, LIMITS)
        return records, judge.complaints(), judge

    def account(self, records, judge):
        """For reading."""
        yield f"seed {SEED}: {len(records)} requests in {time.monotonic() - self.began:.0f} s"
        yield from ends_of(records)
        for site, way in enumerate(("the list of hosts", "PgBouncer and HAProxy")):
            done = sorted(record["ended"] for record in records if record["site"] == site and record["end"] == DONE)
            longest = max((after - before for before, after in zip(done, done[1:])), default=0)
            yield f"  by {way}, nobody was answered for {longest:.1f} s"
        refused = [record["ended"] - record["sent"] for record in records if record["status"] == 503]
        yield f"  503 after {max(refused, default=0):.1f} s at most"
        yield "  of that, for a client: " + (", ".join(f"{why}: {count}" for why, count in judge.excuses.items()) or "nothing")


@pytest.fixture
def traffic(home, people, tmp_path, record_property):
    one = Traffic(home, people, tmp_path)
    try:
        yield one
        records, complaints, judge = one.end()
        record_property("account", "\n".join(one.account(records, judge)))
        assert not complaints, "\n".join([f"seed {SEED}: {len(complaints)} complaints", *complaints[:20]])
        assert not own_deaths(home)
    finally:
        if one.crowd.process.poll() is None:
            one.crowd.process.kill()
            one.crowd.process.wait()


def other_than(home, old):
    """The machine that is primary now."""
    return until(lambda: (found := home.postgres.primary()) and found is not old and found, "another primary")


def test_a_primary_whose_postgresql_crashes(home, traffic):
    """Patroni lives on, and hands over at once. In `make test`."""
    old = home.postgres.primary()
    with traffic.outage():
        kill(*old.postgres())
        other_than(home, old)


@long
def test_a_primary_whose_machine_is_lost(home, traffic):
    old = home.postgres.primary()
    with traffic.outage():
        old.kill()
        other_than(home, old)
    traffic.flow()
    old.start()


@long
def test_a_primary_that_stands_still_and_comes_back(home, traffic):
    """All of it, for longer than its leader's key lasts. What it stored and nobody else has, it told nobody."""
    old = home.postgres.primary()
    with traffic.outage():
        old.freeze()
        other_than(home, old)
    traffic.flow()
    with traffic.outage():  # until it has heard that it is no primary any more
        old.thaw()
        home.postgres.whole()


@long
def test_a_switchover(home, traffic):
    (new,) = home.postgres.of_role("sync_standby")
    with traffic.outage():
        home.postgres.ctl("switchover", "banter", "--force", "--candidate", new.name)
        until(lambda: home.postgres.primary() is new, "the switchover")


@long
def test_a_standby_that_is_lost(home, traffic):
    """The other takes its place; a commit waits that long."""
    (standby,) = home.postgres.of_role("sync_standby")
    with traffic.outage():
        standby.kill()
        until(lambda: home.postgres.of_role("sync_standby") not in ([], [standby]), "another standby")
    traffic.flow()
    standby.start()


@long
def test_etcd_is_lost(home, traffic):
    """The primary goes on while it reaches all others, and not without one of them."""
    primary, *others = sorted(home.postgres.machines, key=lambda one: one is not home.postgres.primary())
    with traffic.outage():
        for one in home.postgres.machines:
            one.etcd.end(signal.SIGKILL)
        until(lambda: "failsafe_mode_is_active" in (primary.asked("/patroni") or ""), "a primary that goes on without etcd")
    traffic.flow()
    with traffic.outage():
        others[0].kill()
        until(lambda: all(site.request("GET", "/health", key=False).status_code == 503 for site in home.sites), "503")
        for one in home.postgres.machines:
            one.start()
        home.postgres.whole()


# One exchange at a time


def ends(site, question, session=None, **key):
    """The types of the events of its stream."""
    return [event["type"] for event in site.stream(question, session, headers=key)]


def states(home, site):
    return [state for (state,) in home.postgres.run("select state from banter_data.exchange where workspace = %s",
                                                    site.tenant.workspace)]


def standbys(home):
    primary = home.postgres.primary()
    return [one for one in home.postgres.machines if one is not primary]


def waits_for(home, names):
    until(lambda: home.postgres.run("show synchronous_standby_names") == [(names,)], f"commits that wait for {names!r}")


@long
def test_an_old_primary_that_nobody_ends_tells_nothing_as_stored(home):
    """Its Patroni is gone, and no watchdog there: it goes on beside the new one, and who still asks it gets no `done`."""
    home.postgres.whole()
    old = home.postgres.primary()
    url = f"postgresql://banter_app:{servers.Pooler.password}@{old.address}/banter"
    with contextlib.closing(Site.start(home.postgres, url, home.model, workers=1)) as site:
        assert ends(site, script(name("before"), tokens=["a"])) == ["start", "token", "done"]
        old.patroni.end(signal.SIGKILL)
        other_than(home, old)
        assert ends(site, script(name("behind"), tokens=["a"])) == ["start", "token", "error"]
        assert states(home, site) == ["done"]
        old.patroni.start()
        home.postgres.whole()
        assert states(home, site) == ["done"]


@pytest.fixture
def strict(home):
    home.postgres.set("synchronous_mode_strict=true")
    yield
    home.postgres.set("synchronous_mode_strict=false")


@long
def test_strict_without_a_standby_nothing_is_told_as_stored(home, strict):
    """It is, once there is one again."""
    home.postgres.whole()
    site, lost, key = home.sites[0].for_new_tenant(), standbys(home), {"Idempotency-Key": name("key")}
    asked = script(name("alone"), tokens=["a"]), name()
    for one in lost:
        one.kill_database()
    waits_for(home, "*")
    assert ends(site, *asked, **key) == ["start", "token", "error"]
    for one in lost:
        one.start()
    home.postgres.whole()
    assert ends(site, *asked, **key)[-1] == "done"
    assert states(home, site) == ["done"]


@long
def test_without_a_standby_what_is_told_as_stored_is_on_the_primary_and_nobody_takes_over(home):
    home.postgres.whole()
    site, primary, lost = home.sites[0].for_new_tenant(), home.postgres.primary(), standbys(home)
    for one in lost:
        one.kill_database()
    waits_for(home, "")
    assert ends(site, script(name("alone"), tokens=["a"])) == ["start", "token", "done"]
    primary.kill_database()
    before = {one: len(one.patroni.text()) for one in lost}
    for one in lost:  # they know nothing of it
        one.start()
    for one in lost:
        until(lambda: "not the healthiest node" in one.patroni.text()[before[one]:], "a standby that may not take over")  # noqa: B023
    primary.start()
    home.postgres.whole()
    assert home.postgres.primary() is primary
    assert states(home, site) == ["done"]
