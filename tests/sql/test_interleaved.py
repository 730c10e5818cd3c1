"""Any two calls of the schema's functions at once, one of them stopped at each of its steps: as one after the other.

Each call of calls.py is stopped at each of its steps in turn (interleave.py), and each other let in there. What both are told
and what is in the tables must be what one of the two orders comes to; where the first is rolled back, as if it had never
been. Nobody waits but for what both lock, and there is no deadlock, which would be somebody's answer.

`make test` takes for each call, as the first, some of the others by a seed, which is printed and repeats them
(BANTER_TEST_SEED=SEED tests/run sql test_interleaved); BANTER_TEST_OTHERS is how many, and `all` takes all:
tests/run interleaved_long."""

import itertools
import os
import random
import re

import pytest
from calls import CALLS
from interleave import Run, World, may_wait

SEED = os.environ["BANTER_TEST_SEED"]
OTHERS = os.environ.get("BANTER_TEST_OTHERS", "1")
NAMED = {call.name: call for call in CALLS}
COME_AGAIN = re.compile(r'"outcome":"in_progress".*"retry_after":1,')
# What is told apart in no run with these: a beginning of a history that could not be moved, or a stop that could not be
# marked, since what it is of was in use, is moved or marked the next time (S8, R5). What is sent again holds nobody up: of its
# history an erasure may take what it has not read yet. What a visitor was refused for after the caps had been looked at
# leaves these, and says more.
HISTORY = r', \{"outcome":"history"[^}]*\}'
LOOSE = {
    "end, with less history": r'"history_from": \d+',
    "talk_stop": r'"stopped_at": (null|"now"),? ?',
    "begin, sent again": HISTORY,
    "visit, one request sent twice": HISTORY,
    "visit": r'(?m)^\{"day": .*"exchanges": 0,.*\n|"most_\w+": (null|\d+)|(?<="outcome":"unauthorized").*',
}
# Who signs in as what they ask for is turned off has done so, though they are refused: their conversations are theirs.
SIGNED_IN = r'(?m)^\{"hash": .*"user_id": "new".*\n|"(visitor|thread)": ("[\w-]+"|null),? ?'
# No order comes to what these do, and it is let be. A lease that had lapsed and is renewed at the very moment at which another
# takes its place: both run, one more than may (G10). A begin that was judged while the workspace was unlimited: it costs
# nothing, and what it gives back of a dead one is a credit of those that the operator set meanwhile. A price that is raised
# between the look at the day's cap and the begin: the last of the day costs more than was left.
LET_BE = {
    ("begin, the last place", "renew, of a dead one"),
    ("renew, of a dead one", "begin, the last place"),
    ("begin, unlimited", "workspace_set, credits"),
    ("visit, the day's last", "chatbot_set, price"),
}
BROKEN_OFF = 0.1  # of the stops, besides the last: there a's transaction is rolled back too

