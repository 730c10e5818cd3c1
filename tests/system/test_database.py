"""The way to the database: several hosts, what a firewall forgot, silent name servers, passwords that change, a
role's own settings. That the database itself is away or slow is test_faults.py's."""

import concurrent.futures
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

import servers
from database import Names, Road
from fastcgi import chat, health, stream
from servers import BUILD, name, script, until

BOUND = 8  # seconds: G6's, the queueing time and 3


@pytest.fixture
def road(postgres):
    """road(closed=…) -> Road to the tests' PostgreSQL."""
    with contextlib.ExitStack() as stack:
        def begin(**options):
            one = Road(postgres.folder / ".s.PGSQL.5432", **options)
            stack.callback(one.close)
            return one
        yield begin


@pytest.fixture
def names(tmp_path):
    return Names(tmp_path)


@pytest.fixture
def hole():
    """A port where SYNs are not answered: its backlog is full."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def answered(banter, tenant):
    return chat(banter.socket, tenant, script(name("asked"), tokens=["a"])).json().get("message") == "a"


DEFAULTS = {"database_time": "2.5s", "database_connect_time": "2s"}


# Several hosts


@pytest.mark.parametrize("first", ["accepts and says nothing", "answers no SYN", "refuses"])
def test_the_second_host_is_reached_when_the_first_says_nothing(pool, tenant, road, hole, first):
    port = {"accepts and says nothing": lambda: road(closed=True).port, "answers no SYN": lambda: hole,
            "refuses": servers.free_port}[first]()
    url = f"postgresql://banter_app@127.0.0.1:{port},127.0.0.1:{road().port}/banter"
    banter = pool(workers=1, database_url=url, **DEFAULTS)
    assert answered(banter, tenant)
    assert health(banter.socket) == 200
    assert "cannot be reached" not in banter.text()


def test_every_address_of_a_name_is_tried(pool, tenant, road, names):
    first = road(closed=True)
    road(address="127.0.0.2", port=first.port)
    names.say("database.test", "127.0.0.1", "127.0.0.2")
    banter = pool(workers=1, database_url=first.url(host="database.test"), **DEFAULTS, **names.environment)
    assert answered(banter, tenant)
    assert "cannot be reached" not in banter.text()


def test_a_host_that_said_nothing_is_not_waited_for_again(pool, tenant, road):
    silent, good = road(closed=True), road()
    url = f"postgresql://banter_app@127.0.0.1:{silent.port},127.0.0.1:{good.port}/banter"
    banter = pool(workers=1, database_url=url, **DEFAULTS)
    assert answered(banter, tenant)
    before = silent.accepted
    for _ in range(3):
        good.reset()
        assert answered(banter, tenant)
    assert silent.accepted == before


def test_banterctl_reaches_the_second_host_too(postgres, road):
    silent, good = road(closed=True), road()
    url = f"postgresql://owner@127.0.0.1:{silent.port},127.0.0.1:{good.port}/banter"
    done = subprocess.run([BUILD / "banterctl", "workspace", "list"], capture_output=True, text=True,
                          env={"BANTER_DATABASE_URL": url})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def primary():
    server = servers.Postgres()
    yield server
    server.close()


@pytest.fixture(scope="module")
def standby(primary):
    server = servers.Postgres(standby_of=primary)
    yield server
    server.close()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_target_session_attrs_holds_over_all_hosts(pool, primary, standby, order):
    """A demoted primary, which still answers, is passed over; who wants a standby first gets it wherever it stands."""
    hosts = ",".join(str((primary.folder, standby.folder)[one]) for one in order)
    url = f"postgresql://banter_app@/banter?host={hosts}&target_session_attrs="
    banter = pool(workers=1, database_url=url + "read-write")
    assert answered(banter, primary.demo())
    assert health(banter.socket) == 200
    assert health(pool(workers=1, database_url=url + "prefer-standby").socket) == 503


def test_G8_a_standby_is_503(pool, primary, standby):
    banter = pool(workers=1, database_url=f"postgresql://banter_app@/banter?host={standby.folder}")
    tenant = primary.demo()
    until(lambda: standby.run("select 1 from banter_data.workspace where workspace = %s", tenant.workspace), "the standby's copy")
    assert chat(banter.socket, tenant, "hello").status == 503
    assert health(banter.socket) == 503
    assert "the database is read-only" in banter.text()


# What a firewall forgot


@pytest.mark.parametrize("how", ["silence", "reset"])
def test_connections_that_a_firewall_forgot_cost_no_client_an_answer(pool, tenant, road, how):
    """Nothing is answered on them, and nothing says so; or the first word is answered with RST."""
    one = road()
    banter = pool(workers=3, database_url=one.url(), **DEFAULTS)
    with concurrent.futures.ThreadPoolExecutor(6) as many:
        assert all(many.map(lambda _: answered(banter, tenant), range(12)))
        time.sleep(1.1)  # from then on a connection's silence is doubted
        getattr(one, how)()
        assert all(many.map(lambda _: answered(banter, tenant), range(6)))
        assert health(banter.socket) == 200
    assert "in time" not in banter.text()


def test_a_forgotten_connection_costs_an_answer_neither_at_its_end(pool, tenant, road, model):
    """While a model thinks, the database's connection lies idle."""
    one, gate = road(), name("gate")
    banter = pool(workers=1, database_url=one.url(), **DEFAULTS)
    reply = stream(banter.socket, tenant, script(name("forgotten"), tokens=["a", "b"], gates={"2": gate}))
    assert [reply.event()["type"] for _ in range(2)] == ["start", "token"]
    time.sleep(1.1)
    one.silence()
    model.open_gate(gate)
    assert reply.events()[-1]["message"] == "ab"


