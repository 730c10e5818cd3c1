"""deploy/pgbouncer: more workers than PostgreSQL has connections, and a thousand clients."""

import asyncio
import contextlib
import json
import os
import pwd
import re
import resource
import select
import subprocess
from urllib.parse import urlsplit

import psycopg2
import pytest
from psycopg2.extensions import POLL_OK, POLL_READ

import servers
from fastcgi import begun, chat
from servers import BUILD, ROOT, name, script, until
from site_client import Site

CROWD = 1000
EVENTS = {POLL_READ: select.POLLIN}  # else it waits to write
ME = pwd.getpwuid(os.geteuid()).pw_name  # the system's user that peer authentication sees
# The whole of the shipped pool, and few besides.
CONNECTIONS = 40


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    """This process holds the clients' ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = servers.Pooler.descriptors()
    if hard < wanted:
        pytest.skip(f"this user may have only {hard} descriptors, and deploy/pgbouncer/limits.conf asks for {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def cluster():
    server = servers.Postgres(max_connections=CONNECTIONS)
    yield server
    server.close()


@pytest.fixture
def pooler(cluster):
    with contextlib.closing(servers.Pooler(cluster, users=[ME])) as server:
        yield server


@pytest.fixture
def lodger(cluster):
    """A tenant of that cluster."""
    return cluster.demo()


def hold(banter, tenant, count, gate):
    """So many streams, begun, that wait for the gate."""
    replies = []
    for n in range(count):
        text = script(name("held"), tokens=[f"{n}.", "end"], gates={"2": gate})
        replies.append(begun(banter.socket, tenant, text, ["start", "token"], session=name()))
    return replies


def finish(replies):
    """All of them to their good ends; the answers."""
    answers = []
    for reply in replies:
        events = reply.events()
        assert events[-1]["type"] == "done", events
        answers.append(events[-1]["message"])
        reply.connection.close()
    return answers


def stored(cluster, tenant):
    return cluster.run("select state, answer from banter_data.exchange where workspace = %s", tenant.workspace)


# More workers than connections


def test_200_workers_share_40_connections_and_150_streams_are_each_stored_once(pool, cluster, pooler, lodger, model):
    banter = pool(workers=200, database_url=pooler.url())
    gate = name("gate")
    replies = hold(banter, lodger, 150, gate)
    ((used,),) = cluster.run("select count(*) from pg_stat_activity where usename = 'banter_app'")
    assert 0 < used <= 16
    model.open_gate(gate)
    answers = finish(replies)
    assert answers == [f"{n}.end" for n in range(150)]
    assert sorted(stored(cluster, lodger)) == sorted(("done", answer) for answer in answers)


@pytest.mark.parametrize("which", ["pooler", "cluster"])
def test_S2_what_is_restarted_under_load_costs_no_answer(pool, cluster, pooler, lodger, model, which):
    """Streams that run are stored once it is back, and those that come meanwhile are refused before they begin."""
    banter = pool(workers=60, database_url=pooler.url())
    gate = name("gate")
    replies = hold(banter, lodger, 40, gate)
    if which == "pooler":
        pooler.end()
    else:
        cluster.stop()
    refused = chat(banter.socket, lodger, script("meanwhile", tokens=["a"]))
    assert (refused.status, refused.json()) == (503, {"error": "Service unavailable"})
    assert int(refused.headers["Retry-After"]) >= 1
    model.open_gate(gate)
    for reply in replies:
        assert reply.event() == {"type": "token", "token": "end"}
    {"pooler": pooler, "cluster": cluster}[which].start()
    answers = finish(replies)
    assert sorted(stored(cluster, lodger)) == sorted(("done", answer) for answer in answers)
    assert chat(banter.socket, lodger, script("after", tokens=["a"])).json()["message"] == "a"


def test_a_pool_with_more_workers_than_connections_names_PgBouncer_at_its_start(pool, cluster, pooler):
    """Once, and not where it stands between already; it starts all the same."""
    said = f"PostgreSQL lets in {CONNECTIONS - 3} connections, and each of 60 workers takes one"
    assert pool(workers=60, database_url=cluster.url()).text().count(said) == 1
    assert "PgBouncer" not in pool(workers=60, database_url=pooler.url()).text()
    assert "PgBouncer" not in pool(workers=8, database_url=cluster.url()).text()


# A thousand clients


def all_ready(clients, poller):
    """Drives them all until none waits any more."""
    waiting = dict(clients)
    for number, client in waiting.items():
        poller.register(number, select.POLLOUT)
    while waiting:
        ready = poller.poll(servers.PATIENCE * 1000)
        assert ready, f"{len(waiting)} of {len(clients)} clients hang"
        for number, _ in ready:
            state = waiting[number].poll()
            if state == POLL_OK:
                poller.unregister(number)
                del waiting[number]
            else:
                poller.modify(number, EVENTS.get(state, select.POLLOUT))


def test_1000_clients_that_come_at_once_are_all_served(cluster, pooler):
    """While all of them stay; in one moment, which is what the backlog is for."""
    cluster.run(f'create role "{ME}" login')
    try:
        made = [psycopg2.connect(pooler.url(ME, password=None), async_=True) for _ in range(CROWD)]
        clients = {client.fileno(): client for client in made}
        all_ready(clients, select.poll())
        cursors = [client.cursor() for client in made]
        for number, cursor in enumerate(cursors):
            cursor.execute("select %s", (number,))
        all_ready(clients, select.poll())
        assert [cursor.fetchall() for cursor in cursors] == [[(number,)] for number in range(CROWD)]
        for client in made:
            client.close()
    finally:
        cluster.run(f'drop role "{ME}"')


def test_the_limits_fit_each_other(pooler):
    """Of descriptors and clients; and a worker hears PgBouncer's reason before its own time is over."""
    said = re.search(r"descriptor limit: (\d+) .*max_client_conn: (\d+), max expected fd use: (\d+)", pooler.text())
    limit, clients, expected = (int(number) for number in said.groups())
    assert 2 * CROWD <= clients < expected < limit == pooler.descriptors()
    ini = dict(re.findall(r"^(\w+) = (\S+)$", (ROOT / "deploy/pgbouncer/pgbouncer.ini").read_text(), re.M))
    help_text = subprocess.run([BUILD / "banter.fcgi", "--help"], capture_output=True, text=True, check=True).stdout
    own = re.search(r"BANTER_DATABASE_TIME=([\d.]+)s", help_text)[1]
    assert float(ini["query_wait_timeout"]) < float(own)
    assert int(ini["default_pool_size"]) + int(ini["reserve_pool_size"]) + 3 < CONNECTIONS
    assert int(ini["listen_backlog"]) >= CROWD


