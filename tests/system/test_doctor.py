"""banterctl doctor: each thing that can be wrong is made wrong with the real servers, is found, and is right once its
next step was done. The stand-in speaks slowly here, since what a server holds back shows only over time."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import psycopg2
import pytest

import servers
from ctl import Terminal, ctl, empty
from fronts.caddy import Caddy
from fronts.fcgid import Fcgid
from fronts.lighttpd import Lighttpd
from fronts.nginx import Nginx
from fronts.proxy_fcgi import ProxyFcgi
from servers import BUILD, until

assert empty  # a fixture

OK, WARNING, WRONG, UNTRIED = "ok", "warning", "wrong", "not tried"


class Report(list):
    """What was found: dicts of check, verdict, found, next_step."""

    def all_of(self, check):
        return [one for one in self if one["check"] == check]

    def has(self, check, verdict, *words):
        """There is one such finding that says all of these, in itself or in its next step, which is returned."""
        for one in self.all_of(check):
            text = f"{one['found']}\n{one['next_step']}"
            if one["verdict"] == verdict and all(word in text for word in words):
                return one["next_step"]
        raise AssertionError(f"{check}: {verdict} {words} is not among {self.all_of(check)}")

    def all_right(self, *checks):
        """These were tried, and nothing about them is wrong."""
        for check in checks:
            assert {one["verdict"] for one in self.all_of(check)} == {OK}, (check, self.all_of(check))


class Doctor:
    """Runs it with settings by their names; keyword arguments of a call change some, None leaves one out."""

    def __init__(self, *options, **env):
        self.options = options
        self.env = env

    def run(self, *arguments, **changes):
        stdin = changes.pop("stdin", None)
        # A name server that does not answer is not waited for.
        env = {"RES_OPTIONS": "timeout:1 attempts:1", **self.env, **changes}
        env = {key: str(value) for key, value in env.items() if value is not None}
        return ctl(*arguments, *self.options, stdin=stdin, **env)

    def __call__(self, *arguments, **changes):
        code, out, self.err = self.run("doctor", "--json", *arguments, **changes)
        assert out, (code, self.err)
        report = Report(json.loads(out))
        assert code == int(any(one["verdict"] == WRONG for one in report)), (code, report)
        for one in report:
            assert one["next_step"] or one["verdict"] in (OK, UNTRIED), one
        return report


@pytest.fixture(scope="module", autouse=True)
def forgotten(postgres):
    """Chatbots that other files left in the database name models and servers that are not here."""
    postgres.run("update banter_data.chatbot set model = null, servers = null where model is not null or servers is not null")


@pytest.fixture(scope="module")
def slow_model():
    """A model that takes its time."""
    server = servers.StandIn("--voice", "friendly")
    yield server
    server.close()


@pytest.fixture(scope="module")
def pooled(postgres, slow_model):
    """A pool in front of the slow model."""
    banter = servers.Banter(postgres.url(), slow_model.url, workers=2)
    banter.folder.chmod(0o755)
    yield banter
    banter.close()


def settings_of(postgres, env, pool_socket):
    """What the pool has, the operator's own address, and a usual heartbeat."""
    return {**env, "BANTER_WORKERS": "2", "BANTER_ADMIN_DATABASE_URL": postgres.url("owner"),
            "BANTER_HEARTBEAT": "15s", "BANTER_LISTEN": f"unix:{pool_socket}"}


@pytest.fixture
def doctor(postgres, pooled):
    return Doctor(**settings_of(postgres, pooled.env, pooled.socket))


@pytest.fixture
def role(postgres):
    """An application's role of the test's own."""
    own = servers.name("app").replace("-", "_")
    postgres.run(f"create role {own} login")
    yield own
    postgres.run(f"drop role {own}")


@pytest.fixture
def of_database(role, empty):
    """A doctor of an empty database's, with a role of its own; .migrate() as the operator."""
    one = Doctor("--no-model", BANTER_DATABASE_URL=empty.url(role), BANTER_ADMIN_DATABASE_URL=empty.url(),
                 BANTER_LISTEN="unix:/nowhere")
    one.migrate = lambda: ctl("migrate", "--role", role, url=empty.url())
    yield one
    empty.run(f"drop owned by {role}")


@pytest.fixture
def migrated(of_database):
    assert of_database.migrate()[0] == 0
    return of_database


def count_all(postgres):
    return [postgres.run(f"select count(*) from banter_data.{table}")[0][0]
            for table in ("workspace", "chatbot", "api_key", "conversation", "exchange", "ledger")]


def crooked(front, *edits):
    """That web server with changes to its files, each (file, piece, replacement): what somebody forgot or overdid."""

    class Crooked(front):
        def configure(self):
            command = super().configure()
            for file, piece, replacement in edits:
                path = self.folder / file
                text = path.read_text()
                assert piece in text, f"{file} has no {piece!r}"
                path.write_text(text.replace(piece, replacement))
            return command

    return Crooked


@pytest.fixture
def behind(postgres, slow_model):
    """behind(front) -> its Doctor, with .front and .url."""
    with contextlib.ExitStack() as stack:
        def begin(front, **settings):
            one = stack.enter_context(contextlib.closing(front(postgres.url(), slow_model.url, workers=2, **settings)))
            doctor = Doctor(**settings_of(postgres, one.env, one.pools[0].socket if one.pools else "/nowhere"))
            doctor.front = one
            doctor.url = one.url
            return doctor

        yield begin


# All right


def test_a_right_installation_has_nothing_wrong_and_keeps_nothing(postgres, behind):
    doctor = behind(Nginx)
    before = count_all(postgres)
    report = doctor("--url", doctor.url)
    report.all_right("settings", "database", "schema", "roles", "operator", "database log", "connections", "model",
                     "model streams", "pool", "exchange", "web", "web keys", "web body", "web stream")
    assert not [one for one in report if one["verdict"] in (WRONG, UNTRIED)]
    assert doctor.err == ""
    assert count_all(postgres) == before


@pytest.mark.parametrize("front", [Caddy, Lighttpd, ProxyFcgi, Fcgid], ids=lambda front: front.name)
def test_behind_each_web_server_of_deploy(behind, front):
    doctor = behind(front)
    report = doctor("--url", doctor.url)
    report.all_right("web", "web keys", "web body", "web stream")
    assert not [one for one in report if one["verdict"] == WRONG]


# Words and forms