def test_a_connection_that_lay_idle_for_BANTER_DATABASE_IDLE_TIME_is_made_anew(pool, tenant, road):
    one = road()
    banter = pool(workers=1, database_url=one.url(), database_idle_time="1ms")
    assert answered(banter, tenant)
    before = one.accepted
    time.sleep(0.1)
    assert health(banter.socket) == 200
    assert one.accepted == before + 1


def test_a_connection_is_kept_where_BANTER_DATABASE_IDLE_TIME_is_0(pool, tenant, road):
    one = road()
    banter = pool(workers=1, database_url=one.url(), database_idle_time="0")
    assert answered(banter, tenant)
    before = one.accepted
    assert all(answered(banter, tenant) for _ in range(3))
    assert one.accepted == before


def test_the_kernel_asks_after_an_idle_database(pool, tenant, road):
    """Keepalives, so that it is not forgotten in the first place, and an end to what is never acknowledged."""
    one = road()
    banter = pool(workers=1, database_url=one.url(), **DEFAULTS)
    assert answered(banter, tenant)
    shown = subprocess.run(["ss", "-tnoH", "dst", f"127.0.0.1:{one.port}"], capture_output=True, text=True).stdout
    assert "keepalive" in shown


# Name servers that say nothing


def bounded(ask):
    """G6."""
    start = time.monotonic()
    gave = ask()
    assert time.monotonic() - start < BOUND
    return gave


def test_G6_G8_a_name_server_that_says_nothing(pool, tenant, names):
    names.say("database.test", "silent")
    banter = pool(workers=1, database_url="postgresql://banter_app@database.test/banter", queue_time="5s", **DEFAULTS,
                  **names.environment)
    assert bounded(lambda: health(banter.socket)) == 503
    assert bounded(lambda: chat(banter.socket, tenant, "hello")).status == 503
    assert 'could not translate host name "database.test" to address: no answer in time' in banter.text()
    assert banter.end() == 0


def test_a_name_that_is_none_is_said(pool, tenant, names):
    names.say("database.test", "none")
    banter = pool(workers=1, database_url="postgresql://banter_app@database.test/banter", **DEFAULTS, **names.environment)
    assert chat(banter.socket, tenant, "hello").status == 503
    assert 'could not translate host name "database.test" to address: Name or service not known' in banter.text()


