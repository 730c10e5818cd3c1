"""deploy/backup/README.md: a dump of the real database, restored into another cluster, is the whole of Banter; and no
key can be read out of it."""

import contextlib
import json
import subprocess

import servers
import pytest
from ctl import ctl, record
from servers import ROOT, script
from site_client import Site

PAGE = (ROOT / "deploy/backup/README.md").read_text()
OWNED = ["--no-owner", "--no-privileges", "--role=banter_owner", "--exit-on-error"]
ONE_ROLE = ["--no-owner", "--no-privileges", "--exit-on-error"]
SCHEMAS = ["--schema=banter", "--schema=banter_data"]


def tool(name, *arguments):
    done = subprocess.run([servers.postgres_bin() / name, *map(str, arguments)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def dump(postgres, path, *options):
    tool("pg_dump", "--format=custom", f"--file={path}", *options, postgres.url("owner"))
    return path


@pytest.fixture(scope="module")
def elsewhere():
    """Another cluster, where the page's roles are and no data."""
    with contextlib.closing(servers.Postgres()) as server:
        server.run("create role banter_owner nologin")
        server.run("create role host login")
        yield server


class Lived:
    """A tenant who has used it: both APIs, credits, an answer under an Idempotency-Key, an exchange that runs."""

    def __init__(self, site):
        self.site, self.tenant = site, site.tenant
        site.configure(price=3, system_prompt="You are Ada.")
        site.grant(100)
        self.session, self.gate = servers.name(), servers.name("gate")
        site.chat(script("first", tokens=["one"]), self.session)
        self.conversation = site.chatbot(script("third", tokens=["three"])).json()["data"]["conversationId"]
        self.key = {"Idempotency-Key": servers.name("key")}
        self.body = json.dumps(site.body(script(servers.name("second"), tokens=["two"]), self.session))
        self.answer = self.ask_again(site)
        self.stream = site.stream(script("runs", tokens=["a"], gates={"1": self.gate}))
        assert next(self.stream)["type"] == "start"
        assert site.credits() == 88

    def ask_again(self, site):
        response = site.request("POST", "/v1/chat", self.key, data=self.body)
        assert response.status_code == 200, response.text
        return response.json()

    def end(self):
        self.site.model.open_gate(self.gate)
        assert self.stream.rest()[-1]["type"] == "done"


@pytest.fixture
def lived(site):
    one = Lived(site)
    yield one
    one.end()


def test_the_page_says_what_is_tested_here():
    for option in ["--format=custom", *OWNED, *SCHEMAS]:
        assert option in PAGE


@pytest.mark.parametrize("way", ["roles", "one role"])
def test_a_restored_dump_is_all_of_it(lived, postgres, elsewhere, standin, tmp_path, way):
    database, role = servers.name("restored").replace("-", "_"), "banter_owner" if way == "roles" else "host"
    path = dump(postgres, tmp_path / "dump", *(SCHEMAS if way == "one role" else []))
    elsewhere.run(f"create database {database} owner {role}", database="postgres")
    if way == "roles":
        tool("pg_restore", *OWNED, f"--dbname={elsewhere.url('owner', database)}", path)
        owner = elsewhere.url("owner", database) + "&options=-crole%3Dbanter_owner"
        user, migrate = "banter_app", ["migrate", "--role", "banter_app"]
    else:
        tool("pg_restore", *ONE_ROLE, f"--dbname={elsewhere.url('host', database)}", path)
        owner, user, migrate = elsewhere.url("host", database), "host", ["migrate"]
    code, out, err = ctl(*migrate, url=owner)
    assert (code, err) == (0, "") and "applied" not in out, "a backup of this version needs no migration"
    assert rows(elsewhere, database) == rows(postgres, "banter")

    with contextlib.closing(Site.start(elsewhere, elsewhere.url(user, database), standin)) as site:
        site.tenant = lived.tenant
        site.sql = lambda statement, *values: elsewhere.run(statement, *values, database=database)
        use(lived, site, owner)


def use(lived, site, owner):
    """Its keys, conversations, credits and answers, as they were."""
    assert lived.ask_again(site) == lived.answer, "the answer is given again"
    assert site.credits() == 88
    fresh = servers.name("goes on")
    site.chat(script(fresh, tokens=["x"]), lived.session)
    said = [one["content"].split(" @@")[0] for one in site.model.wait(fresh)["body"]["messages"]]
    second = json.loads(lived.body)["message"].split(" @@")[0]
    assert said == ["You are Ada.", "first", "one", second, "two", fresh]
    fresh = servers.name("goes on")
    assert site.chatbot(script(fresh, tokens=["x"]), conversationId=lived.conversation).status_code == 200
    assert len(site.model.wait(fresh)["body"]["messages"]) == 4
    assert site.credits() == 82
    assert len(site.model.requests(second)) == 2, "the second was asked once, and told as history once"

    # What ran has no worker here.
    site.sql("update banter_data.exchange set lease_until = now() - interval '1 second' where state = 'running'")
    assert record("sweep", url=owner)["lost_exchanges"] >= 1
    assert site.credits() == 85


def rows(postgres, database):
    """Everything in its tables, and its functions."""
    tables = postgres.run("""select relname from pg_class c join pg_namespace n on n.oid = relnamespace
        where nspname = 'banter_data' and relkind = 'r' order by 1""", database=database)
    return {
        "functions": postgres.run("""select p.oid::regprocedure::text, prosrc from pg_proc p join pg_namespace n
            on n.oid = pronamespace where nspname like 'banter%%' order by 1""", database=database),
        **{table: postgres.rows(table, database=database) for (table,) in tables}}


def test_keys_cannot_be_read_out_of_a_dump(lived, postgres, tmp_path):
    path = dump(postgres, tmp_path / "dump")
    text = path.read_bytes() + tool("pg_restore", "--file=-", path)
    assert b"You are Ada." in text and lived.session.encode() in text, "else this test would see nothing"
    for key in (lived.tenant.widget_key, lived.tenant.workspace_key):
        key = key.encode()
        secret = key.rpartition(b"_")[2]
        for piece in (key, secret, secret[11:45], secret[20:40]):
            assert piece not in text
