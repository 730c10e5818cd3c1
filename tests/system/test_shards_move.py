"""A partition moves to another server: under traffic, killed at any step, taken back. Its clients notice nothing, and what they were
told is there, once."""

import collections
import contextlib
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

import apis
import psycopg2
import pytest
import servers
from ctl import ctl, record
from database import preloaded
from servers import BUILD, Tenant, name, script, until
from site_client import Site


class Followed(servers.Postgres):
    """One that others may follow."""

    def start(self, *options):
        super().start("-c", "wal_level=logical", *options)

    def address(self, database):
        return f"host={self.folder} dbname={database}"


class Trusting(servers.TrustingPooler):
    """Before one database of a server."""

    def __init__(self, server, database):
        self.database = database
        super().__init__(server, **{f"banter = host={server.folder}": f"{database} = host={server.folder}"})

    def address(self):
        return f"host={self.folder} port={self.port} dbname={self.database}"


class Cluster:
    """A router and two partitions on a server of their own, and another server, to which they move."""

    def __init__(self):
        with contextlib.ExitStack() as unless_done:
            self.old = unless_done.enter_context(contextlib.closing(Followed()))
            self.new = unless_done.enter_context(contextlib.closing(Followed()))
            self.places = {}
            for number in range(2):
                self.old.run(f"create database old_{number}", database="postgres")
                self.places[number] = (self.old, f"old_{number}")
            self.old.run("create database router", database="postgres")
            assert self.ctl("make", "--role", "banter_app", *(self.address(number) for number in range(2)))[0] == 0
            self.kept = unless_done.pop_all()

    def close(self):
        self.kept.close()

    @property
    def url(self):
        return self.old.url("owner", "router")

    def ctl(self, *words):
        return ctl("shards", *words, url=self.url)

    def address(self, number):
        server, database = self.places[number]
        return server.address(database)

    def target(self):
        """An empty database, and its address."""
        database = name("new").replace("-", "_")
        self.new.run(f"create database {database}", database="postgres")
        return database, self.new.address(database)

    def moved(self, number, database):
        """It is there now; where it was."""
        before, self.places[number] = self.places[number], (self.new, database)
        shown = record("shards", "show", url=self.url)[number]
        assert (shown["address"], shown["moving"], shown["fault"]) == (self.address(number), None, None)
        assert self.left_over() == []
        return before

    def left_over(self):
        """What a move may have made and not taken away."""
        found = self.run("select partition::text from banter_data.moving")
        for server in (self.old, self.new):
            found += server.run("select slot_name from pg_replication_slots union all select subname from pg_subscription",
                                database="postgres")
        for server, database in self.places.values():
            found += server.run("select pubname from pg_publication", database=database)
        return found

    def run(self, sql, *values):
        """At the router."""
        return self.old.run(sql, *values, database="router")

    def at(self, number, sql, *values):
        """Where that partition is now."""
        server, database = self.places[number]
        return server.run(sql, *values, database=database)

    def demo(self, at=None, credits=None):
        """A tenant of any partition, or of that one."""
        tenant = Tenant.new()
        while at is not None and tenant.workspace % 2 != at:
            tenant = Tenant.new()
        self.run(*tenant.statements())
        if credits:
            number = tenant.workspace % 2
            self.at(number, "update banter_data.workspace set credits = 0 where workspace = %s", tenant.workspace)
            assert ctl("credits", "add", tenant.workspace, credits, url=self.url)[0] == 0
        return tenant


@pytest.fixture(scope="module")
def cluster():
    made = Cluster()
    yield made
    made.close()


@pytest.fixture(scope="module")
def routed(cluster, standin):
    site = Site.start(cluster, cluster.old.url(database="router"), standin, workers=6)
    site.shown_servers += [cluster.old, cluster.new]
    yield site
    site.close()


