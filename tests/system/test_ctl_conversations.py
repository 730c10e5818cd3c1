"""banterctl conversation, prune: what an operator sees of conversations, takes out, brings back and deletes.
That no text stays behind a deletion is test_erasure's."""

import contextlib
import hashlib
import json
import os
import pty
import resource
import signal
import socket
import subprocess

import psycopg2
import pytest

import servers
from ctl import Terminal, ctl, empty, record  # noqa: F401  (a fixture)
from servers import BUILD, script, until
from site_client import at_once

ODD = '{ "n" : 1e999999,\n"n":2, "who":"Zoë 🎈",\r\n"deep":{"a":[1,2.50]} }'


@pytest.fixture
def url(postgres):
    return postgres.url("owner")


@pytest.fixture
def bot(site):
    """A tenant whose chatbot has some conversations, two of them in sessions."""
    site.first, site.second = servers.name(), servers.name()
    assert site.chat(script("Where is my PARCEL?", tokens=["On its", " way"]), site.first).status_code == 200
    assert site.chat(script("100% sure_?", tokens=["Quite"]), site.second).status_code == 200
    assert site.chat(script("And now?", tokens=["Über", "morgen"]), site.first).status_code == 200
    return site


def insert(site, conversations, exchanges=1, session=None, days=0, answer="fine", start=0):
    """Rows without a model: `conversations` with so many exchanges each, whose last was `days` ago."""
    site.sql(
        """insert into banter_data.conversation (
            workspace, conversation, chatbot, session, next_position, created_at, last_at)
        select %s, %s || '-' || lpad(n::text, 6, '0'), %s, %s, %s + 1,
            now() - make_interval(days => %s), now() - make_interval(days => %s)
        from generate_series(%s + 1, %s + %s) n""",
        site.tenant.workspace, site.tenant.chatbot[:20], site.tenant.chatbot, session, exchanges, days, days,
        start, start, conversations)
    site.sql(
        """insert into banter_data.exchange (workspace, exchange, conversation, chatbot, api_key, position, lease_until,
            started_at, ended_at, price, stream, state, answer_id, question, answer, chars)
        select c.workspace, c.conversation || '-' || p, c.conversation, c.chatbot, 'k', p, now(),
            c.last_at, c.last_at, 1, false, 'done', 'a', 'question ' || p, a.answer, char_length('question ' || p) + char_length(a.answer)
        from banter_data.conversation c, generate_series(1, %s) p, (select %s as answer) a
        where c.workspace = %s and c.conversation > %s || '-' || lpad(%s::text, 6, '0')
            and c.conversation <= %s || '-' || lpad(%s::text, 6, '0')""",
        exchanges, answer, site.tenant.workspace, site.tenant.chatbot[:20], start, site.tenant.chatbot[:20],
        start + conversations)


def conversation_of(site, session):
    return site.sql("select conversation from banter_data.conversation where workspace = %s and session = %s",
                    site.tenant.workspace, session)[0][0]


def count(site):
    return site.sql("select count(*) from banter_data.conversation where workspace = %s", site.tenant.workspace)[0][0]


def rows_of(database, workspace):
    """Everything there is of a workspace's conversations, but for leases, which count while it runs."""
    conversations = database.run(
        "select c::text from banter_data.conversation c where workspace = %s order by conversation", workspace)
    exchanges = database.run(
        """select exchange, conversation, chatbot, api_key, position, attempt, replaces, state, started_at, ended_at,
            price, tokens_in, tokens_cached, tokens_out, first_ms, total_ms, stream, answer_id, request_id, model,
            finish_reason, error, translate(metadata::text, E'\\r\\n', '  '), question, answer, chars
        from banter_data.exchange e where workspace = %s order by exchange""", workspace)
    return conversations, exchanges


# Looking


def test_list_shows_the_latest_first_and_no_text(bot, url):
    listed = record("conversation", "list", bot.tenant.chatbot, url=url)
    assert [(one["session"], one["exchanges"]) for one in listed] == [(bot.first, 2), (bot.second, 1)]
    assert listed[0]["conversation_id"] == conversation_of(bot, bot.first)
    assert listed[0]["chatbot_id"] == bot.tenant.chatbot and listed[0]["last_at"] >= listed[0]["created_at"]
    assert listed[0]["chatbot"] == bot.sql("select name from banter_data.chatbot where chatbot = %s", bot.tenant.chatbot)[0][0]
    code, out, err = ctl("conversation", "list", bot.tenant.chatbot, url=url)
    assert (code, err) == (0, "") and bot.first in out
    assert "PARCEL" not in out and "way" not in out


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_ids_are_whole_however_narrow_the_terminal(bot, url, columns):
    """They are what the next command is given."""
    conversation = conversation_of(bot, bot.first)
    for words in (["list", bot.tenant.chatbot], ["search", "parcel", "--chatbot", bot.tenant.chatbot]):
        with Terminal(url, columns=columns) as terminal:
            code, lines = terminal.run("conversation", *words)
        assert code == 0 and max(map(len, lines)) <= columns
        assert any(conversation in line for line in lines), lines