@pytest.mark.parametrize("arguments, words", [
    (["--url", "ftp://example.com"], "--url should begin with https:// or http://"),
    (["--url", "https://example.com/" + "x" * 2029], "--url is longer than 2048 bytes"),
    (["--key-file", "x"], "--key-file goes with --url"),
    (["--url", "https://example.com", "--ca", "/nonexistent"], "--ca: /nonexistent cannot be read: No such file or directory"),
    (["x"], "one too many"),
])
def test_wrong_arguments(arguments, words):
    code, out, err = ctl("doctor", *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_people_see_lines_with_the_next_step_beneath(doctor):
    code, out, err = doctor.run("doctor", "--no-model", BANTER_WORKES="3")
    assert code == 0
    assert "warning   settings: BANTER_WORKES in the environment is no setting\n          → BANTER_WORKERS" in out
    assert re.search(r"\n\n0 wrong, (1 warning|\d+ warnings), \d+ ok, \d+ not tried\n$", out)
    assert "\033" not in out


def test_in_a_terminal_it_fits_and_has_colours(doctor, postgres):
    others = {key: value for key, value in doctor.env.items() if key != "BANTER_DATABASE_URL"}
    with Terminal(postgres.url(), columns=60, **others) as terminal:
        code, lines = terminal.run("doctor", "--no-model")
        assert code == 0
        assert all(len(line) <= 60 for line in lines if "→" not in line), lines
        assert "\033[32mok" in terminal.screen("-e")


def test_csv_has_a_line_a_finding(doctor):
    code, out, err = doctor.run("doctor", "--no-model", "--csv")
    assert out.startswith("check,verdict,found,next_step\nsettings,ok,")


def test_an_interrupt_removes_what_it_made(doctor, postgres):
    """It comes while the pool waits for its model, which says nothing."""
    made = "select count(*) from banter_data.workspace where name = 'banterctl doctor'"
    with socket.create_server(("127.0.0.1", 0)) as silent, contextlib.closing(servers.Banter(
            postgres.url(), f"http://127.0.0.1:{silent.getsockname()[1]}/v1", workers=1)) as banter:
        running = subprocess.Popen(
            [BUILD / "banterctl", "doctor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], **doctor.env, "BANTER_LISTEN": f"unix:{banter.socket}"})
        until(lambda: postgres.run(made) != [(0,)] or running.poll() is not None, "the doctor's own workspace")
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=servers.PATIENCE)
    assert (running.returncode, err) == (1, "banterctl: stopped; what was made to test with is removed\n")
    assert postgres.run(made) == [(0,)]


# Settings and files


def test_names_that_are_no_settings(doctor):
    report = doctor("--no-model", BANTER_MODEL_KYE_FILE="/x", BANTER_SOMETHING_ELSE_ALTOGETHER="1")
    report.has("settings", WARNING, "BANTER_MODEL_KYE_FILE", "BANTER_MODEL_KEY_FILE, if that was meant")
    report.has("settings", WARNING, "BANTER_SOMETHING_ELSE_ALTOGETHER", "remove it")


@pytest.mark.parametrize("settings, step", [
    ({"BANTER_HEARTBEAT": "90s"}, "BANTER_HEARTBEAT=15s"),
    ({"BANTER_JSON_TIME": "90s"}, "BANTER_JSON_TIME=50s"),
    ({"BANTER_EXCHANGE_TIME": "10s"}, "BANTER_EXCHANGE_TIME=600s"),
    ({"BANTER_DATABASE_CONNECT_TIME": "9s"}, "BANTER_DATABASE_CONNECT_TIME=2s\nBANTER_DATABASE_TIME=2.5s"),
], ids=repr)
def test_times_that_do_not_go_together(doctor, settings, step):
    for time in ("BANTER_DATABASE_TIME", "BANTER_DATABASE_CONNECT_TIME"):
        del doctor.env[time]
    assert step in doctor("--no-model", **settings).has("settings", WARNING, step)
    followed = dict(line.split(",")[0].split("=") for line in step.split("\n"))
    doctor("--no-model", **settings, **{key: value for key, value in followed.items() if key not in settings})
    doctor("--no-model", **{**settings, **followed}).all_right("settings")


def test_a_settings_file_with_secrets_that_everybody_may_read(doctor, tmp_path):
    file = tmp_path / "banter.conf"
    file.write_text("BANTER_MODEL_KEY=SECRETWORD\n")
    file.chmod(0o644)
    doctor.options = ("--no-model",)

    def run():
        code, out, err = doctor.run("--config", file, "doctor", "--json")
        assert "SECRETWORD" not in out + err
        return Report(json.loads(out))

    step = run().has("files", WRONG, f"everybody on this machine may read {file}")
    subprocess.run(["sh", "-c", step], check=True)
    report = run()
    report.all_right("files")
    report.has("settings", OK, f"from {file}")


def test_a_secrets_own_file_that_everybody_may_read(doctor, tmp_path):
    key = tmp_path / "model-key"
    key.write_text("SECRETWORD\n")
    key.chmod(0o644)
    step = doctor("--no-model", BANTER_MODEL_KEY_FILE=key).has("files", WRONG, "BANTER_MODEL_KEY_FILE", "everybody")
    subprocess.run(["sh", "-c", step], check=True)
    doctor("--no-model", BANTER_MODEL_KEY_FILE=key).all_right("files")
    key.chmod(0o660)
    assert doctor("--no-model", BANTER_MODEL_KEY_FILE=key).has("files", WARNING) == f"chmod g-w {key}"


# The database


@pytest.mark.parametrize("how, found, step", [
    ("host", "No such file or directory", "start PostgreSQL, or mend host and port"),
    ("name", "could not translate host name", "mend the host's name"),
    ("port", "Connection refused", "start PostgreSQL, or mend host and port"),
    ("database", 'database "nowhere" does not exist', "createdb --encoding=UTF8"),
    ("role", 'role "nobody_here" does not exist', "banterctl migrate --role"),
])
def test_a_database_that_is_not_reached(doctor, postgres, how, found, step):
    url = {
        "host": "postgresql://banter_app@/banter?host=/nowhere",
        "name": "postgresql://banter_app@nowhere.invalid/banter",
        "port": f"postgresql://banter_app@127.0.0.1:{servers.free_port()}/banter",
        "database": postgres.url(database="nowhere"),
        "role": postgres.url("nobody_here"),
    }[how]
    report = doctor("--no-model", BANTER_DATABASE_URL=url)
    assert "BANTER_DATABASE_URL" in report.has("database", WRONG, found, step)
    report.has("schema", UNTRIED)
    report.has("database log", UNTRIED)
    assert doctor.err == ""


def test_a_database_that_says_nothing(doctor):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://banter_app@127.0.0.1:{silent.getsockname()[1]}/banter"
        report = doctor("--no-model", BANTER_DATABASE_URL=url, BANTER_DATABASE_CONNECT_TIME="0.3s")
    report.has("database", WRONG, "no answer within 300 ms")


def test_a_wrong_password_and_the_operators_own_address(doctor, postgres):
    with contextlib.closing(servers.Pooler(postgres)) as pooler:
        wrong, right = pooler.url(password="SECRETWORD"), pooler.url()
        report = doctor("--no-model", BANTER_DATABASE_URL=wrong)
        assert "BANTER_DATABASE_PASSWORD_FILE" in report.has("database", WRONG, "authentication failed")
        assert "SECRETWORD" not in json.dumps(report) + doctor.err
        doctor("--no-model", BANTER_DATABASE_URL=right).all_right("database")
        report = doctor("--no-model", BANTER_ADMIN_DATABASE_URL=pooler.url("owner", password="SECRETWORD"))
        report.all_right("database")
        assert "BANTER_ADMIN_DATABASE_URL" in report.has("operator", WRONG, "authentication failed")


def test_an_operators_address_that_is_not_the_owners(doctor, postgres):
    report = doctor("--no-model", BANTER_ADMIN_DATABASE_URL=None)
    assert "BANTER_ADMIN_DATABASE_URL=" in report.has("operator", WARNING, "does not own")
    doctor("--no-model").has("operator", OK, "as the owner")


def test_a_database_that_is_not_UTF8(doctor, postgres):
    database = servers.name("latin").replace("-", "_")
    postgres.run(f"create database {database} encoding 'LATIN1' locale 'C' template template0", database="postgres")
    try:
        report = doctor("--no-model", BANTER_DATABASE_URL=postgres.url("owner", database))
        assert "createdb --encoding=UTF8 --template=template0" in report.has("database", WRONG, "LATIN1")
    finally:
        postgres.run(f"drop database {database} with (force)", database="postgres")


def test_an_empty_database_is_migrated(of_database, role):
    step = of_database().has("schema", WRONG, "it is not there")
    assert step == f"banterctl migrate --role {role}, as the database's owner"
    assert of_database.migrate()[0] == 0
    of_database().all_right("schema", "roles", "operator")


def test_an_older_and_a_newer_schema(migrated, empty):
    def has_version(number):
        empty.run("create or replace function banter.schema_version() returns integer language sql immutable "
                  f"security definer set search_path = pg_catalog, pg_temp as 'select {number}'")

    has_version(0)
    assert migrated().has("schema", WRONG, "it has version 0") == "banterctl migrate, as its owner"
    assert migrated.migrate()[0] == 0
    migrated().all_right("schema")
    has_version(999)
    migrated().has("schema", WARNING, "newer than this program's", "install the newer program")


def test_one_function_that_the_role_may_not_execute(migrated, empty, role):
    """Whichever: as when a release with a new one was migrated to without --role."""
    asked = (servers.ROOT / "app/doctor/database.c").read_text()
    assert [file.stem for file in (servers.ROOT / "sql/app").glob("*.sql") if f"'{file.stem}'" not in asked] == []
    empty.run(f"revoke execute on function banter.visit_begin from {role}")
    migrated().has("roles", WRONG, "may not execute")


def test_a_role_that_may_not_execute(migrated, empty, role):
    empty.run(f"revoke execute on all functions in schema banter from {role}")
    step = migrated().has("roles", WRONG, "may not execute")
    assert f"banterctl migrate --role {role}" in step
    assert migrated.migrate()[0] == 0
    migrated().all_right("roles")


def test_a_role_that_reads_tables(migrated, empty, role):
    empty.run(f"grant usage on schema banter_data to {role}")
    empty.run(f"grant select on banter_data.exchange to {role}")
    assert f"banterctl migrate --role {role}" in migrated().has("roles", WARNING, f"{role} may read tables")
    assert migrated.migrate()[0] == 0
    migrated().all_right("roles")


def test_a_superuser_and_one_role_for_all(doctor, postgres, role):
    report = doctor("--no-model", BANTER_DATABASE_URL=postgres.url("owner"))
    report.has("roles", WARNING, "superuser owner", "banterctl migrate --role banter_app")
    database = f"{role}_only"
    postgres.run(f"create database {database} owner {role}", database="postgres")
    try:
        url = postgres.url(role, database)
        assert ctl("migrate", url=url)[0] == 0
        report = doctor("--no-model", BANTER_DATABASE_URL=url, BANTER_ADMIN_DATABASE_URL=None)
        report.has("roles", WARNING, "one role", "your host gives you one role")
        assert not report.all_of("operator")
    finally:
        postgres.run(f"drop database {database} with (force)", database="postgres")


@pytest.mark.parametrize("settings", [
    {"log_statement": "all"},
    {"log_min_duration_statement": "0"},
    {"log_transaction_sample_rate": "1"},
    {"log_parameter_max_length_on_error": "-1"},
    {"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0",
     "auto_explain.log_verbose": "on"},
], ids=repr)
def test_a_log_of_the_database_that_would_hold_prompts(migrated, empty, role, settings):
    migrated().all_right("database log")
    empty.run("load 'auto_explain'")
    for setting, value in settings.items():
        empty.run(f"load 'auto_explain'; alter role {role} set {setting} = '{value}'")
    step = migrated().has("database log", WRONG, "prompts and answers")
    (command,) = re.findall(r"^as a superuser: (alter role .*)$", step, re.M)
    empty.run(f"load 'auto_explain'; {command}")
    migrated().all_right("database log")


def test_commits_that_do_not_wait_for_the_disk(migrated, empty, role):
    empty.run(f"alter role {role} set synchronous_commit = off")
    step = migrated().has("durability", WARNING, "synchronous_commit")
    empty.run(step)
    assert "synchronous_commit" not in json.dumps(migrated())


@pytest.fixture
def pair():
    """A primary, and a standby that follows it."""
    with contextlib.closing(servers.Postgres()) as primary, contextlib.closing(servers.Postgres(standby_of=primary)) as standby:
        until(lambda: primary.run("select 1 from pg_stat_replication where state = 'streaming'"), "a standby that follows")
        yield primary, standby


@pytest.mark.parametrize("user", ["banter_app", "owner"])
def test_a_standby_that_is_waited_for_and_away(doctor, pair, user):
    """The application's role is not told whose senders there are, and what they have."""
    primary, standby = pair

    def look():
        return doctor("--no-model", BANTER_DATABASE_URL=primary.url(user), BANTER_ADMIN_DATABASE_URL=None, BANTER_LISTEN=None)

    look().has("replication", OK, "a standby follows, and is not waited for")
    primary.run("alter system set synchronous_standby_names = '*'")
    primary.run("select pg_reload_conf()")
    until(lambda: primary.run("select 1 from pg_stat_replication where sync_state = 'sync'"), "a synchronous standby")
    look().has("replication", OK, "on a standby too (*)")
    standby.stop()
    look().has("replication", WRONG, "a standby that is away (synchronous_standby_names = *)", "synchronous_standby_names = ''")
    primary.run("alter system reset synchronous_standby_names")
    primary.run("select pg_reload_conf()")
    until(lambda: not look().all_of("replication"), "nothing to say")


def test_a_standby_that_stands_still(doctor, pair):
    """PostgreSQL calls it synchronous for another minute."""
    primary, standby = pair
    primary.run("alter system set synchronous_standby_names = '*'")
    primary.run("select pg_reload_conf()")
    until(lambda: primary.run("select 1 from pg_stat_replication where sync_state = 'sync'"), "a synchronous standby")
    ((receiver,),) = standby.run("select pid from pg_stat_wal_receiver")
    os.kill(receiver, signal.SIGSTOP)
    waits = threading.Thread(target=primary.run, args=("create table waits ()",))
    waits.start()
    try:
        until(lambda: any("1 sessions wait" in one["found"] for one in doctor(
            "--no-model", BANTER_DATABASE_URL=primary.url("owner"), BANTER_ADMIN_DATABASE_URL=None, BANTER_LISTEN=None)),
            "a session that waits")
    finally:
        os.kill(receiver, signal.SIGCONT)
        waits.join()


def test_too_few_connections(migrated, empty, role):
    empty.run(f"alter role {role} connection limit 18")
    report = migrated(BANTER_WORKERS="16")
    report.has("connections", WRONG, "lets in 18, 16 workers and what is besides need 19", "connection limit 19")
    # Of a range the second number counts.
    migrated(BANTER_WORKERS="2:16").has("connections", WRONG, "16 workers and what is besides need 19")
    empty.run(f"alter role {role} connection limit 19")
    migrated(BANTER_WORKERS="16").all_right("connections")
    migrated(BANTER_WORKERS="4000").has("connections", WRONG, "BANTER_WORKERS", "PgBouncer")


def test_through_pgbouncer(doctor, postgres):
    with contextlib.closing(servers.Pooler(postgres)) as pooler:
        report = doctor("--no-model", BANTER_DATABASE_URL=pooler.url(), BANTER_WORKERS="1000")
        report.all_right("database", "schema", "roles", "database log", "connections")
        report.has("connections", OK, "a pooler stands between", "max_client_conn is above 1003")
    console = {"auth_type = hba": "auth_type = hba\nstats_users = banter_app"}
    with contextlib.closing(servers.Pooler(postgres, **console)) as pooler:
        report = doctor("--no-model", BANTER_DATABASE_URL=pooler.url(), BANTER_WORKERS="1000")
        report.has("connections", OK, "PgBouncer lets in 2000 clients and opens up to 16 connections")
        report = doctor("--no-model", BANTER_DATABASE_URL=pooler.url(), BANTER_WORKERS="1999")
        report.has("connections", WRONG, "max_client_conn = ")
    console["default_pool_size = 12"] = "default_pool_size = 900"
    with contextlib.closing(servers.Pooler(postgres, **console)) as pooler:
        report = doctor("--no-model", BANTER_DATABASE_URL=pooler.url())
        report.has("connections", WARNING, "may open 904 connections", "default_pool_size")


def test_what_no_sweep_has_removed(migrated, empty):
    tenant = ctl("demo", url=empty.url())
    assert tenant[0] == 0
    migrated().all_right("upkeep")
    empty.run("insert into banter_data.conversation (workspace, conversation, chatbot, next_position)"
              " select workspace, 'c', chatbot, 2 from banter_data.chatbot")
    empty.run("insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, answer_id,"
              " position, price, stream, question, lease_until) select workspace, 'e', 'c', chatbot, 'k', 'a', 1, 1,"
              " true, 'q', now() - interval '1 hour' from banter_data.chatbot")
    step = migrated().has("upkeep", WARNING, "1 exchanges of workers that died")
    assert step.startswith("banterctl sweep")
    assert ctl("sweep", url=empty.url())[::2] == (0, "")
    migrated().all_right("upkeep")


# The model


class Answers(http.server.BaseHTTPRequestHandler):
    """A model's server that says what its `said` is: (status, content type, body)."""

    def do_POST(self):  # noqa: N802  (http.server's name)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer()

    def do_GET(self):  # noqa: N802
        self.answer()

    def answer(self):
        status, kind, body = self.server.said
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def version_string(self):
        return self.server.called or super().version_string()

    def date_time_string(self, timestamp=None):
        return self.server.date or super().date_time_string(timestamp)


@contextlib.contextmanager
def model_that_says(status, body=b"{}", kind="application/json", date=None, called=None):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.said = status, kind, body
        server.date = date
        server.called = called
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()


@pytest.mark.parametrize("status, steps", [
    (401, ["BANTER_MODEL_KEY_FILE"]),
    (403, ["BANTER_MODEL_KEY_FILE"]),
    (404, ["BANTER_MODEL:", "gpt-4o-mini", "BANTER_MODEL_URL"]),
    (400, ["BANTER_MODEL_MEMBERS"]),
    (429, ["plan and limits"]),
    (302, ["BANTER_MODEL_URL"]),
    (500, ["try again"]),
])
def test_a_model_that_says_no(doctor, status, steps):
    with model_that_says(status) as url:
        report = doctor(BANTER_MODEL_URL=url)
    report.has("model", OK, "is reached")
    report.has("model", WRONG, f"HTTP status {status}", *steps)
    report.has("exchange", UNTRIED, "the model does not answer")


def test_a_model_that_is_none(doctor):
    with model_that_says(200, b"<html>hello</html>", "text/html") as url:
        doctor(BANTER_MODEL_URL=url).has("model", WRONG, "OpenAI-compatible")


@contextlib.contextmanager
def seen_as(postgres, view, text):
    """What the operator's session finds under a system view's name."""
    postgres.run(f"create schema seen; create view seen.{view} as {text}")
    try:
        yield postgres.url("owner") + "&options=-csearch_path%3Dseen,pg_catalog"
    finally:
        postgres.run("drop schema seen cascade")


def test_an_old_transaction_is_named_with_what_it_costs(doctor, postgres):
    columns = ", ".join("xact_start - interval '1 hour' as xact_start" if name == "xact_start" else name
                        for (name,) in postgres.run("""select attname from pg_attribute
                            where attrelid = 'pg_catalog.pg_stat_activity'::regclass and attnum > 0"""))
    with seen_as(postgres, "pg_stat_activity", f"select {columns} from pg_catalog.pg_stat_activity") as url:
        doctor("--no-model").all_right("old transaction")
        with contextlib.closing(psycopg2.connect(postgres.url("owner"), application_name="left open")) as old:
            old.set_session("repeatable read")
            cursor = old.cursor()
            cursor.execute("select pg_backend_pid()")
            [(process,)] = cursor.fetchall()
            step = doctor("--no-model", BANTER_ADMIN_DATABASE_URL=url).has(
                "old transaction", WARNING, f"process {process} (left open, idle in transaction)", "dead rows")
            assert f"pg_terminate_backend({process})" in step


@contextlib.contextmanager
def held_by_another(postgres):
    """The schema's owner is no superuser, as the service's page has it, and a role that is none of its holds a snapshot."""
    owner = servers.name("owner").replace("-", "_")
    postgres.run(f"""create role {owner} login; alter schema banter owner to {owner}; alter schema banter_data owner to {owner};
        grant select on all tables in schema banter_data to {owner}; grant execute on all functions in schema banter to {owner}""")
    try:
        with contextlib.closing(psycopg2.connect(postgres.url("owner"), application_name="dump")) as other:
            other.set_session("repeatable read")
            other.cursor().execute("select 1")
            yield owner
    finally:
        postgres.run(f"reassign owned by {owner} to owner; drop owned by {owner}; drop role {owner}")


def test_an_old_transaction_of_another_role_is_not_passed_over(doctor, postgres):
    """PostgreSQL tells the owner neither its time nor its kind."""
    with held_by_another(postgres) as owner:
        step = doctor("--no-model", BANTER_ADMIN_DATABASE_URL=postgres.url(owner)).has(
            "old transaction", UNTRIED, "those of other roles", owner)
        assert step == f"grant pg_read_all_stats to {owner}"
        postgres.run(f"grant pg_read_all_stats to {owner}")
        doctor("--no-model", BANTER_ADMIN_DATABASE_URL=postgres.url(owner)).all_right("old transaction")


@pytest.mark.parametrize("view, text, found, step", [
    ("pg_stat_activity", """select current_database() as datname, 7 as pid, 10::oid as usesysid, 'dump'::text as application_name,
        null::text as backend_type, null::text as state, null::timestamptz as xact_start, '3500000000'::xid as backend_xmin,
        null::xid as backend_xid""", "the session of process 7 (dump, -) holds on", "pg_terminate_backend(7)"),
    ("pg_prepared_xacts", """select '700'::xid as transaction, 'it''s'::text as gid, now() - interval '1 hour' as prepared,
        'me'::name as owner, current_database() as database""", "the prepared transaction 'it''s' of me",
     "rollback prepared 'it''s'"),
    ("pg_replication_slots", "select 'away'::name as slot_name, (pg_current_xact_id()::text::bigint)::text::xid as xmin",
     None, None),
    ("pg_replication_slots", "select 'away'::name as slot_name, '3500000000'::xid as xmin", "the replication slot away",
     "pg_drop_replication_slot('away')"),
    ("pg_stat_replication", "select 'far'::text as application_name, 7 as pid, '3500000000'::xid as backend_xmin",
     "the standby far", "hot_standby_feedback = off"),
], ids=["another role's session", "prepared", "a slot that is near", "a slot", "a standby"])
def test_what_else_holds_on_to_old_rows(doctor, postgres, view, text, found, step):
    with seen_as(postgres, view, text) as url:
        report = doctor("--no-model", BANTER_ADMIN_DATABASE_URL=url)
        if found:
            assert step in report.has("old transaction", WARNING, found)
        else:
            report.all_right("old transaction")


def test_a_roles_own_level_and_a_read_only_database(doctor, postgres):
    postgres.run("create role leveled login in role banter_app")
    try:
        postgres.run("alter role leveled set default_transaction_isolation = 'repeatable read'")
        step = doctor("--no-model", BANTER_DATABASE_URL=postgres.url("leveled")).has("roles", WARNING, "repeatable read")
        assert step == "alter role leveled set default_transaction_isolation = 'read committed'"
        postgres.run("alter role leveled set default_transaction_read_only = on")
        doctor("--no-model", BANTER_DATABASE_URL=postgres.url("leveled")).has("database", WRONG, "read-only")
    finally:
        postgres.run("drop role leveled")


def test_a_model_that_answers_in_one_piece_with_a_wrong_clock(doctor):
    body = b'{"choices":[{"message":{"role":"assistant","content":"one, two"},"finish_reason":"stop"}]}'
    with model_that_says(200, body, date="Mon, 01 Jan 2001 00:00:00 GMT") as url:
        report = doctor(BANTER_MODEL_URL=url)
    report.has("model streams", WARNING, "in one piece", "proxy")
    assert not [one for one in report.all_of("model") if "tokens in all" in one["found"]]  # it counted none
    report.has("model", WARNING, "behind this machine's")


def test_a_key_that_the_model_does_not_take(doctor, tmp_path):
    key = tmp_path / "key"
    key.write_text("RIGHT")
    key.chmod(0o600)
    with contextlib.closing(servers.StandIn("--key-file", key)) as model:
        report = doctor(BANTER_MODEL_URL=model.url)
        assert "none is set" in report.has("model", WRONG, "HTTP status 401")
        report = doctor(BANTER_MODEL_URL=model.url, BANTER_MODEL_KEY="SECRETWORD")
        assert report.has("model", WRONG, "HTTP status 401").startswith("put a key that it accepts")
        assert "SECRETWORD" not in json.dumps(report) + doctor.err
        doctor(BANTER_MODEL_URL=model.url, BANTER_MODEL_KEY_FILE=key).all_right("model")


@pytest.mark.parametrize("url, found, step", [
    ("http://nowhere.invalid/v1", "resolve host", "mend the host's name in BANTER_MODEL_URL"),
    ("http://127.0.0.1:{free}/v1", "connect", "mend host and port in BANTER_MODEL_URL"),
    ("https://127.0.0.1:{model}/v1", "SSL", "BANTER_MODEL_URL should begin with http://"),
    ("http://127.0.0.1:{silent}/v1", "timed out", "firewall"),
])
def test_a_model_that_is_not_reached(doctor, slow_model, url, found, step):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = url.format(free=servers.free_port(), model=slow_model.address.rpartition(":")[2],
                         silent=silent.getsockname()[1])
        short = {"BANTER_MODEL_CONNECT_TIME": "1s", "BANTER_MODEL_FIRST_TIME": "0.5s"} if step == "firewall" else {}
        report = doctor(BANTER_MODEL_URL=url + "?key=SECRETWORD", **short)
    report.has("model", WRONG, found, step)
    report.has("exchange", UNTRIED)
    assert "SECRETWORD" not in json.dumps(report) + doctor.err


@pytest.fixture
def certificate(tmp_path):
    """certificate(name, days) -> (certificate, key): one that vouches for itself."""
    def make(subject="IP:127.0.0.1", days=2):
        def openssl(*words):
            subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=tmp_path)

        own = servers.name("cert")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test",
                "-addext", f"subjectAltName={subject}", "-keyout", f"{own}.key", "-out", f"{own}.csr")
        openssl("x509", "-req", "-in", f"{own}.csr", "-signkey", f"{own}.key", "-days", days,
                "-copy_extensions", "copy", "-out", f"{own}.pem")
        tmp_path.chmod(0o755)
        return tmp_path / f"{own}.pem", tmp_path / f"{own}.key"

    return make


