"""banterctl stats and tail: what the pool did, as a program and as a person sees it."""

import csv
import io
import json
import os
import re
import signal
import subprocess

import servers
import pytest
from ctl import Terminal, ctl, empty  # noqa: F401  (a fixture)
from fastcgi import chat, stream
from servers import BUILD, name, script, until


def rows(*arguments, url):
    code, out, err = ctl(*arguments, "--json", url=url)
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.fixture
def used(pool, postgres):
    """A pool, and a chatbot of a name of its own with an answer, a failure, and an answer that runs."""
    banter, tenant = pool(workers=2), postgres.demo(name=name("Shop"))
    tenant.name = postgres.run("select name from banter_data.chatbot where chatbot = %s", tenant.chatbot)[0][0]
    assert chat(banter.socket, tenant, script("question", tokens=["fine", "words"])).status == 200
    assert chat(banter.socket, tenant, script("question", status=500)).status == 500
    tenant.gate = name("gate")
    tenant.running = stream(banter.socket, tenant, script("question", tokens=["a", "b"], gates={"2": tenant.gate}))
    assert tenant.running.event()["type"] == "start"
    return tenant


def put_on_one_day(used, postgres):
    """Midnight may have come between two of its exchanges."""
    postgres.run("""update banter_data.exchange e set started_at = (select max(x.started_at)
        from banter_data.exchange x where x.workspace = e.workspace) where workspace = %s""", used.workspace)


def test_stats(used, postgres, model):
    url = postgres.url("owner")
    put_on_one_day(used, postgres)
    days = rows("stats", "--days", 2, "--chatbot", used.name, url=url)
    assert len(days) == 2
    (day,) = [day for day in days if day["exchanges"]]
    assert (day["exchanges"], day["done"], day["failed"], day["running"]) == (3, 1, 1, 1)
    assert day["tokens_out"] == 2 and isinstance(day["first_ms_half"], int)
    model.open_gate(used.gate)
    used.running.events()
    assert len(rows("stats", "--chatbot", used.chatbot, url=url)) == 14
    by = rows("stats", "--by", "error", "--chatbot", used.chatbot, url=url)
    assert sum(row["failed"] for row in by) == 1
    code, out, err = ctl("stats", "--by", "chatbot", "--chatbot", used.chatbot, "--csv", url=url)
    (row,) = csv.DictReader(io.StringIO(out, newline=""))
    assert (row["name"], row["exchanges"]) == (used.name, "3")


def test_what_was_asked_where_and_why_it_moved(used, postgres):
    url = postgres.url("owner")
    postgres.run("update banter_data.exchange set server = 'second', requests = 3, tries = 'first 503, first timed out'"
                 " where workspace = %s and state = 'done'", used.workspace)
    put_on_one_day(used, postgres)
    by = {row["name"]: row for row in rows("stats", "--by", "server", "--chatbot", used.chatbot, url=url)}
    assert {column: by["first"][column] for column in ("exchanges", "done", "failed", "asked_again", "moved", "tokens_out")} == {
        "exchanges": 1, "done": 0, "failed": 0, "asked_again": 1, "moved": 1, "tokens_out": 0}
    assert (by["second"]["exchanges"], by["second"]["done"], by["second"]["asked_again"], by["second"]["moved"]) == (1, 1, 0, 0)
    (ended,) = [row for row in rows("tail", "--chatbot", used.chatbot, url=url) if row["state"] == "done"]
    assert (ended["server"], ended["requests"], ended["tries"], ended["finish_reason"]) == (
        "second", 3, "first 503, first timed out", "stop")
    out = ctl("tail", "--chatbot", used.chatbot, url=url)[1]
    assert "second" in out and "first 503, first timed out" in out
    ((conversation,),) = postgres.run("select conversation from banter_data.exchange where exchange = %s", ended["exchange"])
    assert "**Answer** (server second, after first 503, first timed out)" in ctl("conversation", "show", conversation, url=url)[1]


def test_stats_of_a_chatbot_and_another_workspace_are_refused(used, postgres):
    url, other = postgres.url("owner"), postgres.demo()
    assert ctl("stats", "--chatbot", used.chatbot, "--workspace", other.workspace, url=url) == (
        1, "", f'banterctl: chatbot "{used.chatbot}" is not of workspace "{other.workspace}"\n')