class Traffic:
    """Clients that go on asking, in each form, and remember what they were told."""

    forms = [(api, streams) for api in apis.BOTH for streams in (False, True)]

    def __init__(self, site, tenants):
        self.told, self.failed, self.over = collections.defaultdict(list), [], threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(site.for_tenant(tenant), *form), daemon=True)
                        for tenant in tenants for form in self.forms]

    def ask(self, site, api, streams):
        while not self.over.is_set() and not self.failed:
            question = name("q")
            try:
                self.told[site.tenant.workspace].append((question, api(site).answered(question, streams)))
            except BaseException as failure:  # noqa: BLE001  (told to the test)
                self.failed.append(failure)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.more()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(2 * servers.PATIENCE)

    def more(self):
        """Until all have been answered some more."""
        before = {workspace: len(told) for workspace, told in self.told.items()}
        wanted = len(self.threads) // len(self.forms)
        until(lambda: self.failed or (len(self.told) == wanted and all(
            len(told) >= before.get(workspace, 0) + 8 for workspace, told in list(self.told.items()))), "more answers")
        if self.failed:
            raise self.failed[0]

    def check(self, cluster):
        """What they were told is what is stored."""
        assert not self.failed, self.failed
        for workspace, told in self.told.items():
            stored = cluster.at(workspace % 2, "select question, answer from banter_data.exchange where workspace = %s and state = 'done'",
                                workspace)
            assert sorted(stored) == sorted(told)


def checked_credits(cluster, tenant):
    """What it has left; its ledger says the same, entry by entry."""
    number = tenant.workspace % 2
    entries = cluster.at(number, "select entry, delta, balance_after from banter_data.ledger where workspace = %s order by entry",
                         tenant.workspace)
    assert len({entry for entry, _, _ in entries}) == len(entries)
    ((left,),) = cluster.at(number, "select credits from banter_data.workspace where workspace = %s", tenant.workspace)
    assert left == sum(delta for _, delta, _ in entries)
    return left, entries[-1][0]


def begin(cluster, *words, **env):
    """banterctl shards move, under way."""
    return subprocess.Popen([BUILD / "banterctl", "shards", "move", *map(str, words)], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                                                         "BANTER_DATABASE_URL": cluster.url, **env})


def await_line(process, words):
    """Reads what it says until it says that."""
    seen = []
    for line in process.stdout:
        seen.append(line)
        if words in line:
            return
    raise AssertionError(f"it did not say {words!r}: {''.join(seen)}{process.stderr.read()}")


@contextlib.contextmanager
def call_under_way(cluster, number):
    """A call that keeps a partition where it is."""
    with contextlib.closing(psycopg2.connect(cluster.url)) as session, session.cursor() as cursor:
        cursor.execute("select banter_shards.held(%s)", [number])
        yield


def test_it_moves_under_traffic(cluster, routed):
    """And back: what was moved can move."""
    tenants = [cluster.demo(at=number, credits=100000) for number in (0, 1)]
    with Traffic(routed, tenants) as traffic:
        for _ in range(2):
            database, address = cluster.target()
            code, out, err = cluster.ctl("move", 1, address)
            assert (code, err) == (0, ""), out
            assert re.search(r"^partition 1 is switched; its calls waited for \d+ ms at most$", out, re.MULTILINE)
            cluster.moved(1, database)
            traffic.more()
    traffic.check(cluster)
    for tenant in tenants:
        left, last = checked_credits(cluster, tenant)
        assert left == 100000 - len(traffic.told[tenant.workspace])
        assert ctl("credits", "add", tenant.workspace, 5, url=cluster.url)[0] == 0
        assert checked_credits(cluster, tenant)[0] == left + 5 and checked_credits(cluster, tenant)[1] > last
    assert cluster.ctl("check")[0] == 0


def test_behind_pgbouncer_it_moves_while_the_map_names_its_server(cluster, routed):
    """The same database by another road: nobody notices, under way or after it."""
    def go_by(address):
        cluster.run(f"alter server banter options (set p1 '{address}')")
        traffic.more()

    tenants = [cluster.demo(at=number) for number in (0, 1)]
    with Traffic(routed, tenants) as traffic:
        with contextlib.closing(Trusting(*cluster.places[1])) as pooler:
            go_by(pooler.address())
            assert pooler.database in " ".join(shown["address"] for shown in record("shards", "show", url=cluster.url))
            go_by(cluster.address(1))
        database, address = cluster.target()
        assert cluster.ctl("move", 1, address)[0] == 0
        cluster.moved(1, database)
        with contextlib.closing(Trusting(*cluster.places[1])) as pooler:
            go_by(pooler.address())
            go_by(cluster.address(1))
    traffic.check(cluster)