@pytest.mark.parametrize("how, step", [
    ("unknown", "BANTER_MODEL_CA=/path/of/the/authority.pem"),
    ("expired", "renew its certificate, if this machine's clock is right"),
    ("other", "a certificate for that host"),
    ("no file", "see that BANTER_MODEL_CA names a readable PEM file"),
])
def test_a_model_whose_certificate_is_not_right(doctor, certificate, tmp_path, how, step):
    subject = "DNS:elsewhere.example.com" if how == "other" else "IP:127.0.0.1"
    pem, key = certificate(subject, -1 if how == "expired" else 2)
    with contextlib.closing(servers.StandIn("--tls-cert", pem, "--tls-key", key, verify=str(pem))) as model:
        ca = {"unknown": None, "no file": tmp_path / "nothing"}.get(how, pem)
        report = doctor(BANTER_MODEL_URL=model.url, BANTER_MODEL_CA=ca)
        report.has("model", WRONG, step)
        if how == "unknown":
            doctor(BANTER_MODEL_URL=model.url, BANTER_MODEL_CA=pem).all_right("model")


class Silent(Answers):
    """Begins no answer, like a server that loads its model first; or begins one and says no more."""

    def do_POST(self):  # noqa: N802
        if self.server.begins:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b": loading\n\n")
            self.wfile.flush()
        self.server.over.wait(servers.PATIENCE)