def test_list_of_a_session_of_late_and_some(bot, url):
    insert(bot, 3, days=30)
    listed = record("conversation", "list", bot.tenant.chatbot, "--session", bot.second, url=url)
    assert [one["session"] for one in listed] == [bot.second]
    assert len(record("conversation", "list", bot.tenant.chatbot, "--since", "29d", url=url)) == 2
    assert len(record("conversation", "list", bot.tenant.chatbot, "--since", "5w", url=url)) == 5
    assert len(record("conversation", "list", bot.tenant.chatbot, "--limit", 4, url=url)) == 4
    assert len(record("conversation", "list", url=url)) >= 5


def test_list_and_show_say_whose_it_is(bot, url):
    """And neither has the token's hash."""
    bot.sql("insert into banter_data.visitor (workspace, visitor, chatbot, hash, user_id) values (%s, 'v1', %s, sha256('token'), 'anna@x')",
            bot.tenant.workspace, bot.tenant.chatbot)
    conversation = conversation_of(bot, bot.second)
    bot.sql("update banter_data.conversation set visitor = 'v1', thread = 'main', session = null where conversation = %s", conversation)
    for option in (["--user", "anna@x"], ["--visitor", "v1"]):
        (one,) = record("conversation", "list", bot.tenant.chatbot, *option, url=url)
        assert (one["conversation_id"], one["user_id"], one["visitor"], one["thread"], one["session"]) == (conversation, "anna@x", "v1", "main", None)
    assert record("conversation", "list", bot.tenant.chatbot, "--user", "otto", url=url) == []
    assert len(record("conversation", "list", bot.tenant.chatbot, url=url)) == 2
    code, out, _ = ctl("conversation", "list", bot.tenant.chatbot, url=url)
    assert code == 0 and "anna@x" in out
    shown = ctl("conversation", "show", conversation, url=url)[1]
    assert {"- visitor: v1", "- user: anna@x", "- called: main"} <= set(shown.split("\n"))
    exported = ctl("conversation", "export", conversation, url=url)[1]
    hashed = hashlib.sha256(b"token").hexdigest()
    assert json.loads(exported)["user_id"] == "anna@x" and hashed not in exported + shown + out


@pytest.mark.parametrize("age", ["7", "d", "7 days", "-7d", "7m", "0000001d", ""])
def test_what_is_no_age_is_refused(url, age):
    for command in (["conversation", "list", "--since", age], ["prune", "--yes", "--older-than", age]):
        code, out, err = ctl(*command, url=url)
        assert (code, out) == (2, "") and "needs an age: a number and h, d, w or y (18h, 90d, 12w, 2y)" in err


def test_show_is_a_dialogue(bot, url):
    code, out, err = ctl("conversation", "show", conversation_of(bot, bot.first), url=url)
    assert (code, err) == (0, "")
    lines = out.split("\n")
    assert lines[0] == f"# Conversation {conversation_of(bot, bot.first)}"
    assert f"- session: {bot.first}" in lines
    said = [line for line in lines if line.startswith("> ")]
    assert [line.split(" @@")[0] for line in said] == [
        "> Where is my PARCEL?", "> On its way", "> And now?", "> Übermorgen"]


def test_show_lets_no_text_steer_the_terminal(site, url):
    session = servers.name()
    site.chat(script("\x1b]0;owned\x07\x9b31m\ttab\nnext", tokens=["\x1b[2J"]), session)
    code, out, _ = ctl("conversation", "show", conversation_of(site, session), url=url)
    assert code == 0
    assert {c for c in out if c < " " or "\x7f" <= c <= "\x9f"} == {"\n"}
    assert "> ?]0;owned??31m tab\n> next" in out and "> ?[2J" in out


