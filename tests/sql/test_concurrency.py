"""What the functions promise when many call at once.

Not for what one session can see: that is pgTAP's. Rests on BANTER_TEST_ADMIN_URL, a database with the schema
applied, reached as its owner; every test works in a workspace of its own. Order comes from barriers and from
pg_stat_activity ("he waits"), never from sleeping; timeouts only keep a deadlocked test from hanging.
"""

import hashlib
import os
import secrets
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

GUARD = 120


def connect():
    url = os.environ.get("BANTER_TEST_ADMIN_URL")
    assert url, "BANTER_TEST_ADMIN_URL is not set: run tests/sql/run"
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"set statement_timeout = '{GUARD}s'; set deadlock_timeout = '200ms'")
    return connection


def rows(connection, statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else None


def value(connection, statement, *parameters):
    return rows(connection, statement, *parameters)[0][0]


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


def begin(connection, workspace, *, kind="widget", chatbot=None, session="s", conversation=None,
          idem=None, lease=300, exchange=None, new=None):
    """The first row of exchange_begin, by name, and the exchange's id."""
    exchange = exchange or secrets.token_hex(12)
    names = ("outcome", "conversation", "message_id", "limit_max", "limit_remaining", "retry_after", "answer")
    row = rows(
        connection,
        f"select {', '.join(names)} from banter.exchange_begin(%s, %s, %s, %s, %s, %s, %s, %s, %s, 'hello', null,"
        f" true, %s, %s, %s, 20, 10000, 'r', p_lock_ms => {GUARD * 1000})",
        workspace, sha256("wk" if kind == "widget" else "sk"), kind,
        None if kind == "widget" else chatbot or "bot", exchange, exchange + "a", conversation,
        new or exchange + "c", session if kind == "widget" else None, idem, sha256("body"), lease)[0]
    return dict(zip(names, row)), exchange


def finish(connection, workspace, exchange, state="done", answer="hi"):
    return value(connection, f"select banter.exchange_end(%s, %s, %s, %s, 'stop', 1, 1, null, 1, 1, 'default', 1, null, {GUARD * 1000})",
                 workspace, exchange, state, answer)


def at_once(clients, work):
    """work(number, connection) in as many threads, each on its own connection, let go together."""
    barrier = threading.Barrier(clients)

    def one(number):
        connection = connect()
        try:
            barrier.wait(GUARD)
            return work(number, connection)
        finally:
            connection.close()

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, range(clients), timeout=4 * GUARD))


def until_waiting(admin, pid):
    """Returns once that backend waits for a lock."""
    for _ in range(GUARD * 100):
        if value(admin, "select wait_event_type is not distinct from 'Lock' from pg_stat_activity where pid = %s", pid):
            return
        time.sleep(0.01)
    raise AssertionError("it never waited")


@pytest.fixture(name="admin")
def admin_connection():
    connection = connect()
    yield connection
    connection.close()


@pytest.fixture(name="workspace")
def one_workspace(admin):
    """An unlimited workspace with chatbot bot, widget key wk and workspace key sk."""
    workspace = secrets.randbits(62)
    value(admin, "select banter.workspace_create(%s, 'w', null)", workspace)
    value(admin, "select banter.chatbot_create(%s, 'bot', 'b', '')", workspace)
    value(admin, "select banter.key_create(%s, 'wk', 'widget', 'bot', %s, '', '')", workspace, sha256("wk"))
    value(admin, "select banter.key_create(%s, 'sk', 'workspace', null, %s, '', '')", workspace, sha256("sk"))
    yield workspace
    rows(admin, "delete from banter_data.workspace where workspace = %s", workspace)


def grant(admin, workspace, credits):
    rows(admin, "update banter_data.workspace set credits = %s where workspace = %s", credits, workspace)
    rows(admin, "insert into banter_data.ledger (workspace, delta, kind, balance_after) values (%s, %s, 'grant', %s)",
         workspace, credits, credits)


