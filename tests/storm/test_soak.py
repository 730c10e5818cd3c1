"""What piles up: memory, descriptors and what PostgreSQL keeps, after many exchanges on one pool whose workers are never
replaced. deploy/operating/README.md tells operators what is held here.

BANTER_TEST_SOAK: how many exchanges."""

import collections
import contextlib
import os
import pathlib
import re
import subprocess

import pytest
import servers
from dialects import DONE, LEFT
from people import Crowd, tenants
from servers import until
from site_client import Site

EXCHANGES = int(os.environ.get("BANTER_TEST_SOAK", "20000"))
WARM = 2000  # requests, until each process has met all there is
AGAIN = 1.1  # requests an exchange: some ask again for what is there
WORKERS, CLIENTS = 8, 16
KINDS = {
    "unlimited": {},
    "metered": {"credits": 10**9},
    "limited": {"chatbot": {"rate_limit": 10**6, "rate_window": 1}},
}
CROWD = {"clients": CLIENTS, "slow_ms": 0, "long": 0.001, "leave": 0.02, "repeat": 0.05, "stop": 0.001}

# Bytes a row of it, most, indexes too: of an exchange beside its texts.
ROWS = {"exchange": 1000, "conversation": 700, "ledger": 250, "idempotency": 500}
FEW = 256 * 1024  # bytes: a table whose rows are the operator's
LOG = 250  # bytes of the log a request
WORKER_KIB, DESCRIPTORS = 1536, 20 + 64  # what a worker has of its own, most; the bells of those who listen among them
GROWN_KIB = 1024  # of the pool's other processes: what they shared with workers may become their own
SESSION_KIB = 10240  # of one of PostgreSQL's sessions, which has met all that the crowd asks for
SWEPT = 64 * 1024  # bytes of a table of which all was swept and vacuumed


@pytest.fixture
def site():
    """Through nginx; with the settings that are shipped, but that no worker is replaced."""
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(contextlib.closing(servers.Postgres()))
        model = stack.enter_context(contextlib.closing(servers.StandIn()))
        folder = servers.folder("soak")
        stack.callback(os.rmdir, folder)
        stack.callback((folder / "status").unlink, missing_ok=True)
        one = stack.enter_context(contextlib.closing(Site.start(
            postgres, postgres.url(), model, workers=WORKERS, worker_requests=0, status_listen=f"unix:{folder / 'status'}")))
        one.sites = [one]
        one.shown_servers.append(postgres)
        yield one


def crowd(site, folder, count):
    """Comes, and has gone: how many ended how."""
    one = Crowd(site, tenants(site, KINDS), folder, count=count, **CROWD)
    one.process.wait()
    one.stop()
    ends = collections.Counter(f"{record['end']} {record['status']}" for record in one.records())
    assert set(ends) <= {f"{DONE} 200", f"{LEFT} 200", f"{LEFT} None", "refused 409"}, ends
    until(lambda: not site.sql("select 1 from banter_data.exchange where ended_at is null limit 1"), "the last one's end")
    return ends.total()


def processes(site):
    """Of each kind."""
    return {"master": [site.banter.process.pid], **{kind: site.banter.children(kind) for kind in ("worker", "admit", "status")}}


def held(site):
    """Of each kind of process the most of what one has: KiB of its own, and descriptors."""
    return {kind: (max(map(servers.own_kib, pids)), max(map(servers.descriptors, pids))) for kind, pids in processes(site).items()}


def shared(site):
    """Bytes of memory that the pool's processes share to write to."""
    maps = pathlib.Path(f"/proc/{site.banter.process.pid}/maps").read_text()
    return sum(int(end, 16) - int(begin, 16) for begin, end in re.findall(r"^(\w+)-(\w+) rw-s", maps, re.M))


def sessions_kib(site):
    """Of PostgreSQL's for the pool, the most that one has of its own."""
    return max(servers.own_kib(pid) for (pid,) in site.sql("select pid from pg_stat_activity where usename = 'banter_app'"))


def sizes(site):
    """Of each table: bytes with its indexes, and rows."""
    names = [name for (name,) in site.sql("select relname from pg_class where relnamespace = 'banter_data'::regnamespace and relkind = 'r'")]
    return {name: site.sql(f"select pg_total_relation_size('banter_data.{name}'), count(*) from banter_data.{name}")[0] for name in names}


def texts(site):
    """Bytes of what was asked and answered."""
    return site.sql("select sum(octet_length(question) + coalesce(octet_length(answer), 0))::bigint from banter_data.exchange")[0][0]


def sweep(site):
    """A day later."""
    for table, column in (("idempotency", "created_at"), ("rate_window", "started_at")):
        site.sql(f"update banter_data.{table} set {column} = {column} - interval '2 days'")
    subprocess.run([servers.BUILD / "banterctl", "sweep"], check=True, stdout=subprocess.DEVNULL,
                   env={"BANTER_DATABASE_URL": site.postgres.url("owner")})
    site.sql("vacuum banter_data.idempotency")
    site.sql("vacuum banter_data.rate_window")


def a_row(table, size, rows, text):
    """Bytes, beside its texts."""
    return (size - (text if table == "exchange" else 0)) / max(rows, 1)


def account(asked, tables, text, before, after, session):
    """For reading."""
    yield f"{asked} requests, {tables['exchange'][1]} exchanges"
    yield "  bytes a row, indexes too: " + ", ".join(
        f"{name} {a_row(name, size, rows, text):.0f}" for name, (size, rows) in tables.items() if name in ROWS)
    yield "  KiB of its own, descriptors: " + ", ".join(
        f"{kind} {before[kind][0]} to {after[kind][0]}, {before[kind][1]} to {after[kind][1]}" for kind in before)
    yield f"  KiB of a session of PostgreSQL's: {session}"


def test_nothing_piles_up(site, tmp_path, record_property):
    asked = crowd(site, tmp_path, WARM)
    before, common, logged = held(site), shared(site), len(site.banter.text())
    crew = processes(site)
    later = crowd(site, tmp_path, int(EXCHANGES * AGAIN) - asked)

    after, session, tables, text = held(site), sessions_kib(site), sizes(site), texts(site)
    record_property("account", "\n".join(account(asked + later, tables, text, before, after, session)))
    assert processes(site) == crew
    assert tables["exchange"][1] >= EXCHANGES

    assert after["worker"][0] <= WORKER_KIB
    for kind in ("master", "admit", "status"):
        assert after[kind][0] <= before[kind][0] + GROWN_KIB and after[kind][1] <= before[kind][1], kind
    assert after["worker"][1] <= DESCRIPTORS
    assert shared(site) == common
    assert session <= SESSION_KIB
    assert (len(site.banter.text()) - logged) / later <= LOG

    for name, (size, rows) in tables.items():
        assert size <= FEW or a_row(name, size, rows, text) <= ROWS.get(name, 0), name
    sweep(site)
    swept = sizes(site)
    assert swept["idempotency"][1] == swept["rate_window"][1] == 0
    for name in ("idempotency", "rate_window"):
        assert site.sql(f"select pg_table_size('banter_data.{name}')") <= [(SWEPT,)]
