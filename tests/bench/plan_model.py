"""What so many concurrent streams take, reckoned from what one of them costs: the model behind plan.py. It knows costs that
were measured, a load and a size of machines, and nothing else."""

import dataclasses
import math
import typing

DAY = 86400


@dataclasses.dataclass(frozen=True)
class Load:
    """What a stream is. At the busiest hour all streams run; over the whole day `day` of them."""

    tokens: float = 300  # of an answer
    tokens_s: float = 20
    first_s: float = 1  # until the first token
    think_s: float = 45  # until its visitor asks again
    question: float = 150  # bytes
    answer: float = 1350
    day: float = 0.33
    kept: float = 30  # days, until conversations are swept

    @property
    def seconds(self):
        return self.first_s + self.tokens / self.tokens_s

    @property
    def exchanges(self):
        """A second, of each stream."""
        return 1 / self.seconds


@dataclasses.dataclass(frozen=True)
class Size:
    """The largest machine there is, and how full it may be."""

    cores: float = 16
    gib: float = 64
    disk: float = 8  # TB
    router_cores: float = 64  # the router is one machine
    busy: float = 0.6  # of the cores
    full: float = 0.8  # of workers, memory and disks
    partitions: float = 64
    sessions: float = 1500  # that a server of PostgreSQL has at most


# Of the files and the program, as they come.
WORKERS = 4096  # BANTER_WORKERS, at most
POOL = 16  # connections of a PgBouncer, for each database
AS_INSTALLED = {"workers": 16, "direct": 97, "front_connections": 384}  # streams: of 16 workers, 100 connections, 768 of nginx's
CONNECTION_KIB = 32  # libpq's, of a router's session to a partition
AGED_KIB = {"workers": 1024}  # more of a stream's, once its worker has had many requests (deploy/operating)
SYSTEM_GIB = 1
DATA_GIB = 4  # a core of a server with data


class Machines(typing.NamedTuple):
    count: int
    cores: int  # of each
    gib: int


@dataclasses.dataclass
class Plan:
    """What there is for so many streams, and up to how many it is enough, by resource."""

    streams: int
    exchanges: float  # a second
    visitors: float
    installations: int
    fronts: Machines | None
    hosts: Machines
    workers: int  # of each host
    pool: int  # connections of each host's PgBouncer
    sessions: int  # of the database, or the router
    router: Machines | None
    databases: Machines
    partitions: int | None  # on each of them
    connections: int  # to each of them
    poolers: int  # before each of them
    day: float  # bytes
    wal: float
    limits: dict

    @property
    def machines(self):
        return [one for one in (self.fronts, self.hosts, self.router, self.databases) if one]

    @property
    def cores(self):
        return sum(one.count * one.cores for one in self.machines)

    @property
    def gib(self):
        return sum(one.count * one.gib for one in self.machines)