def credits_of(admin, workspace):
    """What it has, after a look at whether the ledger agrees."""
    held, ledger = rows(
        admin, "select w.credits, (select sum(delta) from banter_data.ledger l where l.workspace = w.workspace)"
        " from banter_data.workspace w where w.workspace = %s", workspace)[0]
    assert held == ledger
    return held


def test_one_idempotency_key_starts_once(admin, workspace):
    """I1: of 50 at once with one key exactly one starts, whatever conversation each would have made."""
    grant(admin, workspace, 50)
    for kind in ("widget", "workspace"):
        results = at_once(50, lambda number, c, kind=kind: begin(c, workspace, kind=kind, idem="k"))
        outcomes = Counter(first["outcome"] for first, _ in results)
        assert outcomes == {"started": 1, "in_progress": 49}
    assert credits_of(admin, workspace) == 48
    assert value(admin, "select count(*) from banter_data.exchange where workspace = %s", workspace) == 2
    assert value(admin, "select count(*) from banter_data.conversation where workspace = %s", workspace) == 2


def test_a_left_or_lapsed_one_reruns_once(admin, workspace):
    """I1, S10: of 20 at once that repeat a left, and a lapsed, exchange one runs anew."""
    grant(admin, workspace, 10)
    _, left = begin(admin, workspace, idem="left")
    assert finish(admin, workspace, left, "left", "part") == "stored"
    begin(admin, workspace, idem="lapsed", lease=-1)
    for key in ("left", "lapsed"):
        results = at_once(20, lambda number, c, key=key: begin(c, workspace, idem=key))
        assert Counter(first["outcome"] for first, _ in results) == {"started": 1, "in_progress": 19}
    assert credits_of(admin, workspace) == 8
    assert rows(admin, "select position, count(*) from banter_data.exchange where workspace = %s group by 1 order by 1",
                workspace) == [(1, 2), (2, 1), (3, 1)]


def test_the_same_begin_sent_twice_at_once(admin, workspace):
    """A begin sent again while the first still runs: both are told the same, one is written."""
    grant(admin, workspace, 10)
    rows(admin, "update banter_data.chatbot set rate_limit = 50 where workspace = %s", workspace)
    results = at_once(10, lambda number, c: begin(c, workspace, kind="workspace", exchange="same"))
    assert [first["outcome"] for first, _ in results] == ["started"] * 10
    assert {first["conversation"] for first, _ in results} == {"samec"}
    assert {first["limit_remaining"] for first, _ in results} == {49}
    assert credits_of(admin, workspace) == 9
    assert value(admin, "select count from banter_data.rate_window where workspace = %s", workspace) == 1


def test_rate_limit_is_exact(admin, workspace):
    """B4: 200 requests at a limit of 50: 50 pass, each told another rest."""
    rows(admin, "update banter_data.chatbot set rate_limit = 50, rate_window = 3600 where workspace = %s", workspace)
    results = sum(at_once(20, lambda number, c: [
        begin(c, workspace, kind="workspace")[0] for _ in range(10)]), [])
    outcomes = Counter(first["outcome"] for first in results)
    assert outcomes == {"started": 50, "limited": 150}
    passed = [first["limit_remaining"] for first in results if first["outcome"] == "started"]
    assert sorted(passed) == list(range(50))
    assert all(first["retry_after"] >= 1 for first in results if first["outcome"] == "limited")
    assert value(admin, "select count from banter_data.rate_window where workspace = %s", workspace) == 200


def test_caps_are_exact(admin, workspace):
    """G10: of 60 at once with both keys, as many begin as the workspace, and the key, has places; ends free them."""
    rows(admin, "update banter_data.workspace set max_open = 10, max_open_per_key = 7 where workspace = %s", workspace)
    for ended in (0, 10):
        results = at_once(60, lambda number, c: begin(
            c, workspace, kind=("widget", "workspace")[number % 6 == 0], session=str(number)))
        started = [exchange for first, exchange in results if first["outcome"] == "started"]
        assert Counter(first["outcome"] for first, _ in results) == {"started": 10, "full": 50}, ended
        per_key = rows(admin, "select count(*) from banter_data.exchange where workspace = %s and ended_at is null group by api_key", workspace)
        assert max(count for (count,) in per_key) <= 7
        for exchange in started:
            assert finish(admin, workspace, exchange) == "stored"