# What is promised of two calls, each time: by what it is called in the contract, or by what was wrong once.
RULES = {
    "B4 the last of a window goes to one": ("begin, at the limit", "begin, at the limit"),
    "B4 a window that is over": ("begin, the window is over", "sweep_windows"),
    "B5 the last credit goes to one": ("begin, the last credit", "begin, the last credit"),
    "B5 a grant": ("begin, a credit of the dead", "credit_add"),
    "B5 what comes back": ("end, failed", "begin, no credit"),
    "G10 the last place goes to one": ("begin, the last place", "begin, the last place"),
    "G10 a place that gets free": ("begin, the last place", "end, done"),
    "G11 nothing begins in what is deleted": ("begin, of a session", "removal_begin"),
    "G11 a key that is revoked": ("key_revoke", "begin, of a session"),
    "I1 one key starts once": ("begin, idem: new", "begin, idem: new"),
    "I1 a key that is forgotten": ("begin, idem: old", "sweep_keys"),
    "S9 one session, one conversation": ("begin, the session's first", "begin, the session's first"),
    "S10 the dead is asked again and renews": ("begin, idem: dead", "renew, of a dead one"),
    "S10 the dead renews and is asked again": ("renew, of a dead one", "begin, idem: dead"),
    "S10 the dead is stored and swept": ("end, of a dead one", "sweep_leases"),
    "S10 an answer in place is erased": ("end, in place", "erase, by age"),
    "I1 what is asked again is erased": ("begin, idem: left", "erase, by age"),
    "P4 the day's last goes to one": ("visit, the day's last", "visit, the day's last"),
    "P4 what is sent twice counts once": ("visit, one request sent twice", "visit, one request sent twice"),
    "P1 a site key that is revoked": ("visit, by token", "key_revoke, of pages"),
    "a visitor was told that their own name was nothing, as it was erased": ("talk_delete", "visit, by token"),
    "a conversation was erased twice": ("talk_delete, signed in", "talk_delete"),
    "an answer that took a place had none for who began": ("begin, idem: dead in place", "end, in place"),
    "an import into what is deleted broke a rule": ("removal_step, the workspace", "conversation_import"),
    "a sweep counted what another had stored meanwhile": ("sweep_leases", "end, of a dead one"),
    "what was booked while a workspace went was in no total": ("removal_step, the workspace", "credit_add"),
    "a change of what is deleted failed for no reason": ("workspace_set, active", "removal_step, the workspace"),
    "a chatbot of what is deleted was an error of the database's": ("removal_step, the workspace", "chatbot_new"),
    "a step of a removal took all of a ledger": ("removal_step, the ledger", "workspace_set, unlimited"),
    "what was stopped as it was erased was nothing": ("talk_delete", "talk_stop"),
    "what was heard had become another's": ("talk_stream", "visit, signs in for the first time with a token"),
    "what was erased had become another's": ("talk_delete", "visit, signs in for the first time with a token"),
    "a sweep found visitors whom another had swept": ("sweep_visitors", "sweep_visitors"),
}


@pytest.fixture(scope="module", name="world")
def one_world():
    world = World()
    yield world
    world.close()


def others(call):
    if OTHERS == "all":
        return CALLS
    return random.Random(f"{SEED} {call.name}").sample(CALLS, int(OTHERS))


class Orders:
    """What two calls may come to: one after the other, in each of these orders. Of the dead the first leaves alone what the
    second has in its hands (lease_release), as if their leases went on. Each such world is one more; few need them all."""

    def __init__(self, world, a, b, orders):
        self.loose = [pattern for name, pattern in LOOSE.items() if a.name.startswith(name) or b.name.startswith(name)]
        self.signs_in = any(call.name.startswith("visit, signs in") for call in (a, b))
        self.seen, self.world, self.a, self.b = [], world, a, b
        hands = {"a": [(), *in_hand(b, "b")], "b": [(), *in_hand(a, "a")]}
        self.more = (world.one_by_one(a, b, order, alive)
                     for some in (False, True) for order in orders for alive in hands[order[0]] if bool(alive) == some)

    def like(self, run):
        for pattern in self.loose:
            run = Run(*(re.sub(pattern, "", text) if text else text for text in run))
        if self.signs_in and '"outcome":"unauthorized"' in f"{run.a}{run.b}":
            run = run._replace(tables="\n".join(sorted(re.sub(SIGNED_IN, "", run.tables).split("\n"))))
        return run

    def fault(self, run):
        """Nothing, or how it is none of these. Who is told to come again, since what it would go on with is erased this moment
        (I1), has done nothing."""
        for me, answer, other in ("a", run.a, self.b), ("b", run.b, self.a):
            if answer and COME_AGAIN.search(answer) and other.name.startswith(("erase", "removal", "talk_delete")):
                alone = self.world.one_by_one(self.a, self.b, "b" if me == "a" else "a")
                return difference(run, alone._replace(**{me: answer})) if run != alone._replace(**{me: answer}) else ""
        while not any(self.like(run) == self.like(other) for other in self.seen):
            other = next(self.more, None)
            if other is None:
                return min((difference(run, other) for other in self.seen), key=len)
            self.seen.append(other)
        return ""