def test_show_as_json_is_what_export_writes_and_what_runs_is_shown(bot, url):
    conversation, gate = conversation_of(bot, bot.first), servers.name()
    _, exported, _ = ctl("conversation", "export", conversation, url=url)
    assert ctl("conversation", "show", conversation, "--json", url=url) == (0, exported, "")
    stream = bot.stream(script("third", tokens=["a"], gates={"1": gate}), bot.first)
    assert next(stream)["type"] == "start"
    shown = record("conversation", "show", conversation, url=url)
    assert [one["state"] for one in shown["exchanges"]] == ["done", "done", "running"]
    assert "**Answer** (running)" in ctl("conversation", "show", conversation, url=url)[1]
    _, again, _ = ctl("conversation", "export", conversation, url=url)
    assert len(json.loads(again)["exchanges"]) == 2
    bot.model.open_gate(gate)
    stream.rest()


def test_what_is_not_there_is_said(url):
    for command in (["show", "nowhere"], ["export", "nowhere"], ["delete", "--yes", "nowhere"]):
        assert ctl("conversation", *command, url=url) == (
            1, "", 'banterctl: there is no conversation "nowhere"; see banterctl conversation list\n')
    for command in (["list", "nowhere"], ["export", "--chatbot", "nowhere"], ["search", "x", "--chatbot", "nowhere"],
                    ["delete", "--yes", "--chatbot", "nowhere", "--session", "s"]):
        code, out, err = ctl("conversation", *command, url=url)
        assert (code, out) == (1, "") and err.startswith('banterctl: there is no chatbot "nowhere"')


@pytest.mark.parametrize("text, part, excerpt", [
    ("my parcel", "question", "Where is my PARCEL? @@"),
    ("ÜBERMORGEN", "answer", "Übermorgen"),
    ("0% SURE_", "question", "100% sure_? @@"),
    ("on its way", "answer", "On its way"),
])
def test_search_finds_any_case_in_both(bot, url, text, part, excerpt):
    (hit,) = record("conversation", "search", text, "--chatbot", bot.tenant.chatbot, url=url)
    assert hit["conversation_id"] in (conversation_of(bot, bot.first), conversation_of(bot, bot.second))
    assert hit["in"] == part and excerpt in hit["excerpt"]
    assert len(hit["excerpt"]) < 90


@pytest.mark.parametrize("text", ["1_0%", "100%sure", ".*", "par%cel"])
def test_search_takes_no_character_as_special(bot, url, text):
    assert record("conversation", "search", text, "--chatbot", bot.tenant.chatbot, url=url) == []


def test_search_reads_its_text_from_standard_input(bot, url):
    words = ["conversation", "search", "-", "--chatbot", bot.tenant.chatbot, "--json"]
    code, out, _ = ctl(*words, url=url, stdin="parcel\n")
    assert code == 0 and len(json.loads(out)) == 1
    assert ctl("conversation", "search", "-", url=url, stdin="\n") == (
        2, "", "banterctl: conversation search: there is nothing to search for\n")


def test_search_goes_through_all_of_every_workspace(bot, site, url):
    """More exchanges than one step looks through, in several workspaces; the wanted ones are the oldest."""
    needle, others = servers.name("Needle"), [bot.for_new_tenant() for _ in range(3)]
    for one in (bot, *others):
        insert(one, 1, answer=f"here: {needle}")
        insert(one, 5, 500, start=1)
    hits = record("conversation", "search", needle.upper(), url=url)
    assert sorted(hit["chatbot_id"] for hit in hits) == sorted(one.tenant.chatbot for one in (bot, *others))
    assert len(record("conversation", "search", needle, "--limit", 3, url=url)) == 3
    assert len(record("conversation", "search", needle, "--chatbot", others[1].tenant.chatbot, url=url)) == 1
    words = ["conversation", "search", "question 77", "--chatbot", bot.tenant.chatbot, "--limit", 9]
    assert len(record(*words, url=url)) == 5


def test_search_is_stopped_with_what_it_found(bot, url):
    """Something holds the second step up; the interrupt comes meanwhile."""
    needle = servers.name("needle")
    insert(bot, 6, 500)
    bot.chat(script(needle, tokens=["x"]))
    with contextlib.closing(psycopg2.connect(url)) as blocker, Terminal(url, columns=160) as terminal:
        with blocker.cursor() as cursor:
            cursor.execute("lock table banter_data.exchange in access exclusive mode")
            terminal.start("conversation", "search", needle, "--chatbot", bot.tenant.chatbot)
            until(lambda: waits(bot), "the search's wait")
            terminal.type("C-c")
            terminal.await_text("^C")
            blocker.rollback()
        text = terminal.await_text("stopped; not all was looked through")
        assert conversation_of_text(bot, needle) in text


