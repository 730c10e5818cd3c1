"""A worker that dies at any step of its calls, while others sweep, ask and ask again: answered once, charged once.

Its call is stopped at a step (interleave.py), somebody else is let in, and then either its session is ended, so that all of it
is undone, or it goes on and nobody hears what it comes to. In the end its lease is over, a sweep has passed, and its question
has been asked again until it is answered.

`make test` takes a step for each two by a seed, which is printed and repeats them (BANTER_TEST_SEED=SEED tests/run sql
test_killed); with BANTER_TEST_OTHERS=all each step has its turn: tests/run interleaved_long."""

import json
import os
import random

import pytest
from calls import begin, call, end, renew
from interleave import World

SEED = os.environ["BANTER_TEST_SEED"]
ALL = os.environ.get("BANTER_TEST_OTHERS") == "all"

ASK = begin("it asks", session="'s'", idem="'mine'", exchange="'mine-1'")
AGAIN = begin("it asks again", session="'s'", idem="'mine'", exchange="'mine-2'")
LEFT = end("it ends, left", "mine-1", state="left")

# What has been done, whether its lease is over by then, and what it dies in.
STAGES = {
    "begin": ([], False, ASK),
    "renew": ([ASK], False, renew("it renews", "mine-1")),
    "renew, late": ([ASK], True, renew("it renews", "mine-1")),
    "end": ([ASK], False, end("it ends", "mine-1")),
    "end, late": ([ASK], True, end("it ends", "mine-1")),
    "end, left": ([ASK], True, LEFT),
    "end, failed": ([ASK], False, end("it fails", "mine-1", state="failed", answer="null")),
    "end, failed, late": ([ASK], True, end("it fails", "mine-1", state="failed", answer="null")),
    "begin again, late": ([ASK], True, AGAIN),
    "begin in place": ([ASK, LEFT], False, AGAIN),
    "end in place": ([ASK, LEFT, AGAIN], False, end("it ends, in place", "mine-2")),
    "end in place, late": ([ASK, LEFT, AGAIN], True, end("it ends, in place", "mine-2")),
}
OTHERS = {
    "a sweep": call("a sweep", "sweep_leases(null)"),
    "another question": begin("another question", session="'another'", exchange="'other'"),
    "its question again": begin("its question again", session="'s'", idem="'mine'", exchange="'mine-3'"),
    "the same begin": ASK,
    "the same end": end("the same end", "mine-1"),
    "the same renewal": renew("the same renewal", "mine-1"),
}
# Whose answer says that one is stored, and which.
ENDS = {"it ends": "mine-1", "it ends, in place": "mine-2", "the same end": "mine-1"}
LAPSE = ("update banter_data.exchange set lease_until = now() - interval '1 minute'"
         " where exchange like 'mine-%' and ended_at is null")


@pytest.fixture(scope="module", name="world")
def one_world():
    world = World()
    yield world
    world.close()


def told(world, statement):
    """The first row of what a call comes to."""
    return json.loads(world.rows(statement.format(me="b"))[0][0])[0]


def lives_on(world, n=4):
    """Its lease is over, a sweep passes, and it is asked until it is answered: by which exchange, and in how many tries."""
    world.rows(LAPSE)
    while told(world, OTHERS["a sweep"].statement)["lost"]:
        pass
    for exchange in (f"mine-{n}", f"mine-{n + 1}"):
        answer = told(world, begin("", session="'s'", idem="'mine'", exchange=f"'{exchange}'").statement)
        if answer["outcome"] == "replay":
            return answer
        assert answer["outcome"] == "started", answer
        assert told(world, end("", exchange).statement) == "stored"
    raise AssertionError("what was stored is not given again")


def look_after(world, stored):
    """All that must be so, whatever happened; `stored` are the answers that somebody was told are stored."""
    answer = lives_on(world)
    mine = {name: (state, price) for name, state, price in world.rows(
        "select exchange, state, price from banter_data.exchange where exchange like 'mine-%'")}
    done = [name for name, (state, _) in mine.items() if state == "done"]
    assert [f"{name}-a" for name in done] == [answer["message_id"]], mine
    assert sum(price for state, price in mine.values() if state in ("done", "left", "running")) == 1, mine
    assert set(stored) <= set(done), f"{stored} were acknowledged: {mine}"
    assert world.rows("""
        select granted, granted - w.credits, sum
        from banter_data.workspace w,
            (select sum(delta) filter (where kind = 'grant') as granted, sum(delta) from banter_data.ledger where workspace = 1) l
        where w.workspace = 1""") == [(19, charged(world), 19 - charged(world))]
    assert world.rows("select conversation, position from banter_data.exchange where workspace = 1 group by 1, 2 having"
                      " count(*) > count(distinct attempt) or count(*) filter (where state in ('done', 'left')) > 1") == []


def charged(world):
    return world.rows("select sum(price) from banter_data.exchange where workspace = 1"
                      " and state in ('running', 'done', 'left')")[0][0]


def prepare(world, before, lapsed):
    world.anew()
    for one in before:
        world.a.call(f"set stops.at = ''; {one.statement.format(me='a')}")
    if lapsed:
        world.rows(LAPSE)


def die(world, stage, other, stop, undone):
    before, lapsed, last = stage
    prepare(world, before, lapsed)
    world.a.start(f"set stops.at = '{stop}'; set stops.step = 0; begin; {last.statement.format(me='a')}")
    world.a.until(world.a.stopped)
    world.b.start(f"set stops.at = ''; {other.statement.format(me='b')}")
    world.b.until(world.b_waits, 0.002)
    if undone:
        world.kill_a()
    world.go_on()
    answers = []
    if not undone:
        answers.append((last.name, world.a.take()))
        world.a.call("commit")
    answers.append((other.name, world.b.take()))
    look_after(world, [ENDS[name] for name, answer in answers if name in ENDS and "stored" in answer])
    world.settle()


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_may_die_at_any_step(world, stage):
    prepare(world, *STAGES[stage][:2])
    steps = 1 + world.steps(STAGES[stage][2])
    choice = random.Random(f"{SEED} {stage}")
    for name, other in OTHERS.items():
        for stop in range(1, steps + 1) if ALL else [choice.randint(1, steps)]:
            for undone in (True, False):
                try:
                    die(world, STAGES[stage], other, stop, undone)
                except Exception as error:
                    how = "all of it was undone" if undone else "it went on"
                    raise AssertionError(f"seed {SEED}: {stage}, stop {stop} of {steps}, {name}; {how}: {error}") from error
