"""A migration in steps (sql/README.md) as a later version might have it: run beside traffic on a filled database, cut
off, begun twice. banterctl is built from a copy of the tree that has one migration more."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import psycopg2
import pytest
import release
import servers
import traffic
from filling import EXCHANGES, FILL
from servers import name, until
from site_client import Site

NEXT = release.NOW + 1
NAME = f"{NEXT:04}_test.sql"
FILE = f"migrations/{NAME}"
MIGRATION = """-- banter: steps
-- A test's: a column that each exchange has, with an index while it is filled.

-- banter: step
alter table banter_data.exchange add column if not exists words integer;
alter table banter_data.exchange alter column words set default 0;

-- banter: concurrently
create index concurrently if not exists exchange_unfilled
	on banter_data.exchange (workspace, exchange) where words is null;

-- banter: repeat until 0 rows
with batch as (
	select e.workspace, e.exchange from banter_data.exchange e
	where e.words is null
	limit 100
	for no key update)
update banter_data.exchange e
set words = char_length(e.question)
from batch s
where e.workspace = s.workspace and e.exchange = s.exchange
returning 1;

-- banter: step
alter table banter_data.exchange drop constraint if exists exchange_words_known;
alter table banter_data.exchange add constraint exchange_words_known check (words is not null) not valid;

-- banter: step
alter table banter_data.exchange validate constraint exchange_words_known;

-- banter: step
alter table banter_data.exchange alter column words set not null, drop constraint if exists exchange_words_known;

-- banter: concurrently
drop index concurrently if exists banter_data.exchange_unfilled;
"""
SHOWN = [
    rf"{FILE}: step 1 of 7", rf"{FILE}: step 2 of 7",
    rf"{FILE}: step 3 of 7: {EXCHANGES} rows", rf"{FILE}: step 4 of 7",
    rf"{FILE}: step 5 of 7", rf"{FILE}: step 6 of 7",
    rf"{FILE}: step 7 of 7", f"applied {FILE}", f"the schema has version {NEXT}",
]


@pytest.fixture(scope="module")
def later():
    """The folder of a banterctl of the next schema version."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="banter-steps-", dir="/tmp"))
    try:
        for part in ("app", "include", "sql", "deploy", "tests/bench", "Makefile"):
            if (servers.ROOT / part).is_dir():
                shutil.copytree(servers.ROOT / part, folder / part)
            else:
                shutil.copy2(servers.ROOT / part, folder / part)
        # What does not depend on the version need not be made again.
        if (servers.ROOT / "build/obj").exists():
            shutil.copytree(servers.ROOT / "build/obj", folder / "build/obj", copy_function=shutil.copy2)
        (folder / "sql" / FILE).write_text(MIGRATION)
        for file, now in (("include/chat/store.h", f"STORE_SCHEMA_VERSION {release.NOW}"), ("sql/app/schema_version.sql", f"select {release.NOW}")):
            text = (folder / file).read_text()
            assert now in text
            (folder / file).write_text(text.replace(now, now.replace(str(release.NOW), str(NEXT))))
        release.run("make", "-s", "-C", folder, f"-j{os.cpu_count()}", "build/banterctl",
                    env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        yield folder / "build"
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def postgres():
    server = servers.Postgres()
    # What waits for longer than the application does is in the log.
    server.run("alter system set log_lock_waits = on")
    server.run("alter system set deadlock_timeout = '2s'")
    server.run("select pg_reload_conf()")
    yield server
    server.close()


class Filled:
    """A database of the present version with conversations in it."""

    def __init__(self, postgres):
        self.postgres, self.name = postgres, name("steps").replace("-", "_")
        postgres.run(f"create database {self.name}", database="postgres")
        subprocess.run([servers.BUILD / "banterctl", "migrate"], check=True, stdout=subprocess.DEVNULL,
                               env={"BANTER_DATABASE_URL": self.url()})
        self.run("""insert into banter_data.workspace (workspace, name) values (1, 'w');
            insert into banter_data.chatbot (workspace, chatbot, name) values (1, 'c', 'c')""")
        self.run(FILL)

    def url(self):
        return self.postgres.url("owner", self.name)

    def run(self, sql, *values):
        return self.postgres.run(sql, *values, database=self.name)

    def connect(self):
        return contextlib.closing(psycopg2.connect(self.url()))

    def done(self):
        """How many have got their value; None: there is no such column yet."""
        if not self.run("select 1 from pg_attribute where attrelid = 'banter_data.exchange'::regclass and attname = 'words'"):
            return None
        return self.run("select count(*) from banter_data.exchange where words is not null")[0][0]

    def check(self):
        """All of it is there, once, and nothing more."""
        assert self.run("select count(*) filter (where words = char_length(question)), count(*) from banter_data.exchange") == [
            (EXCHANGES, EXCHANGES)]
        assert self.run(f"select name from banter_data.migration where version = {NEXT}") == [(NAME,)]
        assert self.run("select attnotnull from pg_attribute where attrelid = 'banter_data.exchange'::regclass"
                        " and attname = 'words'") == [(True,)]
        assert self.run("select conname from pg_constraint where conname like 'exchange_words%'") == []
        assert self.run("select indexrelid::regclass::text from pg_index where not indisvalid"
                        " or indexrelid::regclass::text ~ 'unfilled'") == []


@pytest.fixture
def filled(postgres):
    base = Filled(postgres)
    yield base
    postgres.run(f"drop database {base.name} with (force)", database="postgres")


class Migrate:
    """The later version's migrate, under way."""

    def __init__(self, build, url, *options):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [build / "banterctl", "migrate", *options], stdout=self.log, stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "BANTER_DATABASE_URL": url})

    def lines(self):
        self.log.seek(0)
        return self.log.read().splitlines()

    def says(self, words):
        until(lambda: any(words in line for line in self.lines()), f"{words!r} of migrate")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(servers.PATIENCE) == -signal.SIGKILL

    def end(self):
        """Its lines; it must have done all."""
        assert self.process.wait(servers.PATIENCE) == 0, self.lines()
        return self.lines()


