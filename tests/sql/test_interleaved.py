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
import secrets

import pytest
from calls import CALLS
from interleave import World, may_wait

SEED = os.environ.get("BANTER_TEST_SEED") or secrets.token_hex(4)
OTHERS = os.environ.get("BANTER_TEST_OTHERS", "1")
NAMED = {call.name: call for call in CALLS}
BROKEN_OFF = 0.1 # of the stops, besides the last: there a's transaction is rolled back too

# Always: what has a rule of its own, in the order of the contract's clauses.
ALWAYS = [
    ("begin, at the limit", "begin, at the limit"),
    ("begin, the window is over", "sweep_windows"),
    ("begin, the last credit", "begin, the last credit"),
    ("begin, a credit of the dead", "credit_add"),
    ("end, failed", "begin, no credit"),
    ("begin, the last place", "end, done"),
    ("begin, of a session", "removal_begin"),
    ("key_revoke", "begin, of a session"),
    ("begin, idem: new", "begin, idem: new"),
    ("begin, idem: old", "sweep_keys"),
    ("begin, idem: dead", "renew, of a dead one"),
    ("renew, of a dead one", "begin, idem: dead"),
    ("end, of a dead one", "sweep_leases"),
    ("sweep_leases", "end, of a dead one"),
    ("begin, the session's first", "begin, the session's first"),
    ("end, in place", "erase, by age"),
]


@pytest.fixture(scope="module", name="world")
def one_world():
    world = World("read committed")
    yield world
    world.close()


def others(call):
    if OTHERS == "all":
        return CALLS
    some = random.Random(f"{SEED} {call.name}").sample(CALLS, int(OTHERS))
    return [*some, *(NAMED[b] for a, b in ALWAYS if a == call.name and NAMED[b] not in some)]


class Orders:
    """What two calls may come to: one after the other, in each of these orders. What a has in its hands of the dead, b leaves
    alone (lease_release): as if their leases went on. Each such world is one more; few are asked for all of them."""

    def __init__(self, world, a, b, orders):
        dead = [name for name, *_ in a.locked("a") if name.startswith("dead-")]
        hands = [alive for n in range(len(dead) + 1) for alive in itertools.combinations(dead, n)]
        # A beginning of a history that could not be moved, since its conversation was in use, is moved the next time (S8).
        self.loose = "end, with less history" in (a.name, b.name)
        self.seen = []
        self.more = (world.one_by_one(a, b, order, alive)
                     for alive in hands for order in orders if order[0] == "b" or not alive)

    def like(self, run):
        return run._replace(tables=re.sub(r'"history_from": \d+', "", run.tables)) if self.loose else run

    def fault(self, run):
        """Nothing, or how it is none of these."""
        while not any(self.like(run) == self.like(other) for other in self.seen):
            other = next(self.more, None)
            if other is None:
                return min((difference(run, other) for other in self.seen), key=len)
            self.seen.append(other)
        return ""


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


def test_what_only_looks_sees_what_its_statement_saw(world):
    """So all of them can be called in one, and no step of theirs is one at which others could be seen."""
    called = re.findall(r"\bbanter\.(\w+)", NAMED["the operator looks"].statement)
    assert world.rows("select proname from pg_proc where pronamespace = 'banter'::regnamespace and provolatile = 'v'"
                      f" and proname = any (array{called})") == []


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_two_at_once_are_as_one_after_the_other(world, call):
    found = [fault for other in others(call) for fault in faults(world, call, other)]
    assert not found, "\n".join([f"seed {SEED}: {len(found)} faults", *found[:10]])


def test_a_roles_isolation_level_changes_nothing():
    """The program begins its transactions at read committed, whatever the role's default is."""
    world = World("repeatable read")
    try:
        chosen = [(NAMED[a], NAMED[b]) for a, b in ALWAYS if a.startswith(("begin", "end", "renew"))]
        found = [fault for a, b in random.Random(SEED).sample(chosen, 3 if OTHERS != "all" else len(chosen))
                 for fault in faults(world, a, b)]
        assert not found, "\n".join([f"seed {SEED}: {len(found)} faults", *found[:10]])
    finally:
        world.close()
