"""Erasure and retention: what was deleted, by whichever way, is in no table any more; what ran in it costs nothing and
ends in an error; and the daily sweep takes what is due, all of it, and nothing else."""

import json

import apis
import servers
import pytest
from ctl import ctl, record
from servers import script, until
from site_client import at_once, site_of_its_own


@pytest.fixture
def url(postgres):
    return postgres.url("owner")


def places(site, words):
    """Where each of the words stands in Banter's tables, as text or inside of bytes: {what: its columns}; and in what
    PostgreSQL has sampled of them."""
    columns = site.sql(
        """select table_schema || '.' || table_name, column_name from information_schema.columns
        join information_schema.tables using (table_schema, table_name)
        where table_schema like 'banter%%' and table_type = 'BASE TABLE'""")
    assert len(columns) > 50
    site.sql("analyze banter_data.exchange, banter_data.conversation, banter_data.idempotency, banter_data.feedback, banter_data.visitor")
    columns += [("pg_catalog.pg_statistic", f"stavalues{n}") for n in range(1, 6)]
    found = site.sql(
        " union all ".join(
            f"""select word, '{table}.{column}' from unnest(%s) word where exists (select from {table}
            where position(word in "{column}"::text) > 0
                or position(encode(word::bytea, 'hex') in "{column}"::text) > 0)"""
            for table, column in columns),
        *[list(words.values())] * len(columns))
    return {what: {column for one, column in found if one == word} for what, word in words.items()}


class Marked:
    """Conversations of a tenant, in both APIs, with a word wherever a client's or the model's text gets to."""

    def __init__(self, site):
        self.site = site
        self.words = {}
        self.session = self.word("session")
        self.user = self.word("user")
        site.chat(script(self.word("question"), tokens=[self.word("answer")]), self.session)
        site.chat(script(self.word("failed question"), tokens=[self.word("partial"), "x"], cut_after=1), self.session)
        self.leave_and_come_back()
        answer = site.chatbot(script(self.word("chatbot's question"), tokens=[self.word("chatbot's answer")]),
                              {"X-Request-Id": self.word("request")},
                              metadata={"user": self.user, "deep": [{self.word("member"): self.word("value")}]})
        self.conversation = answer.json()["data"]["conversationId"]
        site.sql("""insert into banter_data.feedback (workspace, exchange, thumb, text)
            select workspace, exchange, 'up', %s from banter_data.exchange where workspace = %s and conversation = %s""",
                 self.word("feedback"), site.tenant.workspace, self.conversation)

    def word(self, what):
        self.words[what] = servers.name("word").replace("-", "")
        return self.words[what]

    def leave_and_come_back(self):
        """An attempt that another takes the place of."""
        site, gate = self.site, servers.name()
        key = {"Idempotency-Key": self.word("key")}
        message = script(self.word("left"), tokens=[self.word("left answer"), "more"], gates={"2": gate})
        body = site.body(message, self.session)
        client = site.call("/v1/chat/stream", body, key)
        until(lambda: self.words["left answer"].encode() in client.recv(65536), "the first token")
        client.close()
        until(lambda: site.exchanges(self.session)[-1]["state"] == "left", "the leaving")
        site.model.open_gate(gate)
        site.request("POST", "/v1/chat/stream", key, data=json.dumps(body))
        assert site.exchanges(self.session)[-2]["state"] == "replaced"

    def age(self, days):
        self.site.sql("""update banter_data.conversation set last_at = now() - make_interval(days => %s)
            where workspace = %s""", days, self.site.tenant.workspace)

    def ids(self):
        rows = self.site.sql("select conversation from banter_data.conversation where workspace = %s",
                             self.site.tenant.workspace)
        return [row[0] for row in rows]


def keys(site):
    """How many Idempotency-Keys are remembered."""
    return site.sql("select count(*) from banter_data.idempotency where workspace = %s", site.tenant.workspace)[0][0]


def by_id(marked, url):
    yield ctl("conversation", "delete", "--yes", *marked.ids(), url=url)


def by_session_and_metadata(marked, url):
    chatbot = marked.site.tenant.chatbot
    yield ctl("conversation", "delete", "--yes", "--chatbot", chatbot, "--session", marked.session, url=url)
    yield ctl("conversation", "delete", "--yes", "--chatbot", chatbot, "--metadata", f"user={marked.user}", url=url)