def matches(lines, patterns):
    assert len(lines) == len(patterns) and all(re.fullmatch(p, line) for p, line in zip(patterns, lines)), lines
    return True


def test_all_steps_one_after_the_other(later, filled):
    assert matches(Migrate(later, filled.url()).end(), SHOWN)
    filled.check()
    assert Migrate(later, filled.url()).end() == SHOWN[-1:]
    filled.check()


def test_an_empty_database_takes_the_same_way(later, postgres):
    base = name("steps").replace("-", "_")
    postgres.run(f"create database {base}", database="postgres")
    try:
        lines = Migrate(later, postgres.url("owner", base)).end()
        assert lines[-2:] == SHOWN[-2:] and f"{FILE}: step 3 of 7: 0 rows" in lines
    finally:
        postgres.run(f"drop database {base} with (force)", database="postgres")


def test_as_plain_sql_it_does_the_same_at_once(later, filled):
    """For who has nothing but a panel that takes SQL: in one transaction."""
    plain = release.run(servers.ROOT / "sql/plain", later.parent / "sql" / FILE).stdout
    connection = psycopg2.connect(filled.url())
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(plain + f"insert into banter_data.migration values ({NEXT}, '{NAME}')")
        connection.commit()
    filled.check()
    first = servers.ROOT / "sql/migrations/0001_schema.sql"
    assert release.run(servers.ROOT / "sql/plain", first).stdout == first.read_text()


def test_killed_in_the_middle_it_goes_on_from_there(later, filled):
    first = Migrate(later, filled.url())
    until(lambda: (filled.done() or 0) > 0, "the first batch")
    first.kill()
    # What it had sent, the server may still commit.
    others = """select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend'"""
    until(lambda: filled.run(others) == [(0,)], "its connections' end")
    before = filled.done()
    assert 0 < before < EXCHANGES
    assert filled.run("select max(version) from banter_data.migration") == [(release.NOW,)]
    places = "select exchange, ctid::text from banter_data.exchange where words is not null order by 1"
    kept = dict(filled.run(places))
    lines = Migrate(later, filled.url()).end()
    assert f"{FILE}: step 3 of 7: {EXCHANGES - before} rows" in lines
    filled.check()
    assert kept.items() <= dict(filled.run(places)).items()  # none was written a second time