@pytest.mark.parametrize("begins, setting", [(False, "FIRST_TIME"), (True, "IDLE_TIME")])
def test_a_slow_starter_is_told_which_setting(doctor, begins, setting):
    """Ollama sends nothing while it loads a model, for minutes."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        server.said, server.date, server.called = (404, "text/plain", b""), None, None
        server.begins, server.over = begins, threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            report = doctor(BANTER_MODEL_URL=f"http://127.0.0.1:{server.server_port}/v1",
                            **{f"BANTER_MODEL_{setting}": "500ms"})
        finally:
            server.over.set()
            server.shutdown()
    step = report.has("model", WRONG, f"(BANTER_MODEL_{setting})")
    assert "OLLAMA_KEEP_ALIVE=-1" in step and f"BANTER_MODEL_{setting}=300s" in step and "BANTER_JSON_TIME" in step


# Several model servers


@pytest.fixture
def asks(postgres, tenant):
    """asks(model, servers): what one chatbot asks of whom; as it was, afterwards."""
    change = "update banter_data.chatbot set model = %s, servers = %s where chatbot = %s"
    yield lambda model, *listed: postgres.run(change, model, list(listed) or None, tenant.chatbot)
    postgres.run(change, None, None, tenant.chatbot)


@pytest.fixture
def second():
    """Another model's server, which wants a key of its own."""
    with contextlib.ExitStack() as stack:
        def begin(key):
            return stack.enter_context(contextlib.closing(servers.StandIn("--key-file", key)))

        yield begin