def test_an_answer_goes_on_through_the_switch(cluster, routed):
    """Begun at the old place, stored at the new one, under the idempotency key it began with."""
    site, gate, key = routed.for_tenant(cluster.demo(at=1, credits=10)), name(), {"Idempotency-Key": name()}
    question, talk = script(gate, tokens=["one", " two"], gates={"2": gate}), name()
    stream = site.stream(question, talk, headers=key)
    events = [next(stream), next(stream)]
    assert [event["type"] for event in events] == ["start", "token"]
    database, address = cluster.target()
    assert cluster.ctl("move", 1, address)[0] == 0
    cluster.moved(1, database)
    assert cluster.at(1, "select state from banter_data.exchange where workspace = %s", site.tenant.workspace) == [("running",)]
    site.model.open_gate(gate)
    assert stream.rest()[-1]["message"] == "one two"
    again = site.stream(question, talk, headers=key).rest()
    assert (again[0]["type"], again[-1]["message"]) == ("start", "one two")
    assert cluster.at(1, "select state, answer from banter_data.exchange where workspace = %s", site.tenant.workspace) == [("done", "one two")]
    assert checked_credits(cluster, site.tenant)[0] == 9


def test_all_of_it_is_there_and_the_old_place_is_shut(cluster, routed):
    """Table by table. Who still writes to the old place, past the router, is refused; what is there can be read."""
    site = routed.for_tenant(cluster.demo(at=0, credits=50))
    assert site.chat("hello").status_code == 200
    assert site.chat("hello", headers={"Idempotency-Key": name()}).status_code == 200
    tables = [table for (table,) in cluster.at(0, "select unnest(banter_data.move_tables())")]
    assert {"banter_data.exchange", "banter_data.ledger", "banter_data.ledger_total"} <= set(tables)
    rows = {table: cluster.at(0, f"select t::text from {table} t order by 1") for table in tables}
    database, address = cluster.target()
    assert cluster.ctl("move", 0, address)[0] == 0
    server, old = cluster.moved(0, database)
    assert {table: cluster.at(0, f"select t::text from {table} t order by 1") for table in tables} == rows
    assert cluster.at(0, "select count(*) from banter_data.migration") == server.run("select count(*) from banter_data.migration", database=old)
    for table in tables:
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction, match=re.escape(f"this partition has moved to {address}")):
            server.run(f"delete from {table}", database=old)
        assert server.run(f"select t::text from {table} t order by 1", database=old) == rows[table]
    assert cluster.ctl("move", 0, address) == (0, f"partition 0 is at {address}\n", "")


@pytest.mark.parametrize("how", [
    pytest.param({}, id="before it is sent", marks=pytest.mark.skipif(
        not os.environ.get("BANTER_TEST_LONG"), reason="takes a minute, as the other does: tests/run sharded_all")),
    pytest.param({"KILLED_AFTER": "1"}, id="after"),
])
def test_killed_at_each_statement_it_goes_on(cluster, routed, how):
    """Run after run, each killed where none was before, until one comes to the end; chats go on all the while."""
    folder = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))
    how = {**how, "LD_PRELOAD": str(preloaded("killed", folder)), "KILLED_AT": str(folder / "met")}
    tenant = cluster.demo(at=1, credits=100000)
    database, address = cluster.target()
    switched = []  # runs that were killed before and after the switch
    with Traffic(routed, [tenant]) as traffic:
        for number in itertools.count(1):
            process = begin(cluster, 1, address, **how)
            out, err = process.communicate(timeout=servers.PATIENCE)
            if process.returncode != -signal.SIGKILL:
                break
            assert number < 200
            switched += cluster.run("select switched from banter_data.moving")
        assert (process.returncode, err) == (0, ""), out
        cluster.moved(1, database)
        traffic.more()
    shutil.rmtree(folder)
    assert switched.count((False,)) > 20 and switched.count((True,)) > 3
    traffic.check(cluster)
    assert checked_credits(cluster, tenant)[0] == 100000 - len(traffic.told[tenant.workspace])


