"""The primary is lost under load, and its standby takes its place: nothing acknowledged is lost where replication is
synchronous; where it is not, what is lost is counted, and nothing else is wrong.

BANTER_TEST_SEED repeats the choices of a run, and BANTER_TEST_EXCHANGES makes each last for a tenth of so many requests."""

import os
import time

import pytest
from dialects import DIALECTS, DONE
from failover import Failover, Pair
from faults import Storm
from house import own_deaths
from judge import Judge, stored
from people import LIMITS, SEED, Crowd, ends_of, tenants

EXCHANGES = int(os.environ.get("BANTER_TEST_EXCHANGES", "0")) // 10  # of the storm's: most of the time is a failover's
LEAST = 3  # failovers: one of each way
SOON_S = 3  # PgBouncer looks for its server once a second
OFTEN = {Failover: {Failover.terminate_session: 0.3, Failover.fail_over: 15 if EXCHANGES else 1}}


def account(storm, records, judge, took):
    """For reading."""
    yield f"seed {SEED}: {len(records)} requests in {took:.0f} s, {len(storm.failovers)} failovers"
    yield from ends_of(records)
    yield "  " + ", ".join(f"{what}: {count}" for what, count in sorted(storm.done.items()))
    for site, way in enumerate(("the list of hosts", "PgBouncer")):
        served = [[record for record in records if record["site"] == site and record["end"] == DONE and record["sent"] >= over]
                  for _, over in storm.failovers]
        yield f"  by {way}, the first who came behind a failover was served after, s: " + ", ".join(
            f"{min(record['ended'] for record in some) - over:.1f}" for some, (_, over) in zip(served, storm.failovers) if some)
    yield "  of that, for a client: " + (", ".join(f"{why}: {count}" for why, count in judge.excuses.items()) or "nothing")
    yield f"  {len(judge.found)} otherwise wrong"


def refused_behind(storm, records):
    """Who came when all was well again, and was not let in before the next primary was lost, nor had its session ended."""
    for record in records:
        if any(record["sent"] <= when <= record["ended"] for when in storm.terminated):
            continue
        behind = [record["sent"] - over for _, over in storm.failovers if record["sent"] > over + SOON_S]
        if record["status"] == 503 and behind and not any(
                begun <= record["ended"] and record["sent"] < over for begun, over in storm.failovers):
            yield f"{record['id']}, {min(behind):.2f} s behind it, after {record['ended'] - record['sent']:.2f} s"


@pytest.mark.parametrize("synchronous", [True, False], ids=["synchronous", "asynchronous"])
def test_S2_a_failover_under_load(house, tmp_path, record_property, synchronous):
    house = house(Pair, synchronous=synchronous, workers=12, database_time="6s", database_connect_time="5s")
    people = tenants(house)
    began = time.monotonic()
    crowd = Crowd(house, people, tmp_path, clients=16)
    storm = Storm(house, SEED, OFTEN)
    try:
        while crowd.count() < EXCHANGES or len(storm.failovers) < LEAST:
            assert not storm.failures, storm.failures
            time.sleep(1)
        storm.stop()
        took = time.monotonic() - began
        records = crowd.end()
    finally:
        storm.over.set()
        if crowd.process.poll() is None:
            crowd.process.kill()
            crowd.process.wait()
    house.settle()
    house.let_leases_end(people)

    def lost(record):
        """Whether it may have been: the standby has all that was there when a failover began, and all that came behind it."""
        return not synchronous and any(begun <= record["ended"] and record["sent"] <= over for begun, over in storm.failovers)

    judge = Judge(records, stored(house.postgres.run), people, lambda _: False,
                  lambda record: storm.unknown(record, people[record["tenant"]]), LIMITS, lost)
    complaints = judge.complaints()
    record_property("account", "\n".join(account(storm, records, judge, took)))
    assert not complaints, "\n".join([f"seed {SEED}: {len(complaints)} complaints", *complaints[:20]])
    assert synchronous or judge.excuses["acknowledged, and lost"]  # or it would not have been seen
    assert not list(refused_behind(storm, records))
    assert not own_deaths(house)
    assert all(any(record["end"] == DONE for record in records if record["dialect"] == name) for name in DIALECTS)