def conversation_of_text(site, text):
    return site.sql("select conversation from banter_data.exchange where workspace = %s and question like %s",
                    site.tenant.workspace, text + "%")[0][0]


def waits(site):
    """Somebody waits for a lock in the database."""
    return site.sql("""select true from pg_stat_activity
        where wait_event_type = 'Lock' and query like '%%banter.conversation_%%'""")


# Out and in


@pytest.fixture
def varied(bot):
    """Everything a row can hold: states, attempts, metadata as sent, odd characters, empty conversations."""
    answer = bot.chatbot(script("meta\u2028 \x01\"\\", tokens=["é\n\t\"]}"]))
    assert answer.status_code == 200
    bot.sql("update banter_data.exchange set metadata = %s where answer_id = %s",
            ODD, answer.json()["data"]["messageId"])
    bot.chat(script("fails", tokens=["half"], cut_after=1), bot.first)
    key = {"Idempotency-Key": servers.name("key")}
    gate = servers.name()
    body = bot.body(script("left", tokens=["some", "more"], gates={"2": gate}), bot.second)
    client = bot.call("/v1/chat/stream", body, key)
    bot.model.wait(gate, tokens_sent=1)
    until(lambda: b"some" in client.recv(65536), "the first token")
    client.close()
    until(lambda: bot.exchanges(bot.second)[-1]["state"] == "left", "the leaving")
    bot.model.open_gate(gate)
    assert bot.request("POST", "/v1/chat/stream", key, data=json.dumps(body)).status_code == 200
    assert [one["state"] for one in bot.exchanges(bot.second)] == ["done", "replaced", "done"]
    insert(bot, 2, 0)
    insert(bot, 2, 250, start=2)
    return bot


@pytest.fixture
def other(empty, varied):
    """Another database with the same chatbot, named by its id."""
    assert ctl("migrate", url=empty.url())[0] == 0
    tenant = varied.tenant
    empty.run("select banter.workspace_create(%s, 'same', null), banter.chatbot_create(%s, %s, 'Same', '')",
              tenant.workspace, tenant.workspace, tenant.chatbot)
    return empty


@pytest.mark.parametrize("words", [("export", "--format", "markdown"), ("export",), ("search", "STEER", "--csv")])
def test_nor_does_what_is_made_for_programs_if_a_terminal_gets_it(site, url, words):
    """A pipe gets the bytes."""
    site.chat(script("STEER \x1b]0;owned\x07 \x9b31m \u202e", tokens=["fine"]))
    chosen = ["--chatbot", site.tenant.chatbot] if words[0] == "export" else []
    command = [BUILD / "banterctl", "conversation", *words, *chosen]
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm", "BANTER_DATABASE_URL": url}
    piped = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True).stdout
    assert b"STEER" in piped and b"\xe2\x80\xae" in piped
    leader, follower = pty.openpty()
    shown = b""
    with os.fdopen(leader, "rb", buffering=0) as terminal, subprocess.Popen(command, env=env, stdout=follower) as running:
        os.close(follower)
        with contextlib.suppress(OSError):  # a terminal whose other end has closed
            while piece := terminal.read(65536):
                shown += piece
    assert running.returncode == 0 and b"STEER" in shown
    assert not [one for one in (b"\x1b", b"\x07", b"\xc2\x9b", b"\xe2\x80\xae") if one in shown]


def test_import_reads_back_what_export_wrote(varied, other, postgres, url, tmp_path):
    path = tmp_path / "out.jsonl"
    assert ctl("conversation", "export", "--chatbot", varied.tenant.chatbot, "--output", path, url=url) == (
        0, "7 conversations\n", "")
    assert path.stat().st_mode & 0o777 == 0o600
    records = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    assert len(records) == 7 and {len(one["exchanges"]) for one in records} >= {0, 1, 250}
    assert ctl("conversation", "import", path, url=other.url()) == (0, "7 imported, 0 were there already\n", "")
    workspace = varied.tenant.workspace
    assert rows_of(other, workspace) == rows_of(postgres, workspace)
    assert ctl("conversation", "import", path, url=other.url()) == (0, "0 imported, 7 were there already\n", "")
    other.run("update banter_data.chatbot set name = 'Demo'")
    assert ctl("conversation", "export", url=other.url()) == (0, path.read_text(), "")


def test_metadata_come_out_as_sent(varied, url):
    _, out, _ = ctl("conversation", "export", "--chatbot", varied.tenant.chatbot, url=url)
    assert ODD.replace("\r", " ").replace("\n", " ") in out