def in_hand(call, me):
    """The dead that a call may have locked: one, or the other, or both."""
    dead = sorted({name for name, *_ in call.locked(me) if name.startswith("dead-")})
    return [alive for n in range(1, len(dead) + 1) for alive in itertools.combinations(dead, n)]


def difference(run, other):
    """What it is in place of that, without what is null."""
    rows, expected = ([*who.tables.split("\n"), f"a: {who.a}", f"b: {who.b}"] for who in (run, other))
    lines = [f"\n    - {row}" for row in expected if row not in rows] + [f"\n    + {row}" for row in rows if row not in expected]
    return re.sub(r'"\w+": ?(null|"some"),? ?', "", "".join(lines)) or "another order of rows"


def faults(world, a, b):
    """All that is wrong with these two."""
    both, alone = Orders(world, a, b, ("ab", "ba")), Orders(world, a, b, ("b",))
    for stop in itertools.count(1):
        run, waited, stopped = world.at_once(a, b, stop)
        where = f"{a.name} | {b.name}, stop {stop}{'' if stopped else ' (the end)'}"
        if waited and not may_wait(b, a):
            yield f"{where}: b waits"
        if "40P01" in f"{run.a}{run.b}":
            yield f"{where}: a deadlock"
        elif fault := both.fault(run):
            yield f"{where}: {fault}"
        if not stopped or random.Random(where).random() < BROKEN_OFF:
            run, *_ = world.at_once(a, b, stop, "rollback")
            if fault := alone.fault(run._replace(a=None)):
                yield f"{where}, rolled back: {fault}"
        if not stopped:
            return


def test_every_function_of_the_interface_is_called(world):
    """A function that is added needs a row in calls.py."""
    called = set(re.findall(r"\bbanter\.(\w+)", " ".join(call.statement for call in CALLS)))
    assert called == {name for (name,) in world.rows(
        "select distinct proname from pg_proc where pronamespace = 'banter'::regnamespace")}


def test_each_call_does_what_it_is_for(world):
    """By itself none is refused: what always fails would be as good in any order."""
    assert [run.a for run in (world.one_by_one(call, call, "a") for call in CALLS) if re.match(r"[0-9A-Z]{5}: ", run.a)] == []


def test_what_only_looks_sees_what_its_statement_saw(world):
    """So all of them can be called in one, and no step of theirs is one at which others could be seen."""
    called = re.findall(r"\bbanter\.(\w+)", NAMED["the operator looks"].statement)
    assert world.rows("select proname from pg_proc where pronamespace = 'banter'::regnamespace and provolatile = 'v'"
                      f" and proname = any (array{called})") == []


def assert_none(found):
    found = list(found)
    assert not found, "\n".join([f"seed {SEED}: {len(found)} faults", *found[:10]])


@pytest.mark.parametrize("rule", RULES)
def test_what_is_promised_of_two_calls(world, rule):
    a, b = RULES[rule]
    assert_none(faults(world, NAMED[a], NAMED[b]))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_two_at_once_are_as_one_after_the_other(world, call):
    assert_none(fault for other in others(call) if (call.name, other.name) not in LET_BE for fault in faults(world, call, other))


def test_a_roles_isolation_level_changes_nothing(world):
    """The program begins its transactions at read committed, whatever the role's default is."""
    pairs = [pair for pair in RULES.values() if all(name.startswith(("begin", "end", "renew")) for name in pair)]
    try:
        for session in world.a, world.b:
            session.call("set default_transaction_isolation = 'repeatable read'")
        for a, b in pairs if OTHERS == "all" else random.Random(SEED).sample(pairs, 3):
            assert_none(faults(world, NAMED[a], NAMED[b]))
    finally:
        for session in world.a, world.b:
            session.call("reset default_transaction_isolation")
