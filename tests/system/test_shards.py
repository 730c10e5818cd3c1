"""A router and its partitions: made, looked at, brought up to date, and one of them away. Rests on shards.Sharded, whatever the other
tests run through."""

import contextlib
import os
import re
import signal

import pytest
import servers
import shards
from ctl import ctl, record
from site_client import Site


@pytest.fixture(scope="module")
def sharded():
    server = shards.Sharded()
    yield server
    server.close()


@pytest.fixture(scope="module")
def routed(sharded, standin):
    """A pool that knows nothing of it."""
    site = Site.start(sharded, sharded.url(), standin, workers=4)
    yield site
    site.close()


@pytest.fixture
def url(sharded):
    return sharded.url("owner")


def counts(sharded, tenant):
    """How many exchanges of it each partition has."""
    return [sharded.run("select count(*) from banter_data.exchange where workspace = %s", tenant.workspace, database=name)[0][0]
            for name in sharded.partitions]


def test_a_workspace_is_in_the_partition_of_its_number(sharded, routed):
    for number, tenant in enumerate(shards.of_each_partition(sharded, sharded.count)):
        reply = routed.for_tenant(tenant).chat("hello")
        assert reply.status_code == 200
        assert counts(sharded, tenant) == [int(one == number) for one in range(sharded.count)]


def test_sixteen_on_two_servers(standin):
    """Each on the server that the map says, and to the operator they are one."""
    with contextlib.closing(shards.Sixteen()) as spread, \
            contextlib.closing(Site.start(spread, spread.url(), standin, workers=2)) as site:
        tenants = shards.of_each_partition(spread, spread.count)
        for number, tenant in enumerate(tenants):
            assert site.for_tenant(tenant).chat("hello").status_code == 200
            assert counts(spread, tenant) == [int(one == number) for one in range(16)]
        url = spread.url("owner")
        shown = record("shards", "show", url=url)
        assert [(one["address"], one["fault"]) for one in shown] == [(address, None) for address in spread.addresses()]
        code, out, err = ctl("shards", "check", url=url)
        assert (code, err) == (0, "") and out.startswith("16 partitions, ")
        code, out, err = ctl("shards", "migrate", "--role", "banter_app", url=url)
        assert (code, err) == (0, "") and out.endswith("partitions: 16\n")
        listed = [int(one["workspace_id"]) for one in record("workspace", "list", url=url)]
        assert {tenant.workspace for tenant in tenants} <= set(listed) and len(listed) == len(set(listed))
        assert sum(one["exchanges"] for one in record("stats", "--by", "workspace", url=url)) == 16
        assert site.for_tenant(tenants[15]).chat("hello").status_code == 200


def test_every_function_is_there_with_the_same_arguments(sharded):
    """By name: the program names what it gives. And the application may run its own, and nothing else."""
    asked = """select proname, pg_get_function_identity_arguments(oid), has_function_privilege('banter_app', oid, 'execute')
        from (select oid, proname, proargnames[:pronargs] from pg_proc where pronamespace = 'banter'::regnamespace) p order by 1, 2"""
    inputs = """select proname, proargnames[:pronargs], proargtypes::text, has_function_privilege('banter_app', oid, 'execute'),
        obj_description(oid) from pg_proc where pronamespace = 'banter'::regnamespace order by 1, 3"""
    assert sharded.run(inputs) == sharded.run(inputs, database=sharded.partitions[1])
    assert len(sharded.run(asked)) > 50
    assert sharded.run("""select has_schema_privilege('banter_app', 'banter_data', 'usage') or has_table_privilege('banter_app',
        'banter_data.placed', 'select')""") == [(False,)]


def test_it_is_shown_and_checked(sharded, url):
    shown = record("shards", "show", url=url, PGHOST=str(sharded.folder))
    assert [one["address"] for one in shown] == [f"dbname={name}" for name in sharded.partitions]
    assert {one["fault"] for one in shown} == {None}
    code, out, err = ctl("shards", "check", url=url, PGHOST=str(sharded.folder))
    assert (code, err) == (0, "") and out.startswith("4 partitions, ")


def test_migrate_may_be_run_again_and_not_alone(sharded, routed, url):
    code, out, err = ctl("shards", "migrate", "--role", "banter_app", url=url, PGHOST=str(sharded.folder))
    assert (code, err) == (0, "") and re.search(r"the router has version \d+, partitions: 4\n$", out)
    assert routed.for_new_tenant().chat("hello").status_code == 200
    code, _, err = ctl("migrate", url=url)
    assert code == 1 and "this database is a router: banterctl shards migrate" in err


@pytest.mark.parametrize("addresses, why", [
    (["dbname=a", "dbname=b", "dbname=c"], "3 partitions are no power of two"),
    (["dbname=a user=x"], "is no address"),
    (["dbname=a password=x"], "is no address"),
    (["host=a"], "is no address"),
])
def test_addresses_that_cannot_be(url, addresses, why):
    code, _, err = ctl("shards", "make", *addresses, url=url)
    assert code == 2 and why in err


def test_what_is_no_router(sharded):
    for words in (["show"], ["check"], ["migrate"]):
        code, _, err = ctl("shards", *words, url=sharded.url("owner", "banter_0"))
        assert (code, err) == (1, "banterctl: this database is no router; banterctl shards make makes one\n")
    code, _, err = ctl("shards", "make", "dbname=banter_1", url=sharded.url("owner", "banter_0"))
    assert code == 1 and "this database has conversations of its own" in err