def test_credits_never_below_zero(admin, workspace):
    """B5: 20 clients spend, fail, leave and die at a balance of 37; what is charged is what is gone."""
    grant(admin, workspace, 37)
    ends = ("done", "failed", "left", "empty", "dead")

    def client(number, connection):
        seen = []
        for turn in range(15):
            kind = ("widget", "workspace")[turn % 2]
            end = ends[(number + turn) % len(ends)]
            first, exchange = begin(connection, workspace, kind=kind, session=f"s{number % 3}",
                                    lease=-1 if end == "dead" else 300)
            seen.append(first["outcome"])
            if first["outcome"] != "started" or end == "dead":
                continue
            state, answer = {"empty": ("left", "")}.get(end, (end, "text"))
            assert finish(connection, workspace, exchange, state, answer) == "stored"
        return seen

    outcomes = Counter(sum(at_once(20, client), []))
    assert set(outcomes) <= {"started", "no_credit"}
    charged = value(admin, "select count(*) from banter_data.exchange where workspace = %s"
                    " and state in ('done', 'left')", workspace)
    begin(admin, workspace, session="last", idem="x")  # gives up what the dead left
    running = value(admin, "select count(*) from banter_data.exchange where workspace = %s and state = 'running'",
                    workspace)
    assert credits_of(admin, workspace) == 37 - charged - running
    assert value(admin, "select min(balance_after) from banter_data.ledger where workspace = %s", workspace) >= 0
    assert rows(admin, "select conversation, position from banter_data.exchange where workspace = %s"
                " group by 1, 2 having count(*) > 1", workspace) == []


def test_the_last_credit_goes_to_one(admin, workspace):
    """B5: 30 first messages, a conversation each, for 3 credits; the refused leave no conversation."""
    grant(admin, workspace, 3)
    results = at_once(30, lambda number, c: begin(c, workspace, session=f"s{number}", idem=f"k{number}"))
    assert Counter(first["outcome"] for first, _ in results) == {"started": 3, "no_credit": 27}
    assert credits_of(admin, workspace) == 0
    for table in ("conversation", "exchange", "idempotency"):
        assert value(admin, f"select count(*) from banter_data.{table} where workspace = %s", workspace) == 3


def test_first_messages_of_one_session(admin, workspace):
    """S9: they share one conversation and stand in it one after the other."""
    results = at_once(20, lambda number, c: begin(c, workspace))
    assert {first["outcome"] for first, _ in results} == {"started"}
    assert len({first["conversation"] for first, _ in results}) == 1
    assert [r[0] for r in rows(admin, "select position from banter_data.exchange where workspace = %s order by 1",
                               workspace)] == list(range(1, 21))


def test_first_messages_without_credit_take_turns(admin, workspace):
    """One that made the session's conversation and takes it back does not take it from the next."""
    grant(admin, workspace, 1)
    results = at_once(20, lambda number, c: begin(c, workspace))
    assert Counter(first["outcome"] for first, _ in results) == {"started": 1, "no_credit": 19}
    assert rows(admin, "select next_position from banter_data.conversation where workspace = %s", workspace) == [(2,)]


def test_finish_and_rerun_of_a_lapsed_one(admin, workspace):
    """A late worker stores while its key is repeated: the repeat waits and gets that answer."""
    _, exchange = begin(admin, workspace, idem="k", lease=-1)
    late, repeat = connect(), connect()
    late.autocommit = False
    assert finish(late, workspace, exchange) == "stored"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(begin, repeat, workspace, idem="k")
        until_waiting(admin, repeat.get_backend_pid())
        late.commit()
        assert answer.result(GUARD)[0]["outcome"] == "replay"
    late.close()
    repeat.close()