def models_asked(server):
    return {one["body"]["model"] for one in server.control.requests() if one["method"] == "POST"}


def test_every_server_and_every_model_that_chatbots_name_is_asked(doctor, slow_model, second, asks, tmp_path):
    key = tmp_path / "key"
    key.write_text("RIGHT")
    key.chmod(0o600)
    other = second(key)
    listed = tmp_path / "servers.conf"
    listed.write_text(f"[other]\nURL={other.url}\nKEY_FILE={key}\nMODELS=gpt-4o-mini=theirs,special\n")
    own = servers.name("model")
    asks(own)
    report = doctor(BANTER_MODEL_SERVERS=listed)
    report.has("model", OK, f"default: {slow_model.url} is reached")
    report.has("model", OK, f"other: {other.url} is reached")
    report.has("model", OK, f'"{own}" on default answers')
    report.has("model", OK, '"gpt-4o-mini" ("theirs") on other answers')
    asks("special", "other", "default")
    doctor(BANTER_MODEL_SERVERS=listed).has("model", OK, '"special" on other answers')
    assert {"special", own, "gpt-4o-mini"} <= models_asked(slow_model)
    assert models_asked(other) == {"theirs", "special"}


def test_a_second_server_that_fails_is_named_with_its_section(doctor, asks, tmp_path, second):
    key = tmp_path / "key"
    key.write_text("RIGHT")
    listed = tmp_path / "servers.conf"
    listed.write_text(f"[other]\nURL=http://127.0.0.1:{servers.free_port()}/v1\n[third]\nURL={second(key).url}\n")
    asks(None, "default", "other")
    report = doctor(BANTER_MODEL_SERVERS=listed)
    report.has("model", OK, '"gpt-4o-mini" on default answers')
    report.has("model", WRONG, "connect", "mend host and port in [other] URL")
    report.has("model", WRONG, '"gpt-4o-mini" on third', "HTTP status 401", "[third] KEY_FILE=/path")
    report.all_right("exchange")


