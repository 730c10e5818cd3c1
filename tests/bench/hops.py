"""What each hop to the database, and a second host, adds to an exchange: the same load on the topologies that the system tests
have. On two cores that is what a hop costs, and not how far it scales; plan.py reckons from it."""

import hosts
import parts
import processes
import servers
import shards
import target
from case import Case
from exchanges import ONE, each, rate
from table import Table, number, spread

WORKERS = 24
PARTITIONS = 4
WARM = Case("warm", "warm-up", WORKERS, 4, 2, 50000)
ALONE = Case("alone", "1-token exchanges, one client alone", 1, 150, 1, 0)
DIRECT, POOLED, ROUTER, POOLED_ROUTER, ROUTER_POOLED, HOSTS = (
    "directly", "PgBouncer", "router", "PgBouncer, router", "router, PgBouncer", "two hosts")
ROWS = {"nginx": "nginx", "workers": "workers", "pgbouncer": "PgBouncer", "router": "the router's PostgreSQL",
        "postgres": "PostgreSQL with the data"}
OUTSIDE = {"model": "the model", "load": "the load"}
SIZE = """select sum(pg_total_relation_size(oid))::bigint, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint from pg_class
    where relnamespace = 'banter_data'::regnamespace and relkind = 'r'"""
SOME = "select workspace, exchange from banter_data.exchange limit 500"
POLLS = 20


class Router(parts.Durable, shards.Spread):
    """A router, and its partitions on one other server: the time of each is its own."""

    other, others = parts.Postgres, 1

    def look_into_partitions(self):
        """Tests do; here nobody does."""


class RouterPooled(Router):
    """The router comes to the partitions by PgBouncer."""

    pooler = None

    def make_router(self):
        home = self.homes[0]
        self.pooler = parts.Pooler(home, WORKERS, **{
            f"banter = host={home.folder}": "\n".join(f"{name} = host={home.folder}" for name in self.partitions)})
        super().make_router()

    def addresses(self):
        return [f"host={self.pooler.folder} port={self.pooler.port} dbname={name}" for name in self.partitions]

    def close_homes(self):
        if self.pooler:
            self.pooler.close()
        super().close_homes()


class Reached(parts.Durable, hosts.Postgres):
    """One that both hosts reach."""


class OnHost(hosts.Banter, parts.Banter):
    """A pool on a host, with a user's settings."""


class FrontOfHosts(parts.Front):
    """The nginx of the others, with what stands in deploy/nginx/banter-hosts.conf as its upstream."""

    def __init__(self, pools):
        self.pools = pools
        super().__init__("of-several-hosts")

    def spawn(self, command, **options):
        places = {f"192.0.2.{at}:9000": f"{pool.host.address}:{hosts.PORT}" for at, pool in enumerate(self.pools, 1)}
        file = self.folder / "nginx.conf"
        before, _, rest = file.read_text().partition("\tupstream banter {\n")
        file.write_text(before + servers.filled("nginx/banter-hosts.conf", places) + rest.partition("}\n")[2])
        super().spawn(command, **options)


def keys(postgres):
    """Of a workspace in each partition, which the last bits of its number say."""
    return " ".join(tenant.widget_key for tenant in shards.of_each_partition(postgres, PARTITIONS))


def behind(enter, name, model, known, url, **groups):
    """A target on this machine. `known`: its keys; `url`: what its workers connect to."""
    groups["workers"] = enter(parts.Banter(url, f"{model.url}/v1", WORKERS, patient=True))
    groups["nginx"] = enter(parts.Front(groups["workers"].socket))
    return target.Target(name, "headless", groups["nginx"].port, {"model": model, **groups}, known)


def on_one_machine(enter, postgres, model):
    """Without a router and with one, and where PgBouncer may stand."""
    def add(name, known, url, **groups):
        targets.append(behind(enter, name, model, known, url, **groups))

    targets, known = [], keys(postgres)
    add(DIRECT, known, postgres.url(), postgres=postgres)
    pooler = enter(parts.Pooler(postgres, WORKERS))
    add(POOLED, known, pooler.url(password=None), postgres=postgres, pgbouncer=pooler)
    router = enter(Router())
    known, servers_of = keys(router), {"router": router, "postgres": router.homes[0]}
    add(ROUTER, known, router.url(), **servers_of)
    pooler = enter(parts.Pooler(router, WORKERS))
    add(POOLED_ROUTER, known, pooler.url(password=None), **servers_of, pgbouncer=pooler)
    router = enter(RouterPooled())
    add(ROUTER_POOLED, keys(router), router.url(), router=router, postgres=router.homes[0], pgbouncer=router.pooler)
    return targets


