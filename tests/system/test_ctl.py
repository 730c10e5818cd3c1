"""banterctl: what an operator does with it, and what it says when it cannot."""

import contextlib
import hashlib
import os
import re
import subprocess
import threading

import psycopg2
import pytest

import servers
from ctl import ctl, empty  # noqa: F401  (a fixture)
from fastcgi import stream
from servers import BUILD, name, script
from site_client import at_once


def all_of_the_schema(database):
    """Everything that two migrations could have made twice, or differently."""
    return database.run(
        "select 'f', p.oid::regprocedure::text, md5(prosrc), array_to_string(proacl, ' ') from pg_proc p"
        " join pg_namespace n on n.oid = pronamespace where nspname like 'banter%%'"
        " union all select 't', c.oid::regclass::text, relkind::text, array_to_string(relacl, ' ') from pg_class c"
        " join pg_namespace n on n.oid = relnamespace where nspname like 'banter%%' order by 1, 2"), database.run(
        "select version, name from banter_data.migration order by 1")


def test_migrate_applies_once_and_twice_is_the_same(empty):
    code, out, err = ctl("migrate", "--role", "banter_app", url=empty.url())
    assert (code, err) == (0, "")
    assert re.fullmatch(r"((applied migrations/\d{4}_\w+\.sql|migrations/\d{4}_\w+\.sql: step \d+ of \d+(: 0 rows)?)\n)+the schema has version \d+\n", out), out
    before = all_of_the_schema(empty)
    assert ctl("migrate", "--role", "banter_app", url=empty.url()) == (0, out.splitlines()[-1] + "\n", "")
    assert all_of_the_schema(empty) == before