def by_age(marked, url):
    marked.age(10)
    yield ctl("prune", "--yes", "--older-than", "9d", "--chatbot", marked.site.tenant.chatbot, url=url)


def by_retention(marked, url):
    marked.site.configure(retention_days=9)
    marked.age(10)
    yield ctl("sweep", url=url)


@pytest.mark.parametrize("way", [by_id, by_session_and_metadata, by_age, by_retention], ids=lambda way: way.__name__)
def test_no_text_stays_in_any_table(site, url, way):
    site.grant(100)
    marked, other = Marked(site), Marked(site.for_new_tenant())
    before = places(site, other.words)
    assert all(places(site, marked.words).values()) and all(before.values()), "else this test would see nothing"
    left = site.credits()

    for code, _, err in way(marked, url):
        assert (code, err) == (0, "")

    assert places(site, marked.words) == dict.fromkeys(marked.words, set())
    assert places(site, other.words) == before
    assert site.credits() == left, "what was charged stays charged"
    assert keys(site) == 0


class Visited(Marked):
    """Two conversations of one visitor, who is signed in."""

    def __init__(self, site):
        self.site = site
        self.words = {}
        self.user = self.word("user")
        self.visitor = self.word("visitor")
        site.sql("insert into banter_data.visitor (workspace, visitor, chatbot, hash, user_id) values (%s, %s, %s, sha256(%s), %s)",
                 site.tenant.workspace, self.visitor, site.tenant.chatbot, self.visitor.encode(), self.user)
        for number in range(2):
            session = servers.name()
            site.chat(script(self.word(f"question {number}"), tokens=[self.word(f"answer {number}")]), session)
            site.sql("update banter_data.conversation set visitor = %s, thread = %s, session = null where workspace = %s and session = %s",
                     self.visitor, self.word(f"name {number}"), site.tenant.workspace, session)


@pytest.mark.parametrize("way", ["visitor", "user", "sweep"])
def test_nothing_of_a_visitor_stays(site, url, way):
    """By the visitor's id, by what their site calls them; or by the sweep, once their last conversation was deleted."""
    marked, other = Visited(site), Visited(site.for_new_tenant())
    before = places(site, other.words)
    assert all(places(site, marked.words).values()) and all(before.values()), "else this test would see nothing"
    which = {"visitor": ("--visitor", marked.visitor), "user": ("--chatbot", site.tenant.chatbot, "--user", marked.user),
             "sweep": marked.ids()}[way]
    code, out, err = ctl("conversation", "delete", "--yes", *which, url=url)
    assert (code, out, err) == (0, "deleted 2 conversations with 2 exchanges\n", "")
    if way == "sweep":
        assert {what for what, at in places(site, marked.words).items() if at} == {"user", "visitor"}
        assert ctl("sweep", url=url)[0] == 0
    assert places(site, marked.words) == dict.fromkeys(marked.words, set())
    assert places(site, other.words) == before