def test_what_was_imported_goes_on(varied, other, pool, url):
    """The conversation's next exchange knows its history, in the other database too."""
    from fastcgi import stream
    _, text, _ = ctl("conversation", "export", "--workspace", varied.tenant.workspace, url=url)
    _, made, _ = ctl("demo", url=other.url())
    values = dict(line.split("=", 1) for line in made.splitlines())
    words = ["conversation", "import", "-", "--chatbot", values["BANTER_CHATBOT_ID"]]
    assert ctl(*words, url=other.url(), stdin=text)[0] == 0
    tenant = servers.Tenant(values["BANTER_WIDGET_KEY"], None, values["BANTER_CHATBOT_ID"])
    message = servers.name("goes on")
    banter = pool(workers=1, database_url=other.url())
    events = stream(banter.socket, tenant, script(message, tokens=["yes"]), session=varied.first).events()
    assert events[-1]["conversationId"] == conversation_of(varied, varied.first)
    asked = varied.model.wait(message)["body"]["messages"]
    assert [one["content"].split(" @@")[0] for one in asked[1:]] == [
        "Where is my PARCEL?", "On its way", "And now?", "Übermorgen", message]


def test_a_line_that_is_no_conversation_is_named_and_leaves_nothing(varied, other, postgres, url):
    _, text, _ = ctl("conversation", "export", "--chatbot", varied.tenant.chatbot, url=url)
    lines = text.split("\n")[:-1]
    good = json.loads(max(lines, key=len))

    def changed(**members):
        return json.dumps({**good, "conversation": servers.name("c"), **members})

    def broken(**members):
        return changed(exchanges=[{**good["exchanges"][0], "exchange": servers.name("e")},
                                  {**good["exchanges"][1], "exchange": servers.name("e"), **members}])

    bad = {
        "{": "it is not JSON, or something in it is not of its type",
        "[]": "it is no conversation that this version of banterctl exports",
        "{}": "it is no conversation that this version of banterctl exports",
        changed(version=2): "it is no conversation that this version of banterctl exports",
        changed(chatbot="nowhere"): f'there is no chatbot "nowhere" of workspace {varied.tenant.workspace} here;'
                                    " --chatbot CHATBOT puts it into one that is",
        changed(conversation="a b"): "its id cannot be one",
        changed(exchanges=None): "it has no list of exchanges",
        changed(chatbot="\x1b[31m\x9b1m"): f'there is no chatbot "?[31m?1m" of workspace {varied.tenant.workspace} here;'
                                            " --chatbot CHATBOT puts it into one that is",
        changed(created_at=None): "its created_at is missing",
        changed(created_at="yesterdays"): "it is not JSON, or something in it is not of its type",
        broken(question=None): "its question is missing",
        broken(state="running", ended_at=None): "one of its exchanges had not ended",
        broken(state="over"): "one of its exchanges ended in no way that one can",
        broken(position=good["next_position"]): "one of its exchanges has no place in it",
        broken(position="secret words"): "it is not JSON, or something in it is not of its type",
        broken(exchange=good["exchanges"][0]["exchange"]): "one of its exchanges is another conversation's",
    }
    mixed = [max(lines, key=len), *bad, "", min(lines, key=len)]
    code, out, err = ctl("conversation", "import", "-", url=other.url(), stdin="\n".join(mixed))
    assert (code, out) == (1, f"2 imported, 0 were there already, {len(bad)} refused\n")
    assert err.splitlines() == [f"banterctl: line {n}: {why}" for n, why in enumerate(bad.values(), 2)]
    assert other.run("select count(*) from banter_data.conversation") == [(2,)]
    assert other.run("select count(*) from banter_data.exchange") == [(len(good["exchanges"]),)]


def test_bytes_that_are_no_text_are_named(other, tmp_path):
    path = tmp_path / "in"
    path.write_bytes(b'\xff\n{"version":"\0"}\n' + b"\x1f\x8b\n" * 30)
    code, out, err = ctl("conversation", "import", path, url=other.url())
    assert (code, out) == (1, "0 imported, 0 were there already, 20 refused\n")
    assert err.splitlines()[:2] == [f"banterctl: line {n}: it is no text in UTF-8" for n in (1, 2)]
    assert err.splitlines()[-1] == "banterctl: too much is refused: stopped behind line 20"