def test_a_call_that_takes_long_keeps_no_other_waiting(cluster, routed):
    """The switch gives way to it, and is tried again; chats go on."""
    site = routed.for_tenant(cluster.demo(at=1))
    database, address = cluster.target()
    with call_under_way(cluster, 1):
        process = begin(cluster, 1, address)
        await_line(process, "not yet, and tried again: a call under way takes too long")
        assert cluster.run("select count(*) from banter_data.moving where switched") == [(0,)]
        assert site.chat("hello").status_code == 200
        assert record("shards", "show", url=cluster.url)[1]["moving"] == f"to {address}"
        code, out, err = cluster.ctl("check")
        assert (code, err) == (0, "") and f"partition 1 is moving to {address}\n" in out
        code, _, err = cluster.ctl("move", 1)
        assert code == 1 and "another banterctl is moving this partition" in err
    out, err = process.communicate(timeout=servers.PATIENCE)
    assert (process.returncode, err) == (0, "")
    cluster.moved(1, database)
    assert site.chat("hello").status_code == 200


def test_what_stands_still_is_told_and_taken_back(cluster, routed):
    site = routed.for_tenant(cluster.demo(at=0))
    database, address = cluster.target()
    with call_under_way(cluster, 0):
        process = begin(cluster, 0, address)
        await_line(process, "not yet")
        process.kill()
        process.communicate()
    code, _, err = cluster.ctl("check")
    assert code == 1 and "partition 0 " in err and "its move stands still: banterctl shards move 0 goes on with it" in err
    for words in (["migrate"], ["make", cluster.address(0), cluster.address(1)]):
        code, _, err = cluster.ctl(*words)
        assert code == 1 and "partition 0 is moving" in err
    code, _, err = cluster.ctl("move", 0, cluster.new.address("elsewhere"))
    assert code == 1 and f"partition 0 is moving to {address}" in err
    code, _, err = cluster.ctl("move", 1, address)
    assert code == 1 and f"another partition is at {address}, or moves to or from it" in err
    stays = (0, f"partition 0 stays at {cluster.address(0)}\n", "")
    assert cluster.ctl("move", 0, "--cancel") == stays
    assert cluster.left_over() == []
    assert cluster.new.run("select count(*) from pg_namespace where nspname ~ '^banter'", database=database) == [(0,)]
    code, _, err = cluster.ctl("move", 0, "--cancel")
    assert code == 1 and "partition 0 is not moving" in err
    assert site.chat("hello").status_code == 200
    assert cluster.ctl("move", 0, address)[0] == 0
    cluster.moved(0, database)
    assert site.chat("hello").status_code == 200


@pytest.mark.parametrize("words, code, why", [
    (["x", "dbname=x"], 2, "x is no partition's number"),
    (["7", "dbname=x"], 1, "there is no partition 7"),
    (["0"], 2, "partition 0 is at host="),
    (["0", "dbname=x user=y"], 2, "is no address"),
    (["0", "--cancel"], 1, "partition 0 is not moving"),
])
def test_what_cannot_be_asked(cluster, words, code, why):
    found, _, err = cluster.ctl("move", *words)
    assert found == code and why in err


def test_where_it_cannot_move(cluster):
    """Nothing is begun then."""
    def refused(address, why, number=0):
        code, _, err = cluster.ctl("move", number, address)
        assert code == 1 and why in err, err
        assert cluster.left_over() == []

    refused(cluster.new.address("banter"), "where it moves to is not empty: there is a schema of Banter's in that database")
    refused(cluster.address(1), "another partition is at")
    cluster.new.run("create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0", database="postgres")
    refused(cluster.new.address("latin"), "is a database of another encoding or collation (LATIN1, C C)")
    refused(cluster.new.address("nowhere"), 'database "nowhere" does not exist')
    with contextlib.closing(servers.Postgres()) as plain:
        plain.run("create database target", database="postgres")
        plain.run("drop database banter", database="postgres")
        plain.run("drop role banter_app", database="postgres")
        refused(f"host={plain.folder} dbname=target", "where it moves to there is no role banter_app")
        # And from where nobody can follow.
        plain.run("create role banter_app login", database="postgres")
        for database in ("router", "one"):
            plain.run(f"create database {database}", database="postgres")
        url = plain.url("owner", "router")
        assert ctl("shards", "make", "--role", "banter_app", f"host={plain.folder} dbname=one", url=url)[0] == 0
        code, _, err = ctl("shards", "move", 0, f"host={plain.folder} dbname=target", url=url)
        assert code == 1 and "the server that it is at has wal_level = replica: alter system set wal_level = 'logical'" in err
        assert plain.run("select count(*) from banter_data.moving", database="router") == [(0,)]


# What the switch rests on, by the functions that make it.