def test_a_list_with_servers_and_models_that_are_not_there(doctor, asks, tmp_path, slow_model):
    listed = tmp_path / "servers.conf"
    listed.write_text(f"[other]\nURL={slow_model.url}\nMODELS=one\n")
    asks("two", "other", "gone")
    report = doctor(BANTER_MODEL_SERVERS=listed)
    report.has("model", WARNING, 'list a server "gone" that is not there', "[gone] in the file of BANTER_MODEL_SERVERS")
    report.has("model", WRONG, 'has their model "two"', "default is asked instead", "MODELS")
    report.has("model", OK, '"two" on default answers')
    asks("two", "other", "default")
    doctor(BANTER_MODEL_SERVERS=listed).all_right("model")


@pytest.fixture
def all_ask(postgres):
    """all_ask(servers): what the list of every chatbot is; none has one afterwards."""
    yield lambda *listed: postgres.run("update banter_data.chatbot set servers = %s", list(listed))
    postgres.run("update banter_data.chatbot set servers = null")


def test_a_default_server_that_no_chatbot_asks_is_left_alone(doctor, all_ask, tmp_path, slow_model):
    """Its address is never empty: where all chatbots list others, it may stand for nothing."""
    listed = tmp_path / "servers.conf"
    listed.write_text(f"[other]\nURL={slow_model.url}\n")
    nowhere = f"http://127.0.0.1:{servers.free_port()}/v1"
    all_ask("other")
    doctor(BANTER_MODEL_SERVERS=listed, BANTER_MODEL_URL=nowhere).all_right("model")
    all_ask("other", "default")
    doctor(BANTER_MODEL_SERVERS=listed, BANTER_MODEL_URL=nowhere).has("model", WRONG, "connect", "BANTER_MODEL_URL")