def test_a_session_that_is_taken_is_refused(bot, url):
    line = json.loads(ctl("conversation", "export", conversation_of(bot, bot.second), url=url)[1])
    other = bot.for_new_tenant()
    other.chat(script("mine", tokens=["x"]), bot.second)
    line["conversation"] = servers.name("c")
    words = ["conversation", "import", "-", "--chatbot", other.tenant.chatbot]
    code, out, err = ctl(*words, url=url, stdin=json.dumps(line))
    assert (code, err) == (1, "banterctl: line 1: its session has another conversation here\n")
    line["session"] = None
    code, out, err = ctl(*words, url=url, stdin=json.dumps(line))
    assert (code, err) == (0, ""), "an exchange's id is its workspace's own"
    assert ctl("conversation", "import", "-", url=url, stdin=json.dumps(line)) == (
        1, "0 imported, 0 were there already, 1 refused\n",
        "banterctl: line 1: it is here already, with another chatbot\n")


def test_two_imports_of_one_file_at_once(varied, other, url):
    _, text, _ = ctl("conversation", "export", "--chatbot", varied.tenant.chatbot, url=url)
    results = at_once(3, lambda _: ctl("conversation", "import", "-", url=other.url(), stdin=text))
    assert [(code, err) for code, _, err in results] == [(0, "")] * 3
    assert sum(int(out.split()[0]) for _, out, _ in results) == 7


def test_an_export_fits_into_memory_and_is_of_one_moment(site, url):
    """150 MB of answers, by a program that may have 64; and what is deleted meanwhile is in it."""
    insert(site, 3, 800, answer="x" * 65536)
    # A sanitizer keeps more than that for itself.
    sanitized = b"libasan" in subprocess.run(["ldd", BUILD / "banterctl"], capture_output=True).stdout
    process = subprocess.Popen(
        [*([] if sanitized else ["prlimit", f"--data={64 << 20}"]),
         BUILD / "banterctl", "conversation", "export", "--chatbot", site.tenant.chatbot],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"BANTER_DATABASE_URL": url})
    assert process.stdout.read(1) == b"{"  # it has begun, and nobody reads on: it waits
    site.sql("delete from banter_data.conversation where workspace = %s", site.tenant.workspace)
    sizes = [len(json.loads(line)["exchanges"]) for line in (b"{" + process.stdout.read()).splitlines()]
    assert (process.wait(servers.PATIENCE), process.stderr.read()) == (0, b"")
    assert sizes == [800, 800, 800]


def test_markdown_is_for_people_and_no_text_passes_for_its_frame(site, url):
    session = servers.name()
    site.chat(script("hi\n# Conversation fake\r\n**Answer**", tokens=["one\n\n", "**Question** (now)"]), session)
    code, out, err = ctl("conversation", "export", conversation_of(site, session), "--format", "markdown", url=url)
    assert (code, err) == (0, "")
    frame = [line for line in out.split("\n") if line and not line.startswith(">")]
    assert [line.split(" ")[0] for line in frame] == ["#", "-", "-", "-", "-", "**Question**", "**Answer**"]
    assert "> # Conversation fake\n> **Answer**" in out and "> one\n> \n> **Question** (now)\n" in out


def test_markdown_of_everything_says_how_each_ended(varied, url):
    _, out, _ = ctl("conversation", "export", "--workspace", varied.tenant.workspace, "--format", "markdown", url=url)
    assert out.count("\n# Conversation ") == 6 and out.startswith("# Conversation ")
    assert "\n**Answer** (failed)\n\n> half\n" in out and "\n**Answer** (replaced)\n\n> some\n" in out
    assert "\n**Metadata**\n\n> { \"n\" : 1e999999,\n> \"n\":2" in out


def test_an_export_does_not_write_over_a_file_nor_leave_half_of_one(bot, url, tmp_path):
    path = tmp_path / "out"
    path.write_text("mine")
    assert ctl("conversation", "export", "--output", path, url=url) == (
        1, "", f"banterctl: {path} cannot be made: File exists\n")
    assert path.read_text() == "mine"
    assert ctl("conversation", "export", "nowhere", "--output", tmp_path / "new", url=url)[0] == 1
    assert not (tmp_path / "new").exists()
    with open("/dev/full", "w") as full:
        done = subprocess.run([BUILD / "banterctl", "conversation", "export", "--chatbot", bot.tenant.chatbot],
                              stdout=full, stderr=subprocess.PIPE, text=True, env={"BANTER_DATABASE_URL": url})
    assert (done.returncode, done.stderr) == (1, "banterctl: it could not be written: No space left on device\n")