def test_finish_after_a_rerun_has_begun(admin, workspace):
    """The other order: the repeat gives the lapsed one up, and its late worker is told so."""
    grant(admin, workspace, 5)
    _, exchange = begin(admin, workspace, idem="k", lease=-1)
    late, repeat = connect(), connect()
    repeat.autocommit = False
    assert begin(repeat, workspace, idem="k")[0]["outcome"] == "started"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(finish, late, workspace, exchange)
        until_waiting(admin, late.get_backend_pid())
        repeat.commit()
        assert answer.result(GUARD) == "gone"
    assert credits_of(admin, workspace) == 4
    late.close()
    repeat.close()


def test_a_workspace_that_becomes_unlimited_meanwhile(admin, workspace):
    """Its credits are gone when the begin that wants one gets its row: that costs nothing, and is no 402."""
    grant(admin, workspace, 5)
    operator, asker = connect(), connect()
    operator.autocommit = False
    rows(operator, "update banter_data.workspace set credits = null where workspace = %s", workspace)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(begin, asker, workspace)
        until_waiting(admin, asker.info.backend_pid)
        operator.commit()
        first, exchange = answer.result(GUARD)
    operator.close()
    asker.close()
    assert first["outcome"] == "started"
    assert value(admin, "select price from banter_data.exchange where workspace = %s and exchange = %s",
                 workspace, exchange) == 0


def test_a_finish_in_place_does_not_wait_for_its_conversation(admin, workspace):
    """Who erases it holds the conversation and waits for the exchange."""
    grant(admin, workspace, 5)
    _, left = begin(admin, workspace, idem="k")
    assert finish(admin, workspace, left, "left", "part") == "stored"
    _, again = begin(admin, workspace, idem="k")
    eraser = connect()
    eraser.autocommit = False
    rows(eraser, "select from banter_data.conversation where workspace = %s for update", workspace)
    assert finish(admin, workspace, again) == "stored"
    eraser.rollback()
    eraser.close()
    assert rows(admin, "select exchange, state, price from banter_data.exchange where workspace = %s order by attempt",
                workspace) == [(left, "replaced", 1), (again, "done", 1)]
    assert credits_of(admin, workspace) == 4


def test_an_end_that_cuts_the_history_does_not_wait_for_its_conversation(admin, workspace):
    """Who erases it holds the conversation and waits for the exchange. The cut comes with the next one, then."""
    begun, exchange = begin(admin, workspace)
    eraser = connect()
    eraser.autocommit = False
    rows(eraser, "select from banter_data.conversation where workspace = %s for update", workspace)
    assert value(admin, "select banter.exchange_end(%s, %s, 'done', 'hi', 'stop', 1, 1, null, 1, 1, 'default', 2, null,"
                 f" {GUARD * 1000}, p_history_from => 1)", workspace, exchange) == "stored"
    eraser.rollback()
    eraser.close()
    assert value(admin, "select history_from from banter_data.conversation where workspace = %s and conversation = %s",
                 workspace, begun["conversation"]) == 0


def test_a_history_is_cut_for_good_whoever_asks_at_once(admin, workspace):
    """S8, S9: eight at a time in one conversation. The limits hold for each, and its beginning never goes back."""
    begin(admin, workspace)

    def seen(connection):
        exchange = secrets.token_hex(12)
        shown = rows(connection, "select outcome, position from banter.exchange_begin(%s, %s, 'widget', null, %s, %s, null, %s, 's',"
                     f" 'hello', null, true, null, null, 300, 12, 10000, 'r', p_lock_ms => {GUARD * 1000})",
                     workspace, sha256("wk"), exchange, exchange + "a", exchange + "c")
        assert finish(connection, workspace, exchange) == "stored"
        return shown[0][1], [position for outcome, position in shown if outcome == "history"]

    turns = sorted(turn for own in at_once(8, lambda number, c: [seen(c) for _ in range(25)]) for turn in own)
    assert [own for own, _ in turns] == list(range(2, 202))
    assert all(len(shown) <= 6 and shown == sorted(shown) and shown[-1:] < [own] for own, shown in turns)
    for position in range(1, 201):
        seen_by = [number for number, (_, shown) in enumerate(turns) if position in shown]
        assert not seen_by or seen_by[-1] - seen_by[0] == len(seen_by) - 1, "what was cut never comes back"
    assert len({shown[0] for _, shown in turns[20:]}) <= 200 / 2