def test_killed_while_it_builds_an_index(later, filled):
    """The server builds on alone. What it leaves, if it is stopped too, is no index and must go."""
    with filled.connect() as reader, reader.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read; select count(*) from banter_data.workspace")
        first = Migrate(later, filled.url())
        building = "select pid from pg_stat_progress_create_index where datname = current_database()"
        ((pid,),) = until(lambda: filled.run(building), "the index being built")
        invalid = "select count(*) from pg_index where not indisvalid"
        until(lambda: filled.run(invalid) == [(1,)], "the index's row")
        first.kill()
        second = Migrate(later, filled.url())
        second.says("step 1 of 7: it could not be done now")
        assert filled.run(building) == [(pid,)]
        filled.run("select pg_terminate_backend(%s)", pid)
        reader.rollback()
    assert matches([line for line in second.end() if "database is not available" not in line][1:], SHOWN)
    filled.check()


def test_two_at_once_take_turns(later, filled):
    with filled.connect() as holder, holder.cursor() as cursor:
        cursor.execute("lock table banter_data.exchange in access share mode")
        first = Migrate(later, filled.url())
        first.says("tried again")
        second = Migrate(later, filled.url())
        second.says("another migrate is at work")
        holder.rollback()
    first, second = first.end(), second.end()
    assert first[-2:] == SHOWN[-2:]
    assert second == ["another migrate is at work: waiting for it", SHOWN[-1]]
    filled.check()


def test_through_a_pooler(later, filled):
    with contextlib.closing(servers.Pooler(filled.postgres, **{"banter = ": f"banter = dbname={filled.name} "})) as pooler:
        url = pooler.url("owner")
        two = [Migrate(later, url), Migrate(later, url)]
        lines = [line for one in two for line in one.end()]
    assert lines.count(SHOWN[-2]) == 1 and lines.count(SHOWN[-1]) == 2
    filled.check()


def test_a_step_that_fails_is_said_and_nothing_is_recorded(later, filled):
    filled.run("alter table banter_data.exchange add column words date")
    migrate = Migrate(later, filled.url())
    assert migrate.process.wait(servers.PATIENCE) == 1
    assert "run it again" in migrate.lines()[-1] and any(f"{FILE} failed" in line for line in migrate.lines())
    assert filled.run("select max(version) from banter_data.migration") == [(release.NOW,)]


def test_requests_go_on_all_the_time(later, postgres, standin):
    """Each answered, none kept waiting for a lock as long as the application has; a long reader in the way, too."""
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(contextlib.closing(Site.start(
            postgres, postgres.url(), standin, workers=8, database_time="2.5s")))
        postgres.run(FILL)
        asking = traffic.Traffic(site)
        asking.go_on(20)
        reader = stack.enter_context(contextlib.closing(psycopg2.connect(postgres.url("owner"))))
        reader.cursor().execute("select count(*) from banter_data.exchange")
        migrate = Migrate(later, postgres.url("owner"), "--role", "banter_app")
        migrate.says("tried again")
        asking.go_on(20)
        reader.rollback()
        lines = migrate.end()
        asking.go_on(20)
        asked = asking.stop()
    assert [one.wrong for one in asked if one.wrong] == []
    assert lines[-2:] == SHOWN[-2:]
    assert "still waiting for" not in postgres.text()
    rows = postgres.run("""select count(*), count(*) filter (where state = 'done') from banter_data.exchange
        where question like 'asked-%'""")
    assert rows == [(len(asked), len(asked))]
    assert postgres.run("select count(*) from banter_data.exchange where words is null") == [(0,)]
