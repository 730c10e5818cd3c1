"""From the releases before to this one, as an operator does it: with a filled database, its workers at work and requests
coming in all the time; then back. One story, told once (`story`); each test looks at one side of it."""

import contextlib
import json
import re
import time

import psycopg2
import pytest
import release
import servers
import traffic
from ctl import ctl
from filling import EXCHANGES, FILL
from servers import script, until
from site_client import Site, Stream

LEASE = 6  # seconds: a stream that is held is renewed several times during the story
BOTS = {  # every setting a chatbot can have, in some chatbot
    "plain": [],
    "warm": ["system_prompt=@-", "model=other-model", "temperature=0.7", "max_tokens=99"],
    "short": ["history_messages=2", "history_chars=500", "stream=yes", "price=3"],
    "strict": ["rate_limit=100000", "rate_window=3600", "retention_days=90", "temperature=0"],
    "free": ["price=0", "history_messages=0", "rate_limit=0"],
    "off": ["active=no"],
}

KEPT = """
select md5(string_agg(t.line, e'\\n' order by t.line)), count(*) from (
    select row(e.workspace, e.exchange, e.conversation, e.chatbot, e.api_key, e.position, e.attempt, e.ended_at, e.price,
        e.answer_id, e.state, e.stream, e.question, e.answer, case when e.ended_at is not null then e.chars end, e.tokens_in, e.tokens_out, e.error, e.metadata)::text as line
    from banter_data.exchange e where e.exchange like 'filled-%'
    union all select jsonb_strip_nulls(to_jsonb(c) - 'history_from')::text from banter_data.conversation c where c.conversation like 'filled-%'
    union all select row(i.*)::text from banter_data.idempotency i where i.key like 'filled-%') t
"""


# A chatbot's settings that the release before had not, as they are shown where nobody has set them.
NEW = {"on_leave": "stop", "detached_time": 60, "on_repeat": "refuse"}


def must(postgres, *words, **options):
    """A command of the programs that are in force; its output."""
    code, out, err = ctl(*words, url=postgres.url("owner"), **options)
    assert (code, err) == (0, ""), (words, code, out, err)
    return out


def settings_of_all(postgres):
    """Each row of what an operator has set, column by column, and each chatbot as banterctl shows it. What is null is not set, as
    it is where a column is new."""
    kept = {}
    for table, left_out in (("chatbot", ()), ("workspace", ("credits",)), ("api_key", ("last_used_at",))):
        connection = psycopg2.connect(postgres.url("owner"))
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(f"select to_jsonb(t)::text from banter_data.{table} t")
            rows = [json.loads(row) for (row,) in cursor.fetchall()]
        kept[table] = sorted(json.dumps({k: v for k, v in row.items() if v is not None and k not in left_out}, sort_keys=True) for row in rows)
    for (chatbot,) in postgres.run("select chatbot from banter_data.chatbot order by 1"):
        shown = json.loads(must(postgres, "chatbot", "show", chatbot, "--json"))
        kept[chatbot] = {name: value for name, value in (shown[0] if isinstance(shown, list) else shown).items()
                         if value is not None and name not in ("conversations", "exchanges", "last_at")}
    return kept


class Held:
    """A stream that has begun and waits for its second token until it is let go."""

    def __init__(self, site):
        self.site, self.gate = site, servers.name("gate")
        self.asked = traffic.Asked(traffic.Headless(site), True, True)
        self.asked.message = script(self.asked.mark, tokens=["a", "b"], gates={"2": self.gate})
        self.stream = Stream(self.post(site))
        assert [next(self.stream)["type"], next(self.stream)["token"]] == ["start", "a"]

    def post(self, site):
        api = traffic.Headless(site)
        return api.post(api.body(self.asked.message, True, self.asked.own), True, self.asked.headers)

    def lease(self):
        ((lease,),) = self.site.sql("select lease_until from banter_data.exchange where question like %s", f"%{self.asked.mark}%")
        return lease

    def finish(self):
        self.site.model.open_gate(self.gate)
        return self.stream.rest()[-1]


