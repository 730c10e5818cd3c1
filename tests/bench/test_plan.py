"""The model of deploy/scale/README.md: what it plans is enough, grows by adding, and speaks of metrics that there are. Its costs
here are round ones."""

import json
import re

import plan
import pytest
from plan_model import AS_INSTALLED, POOL, WORKERS, Load, Model, Size, full

COSTS = {
    "machine": ["Banter 1234567; medians of 5 rounds", "A processor, 2 cores"],
    "token_us": {"nginx": 20, "workers": 40},
    "exchange_us": {"nginx": 100, "workers": 200, "pgbouncer": 100, "postgres": 800, "router": 400, "partition": 800,
                    "partition_pgbouncer": 100},
    "watch_us": {"postgres": 0, "router": 0, "partition": 0},
    "exchange_ms": 6,
    "stream_kib": {"nginx": 30, "workers": 180, "pgbouncer": 5},
    "session_kib": {"router": 2048, "postgres": 3072},
    "stored_bytes": 1000, "wal_bytes": 2000,
}
# An exchange in ten seconds, of a thousand bytes; all streams run all day.
LOAD = Load(tokens=190, tokens_s=20, first_s=0.5, think_s=30, question=100, answer=900, day=1, kept=10)
MODEL = Model(COSTS, LOAD)
DEPLOY = plan.PAGE.parents[1]
MANY = [1, 16, 500, 2500, 4000, 10_000, 33_333, 100_000, 250_000, 999_999, 3_000_000]


def model(load=LOAD, **size):
    return Model(COSTS, load, Size(**size))


def test_one_machine_is_enough_for_a_few():
    one = MODEL.plan(1000)
    assert (one.exchanges, one.visitors, one.workers) == (100, 4000, 1250)
    # 20 tokens a second of 60 us, and a tenth of an exchange's 400 us; 60 % of the cores may be busy.
    assert (one.fronts, one.hosts) == (None, (1, 3, 3)), "1.24 busy cores, 1,239 KiB a stream"
    assert (one.router, one.databases[:2], one.partitions, one.poolers, one.connections) == (None, (1, 1), None, 0, 16)
    assert one.day == 1000 * 8640 * 2000


def test_a_host_has_so_many_workers_whatever_its_cores_are():
    assert [model(cores=cores).plan(10_000).hosts.count for cores in (16, 64)] == [4, 4]
    assert model(cores=2).plan(10_000).hosts == (7, 2, 4), "83 busy microseconds a stream and second"


def test_the_database_becomes_partitions_when_its_disk_or_its_cores_are_too_few():
    by_disk = MODEL.by_disk()  # 8 TB, of which 80 % are used, of 173 MB a stream
    assert by_disk == pytest.approx(6.4e12 / (8640 * 2000 * 10))
    assert (MODEL.plan(int(by_disk)).router, MODEL.plan(int(by_disk) + 1).databases.count) == (None, 2)
    by_cores = model(disk=1000).by_cores("postgres")
    assert by_cores == pytest.approx(16 * 0.6 / 80e-6)
    assert (model(disk=1000).plan(int(by_cores)).router, model(disk=1000).plan(int(by_cores) + 1).router.count) == (None, 1)


def test_a_server_of_partitions_has_whole_ones():
    one = MODEL.plan(100_000)  # a partition is 1.7 of 23.7 thousand streams: 23 of them on a server
    assert (one.databases.count, one.partitions) == (3, 22)
    with pytest.raises(SystemExit, match="a partition is more than a server bears"):
        model(partitions=4).plan(400_000)


def test_pgbouncer_stands_before_partitions_where_sessions_are_many():
    assert MODEL.plan(100_000).connections == 22 * 16
    few = model(partitions=4, disk=100).plan(150_000)
    assert (few.poolers, few.connections) == (0, few.sessions * few.partitions)
    assert few.limits["partition_sessions"] >= few.streams


def test_hosts_share_the_sessions():
    assert [MODEL.plan(streams).pool for streams in (1000, 250_000, 500_000)] == [16, 16, 9]
    quick = model(Load(tokens=2, first_s=0.1)).plan(1000)  # five exchanges a second of each stream, of 6 ms
    assert (quick.pool, quick.sessions) == (50, 50)
    with pytest.raises(SystemExit, match="more sessions than"):
        model(sessions=40).plan(100_000)


def test_the_stop_poll_is_a_cost_of_every_second():
    asked = Model({**COSTS, "watch_us": {"postgres": 80, "router": 0, "partition": 0}}, LOAD)
    assert asked.by_cores("postgres") == pytest.approx(MODEL.by_cores("postgres") / 2)


def test_one_router_is_an_installation():
    most = MODEL.by_cores("router", cores=64)
    one, two = MODEL.plan(int(most)), MODEL.plan(int(most) + 2)
    assert (one.installations, two.installations, two.router.count) == (1, 2, 2)
    assert two.exchanges == pytest.approx(one.exchanges, rel=0.01)