@pytest.mark.parametrize("answer", ["silent", "none"])
def test_an_address_that_was_good_serves_while_name_servers_do_not(pool, tenant, road, names, answer):
    one = road()
    names.say("database.test", "127.0.0.1")
    banter = pool(workers=1, database_url=one.url(host="database.test"), **DEFAULTS, **names.environment)
    assert answered(banter, tenant)
    names.say("database.test", answer)
    for _ in range(3):
        one.reset()
        assert answered(banter, tenant)
    # What was just connecting may be reset too; that it is said of an address shows that there was one.
    assert [line for line in banter.text().splitlines() if "cannot be reached" in line and '"127.0.0.1"' not in line] == []


def test_a_host_whose_name_has_no_answer_does_not_keep_the_others(pool, tenant, road, names):
    one = road()
    names.say("first.test", "silent")
    banter = pool(workers=1, database_url=f"postgresql://banter_app@first.test:1,127.0.0.1:{one.port}/banter",
                  **DEFAULTS, **names.environment)
    assert answered(banter, tenant)


def test_a_name_that_moved_is_found_again(pool, tenant, road, names):
    first = road()
    second = road(address="127.0.0.2", port=first.port)
    names.say("database.test", "127.0.0.1")
    banter = pool(workers=1, database_url=first.url(host="database.test"), **DEFAULTS, **names.environment)
    assert answered(banter, tenant)
    names.say("database.test", "127.0.0.2")
    first.reset()
    assert answered(banter, tenant)
    assert second.accepted >= 1


def test_S10_a_model_whose_name_has_no_answer_ends_in_error_in_time(pool, tenant, names):
    """libcurl's own resolver; neither does it keep the pool from ending."""
    names.say("model.test", "silent")
    banter = pool(workers=1, model_url="http://model.test/v1", model_connect_time="500ms", **names.environment)
    assert bounded(lambda: chat(banter.socket, tenant, "hello")).status == 500
    assert bounded(banter.end) == 0


# Passwords


@pytest.mark.parametrize("setting", ["BANTER_DATABASE_PASSWORD_FILE", "BANTER_DATABASE_URL_FILE"])
def test_a_password_file_that_was_rotated_is_read_again(pool, tenant, pooler, tmp_path, setting):
    secret, settings = tmp_path / "secret", tmp_path / "settings"
    tmp_path.chmod(0o755)

    def write(password):
        secret.write_text((pooler.url(password=password) if "URL" in setting else password) + "\n")

    write("old")
    settings.write_text(f"{setting}={secret}\n")
    banter = pool(workers=1, database_url=f"postgresql://banter_app@127.0.0.1:{pooler.port}/banter",
                  options=("--config", settings))
    assert chat(banter.socket, tenant, "hello").status == 503
    assert "authentication failed" in banter.text()
    write(pooler.password)
    assert answered(banter, tenant)


@pytest.fixture
def pooler(postgres):
    """What asks for a password."""
    one = servers.Pooler(postgres)
    yield one
    one.close()


# A role's own settings


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_roles_default_isolation_level_costs_no_answer(pool, postgres, database, tenant, level):
    postgres.run("update banter_data.workspace set credits = 1000 where workspace = %s", tenant.workspace)
    postgres.run("update banter_data.chatbot set price = 1 where chatbot = %s", tenant.chatbot)
    with role(postgres, "default_transaction_isolation", level) as url:
        banter = pool(workers=8, database_url=url)
        with concurrent.futures.ThreadPoolExecutor(8) as many:
            assert all(many.map(lambda _: answered(banter, tenant), range(48)))
    left = postgres.run("select credits from banter_data.workspace where workspace = %s", tenant.workspace)
    assert left == [(1000 - 48,)]


@contextlib.contextmanager
def role(postgres, setting, value):
    """The URL of a role like the application's, with a setting of its own."""
    like = name("role").replace("-", "_")
    postgres.run(f"create role {like} login in role banter_app; alter role {like} set {setting} = '{value}'")
    try:
        yield postgres.url(like)
    finally:
        postgres.run(f"drop role {like}")


