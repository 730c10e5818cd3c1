"""Other houses, by BANTER_TEST_THROUGH: a router and its partitions in the database's place, on three servers; and two hosts with
networks of their own behind one nginx. Rests on house.py, and on tests/system for the parts."""

import contextlib
import os
import signal
import time

import hosts
import pytest
import shards
from fastcgi import Cut, health
from house import House, children, send, stopped
from others import Pool
from site_client import Site

TRIES, STANDING_S = 5, 0.05


class Sharded(House):
    """What is killed and stopped of the database is the router's or the partitions', their sessions by PL/Proxy too."""

    @staticmethod
    def database():
        return shards.Spread()

    def clusters(self, tenant=None):
        router = self.postgres
        return [router, router.home(tenant.workspace % router.count)] if tenant else router.all

    def release(self, workspace):
        self.postgres.run("select banter_data.lease_release(%s)", workspace,
                          database=self.postgres.partitions[workspace % self.postgres.count])


class Hosts(House):
    """One host goes straight to the database, the other through PgBouncer."""

    def __init__(self, workers, **settings):
        reason = hosts.refusal()
        if reason:
            pytest.skip(hosts.NOT_TESTED + reason)
        super().__init__(workers, **settings)

    def open(self):
        network = self.enter(hosts.Network())
        self.postgres = self.enter(hosts.Postgres())
        self.pooler = self.enter(hosts.Pooler(self.postgres))
        self.model = self.enter(hosts.StandIn())
        site = self.enter(hosts.site(network, self.postgres, self.urls(), self.model, workers=self.workers, **self.settings))
        self.sites = []
        for pool in site.hosts:
            self.sites.append(Site(self.postgres, site.model, pool, site.nginx, site.tenant))
            self.sites[-1].status = pool.status
        self.shown_servers = [self.pooler, *site.shown_servers]

    @staticmethod
    def is_well(site):
        with contextlib.suppress(OSError, Cut):
            return health(site.banter.socket) == 200
        return False

    @staticmethod
    def hands(tables):
        return {**{hand: every for hand, every in tables.items() if hand is not Pool},
                Machine: {**tables[Pool], Machine.cut_power: 12, Machine.pull_out: 15, Machine.drain: 20}}


class Machine(Pool):
    """Whole hosts, by the hand that has the pools' processes: no two meet at one."""

    def cut_power(self):
        """All of a host's processes end at once. First they stand still, to see which requests they had."""
        site = self.chance.choice(self.house.sites)
        master = site.banter.process
        master.send_signal(signal.SIGSTOP)
        crew = children(master.pid).keys() - site.banter.children("status")
        self.storm.held.update(crew)
        seen = next(filter(None, (self.seen(site, crew) for _ in range(TRIES))), None)
        if seen:
            self.storm.done["host killed"] += 1
            self.storm.felled.update(one["request"] for one in seen)
            site.banter.cut_power()
            self.rest(2)
            site.banter.start()
        else:  # who shows it was killed a moment ago
            for pid in (*crew, master.pid):
                send(pid, signal.SIGCONT)
        self.storm.held.difference_update(crew)

    def seen(self, site, crew):
        """What is shown of them, all of which stood still meanwhile; none: they did not, since another hand let one go."""
        for pid in crew:
            send(pid, signal.SIGSTOP)
        time.sleep(STANDING_S)
        found = self.house.look(site)
        return found if all(map(stopped, crew)) else []

    def pull_out(self):
        """Its network is away: nobody is told."""
        host = self.chance.choice(self.house.sites).banter.host
        with self.outage("host's cable pulled out"):
            host.pull_out()
            self.rest(3)
            host.plug_in()

    def drain(self):
        """As a service manager restarts it."""
        banter = self.chance.choice(self.house.sites).banter
        self.storm.done["host drained"] += 1
        banter.end()
        banter.start()


# What all of a storm's tests have, where nothing else is asked for.
USUAL = {"shards": Sharded, "hosts": Hosts}.get(os.environ.get("BANTER_TEST_THROUGH"), House)