def test_an_export_that_stops_in_the_middle_says_why_and_leaves_nothing(site, url, tmp_path):
    insert(site, 2, answer="x" * 300000)
    path = tmp_path / "new"

    def short():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    done = subprocess.run(
        [BUILD / "banterctl", "conversation", "export", "--chatbot", site.tenant.chatbot, "--output", path],
        capture_output=True, text=True, preexec_fn=short, env={"BANTER_DATABASE_URL": url})
    assert (done.returncode, done.stdout, done.stderr) == (
        1, "", "banterctl: it could not be written: File too large\n")
    assert not path.exists()


def test_an_export_with_a_hole_is_told(site, url):
    """The large write of an answer fails, the small ones behind it do not: a datagram has a largest size."""
    insert(site, 1, answer="x" * 300000)
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, its:
        its.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100000)
        done = subprocess.run([BUILD / "banterctl", "conversation", "export", "--chatbot", site.tenant.chatbot],
                              stdout=its, stderr=subprocess.PIPE, text=True, env={"BANTER_DATABASE_URL": url})
    assert (done.returncode, done.stderr) == (1, "banterctl: it could not be written: Message too long\n")


def test_an_export_of_nothing_is_nothing(site, url):
    assert ctl("conversation", "export", "--chatbot", site.tenant.chatbot, url=url) == (0, "", "")


@pytest.mark.parametrize("words, said", [
    (["conversation", "export", "x", "--chatbot", "y"], "are three ways to say which; take one"),
    (["conversation", "export", "--format", "xml"], "--format is one of jsonl|markdown"),
    (["conversation", "delete"], "say which: CONVERSATION…, --visitor, or --chatbot with --session, --user or --metadata"),
    (["conversation", "delete", "--chatbot", "x"], "say which"),
    (["conversation", "delete", "--session", "x"], "say which"),
    (["conversation", "delete", "--user", "x"], "say which"),
    (["conversation", "delete", "--visitor", "x", "--user", "x", "--chatbot", "x"], "say which"),
    (["conversation", "delete", "--visitor", "x", "y"], "say which"),
    (["conversation", "delete", "--chatbot", "x", "--user", "x", "--session", "y"], "say which"),
    (["conversation", "delete", "x", "--chatbot", "x", "--session", "x"], "say which"),
    (["conversation", "delete", "--chatbot", "x", "--session", "x", "--metadata", "a=b"], "say which"),
    (["conversation", "delete", "--chatbot", "x", "--metadata", "a"], "--metadata needs NAME=VALUE"),
    (["prune"], "--older-than is missing"),
    (["conversation", "import"], "it needs FILE"),
], ids=lambda value: repr(value)[:60])
def test_wrong_words_are_exit_code_2(words, said):
    code, out, err = ctl(*words)
    assert (code, out) == (2, "") and said in err


def test_a_file_that_cannot_be_read_is_said(url, tmp_path):
    assert ctl("conversation", "import", tmp_path / "no", url=url) == (
        1, "", f"banterctl: {tmp_path}/no cannot be read: No such file or directory\n")


# Deleting


def test_delete_of_some_by_their_ids(bot, url):
    insert(bot, 3)
    rows = bot.sql("select conversation from banter_data.conversation where workspace = %s and session is null",
                   bot.tenant.workspace)
    ids = [row[0] for row in rows]
    assert ctl("conversation", "delete", *ids[:2], "--yes", url=url) == (
        0, "deleted 2 conversations with 2 exchanges\n", "")
    assert count(bot) == 3
    code, _, err = ctl("conversation", "delete", ids[2], ids[0], "--yes", url=url)
    assert code == 1 and f'there is no conversation "{ids[0]}"' in err
    assert count(bot) == 3, "one that is unknown: none is deleted"


def test_delete_of_a_session(bot, url):
    other = bot.for_new_tenant()
    other.chat(script("x", tokens=["y"]), bot.first)
    words = ["conversation", "delete", "--chatbot", bot.tenant.chatbot, "--session", bot.first, "--yes"]
    assert ctl(*words, url=url) == (0, "deleted 1 conversation with 2 exchanges\n", "")
    assert ctl(*words, url=url) == (0, "there are no such conversations\n", "")
    assert (count(bot), count(other)) == (1, 1)