def test_a_file_of_servers_with_keys_that_everybody_may_read(doctor, tmp_path):
    key, listed = tmp_path / "key", tmp_path / "servers.conf"
    key.write_text("SECRETWORD")
    key.chmod(0o644)
    listed.write_text(f"[a]\nURL=http://h/v1\nKEY=SECRETWORD\n[b]\nURL=http://h/v1\nKEY_FILE={key}\nCA=/nonexistent\n")
    listed.chmod(0o644)
    report = doctor("--no-model", BANTER_MODEL_SERVERS=listed)
    assert report.has("files", WRONG, "everybody", f"{listed} (the model servers, with secrets)") == f"chmod o= {listed}"
    assert report.has("files", WRONG, "everybody", f"{key} ([b] KEY_FILE)") == f"chmod o= {key}"
    report.has("files", WRONG, "/nonexistent ([b] CA)")
    assert "SECRETWORD" not in json.dumps(report) + doctor.err


def test_a_first_time_beyond_that_of_an_answer_in_one_piece(doctor, tmp_path):
    listed = tmp_path / "servers.conf"
    listed.write_text("[slow]\nURL=http://h/v1\nFIRST_TIME=5m\n")
    report = doctor("--no-model", BANTER_MODEL_SERVERS=listed, BANTER_MODEL_FIRST_TIME="120s")
    report.has("settings", WARNING, "BANTER_MODEL_FIRST_TIME is 120 s", "ends after 50 s", "BANTER_JSON_TIME=180s")
    report.has("settings", WARNING, "[slow] FIRST_TIME is 300 s", "BANTER_JSON_TIME=360s")
    doctor("--no-model").all_right("settings")


# The pool


def test_a_pool_that_is_not_there(doctor, tmp_path):
    report = doctor("--no-model", BANTER_LISTEN=f"unix:{tmp_path}/socket")
    report.has("socket", WRONG, "No such file", "start banter.fcgi")
    (tmp_path / "file").touch()
    doctor("--no-model", BANTER_LISTEN=f"unix:{tmp_path}/file").has("socket", WRONG, "is no socket", "BANTER_LISTEN")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{tmp_path}/left")
    doctor("--no-model", BANTER_LISTEN=f"unix:{tmp_path}/left").has("pool", WRONG, "refused", "start banter.fcgi")
    report = doctor("--no-model", BANTER_LISTEN=f"127.0.0.1:{servers.free_port()}")
    report.has("pool", WRONG, "refused", "start banter.fcgi")


def test_a_pool_whose_socket_file_was_removed(doctor, tmp_path):
    with socket.socket(socket.AF_UNIX) as listens:
        listens.bind(f"{tmp_path}/socket")
        listens.listen()
        os.unlink(f"{tmp_path}/socket")
        report = doctor("--no-model", BANTER_LISTEN=f"unix:{tmp_path}/socket")
        report.has("socket", WRONG, "a program listens on it all the same: the file was removed", "SIGHUP")


def test_a_pool_on_a_port(doctor, postgres, slow_model):
    banter = servers.Banter(postgres.url(), slow_model.url, workers=1, listen=servers.free_port())
    with contextlib.closing(banter):
        doctor(BANTER_LISTEN=f"127.0.0.1:{banter.port}").all_right("pool", "exchange")


def test_a_pool_without_its_database(doctor, slow_model, tmp_path):
    """The doctor has a good address: the pool was started with another."""
    url = f"postgresql://x@/x?host={tmp_path}"
    with contextlib.closing(servers.Banter(url, slow_model.url, workers=1)) as banter:
        report = doctor("--no-model", BANTER_LISTEN=f"unix:{banter.socket}")
    report.has("pool", WRONG, "answers with 503", "its workers do not reach the database")


def test_a_pool_below_another_path(doctor, postgres, slow_model):
    with contextlib.closing(servers.Banter(postgres.url(), slow_model.url, workers=1, path_prefix="/chat")) as banter:
        report = doctor("--no-model", BANTER_LISTEN=f"unix:{banter.socket}")
        report.has("pool", WRONG, "404", "BANTER_PATH_PREFIX")
        doctor(BANTER_LISTEN=f"unix:{banter.socket}", BANTER_PATH_PREFIX="/chat").all_right("pool", "exchange")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a socket to another group")
def test_who_may_connect_to_the_socket(doctor, postgres, slow_model):
    with contextlib.closing(servers.Banter(postgres.url(), slow_model.url, workers=1)) as banter:
        listen = f"unix:{banter.socket}"
        banter.folder.chmod(0o700)
        report = doctor("--no-model", BANTER_LISTEN=listen)
        step = report.has("socket", WARNING, f"www-data may not pass {banter.folder}")
        subprocess.run(["sh", "-c", step.rpartition(": ")[2]], check=True)
        report = doctor("--no-model", BANTER_LISTEN=listen)
        report.has("socket", WARNING, "www-data may not connect", f"chgrp www-data {banter.socket}")
        shutil.chown(banter.socket, group="daemon")
        report = doctor("--no-model", BANTER_LISTEN=listen)
        report.has("socket", WARNING, "www-data may not connect", "usermod --append --groups daemon www-data")
        shutil.chown(banter.socket, group="www-data")
        doctor("--no-model", BANTER_LISTEN=listen).has("socket", OK, "www-data may connect")
        banter.socket.chmod(0o666)
        doctor("--no-model", BANTER_LISTEN=listen).has("socket", WARNING, "everybody", "BANTER_SOCKET_MODE=0660")


def test_a_backlog_that_the_kernel_cuts(doctor):
    if int(pathlib.Path("/proc/sys/net/core/somaxconn").read_text()) >= 65535:
        pytest.skip("this kernel cuts nothing")
    report = doctor("--no-model", BANTER_BACKLOG="65535")
    report.has("limits", WARNING, "BANTER_BACKLOG wants 65535", "sysctl -w net.core.somaxconn=65535")


# Through the web server


@pytest.mark.parametrize("front, edits, words", [
    (Nginx, [("snippets/banter.conf", "fastcgi_buffering on;", "fastcgi_ignore_headers X-Accel-Buffering;")],
     "fastcgi_buffering off"),
    (Fcgid, [("sites-enabled/banter.conf", "FcgidOutputBufferSize 0", "")], "FcgidOutputBufferSize 0"),
    (ProxyFcgi, [("sites-enabled/banter.conf", " flushpackets=on", "")], "flushpackets=on"),
    (Lighttpd, [("50-banter.conf", "server.stream-response-body = 2", "server.stream-response-body = 0")],
     "server.stream-response-body = 2"),
], ids=lambda value: getattr(value, "name", None))
def test_a_web_server_that_holds_tokens_back(behind, front, edits, words):
    """The same file without the change is right: test_behind_each_web_server_of_deploy."""
    doctor = behind(crooked(front, *edits))
    report = doctor("--url", doctor.url)
    report.has("web stream", WRONG, "tokens are held back", words)
    report.all_right("web", "web keys", "web body")