@pytest.mark.parametrize("end", ["left", "failed"])
def test_a_retry_of_what_is_erased_this_moment_is_told_to_come_again(admin, workspace, end):
    """It has found its exchange when the conversation goes; the next try begins anew."""
    first, exchange = begin(admin, workspace, idem="k")
    assert finish(admin, workspace, exchange, end, "some" if end == "left" else None) == "stored"
    eraser = connect()
    eraser.autocommit = False
    rows(eraser, "delete from banter_data.conversation where workspace = %s and conversation = %s",
         workspace, first["conversation"])
    with ThreadPoolExecutor(1) as pool:
        other = connect()
        retry = pool.submit(begin, other, workspace, idem="k")
        until_waiting(admin, other.info.backend_pid)
        eraser.commit()
        again, _ = retry.result(GUARD)
        other.close()
    eraser.close()
    assert (again["outcome"], again["retry_after"]) == ("in_progress", 1)
    anew, _ = begin(admin, workspace, idem="k")
    assert anew["outcome"] == "started" and anew["conversation"] != first["conversation"]


@pytest.mark.parametrize("call", [
    "banter.lease_renew(%s, %s, 300, p_lock_ms => 200)",
    "banter.exchange_end(%s, %s, 'done', 'hi', 'stop', 1, 1, null, 1, 1, 'default', 1, null, p_lock_ms => 200)",
])
def test_none_waits_for_longer_than_it_is_told(admin, workspace, call):
    """The connection's own lock_timeout does not matter: through a router it may be another's."""
    _, exchange = begin(admin, workspace)
    holder, caller = connect(), connect()
    holder.autocommit = False
    rows(holder, "select from banter_data.exchange where workspace = %s for update", workspace)
    rows(caller, "set lock_timeout = 0")
    with pytest.raises(psycopg2.errors.LockNotAvailable):
        rows(caller, f"select {call}", workspace, exchange)
    assert value(caller, "show lock_timeout") == "0"
    holder.rollback()
    assert finish(admin, workspace, exchange) == "stored"
    holder.close()
    caller.close()


def test_release_does_not_wait_for_a_finish(admin, workspace):
    """What a late worker is just storing is skipped, not waited for, by another's begin."""
    _, exchange = begin(admin, workspace, lease=-1)
    late = connect()
    late.autocommit = False
    assert finish(late, workspace, exchange) == "stored"
    assert begin(admin, workspace, session="other")[0]["outcome"] == "started"
    late.commit()
    assert value(admin, "select state from banter_data.exchange where workspace = %s and exchange = %s",
                 workspace, exchange) == "done"
    late.close()


def test_an_unlimited_workspace_is_never_locked(admin, workspace):
    """B5: its row may be locked by whoever likes, exchanges go on."""
    holder = connect()
    holder.autocommit = False
    begin(admin, workspace)  # the session's conversation is there, the key noted
    rows(holder, "select from banter_data.workspace where workspace = %s for update", workspace)
    first, exchange = begin(admin, workspace)
    assert first["outcome"] == "started"
    assert finish(admin, workspace, exchange) == "stored"
    first, exchange = begin(admin, workspace, kind="workspace")
    assert first["outcome"] == "started"
    assert finish(admin, workspace, exchange, "failed", "") == "stored"
    holder.rollback()
    holder.close()