@pytest.mark.parametrize("size", [{}, {"cores": 4, "disk": 2, "partitions": 512}, {"disk": 100, "sessions": 10_000}, {"gib": 2, "sessions": 10_000}])
@pytest.mark.parametrize("load", [LOAD, Load(), Load(tokens=20, first_s=0.1)])
def test_what_is_planned_is_enough(load, size):
    for streams in MANY[:-2] if size else MANY:
        plan_of = model(load, **size).plan(streams)
        short = {name: limit for name, limit in plan_of.limits.items() if limit < streams * 0.999}
        assert not short and plan_of.hosts.count * plan_of.workers >= streams, (streams, short)


def test_a_step_takes_nothing_away():
    plans = [MODEL.plan(streams) for streams in MANY]
    for figure in (lambda one: one.hosts.count, lambda one: one.fronts.count if one.fronts else 0, lambda one: one.databases.count,
                   lambda one: one.cores, lambda one: one.day):
        assert [*map(figure, plans)] == sorted(map(figure, plans))


def test_what_is_full_first_comes_first():
    first = full(None, MODEL.plan(1000))
    assert first == sorted((limit, name) for name, limit in AS_INSTALLED.items())
    later = full(MODEL.plan(10_000), MODEL.plan(100_000))
    assert [name for _, name in later][0] == "workers" and all(10_000 <= limit < 100_000 for limit, _ in later)
    assert {"front_cores", "database_disk"} <= {name for _, name in later}


def test_whatever_may_be_full_has_words():
    named = set(AS_INSTALLED)
    for size in ({}, {"partitions": 4, "disk": 100}):
        for streams in (1000, 10_000, 150_000):
            named |= model(**size).plan(streams).limits.keys()
    assert named == plan.RESOURCES.keys()


def test_what_comes_with_the_program_is_so():
    setting = re.search(r"^\| `BANTER_WORKERS` .*", (DEPLOY / "settings/README.md").read_text(), re.MULTILINE)[0]
    assert f"`{AS_INSTALLED['workers']}`" in setting and str(WORKERS) in setting.replace(",", "")
    sizes = re.findall(r"^(?:default|reserve)_pool_size = (\d+)", (DEPLOY / "pgbouncer/pgbouncer.ini").read_text(), re.MULTILINE)
    assert sum(map(int, sizes)) == POOL


def test_its_metrics_are_those_of_the_monitoring_page():
    there = (DEPLOY / "monitoring/README.md").read_text()
    named = set(re.findall(r"banter_[a-z_]+", "".join(word for words in plan.RESOURCES.values() for word in words)))
    assert len(named) > 5 and all(f"`{name}`" in there for name in named), named


def test_the_section_has_each_step_and_the_load():
    text = plan.section(MODEL, [1000, 100_000])
    assert "| concurrent streams | 1,000 | 100,000 |" in text and "190 tokens at 20 a second" in text
    assert "| workers of a host | **16**; **3,300** |" in text
    assert plan.parts_of(f"a\n{plan.BEGIN}old\n{plan.END}b\n") == (f"a\n{plan.BEGIN}", "old\n", f"{plan.END}b\n")


def test_costs_are_what_the_bench_found():
    def run(exchanges=100, **cpu_us):
        return {"exchanges": exchanges, "cpu": {group: us * exchanges * 1e3 for group, us in cpu_us.items()},
                "exchange_ns": {"p50": 4_000_000}}

    behind = run(nginx=1, workers=1, postgres=850, pgbouncer=70, router=450)
    hops = {
        "one": {"PgBouncer": [run(nginx=100, workers=200, pgbouncer=60, postgres=800)] * 3,
                "PgBouncer, router": [run(router=us) for us in (500, 440, 400)], "router, PgBouncer": [behind]},
        "alone": {"router, PgBouncer": [run()]},
        "watch": {"directly": [{"postgres": 2.5}], "router": [{"router": 4, "postgres": 3}]},
        "sessions": {"router": {"median": 2000}, "postgres": {"median": 3000}}, "written": {"stored": 1100, "wal": 2000},
    }
    paced = {"exchanges": 10, "tokens": 1000, "cpu": {"nginx": 21_000 * 1e3, "workers": 52_000 * 1e3}}
    found = {"machine": COSTS["machine"], "hops": hops, "streams": {"50ms": {"Banter": [paced]}},
             "memory": {"streams": [{"streams": 1000, "pss": {"nginx": 30_000, "workers": 184_000, "pgbouncer": 4_500}}]}}
    costs = plan.costs(json.loads(json.dumps(found)))
    assert costs["token_us"] == {"nginx": 20, "workers": 50}, "less what the exchanges cost themselves"
    assert costs["exchange_us"] == {"nginx": 100, "workers": 200, "pgbouncer": 60, "postgres": 800, "router": 440,
                                    "partition": 850, "partition_pgbouncer": 70}
    assert (costs["watch_us"]["router"], costs["watch_us"]["partition"], costs["stream_kib"]["workers"]) == (4, 3, 184)
    assert Model(costs).plan(1000).hosts.count == 1