class Story:
    """What happened. The servers run on until the module's end."""

    def __init__(self, before, standin, stack):
        self.before, self.standin, self.stack = before, standin, stack
        with release.programs_of(before):
            self.postgres = stack.enter_context(contextlib.closing(servers.Postgres()))
            self.version_before = self.version()
            self.tenant = self.postgres.demo()
            must(self.postgres, "workspace", "set", str(self.tenant.workspace), "credits=1000000", "max_open=500")
            for bot, settings in BOTS.items():
                must(self.postgres, "chatbot", "create", str(self.tenant.workspace), bot, *settings, stdin="Be warm.")
            must(self.postgres, "workspace", "create", "Other", "credits=7", "max_open_per_key=3")
            must(self.postgres, "chatbot", "create", "Other", "others", "price=2")
            self.old = self.site()
        self.postgres.run(FILL)
        self.filled = self.postgres.run(KEPT)
        self.shown_servers = [self.postgres, self.old.banter, self.old.nginx]

    def version(self):
        return self.postgres.run("select banter.schema_version()")[0][0]

    def site(self):
        """A pool of the programs in force, behind nginx."""
        banter = self.stack.enter_context(contextlib.closing(servers.Banter(
            self.postgres.url(), self.standin.url, workers=8, lease=LEASE, heartbeat="1s", database_time="2.5s")))
        nginx = self.stack.enter_context(contextlib.closing(servers.Nginx(banter.socket)))
        return Site(self.postgres, self.standin.control, banter, nginx, self.tenant)

    def tell(self):
        with release.programs_of(self.before):
            self.settings_before = settings_of_all(self.postgres)
        old = traffic.Traffic(self.old)
        old.go_on(40)
        self.held = Held(self.old)
        self.lease_before = self.held.lease()
        # The new program's operator, while all goes on.
        began = time.monotonic()
        self.migrated = must(self.postgres, "migrate", "--role", "banter_app")
        self.migration = (began, time.monotonic())
        self.lease_at_migration = self.held.lease()
        self.settings_after = settings_of_all(self.postgres)
        # Old workers on the new schema; then new ones beside them.
        old.go_on(40)
        until(lambda: self.held.lease() > self.lease_at_migration, "a renewal by an old worker on the new schema")
        self.new = self.site()
        self.shown_servers += [self.new.banter, self.new.nginx]
        self.while_it_runs = self.held.post(self.new)
        new = traffic.Traffic(self.new)
        new.go_on(40)
        self.held_end = self.held.finish()
        self.by_new_while_old_ran = new.stop()
        self.by_old = old.stop()
        # And back: the old program starts on the new schema.
        self.old_log = self.old.banter.text()
        self.old.banter.end()
        with release.programs_of(self.before):
            self.old.banter.start()
        again = traffic.Traffic(self.old)
        again.go_on(40)
        self.by_old_again = again.stop()
        return self

    def all_asked(self):
        return [*self.by_old, *self.by_new_while_old_ran, *self.by_old_again]


@pytest.fixture(scope="module")
def story(before):
    with contextlib.ExitStack() as stack:
        yield Story(before, stack.enter_context(contextlib.closing(servers.StandIn())), stack).tell()


def test_the_migrations_are_done_at_once(story):
    assert story.version_before in release.COMMITS
    files = sorted((servers.ROOT / "sql/migrations").iterdir())[story.version_before:]
    steps = [line for line in story.migrated.splitlines() if ": step " in line]
    assert all(line.startswith("migrations/000") for line in steps)
    assert len(steps) >= sum(file.read_text().count("\n-- banter: step\n") for file in files)
    assert [line for line in story.migrated.splitlines() if line not in steps] == [*(f"applied migrations/{file.name}" for file in files), f"the schema has version {release.NOW}"]
    assert story.version() == release.NOW


def test_every_request_is_answered(story):
    wrong = [(one.api.name, one.streams, one.began - story.migration[0], one.wrong) for one in story.all_asked() if one.wrong]
    assert wrong == []
    began, ended = story.migration
    during = [one for one in story.by_old if one.ended > began and one.began < ended]
    assert len(during) >= 4, "there was traffic while it migrated"
    assert {(one.api.name, one.streams) for one in story.by_old if one.began > ended} == {
        (api, streams) for api in ("headless", "chatbot") for streams in (True, False)}