def test_a_busy_key_is_noted_without_waiting(admin, workspace):
    """The note of a key's use is left out where somebody else holds its row."""
    holder = connect()
    holder.autocommit = False
    rows(holder, "select from banter_data.api_key where workspace = %s and api_key = 'wk' for update", workspace)
    assert begin(admin, workspace)[0]["outcome"] == "started"
    holder.rollback()
    holder.close()


def test_no_deadlocks_in_a_mixed_crowd(admin, workspace):
    """All kinds of turns over few sessions and keys; a deadlock would raise in the one that is ended for it."""
    grant(admin, workspace, 100000)
    rows(admin, "update banter_data.chatbot set rate_limit = 1000000 where workspace = %s", workspace)
    rows(admin, "update banter_data.workspace set max_open = 1000 where workspace = %s", workspace)

    def client(number, connection):
        for turn in range(40):
            mix = (number * 7 + turn * 3) % 11
            kind = ("widget", "workspace")[mix % 2]
            first, exchange = begin(
                connection, workspace, kind=kind, session=f"s{mix % 3}",
                idem=f"k{mix % 4}" if mix > 4 else None, lease=-1 if mix == 7 else 300)
            assert first["outcome"] in ("started", "in_progress", "replay")
            if first["outcome"] == "started" and mix not in (3, 7):
                state = ("done", "left", "failed")[turn % 3]
                assert finish(connection, workspace, exchange, state, "text") in ("stored", "gone")

    at_once(16, client)
    charged = value(admin, "select coalesce(sum(price), 0) from banter_data.exchange where workspace = %s"
                    " and state in ('running', 'done', 'left')", workspace)
    assert credits_of(admin, workspace) == 100000 - charged
    assert rows(admin, "select conversation, position from banter_data.exchange where workspace = %s"
                " and state in ('running', 'done', 'left', 'failed', 'lost') and attempt = 0"
                " group by 1, 2 having count(*) > 1", workspace) == []


def remove(connection, workspace, chatbot=None, most=20):
    """A whole deletion, step by step."""
    rows(connection, "select banter.removal_begin(%s, %s)", workspace, chatbot)
    place, ended = None, False
    while not ended:
        ((place, ended),) = rows(connection, "select next, ended from banter.removal_step(%s, %s, false, %s, %s)",
                                 workspace, chatbot, place, most)


def test_who_deletes_waits_for_what_begins_and_nothing_begins_behind_it(admin, workspace):
    grant(admin, workspace, 5)
    asker, eraser = connect(), connect()
    asker.autocommit = False
    _, exchange = begin(asker, workspace)
    with ThreadPoolExecutor(1) as pool:
        removal = pool.submit(rows, eraser, "select banter.removal_begin(%s, 'bot')", workspace)
        until_waiting(admin, eraser.info.backend_pid)
        asker.commit()
        removal.result(GUARD)
    assert begin(admin, workspace, session="other")[0]["outcome"] == "unauthorized"
    assert begin(admin, workspace, kind="workspace")[0]["outcome"] == "chatbot_not_found"
    remove(eraser, workspace, "bot")
    assert finish(admin, workspace, exchange) == "gone"
    assert credits_of(admin, workspace) == 5
    asker.close()
    eraser.close()


VISIT = f"""select outcome from banter.visit_begin(%s, %s, 'https://a.example', %s, %s, null, null, null, %s, %s, %s, %s, %s, 'hello', false,
    null, %s, 300, 20, 10000, 'r', 0, 0, 0, 0, {GUARD * 1000}) where outcome <> 'history'"""


def visit(connection, workspace, session, minted=False):
    one = secrets.token_hex(12)
    return value(connection, VISIT, workspace, sha256("pk"), sha256("token"), minted, one + "v", one, one + "a", one + "c", session, sha256("b"))