@pytest.mark.parametrize("level", ["read committed", "serializable"])
def test_migrate_from_several_places_at_once(empty, level):
    """Whatever the owner's default level is."""
    empty.run(f"alter database {empty.name} set default_transaction_isolation = '{level}'")
    running = [
        subprocess.Popen([BUILD / "banterctl", "migrate", "--role", "banter_app"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env={"BANTER_DATABASE_URL": empty.url()})
        for _ in range(4)
    ]
    results = [(*one.communicate(timeout=servers.PATIENCE), one.returncode) for one in running]
    assert [(err, code) for _, err, code in results] == [("", 0)] * 4
    applied = [line for out, _, _ in results for line in out.splitlines() if line.startswith("applied")]
    assert applied and len(applied) == len(set(applied))
    assert empty.run("select count(*) from banter_data.migration") == [(len(applied),)]


@pytest.fixture
def version_1(empty):
    """A database of version 1 with conversations in it, of which PostgreSQL has taken samples."""
    empty.run((servers.ROOT / "sql/migrations/0001_schema.sql").read_text())
    empty.run("""
        create table banter_data.migration (version integer primary key, name text not null,
            applied_at timestamptz not null default now());
        insert into banter_data.migration (version, name) values (1, '0001_schema.sql');
        insert into banter_data.workspace (workspace, name) values (7, 'w');
        insert into banter_data.chatbot (workspace, chatbot, name) values (7, 'c', 'c');
        insert into banter_data.conversation (workspace, conversation, chatbot, session, next_position)
            select 7, 'v' || n, 'c', 'SECRET session' || n, 2 from generate_series(1, 3000) n;
        insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, lease_until,
                ended_at, price, answer_id, request_id, state, stream, question, answer)
            select 7, 'e' || n, 'v' || n, 'c', 'k', 1, now(), now(), 1, 'a' || n, 'SECRET request' || n % 5, 'done', true,
                'SECRET question' || n % 5, 'SECRET answer' || n % 5 from generate_series(1, 3000) n;
        insert into banter_data.idempotency (workspace, api_key, key, body_hash, chatbot, exchange)
            select 7, 'k', 'SECRET key' || n, ''::bytea, 'c', 'e' || n from generate_series(1, 3000) n;
        analyze banter_data.exchange, banter_data.conversation, banter_data.idempotency""")
    return empty


SAMPLED = ["answer", "key", "question", "request_id", "session"]
KNOWN = """select attname from pg_stats where schemaname = 'banter_data'
    and concat(most_common_vals, histogram_bounds) like '%SECRET%' order by 1"""
FILES = """select c.relname, c.relfilenode from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'banter_data' and c.relname ~ '^(exchange|conversation|idempotency)'
        and (c.relkind = 'r' or c.relname ~ '_pkey$') order by 1"""
SHAPE = """select a.attname, a.attgenerated::text, a.atttypid::regtype::text, a.attstattarget from pg_attribute a
    where a.attrelid = 'banter_data.exchange'::regclass and a.attnum > 0 and not a.attisdropped order by 1"""
RULES = """select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'banter_data'::regnamespace
    union select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1"""


def test_a_migration_makes_postgresql_forget_what_it_has_sampled(version_1):
    """0002: what people wrote stays where it is and nowhere else."""
    assert version_1.run(KNOWN) == [(column,) for column in SAMPLED]
    rows = "select exchange, question, answer, request_id, chars from banter_data.exchange order by exchange"
    before = version_1.run(rows)
    assert "applied migrations/0002_no_samples.sql" in ctl("migrate", url=version_1.url())[1].splitlines()
    assert version_1.run(KNOWN) == []
    version_1.run("analyze banter_data.exchange, banter_data.conversation, banter_data.idempotency")
    assert version_1.run(KNOWN) == []
    assert version_1.run(rows) == before


def test_from_version_1_no_table_is_written_anew_and_nobody_waits(version_1, postgres):
    """Who asks all the while waits for no lock for long; a reader of minutes is in the way."""
    files, stop, asked = version_1.run(FILES), threading.Event(), []
    one = """insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, lease_until,
        price, answer_id, stream, question) values (7, %s, 'v1', 'c', 'k', %s, now(), 0, 'a', true, 'asked')"""
    end = "update banter_data.exchange set state = 'done', ended_at = now(), answer = 'told' where exchange = %s"

    def ask(_):
        with contextlib.closing(psycopg2.connect(version_1.url())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("set lock_timeout = '2s'")
                while not stop.is_set():
                    asked.append(f"asked{len(asked)}")
                    cursor.execute(one, (asked[-1], len(asked) + 1))
                    cursor.execute(end, (asked[-1],))

    def migrate(_):
        try:
            with contextlib.closing(psycopg2.connect(version_1.url())) as reader, reader.cursor() as cursor:
                cursor.execute("select count(*) from banter_data.exchange")
                migrating = subprocess.Popen([BUILD / "banterctl", "migrate"], stdout=subprocess.PIPE, text=True,
                                             env={"BANTER_DATABASE_URL": version_1.url()})
                assert "it could not be done now, and is tried again" in migrating.stdout.readline()
            return migrating.communicate(timeout=servers.PATIENCE)[0].splitlines(), migrating.returncode
        finally:
            stop.set()

    _, (lines, code) = at_once(2, lambda index: (ask, migrate)[index](index))
    assert code == 0 and "applied migrations/0002_no_samples.sql" in lines
    assert version_1.run(FILES) == files
    assert version_1.run("""select count(*), sum(coalesce(chars, char_length(question) + char_length(answer)))
        from banter_data.exchange where question = 'asked'""") == [(len(asked), 9 * len(asked))]
    made = [version_1.run(look) for look in (SHAPE, RULES)]
    new = [postgres.run(look) for look in (SHAPE, RULES)]
    assert made == new, "it is what a new database has"


LISTS = """select oid, pg_get_function_result(oid) ~ 'chatbot_id' from pg_proc
    where pronamespace = 'banter'::regnamespace and proname in ('conversation_list', 'conversation_search') order by proname"""


def test_a_migration_mends_functions_that_returned_less(empty):
    """0003, on a database whose functions are of the first releases; where they are as they should be, they stay."""
    assert ctl("migrate", url=empty.url())[0] == 0
    first = empty.run(LISTS)
    empty.run("delete from banter_data.migration where version > 2")
    assert ctl("migrate", url=empty.url())[0] == 0
    assert empty.run(LISTS) == first and [new for _, new in first] == [True, True]
    empty.run("""delete from banter_data.migration where version > 2;
        drop function banter.conversation_list;
        create function banter.conversation_list(p_chatbot text, p_session text, p_since text, p_limit integer)
            returns table (conversation text, chatbot text, session text, exchanges bigint, last_at text, created_at text)
            language sql as 'select null, null, null, null::bigint, null, null';
        drop function banter.conversation_search(text, text, bigint, text, integer);
        create function banter.conversation_search(p_text text, p_chatbot text, p_workspace bigint, p_exchange text,
                p_limit integer)
            returns table (conversation text, chatbot text, started_at text, found_in text, excerpt text,
                next_workspace bigint, next_exchange text)
            language sql as 'select null, null, null, null, null, null::bigint, null'""")
    assert [new for _, new in empty.run(LISTS)] == [False, False]
    assert ctl("migrate", url=empty.url())[::2] == (0, "")
    assert [new for _, new in empty.run(LISTS)] == [True, True]


def test_migrate_of_a_newer_schema_is_refused(empty):
    assert ctl("migrate", url=empty.url())[0] == 0
    empty.run("insert into banter_data.migration (version, name) values (999, 'later')")
    code, out, err = ctl("migrate", url=empty.url())
    assert code == 1
    assert "the schema has version 999, newer than this program's" in err


def test_a_migration_that_fails_says_so_and_leaves_nothing_half_done(empty):
    """The role may not make a schema here."""
    role = name("poor").replace("-", "_")
    empty.run(f"create role {role} login")
    try:
        code, out, err = ctl("migrate", url=empty.url(role))
        assert code == 1
        assert "permission denied" in err
        assert "run it again" in err
        assert empty.run("select count(*) from pg_namespace where nspname like 'banter%%'") == [(0,)]
    finally:
        empty.run(f"drop role {role}")


@pytest.fixture
def only_role(postgres):
    """The one role of a shared host: no superuser, may not create roles, owns its database."""
    role = name("host").replace("-", "_")
    postgres.run(f"create role {role} login nosuperuser nocreatedb nocreaterole")
    postgres.run(f"create database {role} owner {role}", database="postgres")
    yield role
    postgres.run(f"drop database {role} with (force)", database="postgres")
    postgres.run(f"drop role {role}")


@pytest.mark.parametrize("options", [[], ["--role", "itself"]], ids=repr)
def test_one_role_mode(postgres, pool, only_role, options):
    """All that can be had without CREATEROLE, and an exchange works."""
    url = postgres.url(only_role, only_role)
    options = [only_role if word == "itself" else word for word in options]
    code, out, err = ctl("migrate", *options, url=url)
    assert code == 0, err
    assert ctl("migrate", *options, url=url)[0] == 0
    code, out, err = ctl("demo", url=url)
    assert (code, err) == (0, "")
    values = dict(line.split("=", 1) for line in out.splitlines())
    tenant = servers.Tenant(values["BANTER_WIDGET_KEY"], values["BANTER_WORKSPACE_KEY"], values["BANTER_CHATBOT_ID"])
    banter = pool(workers=1, database_url=url)
    assert stream(banter.socket, tenant, script("hello", tokens=["fine"])).events()[-1]["message"] == "fine"
    assert postgres.run("select state, answer from banter_data.exchange", database=only_role) == [("done", "fine")]


def test_a_role_that_cannot_be_made_is_said(postgres, only_role):
    """The schema is there all the same; with the role, the same command ends well."""
    role = name("later").replace("-", "_")
    command = ["migrate", "--role", role]
    url = postgres.url(only_role, only_role)
    for _ in range(2):
        code, out, err = ctl(*command, url=url)
        assert code == 1 and "the schema has version" in out
        assert err.endswith(
            f"banterctl: there is no role {role}, and {only_role} may not create it: let a superuser do it"
            f" (create role {role} login), then run banterctl migrate --role {role} again\n")
    postgres.run(f"create role {role} login")
    try:
        code, out, err = ctl(*command, url=url)
        assert (code, err) == (0, "")
        assert postgres.run("select has_function_privilege(%s, 'banter.health()', 'execute')", role,
                            database=only_role) == [(True,)]
    finally:
        postgres.run(f"drop owned by {role}", database=only_role)
        postgres.run(f"drop role {role}")


def test_only_the_schemas_owner_migrates(postgres, only_role):
    """What a superuser added its owner could not replace at the next one. As the owner he may."""
    assert ctl("migrate", url=postgres.url(only_role, only_role))[0] == 0
    postgres.run("drop function banter.health()", database=only_role)
    code, out, err = ctl("migrate", "--role", "banter_app", url=postgres.url("owner", only_role))
    assert (code, out) == (1, "")
    assert err == (f"banterctl: the schema belongs to {only_role} and you are owner: nothing was done; connect as"
                   f" {only_role}, or with options=-crole%3D{only_role} in the URL of BANTER_ADMIN_DATABASE_URL\n")
    assert postgres.run("select to_regproc('banter.health')", database=only_role) == [(None,)]
    code, out, err = ctl("migrate", url="postgresql:///nowhere", BANTER_ADMIN_DATABASE_URL=postgres.url(
        "owner", only_role) + f"&options=-crole%3D{only_role}")
    assert (code, err) == (0, "")
    assert postgres.run("select proowner::regrole::text from pg_proc where oid = 'banter.health'::regproc",
                        database=only_role) == [(only_role,)]


def test_another_role_takes_the_place_of_the_one_before(empty):
    role = name("before").replace("-", "_")
    may = f"select has_function_privilege('{role}', 'banter.health()', 'execute'), has_schema_privilege('{role}', 'banter', 'usage')"
    assert ctl("migrate", "--role", role, url=empty.url())[0] == 0
    try:
        assert empty.run(may) == [(True, True)]
        assert ctl("migrate", "--role", "banter_app", url=empty.url())[0] == 0
        assert empty.run(may) == [(False, False)]
    finally:
        empty.run(f"drop owned by {role}")
        empty.run(f"drop role {role}")


def test_the_applications_role_may_run_the_program_and_nothing_else(empty, pool):
    assert ctl("migrate", "--role", "banter_app", url=empty.url())[0] == 0
    code, out, err = ctl("demo", url=empty.url("banter_app"))
    assert code == 1
    assert "permission denied" in err
    banter = pool(workers=1, database_url=empty.url("banter_app"))
    values = dict(line.split("=", 1) for line in ctl("demo", url=empty.url())[1].splitlines())
    tenant = servers.Tenant(values["BANTER_WIDGET_KEY"], None, values["BANTER_CHATBOT_ID"])
    assert stream(banter.socket, tenant, script("hello", tokens=["fine"])).events()[-1]["message"] == "fine"


# demo


def count_all(database):
    return [database.run(f"select count(*) from banter_data.{table}")[0][0]
            for table in ("workspace", "chatbot", "api_key")]


def test_demo_makes_what_the_tests_have_as_a_tenant(postgres):
    """They make their own by statements, without the program."""
    values = dict(line.split("=", 1) for line in ctl("demo", url=postgres.url("owner"))[1].splitlines())
    ((theirs,),) = postgres.run("select workspace from banter_data.chatbot where chatbot = %s", values["BANTER_CHATBOT_ID"])
    ours = postgres.demo()

    def rows(workspace):
        changing = "{workspace,chatbot,hash,hint,api_key,created_at}"
        return [postgres.run(f"""select (to_jsonb(t) - %s::text[])::text from banter_data.{table} t where workspace = %s
            order by 1""", changing, workspace) for table in ("workspace", "chatbot", "api_key")]

    def keys(workspace):
        return postgres.run("""select kind, hash, hint, chatbot, api_key = left(encode(hash, 'hex'), 32) from banter_data.api_key
            where workspace = %s order by kind""", workspace)

    def told(widget, workspace, chatbot):
        return [("widget", hashlib.sha256(widget.encode()).digest(), widget[-4:], chatbot, True),
                ("workspace", hashlib.sha256(workspace.encode()).digest(), workspace[-4:], None, True)]

    assert rows(ours.workspace) == rows(theirs)
    for workspace, *known in ((ours.workspace, ours.widget_key, ours.workspace_key, ours.chatbot),
                              (theirs, *(values[f"BANTER_{one}"] for one in ("WIDGET_KEY", "WORKSPACE_KEY", "CHATBOT_ID")))):
        assert [(kind, bytes(hashed), *rest) for kind, hashed, *rest in keys(workspace)] == told(*known)
    for key in ("widget_key", "workspace_key"):
        mine, other = getattr(ours, key), values[f"BANTER_{key.upper()}"]
        assert (len(mine), mine.partition("_")[0]) == (len(other), other.partition("_")[0])


def test_demo_with_a_file_makes_nothing_new_on_a_second_run(empty, tmp_path):
    assert ctl("migrate", url=empty.url())[0] == 0
    path = tmp_path / "env"
    assert ctl("demo", "--env-file", path, url=empty.url()) == (0, "", "")
    text = path.read_text()
    assert re.fullmatch(
        r"BANTER_WIDGET_KEY=\S+\nBANTER_WORKSPACE_KEY=sk-workspace_\w{51}\nBANTER_CHATBOT_ID=\S+\n", text), text
    assert path.stat().st_mode & 0o777 == 0o600
    assert ctl("demo", "--env-file", path, url=empty.url()) == (0, "", "")
    assert path.read_text() == text
    assert count_all(empty) == [1, 1, 2]


def test_demo_gives_a_new_database_the_keys_of_the_file(empty, postgres, tmp_path, pool):
    path = tmp_path / "env"
    assert ctl("demo", "--env-file", path, url=postgres.url("owner"))[0] == 0
    text = path.read_text()
    assert ctl("migrate", url=empty.url())[0] == 0
    assert ctl("demo", "--env-file", path, url=empty.url())[0] == 0
    assert path.read_text() == text
    assert count_all(empty) == [1, 1, 2]
    values = dict(line.split("=", 1) for line in text.splitlines())
    tenant = servers.Tenant(values["BANTER_WIDGET_KEY"], None, values["BANTER_CHATBOT_ID"])
    banter = pool(workers=1, database_url=empty.url())
    assert stream(banter.socket, tenant, script("hello", tokens=["fine"])).events()[-1]["message"] == "fine"


@pytest.mark.parametrize("text", ["", "garbage", "BANTER_WIDGET_KEY=wrong\nBANTER_WORKSPACE_KEY=wrong\n", "\0\xff"])
def test_demo_with_a_file_that_holds_nothing_whole_makes_it_anew(empty, tmp_path, text):
    assert ctl("migrate", url=empty.url())[0] == 0
    path = tmp_path / "env"
    path.write_text(text)
    assert ctl("demo", "--env-file", path, url=empty.url()) == (0, "", "")
    assert path.read_text().startswith("BANTER_WIDGET_KEY=")
    assert count_all(empty) == [1, 1, 2]


def test_demo_makes_a_site_key_whose_origins_follow(empty, tmp_path):
    """The first time it is asked for one, and for those pages that were named last; the keys before stay."""
    assert ctl("migrate", url=empty.url())[0] == 0
    path = tmp_path / "env"
    assert ctl("demo", "--env-file", path, url=empty.url()) == (0, "", "")
    before = path.read_text()
    for origins in ("http://127.0.0.1:8080,http://localhost:8080", "http://127.0.0.1:8081", "http://127.0.0.1:8081"):
        assert ctl("demo", "--env-file", path, "--origins", origins, url=empty.url()) == (0, "", "")
        assert re.fullmatch(re.escape(before) + r"BANTER_SITE_KEY=pk-site_\w+\n", path.read_text())
        ((chatbot, told),) = empty.run("select chatbot, array_to_string(origins, ',') from banter_data.api_key where kind = 'site'")
        assert told == origins and f"BANTER_CHATBOT_ID={chatbot}\n" in before
    assert count_all(empty) == [1, 1, 3]
    with_site_key = path.read_text()
    assert ctl("demo", "--env-file", path, url=empty.url()) == (0, "", "")
    assert path.read_text() == with_site_key and count_all(empty) == [1, 1, 3]


def test_demo_refuses_what_is_no_origin(empty):
    assert ctl("migrate", url=empty.url())[0] == 0
    code, out, err = ctl("demo", "--origins", "shop.example", url=empty.url())
    assert (code, out) == (1, "") and "origins as browsers send them" in err
    assert count_all(empty) == [0, 0, 0]


def test_demo_that_cannot_write_its_file_says_so(empty, tmp_path):
    assert ctl("migrate", url=empty.url())[0] == 0
    code, out, err = ctl("demo", "--env-file", tmp_path / "no" / "where", url=empty.url())
    assert (code, out) == (1, "")
    assert "cannot write" in err and "No such file or directory" in err


def test_demo_without_a_schema_fails(empty):
    code, out, err = ctl("demo", url=empty.url())
    assert (code, out) == (1, "")
    assert err


# Words and codes


@pytest.mark.parametrize("arguments, code, stream, said", [
    (["help"], 0, 1, "usage: banterctl"),
    (["--help"], 0, 1, "exit codes:"),
    (["version"], 0, 1, "banter "),
    (["--version"], 0, 1, "banter "),
    ([], 2, 2, "usage: banterctl"),
    (["nonsense"], 2, 2, "nonsense: no such command; try banterctl help"),
    (["chatbot", "nonsense"], 2, 2, "banterctl: chatbot nonsense: no such command\nusage: banterctl chatbot COMMAND"),
    (["help", "chatbot", "nonsense"], 2, 2, "chatbot nonsense: no such command"),
    (["chatbot"], 0, 1, "usage: banterctl chatbot COMMAND"),
    (["chatbot", "-h"], 0, 1, "usage: banterctl chatbot COMMAND"),
    (["--json", "stats"], 2, 2, "--json: options stand behind the command"),
    (["stats", "--config", "x"], 2, 2, "stats: --config stands before the command"),
    (["--config=/nonexistent", "migrate"], 2, 2, "/nonexistent: cannot be read"),
    (["migrate", "--nonsense"], 2, 2, "migrate: --nonsense is no option of this command"),
    (["migrate", "--role"], 2, 2, "migrate: --role needs a value"),
    (["demo", "x"], 2, 2, "demo: x is one too many"),
    (["--config", "/nonexistent", "migrate"], 2, 2, "/nonexistent: cannot be read"),
    (["--config"], 2, 2, "--config needs a file"),
], ids=lambda value: repr(value)[:40])
def test_exit_codes(arguments, code, stream, said):
    result = ctl(*arguments)
    assert result[0] == code
    assert said in result[stream]
    assert result[3 - stream] == ""


@pytest.mark.parametrize("words", [["help"], ["version"], ["completion", "bash"], ["help", "prune"]], ids=" ".join)
def test_what_cannot_be_printed_was_not_done(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BUILD / "banterctl", *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "banterctl: it could not be printed: No space left on device\n")


@pytest.mark.parametrize("where", ["/nowhere", "a folder without a socket"])
@pytest.mark.parametrize("command", ["migrate", "demo", "stats"])
def test_without_a_database_it_fails_with_one_reason(command, where, tmp_path):
    folder = where if where.startswith("/") else tmp_path
    code, out, err = ctl(command, url=f"postgresql://owner:SECRETWORD@/x?host={folder}")
    assert (code, out) == (1, "")
    assert err.count("the database cannot be reached") == 1
    assert "SECRETWORD" not in err


def test_a_connection_that_is_lost_is_said_once(empty):
    """The server process is ended while the statement waits for a lock."""
    assert ctl("migrate", url=empty.url())[0] == 0
    with contextlib.closing(psycopg2.connect(empty.url())) as other, other.cursor() as cursor:
        cursor.execute("lock table banter_data.workspace in access exclusive mode")
        waiting = subprocess.Popen([BUILD / "banterctl", "stats"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env={"PATH": os.environ["PATH"], "BANTER_DATABASE_URL": empty.url()})
        servers.until(lambda: empty.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and wait_event_type = 'Lock'"), "the statement's wait")
        out, err = waiting.communicate(timeout=servers.PATIENCE)
    assert (waiting.returncode, out) == (1, "")
    assert err.startswith("banterctl: stats: ") and err.count("\n") == 1, err


def test_a_refusal_for_the_schema_or_the_role_says_what_to_do(empty):
    code, out, err = ctl("workspace", "list", url=empty.url())
    assert (code, out) == (1, "") and err.endswith("banterctl: the schema is not there; banterctl migrate makes it\n")
    assert ctl("migrate", "--role", "banter_app", url=empty.url())[0] == 0
    for words in (["workspace", "list"], ["conversation", "export"], ["key", "create", "--chatbot", "x"]):
        code, out, err = ctl(*words, url=empty.url("banter_app"))
        assert (code, out) == (1, "")
        assert err.endswith("banterctl: banter_app does not own the schema; BANTER_ADMIN_DATABASE_URL should name its owner\n")
    assert ctl("workspace", "show", "x", url=empty.url())[2].count("\n") == 1


def test_a_wrong_setting_is_exit_code_2():
    code, out, err = ctl("migrate", BANTER_WORKERS="many")
    assert (code, out) == (2, "")
    assert err == "banterctl: the environment: BANTER_WORKERS must be a whole number from 1 to 4096, or two of them: LEAST:MOST\n"


def test_the_admins_database_url_wins(empty):
    code, out, err = ctl("migrate", url="postgresql:///nowhere", BANTER_ADMIN_DATABASE_URL=empty.url())
    assert (code, err) == (0, "")
    assert empty.run("select count(*) > 0 from banter_data.migration") == [(True,)]


def test_it_takes_the_settings_from_a_file(empty, tmp_path):
    (tmp_path / "conf").write_text(f"BANTER_DATABASE_URL={empty.url()}\n")
    assert ctl("--config", tmp_path / "conf", "migrate")[0] == 0
    assert empty.run("select count(*) > 0 from banter_data.migration") == [(True,)]


def test_it_takes_the_PG_variables(empty, postgres):
    code, out, err = ctl("migrate", PGHOST=str(postgres.folder), PGDATABASE=empty.name, PGUSER="owner")
    assert (code, err) == (0, "")
