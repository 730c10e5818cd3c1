"""Application hosts: pools that share nothing but the database and the model, each with a network of its own, behind one nginx.

A host is a network namespace on a wire (a veth) to the tests' own network, which is private too while there are hosts: nobody
else has it, and all of it is gone with its processes. What all hosts ask stands at SERVICES. Rests on root."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess

import servers
from fronts.nginx import NginxHosts
from servers import until
from site_client import Site

SERVICES = "10.9.0.1"  # where the database and the model are, for all hosts
PORT = 9000
NOT_TESTED = "no hosts can be made: "  # begins the reason of every test that is left out for want of them
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def refusal():
    """Why this machine lets nobody make networks; None where it does."""
    try:
        words = "ip link add one type veth peer name other"
        done = subprocess.run(["unshare", "--net", *words.split()], capture_output=True, text=True)
    except FileNotFoundError as missing:
        return str(missing)
    return done.stderr.strip() if done.returncode else None


def say_what_is_left_out(terminalreporter):
    """At a run's end: one that made no hosts must not look like one that tested all."""
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", [])]
    for reason in sorted({reason for reason in reasons if reason.startswith(NOT_TESTED)}):
        terminalreporter.write_line(f"NOT TESTED: {reasons.count(reason)} tests of several hosts: {reason}", red=True)


def ip(words, inside=()):
    subprocess.run([*inside, "ip", *words.split()], check=True, stdout=subprocess.DEVNULL)


def system_call(function, *arguments):
    if function(*arguments):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def title(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return ""


class Network:
    """The network of the thread that makes it, and of all that it begins, until close(): loopback, and the hosts' wires. What was
    there before is out of reach, but for unix sockets."""

    def __init__(self):
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.hosts = {}
        system_call(LIBC.unshare, CLONE_NEWNET)
        ip("link set lo up")
        ip(f"address add {SERVICES}/32 dev lo")

    def host(self):
        number = min(set(range(1, 255)) - self.hosts.keys())
        self.hosts[number] = Host(number)
        return self.hosts[number]

    def give_back(self, host):
        del self.hosts[host.number]
        host.close()

    def close(self):
        for host in self.hosts.values():
            host.close()
        system_call(LIBC.setns, self.before, CLONE_NEWNET)
        os.close(self.before)


class Host:
    """A machine's network. `.inside` stands in front of a command that is to run there."""

    def __init__(self, number):
        self.number = number
        self.gateway, self.address, self.wire = f"10.9.{number}.1", f"10.9.{number}.2", f"host{number}"
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)  # which ends with this process
        self.inside = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        own = os.readlink("/proc/thread-self/ns/net")
        until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != own, "a network of its own")
        ip(f"link add {self.wire} type veth peer name eth0 netns {self.holder.pid}")
        ip(f"address add {self.gateway}/30 dev {self.wire}")
        ip(f"link set {self.wire} up")
        ip("link set lo up", self.inside)
        ip(f"address add {self.address}/30 dev eth0", self.inside)
        self.plug_in()

    def plug_in(self):
        ip("link set eth0 up", self.inside)
        ip(f"route replace default via {self.gateway}", self.inside)

    def pull_out(self):
        """What is sent to it and by it is lost, and nobody is told."""
        ip("link set eth0 down", self.inside)

    def close(self):
        ip(f"link delete {self.wire}")
        self.holder.stdin.close()
        self.holder.wait()


class Banter(servers.Banter):
    """A pool on a host."""

    def __init__(self, host, *where, **settings):
        self.host, self.inside = host, host.inside
        super().__init__(*where, listen=(host.address, PORT), **settings)

    def start(self, *options):
        self.status = self.folder / "status"
        self.env["BANTER_STATUS_LISTEN"] = f"unix:{self.status}"
        super().start(*options)

    def cut_power(self):
        """All of its processes end at once."""
        self.process.send_signal(signal.SIGSTOP)  # or it would replace them
        crew = children(self.process.pid)
        self.process.kill()
        for pid in crew:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