@pytest.mark.parametrize("metadata, name, gone", [
    ({"user": "a=b"}, "user=a=b", True),
    ({"user": 42}, "user=42", True),
    ({"user": "42"}, "user=42", True),
    ({"a": 1, "user": ""}, "user=", True),
    ({"user": "%"}, "user=a", False),
    ({"user": ["42"]}, 'user=["42"]', False),
    ({"user": None}, "user=", False),
    ({"deep": {"user": "42"}}, "user=42", False),
])
def test_delete_by_metadata(site, url, metadata, name, gone):
    """The whole conversation goes, if one of its exchanges has it."""
    first = site.chatbot(script("x", tokens=["y"])).json()["data"]["conversationId"]
    site.chatbot(script("x", tokens=["y"]), conversationId=first, metadata=metadata)
    site.chatbot(script("x", tokens=["y"]), metadata={"user": "another"})
    words = ["conversation", "delete", "--chatbot", site.tenant.chatbot, "--metadata", name, "--yes"]
    code, out, err = ctl(*words, url=url)
    assert (code, err) == (0, "")
    assert out == ("deleted 1 conversation with 2 exchanges\n" if gone else "there are no such conversations\n")
    assert count(site) == 1 + (not gone)


def test_nobody_to_ask_is_exit_code_2(bot, url):
    insert(bot, 1, days=9)
    code, out, err = ctl("prune", "--older-than", "8d", "--chatbot", bot.tenant.chatbot, url=url)
    assert (code, out) == (2, "") and "say --yes" in err
    assert count(bot) == 3


def test_a_person_is_asked(bot, url):
    conversation = conversation_of(bot, bot.first)
    with Terminal(url) as terminal:
        for answer, left in (("n", 2), ("", 2), ("y", 1)):
            terminal.start("conversation", "delete", conversation)
            terminal.await_text("delete 1 conversation with 2 exchanges? [y/N]")
            terminal.type(answer, "Enter") if answer else terminal.type("Enter")
            terminal.await_text("deleted 1 conversation" if answer == "y" else "nothing was done")
            assert count(bot) == left


def test_prune_deletes_what_is_older(bot, url):
    insert(bot, 250, 2, days=91)
    other = bot.for_new_tenant()
    insert(other, 2, days=91)
    words = ["prune", "--older-than", "90d", "--yes", "--chatbot", bot.tenant.chatbot]
    assert ctl(*words, url=url) == (0, "deleted 250 conversations with 500 exchanges\n", "")
    assert ctl(*words, url=url) == (0, "there are no such conversations\n", "")
    assert (count(bot), count(other)) == (2, 2)


def test_prune_shows_its_progress_and_can_be_interrupted(bot, url):
    """Something holds its second step up; the interrupt comes meanwhile."""
    insert(bot, 350, days=91)
    with contextlib.closing(psycopg2.connect(url)) as blocker, Terminal(url) as terminal:
        with blocker.cursor() as cursor:
            cursor.execute("""select from banter_data.conversation
                where workspace = %s and conversation like '%%-000150' for update""", (bot.tenant.workspace,))
            terminal.start("prune", "--older-than", "12w", "--chatbot", bot.tenant.chatbot)
            terminal.await_text("delete 350 conversations with 350 exchanges?")
            terminal.type("y", "Enter")
            terminal.await_text("deleting: 100 of 350")
            until(lambda: waits(bot), "the wait of its second step")
            terminal.type("C-c")
            terminal.await_text("^C")
            blocker.rollback()
        terminal.await_text("stopped; 200 are deleted, run it again for the rest")
        assert count(bot) == 152
        code, lines = terminal.run("prune", "--older-than", "12w", "--chatbot", bot.tenant.chatbot, "--yes")
        assert code == 0 and lines[-1] == "deleted 150 conversations with 150 exchanges"
        assert count(bot) == 2


def test_what_goes_on_while_it_is_pruned_stays(bot, url):
    """It was old when it was chosen; then the client came back."""
    insert(bot, 1, days=91)
    with contextlib.closing(psycopg2.connect(url)) as blocker, blocker.cursor() as cursor:
        cursor.execute("""update banter_data.conversation set last_at = now()
            where workspace = %s and last_at < now() - interval '1 day'""", (bot.tenant.workspace,))
        process = subprocess.Popen(
            [BUILD / "banterctl", "prune", "--older-than", "90d", "--yes", "--chatbot", bot.tenant.chatbot],
            stdout=subprocess.PIPE, text=True, env={"BANTER_DATABASE_URL": url})
        until(lambda: waits(bot), "the pruning's wait")
        blocker.commit()
    assert process.communicate(timeout=servers.PATIENCE)[0] == "deleted 0 conversations with 0 exchanges\n"
    assert count(bot) == 3