@pytest.mark.parametrize("streams", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("api", apis.BOTH, ids=lambda api: api.name)
def test_what_runs_ends_in_an_error_and_costs_nothing(site, url, api, streams):
    api = api(site)
    site.grant(10)
    site.configure(price=3)
    gate, key = servers.name(), {"Idempotency-Key": servers.name("key")}
    message = script(servers.name("hello"), tokens=["a", "b"], gates={"2": gate})

    def ask(_):
        response = api.post(api.body(message, streams, own), streams, key)
        return response.json() if not streams else apis.Stream(response).rest()

    def delete(_):
        site.model.wait(gate, tokens_sent=1)
        assert site.credits() == 7
        conversation = site.exchanges()[-1]["conversation"]
        assert ctl("conversation", "delete", "--yes", conversation, url=url) == (
            0, "deleted 1 conversation with 1 exchange\n", "")
        assert site.credits() == 10
        site.model.open_gate(gate)

    own = {"sessionId": servers.name()} if api.name == "headless" else {}
    answer, _ = at_once(2, lambda index: (ask, delete)[index](index))
    if streams:
        assert answer[-1] == api.error_event
    else:
        assert "error" in answer
    assert site.credits() == 10, "and only once"
    assert site.exchanges() == []
    assert api.answered(message, streams, own, key) == "ab", "the key is forgotten"
    assert site.credits() == 7


def test_a_conversation_that_is_gone_can_begin_again(site, url):
    session = servers.name()
    first = site.chat(script("x", tokens=["one"]), session).json()["conversationId"]
    assert ctl("conversation", "delete", "--yes", first, url=url)[0] == 0
    message = servers.name("again")
    second = site.chat(script(message, tokens=["two"]), session).json()["conversationId"]
    assert second != first
    assert len(site.model.wait(message)["body"]["messages"]) == 2, "the system prompt and the question"
    answer = site.chatbot(script("x", tokens=["y"]), conversationId=first)
    assert (answer.status_code, answer.json()["code"]) == (404, "CONVERSATION_NOT_FOUND")


def test_deleting_in_a_storm_loses_no_credit_and_stops_nobody(site, url):
    """Clients of few sessions, and two who delete them all the while: who saw an answer has paid, nobody else."""
    site.grant(1000)
    site.configure(price=3)
    sessions = [servers.name() for _ in range(3)]
    rounds, answers = 25, []

    def work(index):
        for n in range(rounds):
            if index < 2:
                code, _, err = ctl("conversation", "delete", "--yes", "--chatbot", site.tenant.chatbot, "--session",
                                   sessions[n % 3], url=url)
                assert (code, err) == (0, "")
            else:
                answers.append(site.chat(script("x", tokens=["y"]), sessions[(index + n) % 3]).status_code)

    at_once(6, work)
    assert len(answers) == 4 * rounds and set(answers) <= {200, 500}
    assert site.credits() == 1000 - 3 * answers.count(200)
    assert site.sql("select true from banter_data.exchange where workspace = %s and ended_at is null",
                    site.tenant.workspace) == []


# The sweep, in a database of its own: it takes from all.


@pytest.fixture(scope="module")
def kept(standin):
    with site_of_its_own(standin, workers=4) as site:
        yield site


@pytest.fixture
def due(kept):
    """Something of everything that a sweep takes, and beside it what it must leave."""
    owner = kept.postgres.url("owner")
    assert ctl("sweep", url=owner)[0] == 0
    site = kept.for_new_tenant(price=3, retention_days=30, rate_limit=100, rate_window=3600)
    site.grant(1000)
    site.owner = owner
    site.gates = [servers.name("lapsed"), servers.name("alive")]
    site.streams = [site.stream(script("x", tokens=["a", "b"], gates={"2": gate})) for gate in site.gates]
    assert [next(stream)["type"] for stream in site.streams] == ["start", "start"]
    site.kept_key, site.old_key = servers.name("key"), servers.name("key")
    for key in (site.kept_key, site.old_key):
        assert keyed(site, key) == "one"
    exchange = site.sql("select exchange from banter_data.idempotency where key = %s", site.old_key)[0][0]
    site.sql("delete from banter_data.idempotency where key = %s", site.old_key)
    site.sql("""insert into banter_data.idempotency (workspace, created_at, api_key, key, body_hash, chatbot, exchange)
        select %s, now() - interval '24 hours', 'k', %s || n, '', %s, %s from generate_series(1, 2500) n""",
             site.tenant.workspace, site.old_key, site.tenant.chatbot, exchange)
    site.chatbot(script("x", tokens=["y"]))
    other = kept.for_new_tenant(rate_limit=100)
    other.chatbot(script("x", tokens=["y"]))
    other.sql("update banter_data.rate_window set started_at = now() - interval '60 seconds' where workspace = %s",
              other.tenant.workspace)
    for days, tenant in ((29, site), (30, site), (1000, other)):
        session = servers.name(f"days{days}")
        tenant.chat(script("x", tokens=["y"]), session)
        tenant.sql("update banter_data.conversation set last_at = now() - make_interval(days => %s, hours => 1)"
                   " where session = %s",
                   days, session)
    site.sql("""insert into banter_data.visitor (workspace, visitor, chatbot, hash)
        select %s, 'v-' || n, %s, sha256(%s::bytea || n::text::bytea) from generate_series(1, 1201) n""",
             site.tenant.workspace, site.tenant.chatbot, site.tenant.chatbot)
    site.chat(script("x", tokens=["y"]), servers.name("visited"))
    site.sql("update banter_data.conversation set visitor = 'v-7', session = null where workspace = %s and session like 'visited%%'",
             site.tenant.workspace)
    site.other = other
    # Last: the next exchange would do it.
    site.sql("""update banter_data.exchange set lease_until = now() - interval '1 second'
        where workspace = %s and question like %s""", site.tenant.workspace, f"%{site.gates[0]}%")
    yield site
    for gate in site.gates:
        site.model.open_gate(gate)


def keyed(site, key):
    return site.chat(script("x", tokens=["one"]), "keyed", {"Idempotency-Key": key}).json()["message"]


FOUND = {"lost_exchanges": 1, "idempotency_keys": 2500, "rate_windows": 1, "conversations": 1, "exchanges": 1, "visitors": 1200}
NOTHING = dict.fromkeys(FOUND, 0)


def test_sweep_takes_what_is_due_and_leaves_the_rest(due):
    before = due.credits()
    assert record("sweep", "--dry-run", url=due.owner) == FOUND
    assert record("sweep", "--dry-run", url=due.owner) == FOUND, "a dry run does nothing"
    assert due.credits() == before
    assert record("sweep", url=due.owner) == FOUND
    assert record("sweep", url=due.owner) == record("sweep", "--dry-run", url=due.owner) == NOTHING

    assert due.credits() == before + 3
    for gate in due.gates:
        due.model.open_gate(gate)
    assert [stream.rest()[-1]["type"] for stream in due.streams] == ["error", "done"]
    assert due.credits() == before + 3
    assert keys(due) == 1
    assert due.sql("select count from banter_data.rate_window where workspace = %s", due.tenant.workspace) == [(1,)]
    sessions = due.sql("""select session from banter_data.conversation
        where session like 'days%%' and workspace in (%s, %s)""", due.tenant.workspace, due.other.tenant.workspace)
    assert sorted(name.split("-")[0] for (name,) in sessions) == ["days1000", "days29"]
    assert due.sql("select visitor from banter_data.visitor where workspace = %s", due.tenant.workspace) == [("v-7",)]


def test_sweep_for_people(due):
    code, out, err = ctl("sweep", "--dry-run", url=due.owner)
    assert (code, err) == (0, "")
    assert {" ".join(line.split()) for line in out.splitlines()} == {
        "lost exchanges 1", "idempotency keys 2500", "rate windows 1", "conversations 1", "exchanges 1", "visitors 1200"}


def test_sweeps_at_once_beside_a_running_pool(due):
    def work(index):
        if index < 4:
            return record("sweep", url=due.owner)
        return [due.chat(script("x", tokens=["y"])).status_code for _ in range(20)]

    *swept, first, second = at_once(6, work)
    assert first + second == [200] * 40
    total = {name: sum(one[name] for one in swept) for name in FOUND}
    assert total.pop("lost_exchanges") <= 4, "an exchange of the pool's may release it first"
    assert total.items() <= FOUND.items()
    assert record("sweep", "--dry-run", url=due.owner) == NOTHING
    ((reserved,),) = due.sql("select count(*) from banter_data.ledger where workspace = %s and kind = 'reserve'",
                             due.tenant.workspace)
    assert due.credits() == 1000 - 3 * (reserved - 1), "the lost one's came back, once"


def test_a_key_counts_until_the_sweep_and_is_new_behind_it(kept):
    site = kept.for_new_tenant()
    key, owner = servers.name("key"), kept.postgres.url("owner")
    for _ in range(2):
        assert keyed(site, key) == "one"
    assert len(site.exchanges()) == 1
    site.sql("update banter_data.idempotency set created_at = created_at - interval '25 hours' where workspace = %s",
             site.tenant.workspace)
    assert ctl("sweep", url=owner)[0] == 0
    assert keys(site) == 0
    assert keyed(site, key) == "one"
    assert len(site.exchanges()) == 2


def test_a_sweep_without_a_database_says_so(tmp_path):
    code, out, err = ctl("sweep", url=f"postgresql://owner@/x?host={tmp_path}")
    assert (code, out) == (1, "") and err.startswith("banterctl: ") and "cannot be reached" in err
