"""banterctl chatbot delete and workspace delete: what goes, what a client sees meanwhile, and that it may be cut off."""

import signal
import subprocess
import os

import apis
import servers
import pytest
from ctl import Terminal, ctl, record
from servers import BUILD, script, until
from site_client import at_once, site_of_its_own
from test_erasure import Marked, places

WHAT = pytest.mark.parametrize("what", ["chatbot", "workspace"])


@pytest.fixture(scope="module")
def alone(standin):
    """In a database of its own: a workspace that is deleted may be the only one."""
    with site_of_its_own(standin, workers=6) as site:
        yield site


@pytest.fixture
def doomed(alone):
    site = alone.for_new_tenant(price=3, rate_limit=1000)
    site.grant(1000)
    site.owner = alone.postgres.url("owner")
    return site


def name_of(site, what):
    return str(site.tenant.workspace) if what == "workspace" else site.tenant.chatbot


def delete(site, what, *options):
    return ctl(what, "delete", name_of(site, what), "--yes", *options, url=site.owner)


def rows_of(site, what):
    """In which tables something of it still is."""
    found = set()
    for (table,) in site.sql("""select table_name from information_schema.columns join information_schema.tables
            using (table_schema, table_name) where table_schema = 'banter_data' and table_type = 'BASE TABLE'
            and column_name = 'workspace'"""):
        if site.sql(f"select true from banter_data.{table} x where x.workspace = %s and (%s or to_jsonb(x) ->> 'chatbot' = %s)"
                    " limit 1", site.tenant.workspace, what == "workspace", site.tenant.chatbot):
            found.add(table)
    return found


@WHAT
def test_nothing_stays_in_any_table_or_sample(doomed, alone, what):
    """Not of what was said, and not of its names either, whether others are there or not."""
    marked = Marked(doomed)
    marked.words["name"], marked.words["prompt"] = (servers.name("word").replace("-", "") for _ in range(2))
    assert ctl("chatbot", "set", doomed.tenant.chatbot, f"name={marked.words['name']}", "system_prompt=@-", url=doomed.owner,
               stdin=marked.words["prompt"])[0] == 0
    if what == "workspace":
        for row in alone.sql("select workspace from banter_data.workspace where workspace <> %s", doomed.tenant.workspace):
            assert ctl("workspace", "delete", row[0], "--yes", url=doomed.owner)[0] == 0
    doomed.sql("analyze")
    assert all(places(doomed, marked.words).values()), "else this test would see nothing"
    assert len(rows_of(doomed, what)) >= 6
    assert delete(doomed, what) == (0, f"{name_of(doomed, what)} is deleted\n", "")
    assert places(doomed, marked.words) == dict.fromkeys(marked.words, set())
    assert rows_of(doomed, what) == set()
    assert doomed.sql("select true from banter_data.workspace where workspace = %s", doomed.tenant.workspace) == (
        [] if what == "workspace" else [(True,)])
    code, _, err = delete(doomed, what)
    assert code == 1 and err.startswith(f'banterctl: there is no {what} "')


@WHAT
@pytest.mark.parametrize("api", apis.BOTH, ids=lambda api: api.name)
def test_G11_what_is_deleted_is_shut_from_the_first_moment(doomed, api, what):
    """What runs ends in an error, uncharged; whoever asks from then on is told that there is no such key or chatbot."""
    api = api(doomed)
    gate = servers.name("gate")
    message = script(servers.name("hello"), tokens=["a", "b"], gates={"2": gate})
    own = {"sessionId": servers.name()} if api.name == "headless" else {}

    def ask(_):
        return apis.Stream(api.post(api.body(message, True, own), True, {})).rest()

    def end(_):
        doomed.model.wait(gate, tokens_sent=1)
        assert delete(doomed, what)[0] == 0
        doomed.model.open_gate(gate)

    answer, _ = at_once(2, lambda index: (ask, end)[index](index))
    assert answer[-1] == api.error_event
    response = api.post(api.body("hello", False, own), False, {})
    expected = (404, "CHATBOT_NOT_FOUND") if what == "chatbot" and api.name == "chatbot" else (401, "INVALID_API_KEY")
    assert response.status_code == expected[0]
    assert api.name == "headless" or response.json()["code"] == expected[1]
    if what == "chatbot":
        assert doomed.credits() == 1000


def fill(site, conversations):
    site.sql("""insert into banter_data.conversation (workspace, conversation, chatbot, next_position)
        select %s, 'filled-' || n, %s, 3 from generate_series(1, %s) n""", site.tenant.workspace, site.tenant.chatbot, conversations)
    site.sql("""insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, lease_until,
            ended_at, price, answer_id, state, stream, question, answer)
        select %s, c || '-' || p, c, %s, 'k', p, now(), now(), 0, 'a', 'done', false, 'q', 'a'
        from generate_series(1, 2) p, (select 'filled-' || n as c from generate_series(1, %s) n) c""",
             site.tenant.workspace, site.tenant.chatbot, conversations)


