"""Three machines as deploy/high-availability/README.md sets them up, with its files: on each an etcd, a Patroni, and the
PostgreSQL that this runs. A machine is an address of 127.0.0.0/8 and a folder, so that ports are the page's.

Rests on tests/system/servers.py; what is done to the machines, and what clients see of it, is the tests' own."""

import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

import psycopg2
import servers
from house import alive, children, send
from servers import filled, until

MACHINES = 3
PAGE = {"etcd": "high-availability/etcd", "patroni": "high-availability/patroni.yml", "haproxy": "high-availability/haproxy.cfg"}
OWN = {"PYTHONUNBUFFERED": "1", "PATRONI_LOG_LEVEL": "INFO"}


def networks():
    """Networks of this process's own, 127.A.B.0/24; a name that only one process can have keeps each."""
    blocks = [(a, b) for a in range(64, 128) for b in range(1, 255)]
    random.SystemRandom().shuffle(blocks)
    for a, b in blocks:
        keeper = socket.socket(socket.AF_UNIX)
        try:
            keeper.bind(f"\0banter-test-network-{a}-{b}")
        except OSError:
            keeper.close()
            continue
        kept.append(keeper)
        yield f"127.{a}.{b}"


kept = []
NETWORKS = networks()


class Etcd(servers.Server):
    name = "etcd"

    def __init__(self, own):
        super().__init__()
        text = filled(PAGE["etcd"], own)
        self.env = dict(line.split("=", 1) for line in text.splitlines() if re.match("[A-Z]", line))
        self.env["ETCD_DATA_DIR"] = str(self.folder / "data")

    def start(self):
        self.spawn([*servers.unprivileged(), "/usr/bin/etcd"], env=self.env)


class Patroni(servers.Server):
    """With its PostgreSQL."""

    name = "patroni"

    def __init__(self, own):
        super().__init__()
        self.data = self.folder / "data"
        self.config = self.folder / "config.yml"
        self.config.write_text(filled(PAGE["patroni"], {
            "10.0.0.0/24": "127.0.0.1/32",  # where all of 127.0.0.0/8 comes from
            **own, "@REPLICATOR@": "copies", "@REWINDER@": "rewinds",
            "/var/lib/postgresql/15/banter": self.data,
            "/usr/lib/postgresql/15/bin": servers.postgres_bin(),
            "/var/lib/postgresql/banter.pgpass": self.folder / "pgpass",
            "unix_socket_directories: /var/run/postgresql": f"unix_socket_directories: {self.folder}",
            "local   all          all                      peer": "local   all  all  trust",
            "mode: automatic": "mode: off",  # it would reset the machine that runs the tests
        }))

    def start(self):
        self.spawn([*servers.unprivileged(), "/usr/bin/patroni", self.config], env=OWN)

    def postmaster(self):
        """Its process id; None: PostgreSQL does not run. It is no child of Patroni's."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            if str(self.data).encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() and alive(pid):
                return pid
        return None


def kill(*pids):
    """All of them at once: none is to see another's end and mend it."""
    for pid in pids:
        send(pid, signal.SIGSTOP)
    for pid in pids:
        send(pid, signal.SIGKILL)
    until(lambda: not any(map(alive, pids)), "the end of what was killed")


