"""A house whose database is two machines: a primary, and a standby that takes its place when that is lost, again and again.
Rests on house.py, and on the storm for what else happens meanwhile."""

import signal
import time

import servers
from house import House, children, send
from others import Database
from servers import until

CALM_S = 2  # between two
PAUSE_S = 1  # in which it goes unnoticed that something stands still


class Pair(House):
    """`.postgres` is the primary, whichever of the two. One site knows both machines; the other's PgBouncer is led to the new
    one. `synchronous`: what is told as stored is on both."""

    def __init__(self, synchronous, **how):
        self.synchronous = synchronous
        super().__init__(**how)

    def urls(self):
        if self.synchronous:
            self.postgres.run("alter system set synchronous_standby_names = '*'")
            self.postgres.run("select pg_reload_conf()")
        self.standby = self.enter(servers.Postgres(standby_of=self.postgres))
        self.stack.callback(self.pooler.end)  # before that one, which would wait for its connections
        hosts = f"{self.postgres.folder},{self.standby.folder}"
        return (f"postgresql://banter_app@/banter?host={hosts}&port={self.postgres.port}&target_session_attrs=read-write",
                self.pooler.url())

    def paired(self):
        """Whether the standby follows: before that it must not take over."""
        return self.postgres.run("select 1 from pg_stat_replication where state = 'streaming'")

    def copied(self):
        """Waits until the standby has all that the primary has now. Returns when that was."""
        now = time.monotonic()
        ((here,),) = self.postgres.run("select pg_current_wal_lsn()")
        until(lambda: self.postgres.run("select 1 from pg_stat_replication where flush_lsn >= %s", here), "the standby's copy")
        return now

    def take_over(self):
        """The standby is the primary from here on."""
        self.standby.promote()
        self.postgres, self.standby = self.standby, self.postgres
        for site in self.sites:
            site.postgres = self.postgres
        self.pooler.lead_to(self.postgres)

    def pair(self):
        """The one that was lost comes back, behind the other."""
        self.standby.follow(self.postgres)
        until(self.paired, "a standby that follows")


class Failover(Database):
    """Loses the primary in one way after the other. The same hand also ends its sessions, so as not to meet one that is not
    there."""

    def __init__(self, *how):
        super().__init__(*how)
        self.ways = []

    def fail_over(self):
        if not self.ways:
            self.ways = [self.power_cut, self.stand_still, self.switch_over]
            self.chance.shuffle(self.ways)
        self.storm.over.wait(CALM_S)
        until(self.house.paired, "a standby that follows")
        self.ways.pop()()

    def lose(self, what, primary, mourn=lambda: None):
        """`primary` goes away by the first, and what is left of it by the other, once another has taken its place."""
        began = self.house.copied()
        with self.outage(what):
            primary()
            self.house.take_over()
            over = time.monotonic()
            mourn()
            self.house.pair()
            # Where all wait for the standby, nothing is stored without one.
            self.storm.failovers.append((began, time.monotonic() if self.house.synchronous else over))

    def power_cut(self):
        """Behind a network that went first: the standby has heard nothing for a while."""
        def in_steps():
            deaf = [pid for pid, title in children(self.house.standby.process.pid).items() if "walreceiver" in title]
            for pid in deaf:
                send(pid, signal.SIGSTOP)
            time.sleep(PAUSE_S)
            self.house.cut_power(self.house.postgres)
            for pid in deaf:  # and does not read what was on its way
                send(pid, signal.SIGTERM)
                send(pid, signal.SIGCONT)

        self.lose("primary killed", in_steps)

    def stand_still(self):
        """It says nothing any more, and is ended only when it is primary no more."""
        old = self.house.postgres

        def stop():
            for pid in (old.process.pid, *children(old.process.pid)):
                send(pid, signal.SIGSTOP)
            time.sleep(PAUSE_S)

        self.lose("primary stood still", stop, lambda: self.house.cut_power(old))

    def switch_over(self):
        """On purpose."""
        self.lose("primary shut down", lambda: self.house.shut_down(self.house.postgres))