def test_stats_in_a_terminal_fits_and_has_bars_and_NO_COLOR_has_no_colours(used, postgres, model):
    model.open_gate(used.gate)
    used.running.events()
    put_on_one_day(used, postgres)
    command = ["stats", "--chatbot", used.chatbot, "--days", "2"]
    with Terminal(postgres.url("owner"), columns=80) as terminal:
        code, lines = terminal.run(*command)
        assert code == 0 and max(map(len, lines)) <= 80
        assert any("█" * 40 in line and line.endswith(" 3") for line in lines), lines
        colours = terminal.tmux("capture-pane", "-p", "-e")
        assert "\x1b[1m" in colours
    with Terminal(postgres.url("owner"), columns=60) as terminal:
        code, lines = terminal.run(*command)
        assert code == 0 and max(map(len, lines)) <= 60
        days = [line.split()[0] for line in lines if re.match(r"\d", line)]
        assert len(days) == 2 and all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in days), lines
    with Terminal(postgres.url("owner"), columns=80, NO_COLOR="1") as terminal:
        terminal.run(*command)
        assert "\x1b[1m" not in terminal.tmux("capture-pane", "-p", "-e")
    assert "█" not in ctl(*command, url=postgres.url("owner"))[1]


def test_tail_shows_what_ended_and_what_runs_without_texts(used, postgres, model):
    url = postgres.url("owner")
    ended, failed, running = rows("tail", "--chatbot", used.chatbot, url=url)
    assert [row["state"] for row in (ended, failed, running)] == ["done", "failed", "running"]
    assert ended["chatbot"] == used.name and ended["tokens_out"] == 2 and ended["stream"] is False
    assert failed["error"] and running["first_ms"] is None and running["total_ms"] >= 0
    code, out, _ = ctl("tail", "--chatbot", used.chatbot, url=url)
    assert "question" not in out and "fine" not in out and ended["request_id"] in out
    model.open_gate(used.gate)
    used.running.events()
    assert [row["state"] for row in rows("tail", "--chatbot", used.chatbot, "--limit", 1, url=url)] == ["done"]


def test_tail_follows_until_it_is_interrupted(used, postgres, model):
    """As a program reads it: a line of JSON each, at once; each exchange once."""
    follow = subprocess.Popen(
        [BUILD / "banterctl", "tail", "--follow", "--json", "--chatbot", used.chatbot], stdout=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"], "BANTER_DATABASE_URL": postgres.url("owner")})
    try:
        seen = [json.loads(follow.stdout.readline()) for _ in range(3)]
        assert [row["state"] for row in seen] == ["done", "failed", "running"]
        model.open_gate(used.gate)
        used.running.events()
        last = json.loads(follow.stdout.readline())
        assert (last["state"], last["exchange"]) == ("done", seen[2]["exchange"])
        follow.send_signal(signal.SIGINT)
        assert follow.stdout.read() == "" and follow.wait(servers.PATIENCE) == 0
    finally:
        follow.kill()
        follow.wait()


def test_tail_follows_in_a_terminal(used, postgres, model):
    with Terminal(postgres.url("owner"), columns=100) as terminal:
        terminal.start("tail", "--follow", "--chatbot", used.chatbot)
        terminal.await_text("running")
        model.open_gate(used.gate)
        used.running.events()
        until(lambda: sum(" done " in line for line in terminal.screen().splitlines()) == 2, "the line of the one that ended")
        terminal.type("C-c")
        until(lambda: terminal.screen().rstrip().endswith("ready$"), "the end of tail")


def test_refusals_say_what_there_is(empty):  # noqa: F811
    assert ctl("migrate", url=empty.url())[0] == 0
    code, out, err = ctl("tail", "--chatbot", "nobody", url=empty.url())
    assert (code, out) == (1, "") and "nobody" in err and err.startswith("banterctl: "), err
    for days in ("0", "3661"):
        assert ctl("stats", "--days", days, url=empty.url()) == (2, "", "banterctl: stats: --days is from 1 to 3660\n")
    for days in ("many", "1000000000"):
        assert ctl("stats", "--days", days, url=empty.url()) == (
            2, "", "banterctl: stats: --days needs a whole number, of nine digits at most; see banterctl stats --help\n")