def test_every_answer_is_stored_once_and_asked_for_once(story):
    rows = story.postgres.run("""select substring(question from 'asked-[0-9a-f]+'), array_agg(state order by state),
        array_agg(answer order by state) from banter_data.exchange where question like 'asked-%' group by 1""")
    stored = {mark: (states, answers) for mark, states, answers in rows}
    expected = {one.mark: (["done"], [one.answer]) for one in story.all_asked()}
    expected[story.held.asked.mark] = (["done"], ["ab"])
    assert stored == expected
    assert len(story.standin.control.requests("asked-")) == len(expected)


def test_credits_add_up(story):
    spent = len(story.all_asked()) + 1
    ((credits, booked),) = story.postgres.run("""select w.credits, (select sum(l.delta) from banter_data.ledger l
        where l.workspace = w.workspace) from banter_data.workspace w where w.workspace = %s""", story.tenant.workspace)
    assert (credits, booked) == (1000000 - spent, 1000000 - spent)


def test_what_was_there_is_as_it_was(story):
    assert story.filled[0][1] == EXCHANGES + EXCHANGES // 10 + EXCHANGES // 10 * 2
    assert story.postgres.run(KEPT) == story.filled


def test_no_setting_has_changed(story):
    assert len(story.settings_before["chatbot"]) == len(BOTS) + 2
    before = {what: {**NEW, **kept} if isinstance(kept, dict) else kept for what, kept in story.settings_before.items()}
    assert story.settings_after == before


def test_S10_a_stream_across_the_migration_is_renewed_and_stored(story):
    assert story.lease_at_migration >= story.lease_before
    assert (story.held_end["type"], story.held_end["message"]) == ("done", "ab")


def test_I1_retries_across_the_switch(story):
    """What one program has begun the other replays, and while it runs the other says so."""
    response = story.while_it_runs
    assert (response.status_code, response.json()) == (409, {"error": "Request in progress"})
    assert int(response.headers["Retry-After"]) >= 1
    again = Stream(story.held.post(story.new)).rest()
    assert (again[-1]["type"], again[-1]["message"]) == ("done", "ab")
    before = len(story.standin.control.requests("asked-"))
    for some, other in ((story.by_old, story.new), (story.by_new_while_old_ran, story.old)):
        keyed = [one for one in some if one.headers and not one.wrong]
        for one in (*keyed[:4], *keyed[-4:]):
            assert one.send(type(one.api)(other)) == one.answer
    assert len(story.standin.control.requests("asked-")) == before


def test_the_old_program_on_the_new_schema_warns_and_works(story):
    warning = f"the database's schema has version {release.NOW}, newer than this program's {story.version_before}: install the newer program"
    assert warning in story.old.banter.text().replace(story.old_log, "")
    assert warning not in story.old_log and story.by_old_again
    for log in (story.old.banter.text(), story.new.banter.text()):
        errors = [line for line in log.splitlines() if re.search(r"Z error ", line)]
        assert errors[:3] == []


def test_the_old_operators_program_leaves_it_alone(story):
    with release.programs_of(story.before):
        code, _, err = ctl("migrate", url=story.postgres.url("owner"))
        assert code == 1 and f"the schema has version {release.NOW}, newer than this program's {story.version_before}" in err
        assert must(story.postgres, "chatbot", "show", story.tenant.chatbot)
    assert story.version() == release.NOW


def test_doctor_is_content(story):
    env = {**story.new.banter.env, "BANTER_ADMIN_DATABASE_URL": story.postgres.url("owner"), "BANTER_HEARTBEAT": "15s",
           "BANTER_WORKERS": "8", "BANTER_LISTEN": f"unix:{story.new.banter.socket}", "RES_OPTIONS": "timeout:1 attempts:1"}
    code, out, err = ctl("doctor", "--json", **env)
    found = {(one["check"], one["verdict"]) for one in json.loads(out)}
    assert code == 0 and {("schema", "ok"), ("roles", "ok")} <= found, (out, err)
    assert {verdict for check, verdict in found if check in ("schema", "roles")} == {"ok"}