async def ask(url, body, key):
    """One JSON request on a connection of its own: (status, headers, body)."""
    to = urlsplit(url)
    reader, writer = await asyncio.open_connection(to.hostname, to.port)
    writer.write((f"POST /v1/chat HTTP/1.0\r\nHost: banter\r\nx-api-key: {key}\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
    head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), json.loads(rest)


async def ask_all(site, gate, free):
    """A thousand at once; the gate opens once free() says so."""
    asked = [asyncio.create_task(ask(
        site.url, json.dumps(site.body(script(f"{n}", tokens=[f"answer {n}"], gates={"0": gate}))),
        site.tenant.widget_key)) for n in range(CROWD)]
    await asyncio.get_running_loop().run_in_executor(None, free, asked)
    site.model.open_gate(gate)
    return await asyncio.wait_for(asyncio.gather(*asked), 2 * servers.PATIENCE)


@pytest.fixture
def crowded(cluster, pooler, standin, lodger):
    """crowded(**settings) -> Site: 64 workers behind nginx and PgBouncer."""
    with contextlib.ExitStack() as stack:

        def begin(**settings):
            site = Site.start(cluster, pooler.url(), standin, workers=64, **settings)
            stack.callback(site.close)
            return site

        yield begin


def test_1000_requests_at_once_to_64_workers_are_all_answered(crowded, cluster):
    """None is lost to a backlog, nginx's, the kernel's or the admission process's."""
    site = crowded()
    gate = name("gate")

    def full(_):
        until(lambda: len(site.model.requests(gate)) == 64, "a full pool")

    answers = asyncio.run(ask_all(site, gate, full))
    assert [(status, body["message"]) for status, _, body in answers] == [(200, f"answer {n}") for n in range(CROWD)]
    assert sorted(stored(cluster, site.tenant)) == sorted(("done", f"answer {n}") for n in range(CROWD))


def test_G6_of_1000_requests_those_that_wait_for_too_long_get_503(crowded, cluster):
    """No worker is free for any of them; those that were there before are served."""
    site = crowded(queue_time="500ms")
    gate = name("gate")
    running = hold(site.banter, site.tenant, 64, gate)

    def refused_all(asked):
        until(lambda: all(task.done() for task in asked), "the refusals")

    answers = asyncio.run(ask_all(site, gate, refused_all))
    assert [status for status, _, _ in answers] == [503] * CROWD
    for _, headers, body in answers:
        assert body == {"error": "Service unavailable"} and int(headers["retry-after"]) >= 1
    served = finish(running)
    assert sorted(stored(cluster, site.tenant)) == sorted(("done", answer) for answer in served)


# Who may come in


def rules(cluster, hba, ident=""):
    """PostgreSQL's own rules, in force."""
    (cluster.data / "pg_hba.conf").write_text(hba)
    (cluster.data / "pg_ident.conf").write_text(ident)
    cluster.run("select pg_reload_conf()")


@pytest.fixture
def strict():
    """A cluster that a test may lock up."""
    with contextlib.closing(servers.Postgres()) as server:
        yield server


def who(url):
    """Whom PostgreSQL takes us for."""
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("select current_user")
        return cursor.fetchone()[0]


def test_a_user_of_this_system_comes_in_without_a_password(strict):
    """As the page says: PgBouncer knows the user, PostgreSQL knows PgBouncer, and nobody else is let in."""
    strict.run(f'create role "{ME}" login')
    runs_as = "postgres" if os.geteuid() == 0 else ME
    rules(strict, "local all all peer map=banter\n", f"banter {ME} owner\nbanter {runs_as} {ME}\n")
    with contextlib.closing(servers.Pooler(strict, users=[ME])) as pooler:
        assert who(pooler.url(ME, password=None)) == ME
        with pytest.raises(psycopg2.OperationalError, match="login rejected"):
            who(pooler.url(password=None))
        with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
            who(pooler.url(ME, password="none"))


def test_the_empty_password_of_its_file_opens_no_port():
    """libpq sends no empty password, but anybody's own client could."""
    folder = ROOT / "deploy/pgbouncer"
    assert (folder / "userlist.txt").read_text() == '"banter" ""\n'
    assert re.search(r"^listen_addr =$", (folder / "pgbouncer.ini").read_text(), re.M)


def test_a_password_is_passed_on_without_being_kept(strict):
    """auth_file holds what PostgreSQL holds, the SCRAM secret, from which nobody logs in."""
    strict.run("alter role banter_app password 'secret'")
    ((secret,),) = strict.run("select rolpassword from pg_authid where rolname = 'banter_app'")
    rules(strict, "local all owner trust\nlocal all all scram-sha-256\n")
    with contextlib.closing(servers.Pooler(strict)) as pooler:
        users = pooler.folder / "userlist.txt"
        users.write_text(f'"banter_app" "{secret}"\n')
        pooler.end()
        pooler.start()
        assert who(pooler.url(password="secret")) == "banter_app"
        with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
            who(pooler.url(password="wrong"))


# The operator's program


def ctl(url, *arguments):
    done = subprocess.run([BUILD / "banterctl", *arguments], capture_output=True, text=True, timeout=servers.PATIENCE,
                          env={"PATH": os.environ["PATH"], "BANTER_DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_banterctl_works_directly_and_through_it(strict):
    """migrate's lock is its transaction's: it holds through a pooler too."""
    strict.run("create database other", database="postgres")
    with contextlib.closing(servers.Pooler(strict, **{"banter = host": "* = host"})) as pooler:
        for url in (pooler.url("owner", "other"), strict.url("owner", "other")):
            assert "the schema has version" in ctl(url, "migrate", "--role", "banter_app")
            assert "BANTER_WIDGET_KEY=" in ctl(url, "demo")