def on_two_hosts(enter, network, model):
    """Half of the workers on each."""
    postgres = enter(Reached())
    pools = [enter(OnHost(network.host(), postgres.url(), f"{model.url}/v1", WORKERS // 2, patient=True)) for _ in range(2)]
    groups = {"model": model, "postgres": postgres, "workers": pools[0], "other workers": pools[1],
              "nginx": enter(FrontOfHosts(pools))}
    return target.Target(HOSTS, "headless", groups["nginx"].port, groups, keys(postgres))


def measure(bench, enter):
    refusal = hosts.refusal()
    network = None if refusal else enter(hosts.Network())  # all that comes is in it, the load too
    model = enter(parts.Model(hosts.SERVICES if network else "127.0.0.1"))
    targets = on_one_machine(enter, bench.postgres, model)
    if network:
        targets.append(on_two_hosts(enter, network, model))
    for one in targets:
        one.load(WARM)
    runs = target.in_turns(bench, [ONE, ALONE], targets)
    direct, router = (next(one for one in targets if one.name == name) for name in (DIRECT, ROUTER))
    return {**runs, "refusal": refusal, "written": written(bench, direct),
            "watch": {one.name: [watch(one) for _ in range(bench.rounds)] for one in (direct, router)},
            "sessions": {name: sessions(router.groups[name]) for name in ("router", "postgres")}}


def written(bench, direct):
    """Bytes an exchange that begins a conversation: what the tables grow by, and the WAL."""
    bench.say("what is written")
    before, exchanges = bench.postgres.run(SIZE)[0], 0
    for _ in range(bench.rounds):
        exchanges += direct.load(ONE)["exchanges"]
    return dict(zip(("stored", "wal"), ((now - then) / exchanges for then, now in zip(before, bench.postgres.run(SIZE)[0]))))


def watch(one):
    """Microseconds of CPU, by group, for each exchange that a pool's stop poll asks after."""
    home = one.groups.get("router") or one.groups["postgres"]
    asked = [row for database in getattr(home, "partitions", ["banter"]) for row in home.run(SOME, database=database)]
    one_poll = lambda: home.run("select * from banter.stops(%s::bigint[], %s::text[])", *map(list, zip(*asked)))  # noqa: E731
    one_poll()
    before = one.cpu()
    for _ in range(POLLS):
        one_poll()
    after = one.cpu()
    return {group: (after[group] - before[group]) / POLLS / len(asked) / 1e3 for group in ("router", "postgres") if group in after}


def sessions(postgres):
    """KiB that one of Banter's sessions has to itself."""
    return processes.uss_kib(processes.named(postgres.process.pid, "postgres: banter_app"))


def more(found, name, figure):
    """By round, than directly."""
    return [figure(run) - figure(direct) for run, direct in zip(found[name], found[DIRECT])]


def all_between(run):
    return each(run, ROWS)


def p50_ms(run):
    return run["exchange_ns"]["p50"] / 1e6


def table_one(found):
    made = Table(f"{ONE.title}, {WORKERS} workers, by the way to the database: CPU, us an exchange", list(found))
    made.row("all between", [spread(map(all_between, runs)) for runs in found.values()])
    made.row("  more than directly", [spread(more(found, name, all_between)) if name != DIRECT else "-" for name in found])
    for group, title in {**ROWS, **OUTSIDE}.items():
        made.row(title, [spread([each(run, [group]) for run in runs if group in run["cpu"]]) for runs in found.values()])
    made.row("exchanges/s", [spread(map(rate, runs)) for runs in found.values()])
    made.row("exchange p50, ms", [spread(map(p50_ms, runs)) for runs in found.values()])
    return made


def table_alone(found):
    made = Table(ALONE.title, list(found))
    made.row("exchange p50, ms", [spread(map(p50_ms, runs)) for runs in found.values()])
    made.row("  more than directly", [spread(more(found, name, p50_ms)) if name != DIRECT else "-" for name in found])
    made.row("others on the machine, cores", [spread([run["others"] for run in runs]) for runs in found.values()])
    return made


def table_beside(runs):
    made = Table("Beside it", [""])
    for name, title in (("stored", "stored, bytes an exchange that begins a conversation"), ("wal", "WAL, the same")):
        made.row(title, [number(runs["written"][name])])
    for name, groups in runs["watch"].items():
        for group in groups[0]:
            made.row(f"stop poll, us an exchange: {name}, {ROWS[group]}", [spread([run[group] for run in groups])])
    for name, title in (("router", "the router's"), ("postgres", "a partitions' server's")):
        made.row(f"{title} sessions, KiB of one's own", [number(runs["sessions"][name]["median"])])
    if runs["refusal"]:
        made.row(f"NOT MEASURED: {HOSTS}", [runs["refusal"]])
    return made


def tables(runs):
    return [table_one(runs[ONE.key]), table_alone(runs[ALONE.key]), table_beside(runs)]