@pytest.mark.parametrize("front, edits, check, verdict, words", [
    (Nginx, [("snippets/banter.conf", "gzip off;", "gzip on; gzip_types application/x-ndjson; gzip_min_length 0;")],
     "web stream", WARNING, ["gzip", "gzip off"]),
    (Nginx, [("snippets/banter.conf", "client_max_body_size 2m;", "client_max_body_size 1k;")],
     "web body", WRONG, ["64 KiB", "client_max_body_size 2m"]),
    (Nginx, [("snippets/banter.conf", "client_max_body_size 2m;", "client_max_body_size 1000k;")],
     "web body", WARNING, ["1024 KiB", "/v1/deep-chat", "client_max_body_size 2m"]),
    (Nginx, [("snippets/banter.conf", 'fastcgi_param HTTP_PROXY "";', 'fastcgi_param HTTP_AUTHORIZATION "";')],
     "web keys", WRONG, ["Authorization", "HTTP_AUTHORIZATION $http_authorization"]),
    (Nginx, [("snippets/banter.conf", "fastcgi_keep_conn off;", "fastcgi_hide_header Cache-Control;")],
     "web stream", WARNING, ["no-transform", "unchanged"]),
    (Nginx, [("snippets/banter.conf", "fastcgi_pass banter;", 'return 200 "hello";')],
     "web", WRONG, ["but not as Banter does", "is the URL the API's"]),
    (Nginx, [("conf.d/banter-upstream.conf", "/socket", "/elsewhere")],
     "web", WRONG, ["503"]),
    (ProxyFcgi, [("sites-enabled/banter.conf", "CGIPassAuth On", "")],
     "web keys", WRONG, ["Authorization", "CGIPassAuth On"]),
    (Fcgid, [("sites-enabled/banter.conf", "FcgidPassHeader Authorization", "")],
     "web keys", WRONG, ["Authorization", "FcgidPassHeader Authorization"]),
    (Fcgid, [("sites-enabled/banter.conf", "\tFcgidMaxRequestLen", "\tFcgidMaxRequestLen 1024\n\t#")],
     "web body", WRONG, ["FcgidMaxRequestLen 2097152"]),
    (Lighttpd, [("50-banter.conf", "server.max-request-size = 2048", "server.max-request-size = 1")],
     "web body", WRONG, ["server.max-request-size = 2048"]),
], ids=lambda value: getattr(value, "name", None) or (value if isinstance(value, str) else ""))
def test_a_web_server_that_is_set_up_wrongly(behind, front, edits, check, verdict, words):
    doctor = behind(crooked(front, *edits))
    report = doctor(*([] if check == "web stream" else ["--no-model"]), "--url", doctor.url)
    report.has(check, verdict, *words)
    assert verdict == WRONG or not [one for one in report if one["verdict"] == WRONG]


def test_a_public_address_with_the_wrong_folder(behind):
    doctor = behind(Nginx)
    report = doctor("--no-model", "--url", doctor.url + "/elsewhere/")
    report.has("web", WRONG, "answers with 404", "BANTER_PATH_PREFIX")
    assert not report.all_of("web keys")


@pytest.mark.parametrize("url, step", [
    ("http://nowhere.invalid", "mend the host's name in --url"),
    ("http://127.0.0.1:{free}", "mend host and port in --url"),
    ("https://127.0.0.1:{nginx}", "--url should begin with http://"),
])
def test_a_public_address_that_is_not_reached(behind, url, step):
    doctor = behind(Nginx)
    report = doctor("--no-model", "--url", url.format(free=servers.free_port(), nginx=doctor.front.port))
    report.has("web", WRONG, step)


@pytest.mark.parametrize("called, shown", [
    (b"caf\xe9\xff", "caf??"),
    ("é\u202e\x9b2J".encode(), "é??2J"),
    *((b"x" * odd + "日本é🎈".encode() * 300, "日本é🎈") for odd in range(12)),  # cut, wherever that is
], ids=lambda value: value[:10] if isinstance(value, str) else len(value))
def test_a_server_may_call_itself_anything(doctor, called, shown):
    with model_that_says(200, b'{"status":"ok"}', called=called.decode("latin-1")) as url:
        doctor("--no-model", "--url", url.removesuffix("/v1")).has("web", OK, f"through {'x' * called.count(b'x')}{shown}")


def test_a_public_certificate(behind, certificate):
    def secured(pem, key):
        doctor = behind(crooked(Nginx, ("sites-enabled/banter", "server_name", f"""ssl on;
            ssl_certificate {pem};
            ssl_certificate_key {key};
            server_name""")))
        return doctor, ["--no-model", "--url", doctor.url.replace("http:", "https:")]

    pem, key = certificate(days=100)
    doctor, arguments = secured(pem, key)
    doctor(*arguments).has("web", WRONG, "certificate", "--ca FILE")
    doctor(*arguments, "--ca", pem).has("web TLS", OK, "the certificate holds for")
    pem, key = certificate(days=3)
    doctor, arguments = secured(pem, key)
    doctor(*arguments, "--ca", pem).has("web TLS", WARNING, "the certificate ends in", "renew it")


# The key to test with


def test_a_key_of_the_operators_own(behind, postgres, tmp_path):
    doctor = behind(Nginx)
    tenant = postgres.demo()
    file = tmp_path / "key"
    file.write_text(tenant.widget_key + "\n")
    before = count_all(postgres)
    doctor("--url", doctor.url, "--key-file", file).all_right("exchange", "web stream")
    doctor("--url", doctor.url, "--key-file", "-", stdin=tenant.widget_key).all_right("exchange", "web stream")
    assert count_all(postgres) == before
    report = doctor("--url", doctor.url, "--key-file", file, BANTER_ADMIN_DATABASE_URL=None)
    report.has("web stream", OK)
    report.has("exchange", WARNING, "could not be removed", "BANTER_ADMIN_DATABASE_URL")


@pytest.mark.parametrize("text", ["", "sk-workspace_x", "x" * 5000])
def test_a_file_that_holds_no_widget_key(behind, tmp_path, text):
    doctor = behind(Nginx)
    (tmp_path / "key").write_text(text)
    report = doctor("--url", doctor.url, "--key-file", tmp_path / "key")
    report.has("exchange", WRONG, "holds no widget key", "banterctl key create")
    assert not report.all_of("web stream")


def test_a_key_that_the_database_does_not_know(behind, postgres, tmp_path):
    doctor = behind(Nginx)
    tenant = postgres.demo()
    postgres.run("delete from banter_data.workspace where workspace = %s", tenant.workspace)
    (tmp_path / "key").write_text(tenant.widget_key)
    report = doctor("--url", doctor.url, "--key-file", tmp_path / "key")
    report.has("exchange", WRONG, "401", "does the pool use this database?")
    report.has("web stream", WRONG, "401", "x-api-key")