def test_names_are_looked_for_everywhere(sharded, url):
    """And refusals have the words that they have on one database."""
    tenants = shards.of_each_partition(sharded, sharded.count)
    name = servers.name("twin")
    for tenant in tenants[:2]:
        assert ctl("workspace", "set", tenant.workspace, f"name={name}", url=url)[0] == 0
    code, _, err = ctl("workspace", "show", name, url=url)
    assert code == 1 and err.startswith(f'banterctl: 2 workspaces have the name "{name}"; say which by its number: ')
    code, _, err = ctl("credits", "add", tenants[2].workspace, 5, url=url)
    assert (code, err) == (1, f'banterctl: workspace "{tenants[2].workspace}" has no count of credits;'
                              f" banterctl workspace set {tenants[2].workspace} credits=N begins one\n")
    listed = [one["name"] for one in record("workspace", "list", url=url)]
    assert listed == sorted(listed)


def test_statistics_are_those_of_all(sharded, url):
    """Exact, the median too: as of one database with all of it."""
    for number, tenant in enumerate(shards.of_each_partition(sharded, sharded.count)):
        for place in range(1 + number):
            sharded.run("""insert into banter_data.conversation (workspace, conversation, chatbot, next_position)
                values (%s, %s, %s, 2)""", tenant.workspace, f"c{place}", tenant.chatbot)
            sharded.run("""insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, lease_until,
                ended_at, price, stream, state, answer_id, question, answer, model, first_ms, total_ms)
                values (%s, %s, %s, %s, 'k', 1, now(), now(), 1, false, 'done', 'a', 'q', 'a', 'of-all', %s, %s)""", tenant.workspace,
                        servers.name("z"), f"c{place}", tenant.chatbot, 100 * number + place, 1000 + 100 * number + place)
    model = next(one for one in record("stats", "--by", "model", url=url) if one["name"] == "of-all")
    assert (model["exchanges"], model["done"]) == (10, 10)
    assert (model["first_ms_half"], model["first_ms_most"], model["total_ms_half"]) == (201, 303, 1201)


def test_an_older_database_is_taken_in(sharded, standin):
    """It has workspaces that by their numbers would be elsewhere: they stay, and are found."""
    with contextlib.closing(servers.Postgres()) as one:
        tenants = [one.demo() for _ in range(8)]
        for name in ("router", "second"):
            one.run(f"create database {name}", database="postgres")
        at = f"host={one.folder}"
        words = ("shards", "make", "--role", "banter_app", f"{at} dbname=banter", f"{at} dbname=second")
        code, out, err = ctl(*words, url=one.url("owner", "router"))
        assert (code, err) == (0, ""), out
        assert ctl(*words, url=one.url("owner", "router"))[0] == 0  # again
        assert ctl("shards", "check", url=one.url("owner", "router"))[0] == 0
        site = Site.start(one, one.url(database="router"), standin, workers=2)
        try:
            for tenant in tenants:
                assert site.for_tenant(tenant).chat("hello").status_code == 200
        finally:
            site.close()
        assert one.run("select count(*) from banter_data.exchange") == [(8,)]
        numbers = [tenant.workspace for tenant in tenants]
        assert one.run("select workspace, partition from banter_shards.partitions_of(%s::bigint[]) order by 1", numbers * 2,
                       database="router") == [(number, 0) for number in sorted(numbers)]
        assert one.run("select w, banter_shards.partition_of(w) from unnest(%s::bigint[]) w order by 1", numbers,
                       database="router") == [(number, 0) for number in sorted(numbers)]
        # What is made in it past the router is found by a check.
        stray = next(tenant for tenant in iter(one.demo, None) if tenant.workspace % 2)
        code, _, err = ctl("shards", "check", url=one.url("owner", "router"))
        assert code == 1 and "of its workspaces are not found by the router" in err, stray.workspace
        assert ctl(*words, url=one.url("owner", "router"))[0] == 0
        assert ctl("shards", "check", url=one.url("owner", "router"))[0] == 0


def test_one_that_is_away_harms_its_own_alone(sharded, routed, url):
    tenants = shards.of_each_partition(sharded, sharded.count)
    name = sharded.partitions[2]
    sharded.run(f"alter database {name} allow_connections false", database="postgres")
    sharded.run("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", name, database="postgres")
    try:
        for number, tenant in enumerate(tenants):
            assert routed.for_tenant(tenant).chat("hello").status_code == (503 if number == 2 else 200)
        assert routed.request("GET", "/health", key=False).status_code == 200
        code, _, err = ctl("shards", "check", url=url)
        assert code == 1 and "partition 2 (dbname=banter_2): it does not answer" in err
    finally:
        sharded.run(f"alter database {name} allow_connections true", database="postgres")
        while sharded.kept:  # the test's own session at the router knows of a connection that was ended
            sharded.kept.pop().close()
    assert routed.for_tenant(tenants[2]).chat("hello").status_code == 200


def test_what_a_partition_comes_to_too_late_is_not_begun(sharded, standin):
    """Its session stood still while somebody waited, and goes on when nobody does."""
    site = Site.start(sharded, sharded.url(), standin, workers=1, database_time=1)
    try:
        assert site.chat("hello").status_code == 200
        name = sharded.partitions[site.tenant.workspace % sharded.count]
        sessions = [pid for (pid,) in sharded.run(
            "select pid from pg_stat_activity where datname = %s and usename = 'banter_app'", name, database="postgres")]
        assert sessions
        for pid in sessions:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert site.chat("nobody waits for it").status_code == 503
        finally:
            for pid in sessions:
                os.kill(pid, signal.SIGCONT)
        servers.until(lambda: sharded.run("""select bool_and(state = 'idle') is not false from pg_stat_activity
            where pid = any (%s)""", sessions, database="postgres") == [(True,)], "what was sent meanwhile")
        assert site.chat("again").status_code == 200
        assert sum(counts(sharded, site.tenant)) == 2
    finally:
        site.close()