class Pools:
    """All hosts' as one, for tests that know of one pool: what is asked of one is the first's."""

    def __init__(self, pools):
        self.pools = pools
        for pool in pools[1:]:
            pool.env = pools[0].env

    def __getattr__(self, name):
        return getattr(self.pools[0], name)

    def children(self, *kind):
        return [pid for pool in self.pools for pid in pool.children(*kind)]

    def text(self):
        return "".join(pool.text() for pool in self.pools)

    def start(self):
        for pool in self.pools:
            pool.start()

    def end(self, *how):
        return max(pool.end(*how) for pool in self.pools)

    def close(self):
        for pool in self.pools:
            pool.close()


class Nginx(NginxHosts):
    """Before two hosts. `network`: where they are. `urls`: what each of them connects to."""

    name = "nginx-networks"
    most_open = 500  # all tests have one address

    def __init__(self, network, urls, *where, **settings):
        self.network, self.urls = network, urls
        super().__init__(urls[0], *where, **settings)

    def start_pools(self, _, *where, **settings):
        for url in self.urls:
            self.pools.append(Banter(self.network.host(), url, *where, **settings))
        return self.pools

    def places(self):
        return [f"{pool.host.address}:{PORT}" for pool in self.pools]

    def close(self):
        try:
            super().close()
        finally:
            for pool in self.pools:
                self.network.give_back(pool.host)

    def leave_out(self, pool):
        """As the page says it: that host gets nothing new from here on."""
        file, place = self.folder / "conf.d/banter-upstream.conf", f"server {pool.host.address}:{PORT} "
        text = file.read_text()
        assert place in text
        file.write_text(text.replace(place, place + "down "))
        before = self.listeners()
        self.process.send_signal(signal.SIGHUP)
        until(lambda: (now := self.listeners()) and not now & before, "nginx's new processes")

    def listeners(self):
        """Its processes that take new requests: the others' titles say that they are shutting down."""
        return {pid for pid in children(self.process.pid) if title(pid) == "nginx: worker process"}


class Postgres(servers.Postgres):
    """One that all hosts reach."""

    def start(self, *options):
        rules = self.data / "pg_hba.conf"
        if SERVICES[:4] not in rules.read_text():
            with open(rules, "a") as more:
                more.write("host all all 10.9.0.0/16 trust\n")
        super().start("-c", f"listen_addresses={SERVICES}", *options)

    def end(self, sig=signal.SIGINT, *how):
        """Sessions of a host that was cut off are there for long: nobody told the server."""
        return super().end(sig, *how)

    def url(self, user="banter_app", database="banter"):
        return f"postgresql://{user}@{SERVICES}:{self.port}/{database}"


class StandIn(servers.StandIn):
    place = SERVICES


class Pooler(servers.Pooler):
    """One that all hosts reach, by password."""

    def __init__(self, postgres):
        super().__init__(postgres, **{"listen_addr = 127.0.0.1": f"listen_addr = {SERVICES}"})

    def url(self, user="banter_app", database="banter", password=servers.Pooler.password):
        return f"postgresql://{user}:{password}@{SERVICES}:{self.port}/{database}"


def site(network, postgres, urls, standin, **settings):
    """Two hosts and the nginx before them, as one site; .hosts are the pools. `urls`: of what they connect to."""
    front = Nginx(network, urls, settings.pop("model_url", standin.url), **settings)
    made = Site(postgres, standin.control, front.pools[0], front, postgres.demo())
    made.hosts = front.pools
    made.shown_servers = [front, *front.pools, postgres]
    return made


def every_site_has_two(network):
    """From here on: what a test begins as a site, with its model, is reached by both."""
    def start(postgres, url, standin, **settings):
        made = site(network, postgres, [url] * 2, standin, **settings)
        made.banter = Pools(made.hosts)
        return made

    servers.StandIn.place = SERVICES
    Site.start = start