def test_a_sweep_waits_for_who_begins_again(admin, workspace):
    """Whose last conversation is gone, and who asks anew at the moment of the sweep, is still a visitor behind it."""
    rows(admin, "select banter.key_create(%s, 'pages', 'site', 'bot', %s, 'xxxx', '', %s)", workspace, sha256("pk"), ["https://a.example"])
    assert visit(admin, workspace, "first", True) == "started"
    rows(admin, "delete from banter_data.conversation where workspace = %s", workspace)
    asker, sweeper = connect(), connect()
    asker.autocommit = False
    assert visit(asker, workspace, "second") == "started"
    with ThreadPoolExecutor(1) as pool:
        swept = pool.submit(rows, sweeper, "select visitors from banter.sweep_visitors(%s, 1000) where workspace = %s", workspace, workspace)
        until_waiting(admin, sweeper.info.backend_pid)
        asker.commit()
        assert swept.result(GUARD) == []
    assert visit(admin, workspace, "third") == "started"
    asker.close()
    sweeper.close()


def test_who_erases_locks_in_the_order_of_who_begins(admin, workspace):
    """A limited chatbot's window comes behind the exchange: beside a begin that holds a lapsed one there is no deadlock."""
    rows(admin, "update banter_data.chatbot set rate_limit = 1000 where workspace = %s", workspace)
    begun, _ = begin(admin, workspace, kind="workspace", idem="k", lease=-1)
    asker, eraser = connect(), connect()
    asker.autocommit = False
    rows(asker, "select from banter_data.exchange where workspace = %s for update", workspace)
    with ThreadPoolExecutor(1) as pool:
        erased = pool.submit(rows, eraser, f"""select outcome from banter.talk_delete(%s, %s, 'workspace', 'bot', null, null, null, null, null,
            null, %s, {GUARD * 1000})""", workspace, sha256("sk"), begun["conversation"])
        until_waiting(admin, eraser.info.backend_pid)
        assert begin(asker, workspace, kind="workspace")[0]["outcome"] == "started", "which counts in the window"
        asker.commit()
        assert erased.result(GUARD) == [("found",)]
    asker.close()
    eraser.close()


@pytest.mark.parametrize("what", ["bot", None], ids=["chatbot", "workspace"])
def test_deleting_in_a_storm(admin, workspace, what):
    """Two who delete it, those who ask it, with retries, and those who ask its neighbour: everybody gets a clean answer."""
    grant(admin, workspace, 10000)
    value(admin, "select banter.chatbot_create(%s, 'neighbour', 'n', '')", workspace)
    rows(admin, "update banter_data.chatbot set rate_limit = 100000 where workspace = %s", workspace)
    for n in range(100):
        _, exchange = begin(admin, workspace, session=f"s{n % 7}")
        finish(admin, workspace, exchange)
    begun = threading.Barrier(8)

    def work(number, connection):
        outcomes = Counter()
        for n in range(60):
            if n == 20:
                begun.wait(GUARD)
            if number < 2:
                if n == 20:
                    remove(connection, workspace, what)
                continue
            ask = {"kind": "workspace", "chatbot": "bot" if number < 7 else "neighbour"} if number % 2 else {
                "session": f"s{n % 7}"}
            answer, exchange = begin(connection, workspace, idem=f"k{n % 5}" if number == 5 else None, **ask)
            outcomes[answer["outcome"]] += 1
            if answer["outcome"] == "started":
                outcomes[finish(connection, workspace, exchange, *[("done",), ("failed", None)][n % 2])] += 1
        return outcomes

    *_, beside = counted = at_once(8, work)
    assert set(sum(counted, Counter())) <= {
        "started", "stored", "gone", "replay", "unauthorized", "chatbot_not_found", "in_progress", "conversation_not_found"}
    if what:
        assert beside == Counter(started=60, stored=60)
        credits_of(admin, workspace)  # which looks at the ledger
        assert rows(admin, "select distinct chatbot from banter_data.conversation where workspace = %s", workspace) == [
            ("neighbour",)]
    for table in "exchange", "conversation", "rate_window", "idempotency", "chatbot":
        assert value(admin, f"select count(*) from banter_data.{table} where workspace = %s and chatbot = 'bot'", workspace) == 0
    if not what:
        assert value(admin, "select count(*) from banter_data.workspace where workspace = %s", workspace) == 0