def test_G8_a_read_only_database_is_503(pool, postgres, tenant):
    """A standby, or a role that may not write: what chat would meet."""
    with role(postgres, "default_transaction_read_only", "on") as url:
        port = servers.free_port()
        banter = pool(workers=1, database_url=url, status_listen=f"127.0.0.1:{port}")
        assert chat(banter.socket, tenant, "hello").status == 503
        assert health(banter.socket) == 503
        assert health(("127.0.0.1", port)) == 503
        assert "the database is read-only" in banter.text()


# TLS


@pytest.fixture(scope="module")
def encrypted():
    """A PostgreSQL on TCP that speaks TLS only, with a certificate of a private authority for the name database.test."""
    server = servers.Postgres()
    certificates = server.folder / "certificates"
    certificates.mkdir(mode=0o755)

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=certificates)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for authority in ("ours", "other"):
        openssl("req", "-x509", *curve, "-days", 2, "-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out",
                f"{authority}.pem")
    openssl("req", *curve, "-subj", "/CN=database.test", "-addext", "subjectAltName=DNS:database.test",
            "-keyout", "server.key", "-out", "server.csr")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ours.pem", "-CAkey", "ours.key", "-CAcreateserial", "-days", 2,
            "-copy_extensions", "copy", "-out", "server.pem")
    for file in (certificates / "server.key", certificates / "server.pem"):
        file.replace(server.data / file.name)
        if os.geteuid() == 0:
            shutil.chown(server.data / file.name, "postgres", "postgres")
    (server.data / "server.key").chmod(0o600)
    server.port = servers.free_port()
    (server.data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.0/8 trust\n")
    with open(server.data / "postgresql.auto.conf", "a") as settings:
        settings.write("ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n")
    server.stop()
    server.start("-c", "listen_addresses=127.0.0.1", "-c", f"port={server.port}")
    server.authority = certificates / "ours.pem"
    server.stranger = certificates / "other.pem"
    yield server
    server.close()


def page_url(encrypted, file, host="database.test"):
    """As the service's page writes it, for that machine."""
    [url] = re.findall(r"`BANTER_DATABASE_URL=(\S*verify-full\S*)`", (servers.ROOT / "deploy/systemd/README.md").read_text())
    for piece, value in (("banter@", "banter_app@"), ("HOST", f"{host}:{encrypted.port}"), ("FILE", str(file))):
        assert piece in url
        url = url.replace(piece, value)
    return url


@pytest.mark.parametrize("second", [False, True])
def test_sslmode_verify_full_as_the_page_writes_it(pool, encrypted, names, second):
    """The certificate is for the name, though libpq is given an address; the second host's too."""
    names.say("database.test", *["127.0.0.3"] * second, "127.0.0.1")
    banter = pool(workers=1, database_url=page_url(encrypted, encrypted.authority), **names.environment)
    assert answered(banter, encrypted.demo())
    assert health(banter.socket) == 200


@pytest.mark.parametrize("host, file, why", [
    ("database.test", "stranger", "certificate verify failed"),
    ("misnamed.test", "authority", 'does not match host name "misnamed.test"'),
    ("database.test", None, "oot certificate file"),
])
def test_sslmode_verify_full_trusts_no_other(pool, encrypted, names, tmp_path, host, file, why):
    names.say("database.test", "127.0.0.1")
    names.say("misnamed.test", "127.0.0.1")
    url = page_url(encrypted, getattr(encrypted, file) if file else tmp_path / "none", host)
    banter = pool(workers=1, database_url=url, **names.environment)
    assert health(banter.socket) == 503
    assert why in banter.text()


def test_without_sslrootcert_the_doctor_says_what_to_write(encrypted, names):
    url = page_url(encrypted, "x").replace("&sslrootcert=x", "")
    names.say("database.test", "127.0.0.1")
    done = subprocess.run([BUILD / "banterctl", "doctor", "--no-model"], capture_output=True, text=True,
                          env={"BANTER_DATABASE_URL": url, "HOME": "/nowhere", "COLUMNS": "1000", **names.environment})
    assert "sslrootcert=/etc/ssl/certs/ca-certificates.crt" in done.stdout