@WHAT
def test_cut_off_it_goes_on_when_it_is_run_again(doomed, alone, what):
    """Ended at once or asked to stop; meanwhile it is shut, and others are served."""
    other = alone.for_new_tenant()
    fill(doomed, 4000)
    left = "select count(*) from banter_data.exchange where workspace = %s"
    for number, signal_ in enumerate((signal.SIGINT, signal.SIGKILL)):
        before = doomed.sql(left, doomed.tenant.workspace)[0][0]
        process = subprocess.Popen(
            [BUILD / "banterctl", what, "delete", name_of(doomed, what), "--yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={"PATH": os.environ["PATH"], "BANTER_DATABASE_URL": doomed.owner})
        until(lambda before=before: doomed.sql(left, doomed.tenant.workspace)[0][0] < before, "the first batch")
        process.send_signal(signal_)
        _, err = process.communicate(timeout=servers.PATIENCE)
        if not number:
            assert process.returncode == 1 and err == "banterctl: stopped before all was deleted; run it again for the rest\n"
        assert doomed.sql(left, doomed.tenant.workspace)[0][0] > 0
        assert doomed.chat("hello").status_code == 401
        assert other.chat(script("x", tokens=["y"])).status_code == 200
    assert record(what, "show", name_of(doomed, what), url=doomed.owner)["active"] is False
    assert delete(doomed, what)[0] == 0
    assert rows_of(doomed, what) == set()


def test_opened_again_meanwhile_it_stops(doomed):
    fill(doomed, 16000)
    left = "select count(*) from banter_data.exchange where workspace = %s"

    def work(index):
        if index:
            return delete(doomed, "chatbot")
        until(lambda: doomed.sql(left, doomed.tenant.workspace)[0][0] < 32000, "the first batch")
        return ctl("chatbot", "set", doomed.tenant.chatbot, "active=yes", url=doomed.owner)

    (opened, *_), (code, _, err) = at_once(2, work)
    assert (opened, code) == (0, 1)
    assert err.startswith("banterctl: it was opened again meanwhile; what was deleted by then is gone\n")
    assert doomed.chat(script("x", tokens=["y"])).status_code == 200


def test_totals_are_kept_without_a_name_if_that_is_wanted(doomed):
    was = {row["month"]: row for row in record("credits", "totals", url=doomed.owner)}
    for _ in range(2):
        assert doomed.chat(script("x", tokens=["y"])).status_code == 200
    assert doomed.chat(script("x", status=500)).status_code == 500
    assert delete(doomed, "workspace", "--keep-totals")[0] == 0
    (now,) = [row for row in record("credits", "totals", url=doomed.owner) if row != was.get(row["month"])]
    before = was.get(now["month"], {"granted": 0, "spent": 0})
    assert (now["granted"] - before["granted"], now["spent"] - before["spent"]) == (1000, 6)
    assert not rows_of(doomed, "workspace")


def test_it_asks_and_says_what_goes(doomed):
    doomed.chat(script("x", tokens=["y"]))
    ((workspace, chatbot),) = doomed.sql("""select w.name, c.name from banter_data.workspace w join banter_data.chatbot c using (workspace)
        where workspace = %s""", doomed.tenant.workspace)
    with Terminal(doomed.owner, columns=200) as terminal:
        mark = terminal.start("chatbot", "delete", doomed.tenant.chatbot)
        terminal.await_text(f'delete chatbot "{chatbot}" of workspace "{workspace}" with 1 key, 1 conversation and 1 exchange? it is'
                            " shut at once, and nothing brings it back [y/N]")
        terminal.type("n", "Enter")
        assert terminal.end(mark)[0] == 1
        mark = terminal.start("workspace", "delete", str(doomed.tenant.workspace))
        terminal.await_text(f'delete workspace "{workspace}" with 1 chatbot, 2 keys, 1 conversation and 1 exchange, and 997 credits'
                            " unspent? it is shut at once, and nothing brings it back [y/N]")
        terminal.type("n", "Enter")
        assert terminal.end(mark)[0] == 1
    assert doomed.chat(script("x", tokens=["y"])).status_code == 200, "nothing was done"
    code, out, err = ctl("workspace", "delete", doomed.tenant.workspace, url=doomed.owner)
    assert (code, out) == (2, "") and err == "banterctl: workspace delete: nobody is here to be asked; say --yes\n"
