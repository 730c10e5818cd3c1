"""What the storm breaks, and mends again: a PostgreSQL, a PgBouncer, a model, and two pools behind an nginx each, of which
one goes straight to the database and one through PgBouncer. Rests on tests/system/servers.py."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import psycopg2
import servers
from fastcgi import Connection, Cut
from servers import until
from site_client import Site

# Short times, so that what hangs on them happens often; but a busy machine is no reason for a refusal.
SETTINGS = {
    "lease": "5s", "heartbeat": "1s", "worker_stuck_time": "2s", "queue_time": "5s", "database_time": "2500ms",
    "database_connect_time": "2s", "drain_time": "5s", "write_time": "5s", "status_shows": "all", "log_level": "warning",
}
SHUT_S = 30  # a service manager waits for longer
LOOK_S = 2  # how long the status listener may take


def stat(pid, field, gone):
    """A field of proc_pid_stat(5), by its number there, from 3 on; `gone`: where there is no such process."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[field - 3]
    return gone


def state(pid):
    """Its letter; X: it is gone."""
    return stat(pid, 3, "X")


def born(pid):
    """When: the same number may be another process's later."""
    return stat(pid, 22, None)


def alive(pid):
    return state(pid) not in "ZX"


def stopped(pid):
    """Whether it stands still, or is gone."""
    return state(pid) in "TtZX"


def send(pid, sig):
    """False: it is not there any more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sig)
        return True
    return False


def children(pid):
    """Process ids and the names that they show."""
    found = {}
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found[int(child)] = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return found


def own_deaths(house):
    """Workers that died of something that nobody did to them."""
    return [line for site in house.sites for line in site.banter.text().splitlines()
            if re.search(r"\bdied\b", line) and not re.search(r"\bSIG(KILL|TERM)\b|signal (9|15)\b", line)]


class House:
    """`.sites` are as tests/system knows them. What the storm's own connections read is the owner's."""

    def __init__(self, workers, **settings):
        self.workers, self.settings = workers, {**SETTINGS, **settings}
        self.stack = contextlib.ExitStack()
        try:
            self.open()
        except BaseException:
            self.stack.close()
            raise

    def open(self):
        self.postgres, self.pooler = self.databases()
        self.model = self.enter(servers.StandIn())
        self.sites = []
        for url in self.urls():
            folder = servers.folder("storm")
            self.stack.callback(os.rmdir, folder)
            self.stack.callback(lambda path: path.unlink(missing_ok=True), folder / "status")
            self.sites.append(self.enter(Site.start(
                self.postgres, url, self.model, workers=self.workers, status_listen=f"unix:{folder / 'status'}",
                **self.settings)))
            self.sites[-1].status = folder / "status"
        self.shown_servers = [*self.clusters(), self.pooler, *(part for site in self.sites for part in site.shown_servers)]

    def enter(self, server):
        return self.stack.enter_context(contextlib.closing(server))

    def databases(self):
        """The database, and the PgBouncer before it."""
        postgres = self.enter(self.database())
        return postgres, self.enter(servers.Pooler(postgres))

    @staticmethod
    def database():
        return servers.Postgres()

    def clusters(self, tenant=None):
        """PostgreSQL's, of which the database is made; those that a tenant's exchanges need."""
        return [self.postgres]

    def urls(self):
        """Of what each site connects to."""
        return self.postgres.url(), self.pooler.url()

    @staticmethod
    def hands(tables):
        """Who breaks what of it: `tables`, of each hand how often it does what."""
        return tables

    def close(self):
        self.stack.close()

    def site_of(self, tenant, site=None):
        """A site as that tenant has it."""
        site = site or self.sites[0]
        return Site(site.postgres, site.model, site.banter, site.nginx, tenant)

    @staticmethod
    def look(site):
        """The processes of a pool as its scoreboard shows them; none: it cannot be seen now."""
        try:
            with Connection(site.status) as connection:
                connection.socket.settimeout(LOOK_S)
                reply = connection.ask({"REQUEST_METHOD": "GET", "REQUEST_URI": "/status", "REMOTE_ADDR": "127.0.0.1"})
                return json.loads(reply.body())["processes"] if reply.status == 200 else []
        except (OSError, Cut, ValueError, AssertionError):
            return []

    # PostgreSQL

    @staticmethod
    def sessions(server):
        """The backends of the application: pid and what it is at, such as SELECT."""
        found = children(server.process.pid)
        return {pid: title.rsplit(" ", 1)[1] for pid, title in found.items() if title.startswith("postgres: banter_app ")}

    @staticmethod
    def cut_power(server):
        """A PostgreSQL's processes end at once, all of them, and nothing is written any more."""
        while server.kept:
            server.kept.pop().close()
        server.process.send_signal(signal.SIGSTOP)  # or it would begin to mend
        crew = children(server.process.pid)
        server.process.kill()
        server.process.wait()
        for pid in crew:
            send(pid, signal.SIGKILL)
        until(lambda: not any(map(alive, crew)), "the end of PostgreSQL's processes")
        server.process = None

    def shut_down(self, server):
        """As a service manager does. PostgreSQL 15 forks for each who comes meanwhile, and does not end while one of those is
        left: so nobody may come too often."""
        server.process.send_signal(signal.SIGINT)
        try:
            server.process.wait(SHUT_S)
            server.process = None
        except subprocess.TimeoutExpired:
            self.cut_power(server)
            raise AssertionError(f"PostgreSQL did not end within {SHUT_S} s, since others kept coming") from None

    def settle(self):
        """Until both pools answer, and the database too."""
        for server in self.clusters():
            until(lambda: self.answers(server), "the database")  # noqa: B023
        for site in self.sites:
            until(lambda: self.is_well(site), "a pool that is well")  # noqa: B023

    @staticmethod
    def is_well(site):
        return site.request("GET", "/health", key=False).status_code == 200

    @staticmethod
    def answers(server):
        with contextlib.suppress(psycopg2.Error):
            return server.run("select 1", database="postgres")
        return None

    def release(self, workspace):
        """Gives back what lapsed leases of it held."""
        self.postgres.run("select banter_data.lease_release(%s)", workspace)

    def let_leases_end(self, tenants):
        """Gives back what dead workers held: as the next exchange of each workspace would."""
        end = time.monotonic() + servers.PATIENCE
        running = "select 1 from banter_data.exchange where ended_at is null limit 1"
        while self.postgres.run(running):
            assert time.monotonic() < end, "an exchange is not given up though its worker is gone"
            for tenant in tenants.values():
                self.release(tenant.workspace)
            time.sleep(0.2)