class Model:
    def __init__(self, costs, load=None, size=None):
        self.costs, self.load, self.size = costs, load or Load(), size or Size()

    def busy(self, *groups):
        """Cores that a stream keeps busy in these: by its tokens, its exchanges, and the stop poll that asks after it each second."""
        return sum(self.costs["token_us"].get(group, 0) * self.load.tokens_s + self.costs["watch_us"].get(group, 0)
                   + self.costs["exchange_us"][group] * self.load.exchanges for group in groups) / 1e6

    def by_cores(self, *groups, cores=None):
        """Streams that a machine's cores bear."""
        return (cores or self.size.cores) * self.size.busy / self.busy(*groups)

    def by_thread(self, group):
        return self.by_cores(group, cores=1)

    def day(self, written):
        """Bytes that a stream writes in a day."""
        return self.load.exchanges * DAY * self.load.day * (self.costs[written] + self.load.question + self.load.answer)

    def by_disk(self):
        return self.size.disk * 1e12 * self.size.full / (self.day("stored_bytes") * self.load.kept)

    def kib(self, *groups):
        return sum(self.costs["stream_kib"][group] + AGED_KIB.get(group, 0) for group in groups)

    def by_memory(self, *groups):
        return (self.size.gib - SYSTEM_GIB) * self.size.full * 2**20 / self.kib(*groups)

    def by_pool(self):
        """Streams that a connection bears, if each exchange holds it as long as a whole one takes by a router: longer than it is."""
        return self.size.busy / (self.load.exchanges * self.costs["exchange_ms"] / 1000)

    def machines(self, streams, most, *groups, gib):
        """As many as are needed where one bears `most`; as large as needed."""
        count = max(1, math.ceil(streams / most))
        return Machines(count, max(1, math.ceil(streams / count * self.busy(*groups) / self.size.busy)), math.ceil(gib(streams / count)))

    def gib_of(self, *groups):
        return lambda streams: SYSTEM_GIB + streams * self.kib(*groups) / 2**20 / self.size.full

    def plan(self, streams):
        """The smallest that is enough. An installation has one router: what is more is another one."""
        router_most = self.by_cores("router", cores=self.size.router_cores)
        installations = math.ceil(streams / router_most)
        one = self.installation(streams / installations)
        for name in ("fronts", "hosts", "router", "databases"):
            part = getattr(one, name)
            setattr(one, name, part and part._replace(count=part.count * installations))
        for name in ("exchanges", "visitors", "day", "wal"):
            setattr(one, name, getattr(one, name) * installations)
        one.limits = {name: limit * installations for name, limit in one.limits.items()}
        one.streams, one.installations = streams, installations
        return one

    def installation(self, streams):
        limits = {}
        fronts, hosts = self.before(streams, limits)
        pool = self.pool(streams, hosts.count, limits)
        sessions = hosts.count * pool
        limits["pooler"] = hosts.count * self.by_thread("pgbouncer")
        behind = self.behind(streams, sessions, limits)
        return Plan(
            streams, streams * self.load.exchanges, streams * (1 + self.load.think_s / self.load.seconds), 1, fronts, hosts,
            math.ceil(streams / hosts.count / self.size.full), pool, sessions, day=streams * self.day("stored_bytes"),
            wal=streams * self.day("wal_bytes"), limits=limits, **behind)

    def pool(self, streams, hosts, limits):
        """Connections of a host's PgBouncer: as the file has it, or fewer, so that all hosts' are not too many; but enough."""
        least = math.ceil(streams / hosts / self.by_pool())
        most = self.size.sessions // hosts
        if least > most:
            raise SystemExit(f"{streams:,.0f} streams: more sessions than the database, or a router, has (--sessions)")
        pool = max(least, min(POOL, int(most)))
        limits["pool"] = hosts * pool * self.by_pool()
        limits["sessions"] = streams / hosts * self.size.sessions / least
        return pool

    def before(self, streams, limits):
        """Web servers and hosts; up to some number of streams they are one machine."""
        by_workers = WORKERS * self.size.full
        together = ("nginx", "workers", "pgbouncer")
        most = {"workers": by_workers, "host_cores": self.by_cores(*together), "host_memory": self.by_memory(*together)}
        if streams <= min(most.values()):
            limits.update(most)
            return None, self.machines(streams, math.inf, *together, gib=self.gib_of(*together))
        groups = ("workers", "pgbouncer")
        most = {"workers": by_workers, "host_cores": self.by_cores(*groups), "host_memory": self.by_memory(*groups)}
        hosts = self.machines(streams, min(most.values()), *groups, gib=self.gib_of(*groups))
        fronts = self.machines(streams, self.by_cores("nginx"), "nginx", gib=self.gib_of("nginx"))
        limits.update({name: hosts.count * limit for name, limit in most.items()})
        limits["front_cores"] = fronts.count * self.by_cores("nginx")
        return fronts, hosts

    def behind(self, streams, sessions, limits):
        """One database; where that is not enough, a router and servers of partitions."""
        most = {"database_cores": self.by_cores("postgres"), "database_disk": self.by_disk()}
        if streams <= min(most.values()):
            limits.update(most)
            data = self.machines(streams, math.inf, "postgres", gib=lambda _: SYSTEM_GIB)
            return {"router": None, "databases": self.with_data(data, sessions), "partitions": None, "connections": sessions, "poolers": 0}
        most = {"partition_cores": self.by_cores("partition", "partition_pgbouncer"), "partition_disk": self.by_disk()}
        each = math.floor(min(most.values()) / (streams / self.size.partitions))  # partitions that a server bears
        if each < 1:
            raise SystemExit(f"{streams:,.0f} streams: a partition is more than a server bears; there must be more of them (--partitions)")
        servers = math.ceil(self.size.partitions / each)
        partitions = math.ceil(self.size.partitions / servers)
        as_many = self.size.partitions / partitions  # times what the fullest server bears
        limits.update({name: as_many * limit for name, limit in most.items()})
        limits["router_cores"] = self.by_cores("router", cores=self.size.router_cores)
        kib = self.costs["session_kib"]["router"] + CONNECTION_KIB * self.size.partitions
        router = self.machines(streams, math.inf, "router", gib=lambda _: SYSTEM_GIB + sessions * kib / 2**20)
        connections, poolers = sessions * partitions, 0
        if connections > self.size.sessions:
            connections, poolers = partitions * POOL, math.ceil(streams / as_many / self.by_thread("partition_pgbouncer"))
            limits["partition_pooler"] = as_many * poolers * self.by_thread("partition_pgbouncer")
        else:
            limits["partition_sessions"] = streams * self.size.sessions / connections
        one = self.machines(streams / as_many, math.inf, "partition", "partition_pgbouncer", gib=lambda _: SYSTEM_GIB)
        return {"router": router, "databases": self.with_data(one._replace(count=servers), connections), "partitions": partitions,
                "connections": connections, "poolers": poolers}

    def with_data(self, machines, connections):
        more = DATA_GIB * machines.cores + connections * self.costs["session_kib"]["postgres"] / 2**20
        return machines._replace(gib=math.ceil(machines.gib + more))

    def largest(self):
        """Streams of one workspace, which is in one partition, which is on one server."""
        return min(self.by_cores("partition", "partition_pgbouncer"), self.by_disk())


def full(before, plan):
    """What is full, and from how many streams on, if there is no more than was enough before."""
    limits = before.limits if before else AS_INSTALLED
    return sorted(((limit, name) for name, limit in limits.items() if limit < plan.streams))