class Machine:
    def __init__(self, network, number):
        self.name, self.address = f"db{number}", f"{network}.{number}"
        own = {"@NAME@": self.name, "@ADDRESS@": self.address, "10.0.0.": f"{network}."}
        self.etcd = Etcd(own)
        self.patroni = Patroni(own)

    def start(self):
        for part in (self.etcd, self.patroni):
            if part.process is None:
                part.start()

    def asked(self, path):
        """What its Patroni says; None: it says no, or nothing."""
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError), contextlib.closing(
                http.client.HTTPConnection(self.address, 8008, timeout=2)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            return said if answer.status == 200 else None

    def postgres(self):
        """Process ids of PostgreSQL's."""
        pid = self.patroni.postmaster()
        return [pid, *children(pid)] if pid else []

    def processes(self):
        """etcd's first."""
        return [*(part.process.pid for part in (self.etcd, self.patroni) if part.process), *self.postgres()]

    def kill(self):
        """The power is cut."""
        kill(*self.processes())
        for part in (self.etcd, self.patroni):
            if part.process:
                part.process.wait()
                part.process = None

    def kill_database(self):
        """Patroni and PostgreSQL; etcd's three stay together."""
        kill(*self.processes()[1:])
        self.patroni.process.wait()
        self.patroni.process = None

    def freeze(self):
        for pid in self.processes():
            send(pid, signal.SIGSTOP)
        for pid in self.postgres():  # also those that were made meanwhile
            send(pid, signal.SIGSTOP)

    def thaw(self):
        """PostgreSQL first: what it does by then nobody has forbidden it."""
        for pid in reversed(self.processes()):
            send(pid, signal.SIGCONT)

    def close(self):
        self.kill()
        self.patroni.close()
        self.etcd.close()


class Proxy(servers.Server):
    """HAProxy."""

    name = "haproxy"

    def __init__(self, network):
        super().__init__()
        self.port = servers.free_port()
        config = self.folder / "haproxy.cfg"
        config.write_text(filled(PAGE["haproxy"], {
            "10.0.0.": f"{network}.", "127.0.0.1:5000": f"127.0.0.1:{self.port}",
            "log /dev/log local0": "log stdout format raw local0", "\tuser haproxy\n\tgroup haproxy\n\tdaemon\n": "",
        }))
        self.spawn([*servers.unprivileged(), "/usr/sbin/haproxy", "-f", config])
        self.await_start(lambda: servers.listens(self.port), "HAProxy's start")


class Machines(servers.Postgres):
    """The cluster, as others know a PostgreSQL: what is run is run on the primary, whichever it is."""

    name = "machines"
    keeps = None  # a kept connection may be of a primary that is none any more
    secret = servers.Pooler.secret  # of the roles' passwords

    def __init__(self):
        servers.Server.__init__(self)
        self.kept, self.machines = [], []
        self.network = next(NETWORKS)
        with contextlib.ExitStack() as unless_done:
            unless_done.callback(self.close)
            self.machines += (Machine(self.network, number) for number in range(1, MACHINES + 1))
            self.shown_servers = [part for one in self.machines for part in (one.etcd, one.patroni)]
            for one in self.machines:
                one.start()
            until(self.primary, "a primary")
            self.prepare()
            self.whole()
            unless_done.pop_all()

    def prepare(self):
        """As the page says."""
        for role, how in (("banter_app", ""), ("owner", "superuser")):
            self.run(f"create role {role} login {how} password '{self.secret}'", database="postgres")
        self.run("create database banter owner owner", database="postgres")
        self.migrate("--role", "banter_app")

    def url(self, user="banter_app", database="banter"):
        hosts = ",".join(one.address for one in self.machines)
        return f"postgresql://{user}:{servers.Pooler.password}@{hosts}/{database}?target_session_attrs=read-write"

    def connection(self, database):
        """As the superuser, on its socket."""
        primary = until(self.primary, "a primary")
        connection = psycopg2.connect(host=str(primary.patroni.folder), user="postgres", dbname=database)
        connection.autocommit = True
        return connection

    # What Patroni says

    def ctl(self, *arguments):
        """What patronictl prints."""
        some = next(one for one in self.machines if one.patroni.process)
        done = subprocess.run(["/usr/bin/patronictl", "-c", some.patroni.config, *arguments], capture_output=True, text=True,
                              timeout=servers.PATIENCE, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def members(self):
        """Name: (role, state), as the machines that run say. Empty: none can say."""
        time.sleep(0.2)  # each look is one into etcd
        for one in self.machines:
            if said := one.asked("/cluster"):
                return {member["name"]: (member["role"], member["state"]) for member in said["members"]}
        return {}

    def of_role(self, role):
        """leader, sync_standby or replica."""
        return [one for one in self.machines if self.members().get(one.name, ("", ""))[0] == role]

    def primary(self):
        """The machine that says it is: as HAProxy asks. None: there is none now."""
        time.sleep(0.2)
        for one in self.machines:
            if said := one.asked("/primary"):
                return one if (said["role"], said["state"]) in (("master", "running"), ("primary", "running")) else None
        return None

    def whole(self):
        """Until all run, and one is a synchronous standby."""
        until(lambda: sorted(self.members().values()) == [
            ("leader", "running"), ("replica", "running"), ("sync_standby", "running")], "a whole cluster")

    def set(self, *settings):
        """For all machines."""
        self.ctl("edit-config", "--force", *(word for one in settings for word in ("-s", one)))

    def close(self):
        for one in self.machines:
            one.close()
        servers.Server.close(self)