@pytest.fixture
def seen(cluster):
    """A function of the router that may write, and says where it was."""
    cluster.run("""create function banter_shards.seen(p_at integer) returns text language plproxy as
        $$ cluster banter_shards.held(p_at); run on p_at; select current_database()::text; $$""")
    yield "select banter_shards.seen(%s)"
    cluster.run("drop function banter_shards.seen(integer)")


@contextlib.contextmanager
def session(url):
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        yield cursor


def ask(cursor, sql, *values):
    cursor.execute(sql, values)
    return cursor.fetchone()[0]


def waits(server, pid):
    return server.run("select wait_event_type = 'Lock' from pg_stat_activity where pid = %s", pid) == [(True,)]


def test_whoever_waited_goes_to_the_new_place(cluster, seen):
    """Also in a transaction that has called partitions before; and so does who was idle. Who only reads does not wait."""
    before = cluster.places[1][1]
    with session(cluster.url) as mover, session(cluster.url) as waiting, session(cluster.url) as idle:
        for one in (waiting, idle):
            assert ask(one, seen, 1) == before
            one.connection.commit()
        assert ask(waiting, seen, 0) == cluster.places[0][1]  # and its transaction goes on
        assert ask(waiting, "select banter_shards.schema_version(1)") > 0
        mover.execute("insert into banter_data.moving (partition, source, target) values (1, 'x', %s)",
                      [cluster.new.address("banter")])
        mover.connection.commit()
        try:
            assert ask(mover, "select banter_data.move_hold(1)") is True
            mover.execute("set local idle_in_transaction_session_timeout = 0")
            answers = []
            thread = threading.Thread(target=lambda: answers.append(ask(waiting, seen, 1)), daemon=True)
            thread.start()
            until(lambda: waits(cluster.old, waiting.connection.info.backend_pid), "a call that waits")
            assert ask(idle, "select banter_shards.health(1)") is True and ask(idle, "select banter.health()") is True
            idle.connection.commit()
            mover.execute("select banter_data.move_switch(1)")
            mover.connection.commit()
            thread.join(servers.PATIENCE)
            assert answers == ["banter"]
            assert ask(idle, seen, 1) == "banter"
        finally:
            for one in (mover, waiting, idle):
                one.connection.rollback()
            cluster.run(f"alter server banter options (set p1 '{cluster.address(1)}')")
            cluster.run("delete from banter_data.moving")
    assert cluster.run(seen, 1) == [(before,)]


def test_who_holds_and_stands_still_is_given_up(cluster, seen):
    """The servers see to it: nobody else is there who could."""
    cluster.run("insert into banter_data.moving (partition, source, target) values (1, 'x', 'y')")
    server, database = cluster.places[1]
    try:
        with session(cluster.url) as mover, session(server.url("owner", database)) as still, session(cluster.url) as caller:
            assert ask(mover, "select banter_data.move_hold(1)") is True
            assert ask(still, "select banter_data.move_still()") is True
            assert ask(caller, seen, 1) == database
            server.run("update banter_data.workspace set active = active", database=database)
            for one in (mover, still):
                with pytest.raises(psycopg2.Error):
                    one.execute("select 1")
    finally:
        cluster.run("delete from banter_data.moving")


def test_a_straggler_writes_nothing(cluster):
    """Who waits at the old place while it is kept still, past the router or for a caller that is gone, is refused as it is shut."""
    with contextlib.closing(psycopg2.connect(cluster.new.url("owner", "banter"))) as mover:
        cluster.new.run(*Tenant.new().statements())
        cursor, failed = mover.cursor(), []
        assert ask(cursor, "select banter_data.move_still()") is True
        cursor.execute("set local idle_in_transaction_session_timeout = 0")
        with session(cluster.new.url("owner", "banter")) as straggler:
            def write():
                try:
                    straggler.execute("update banter_data.workspace set credits = 1")
                except psycopg2.Error as error:
                    failed.append(error)

            thread = threading.Thread(target=write, daemon=True)
            thread.start()
            until(lambda: waits(cluster.new, straggler.connection.info.backend_pid), "one that waits to write")
            cursor.execute("select banter_data.move_fence('elsewhere')")
            mover.commit()
            thread.join(servers.PATIENCE)
    assert [error.pgcode for error in failed] == ["25006"]
    assert cluster.new.run("select count(*) from banter_data.workspace where credits is not null") == [(0,)]
