"""What was acknowledged is stored once, whatever is killed; what ends, ends as it should; nobody waits in vain.

BANTER_TEST_SEED repeats the choices of a run. BANTER_TEST_EXCHANGES (how many) and BANTER_TEST_LANDED (workers killed in each
stage) make the storm last until both are reached; BANTER_TEST_THROUGH has it rage in another house (houses.py)."""

import collections
import json
import os
import re
import time

import servers
from by_stage import STAGES, Pauses, Workers
from dialects import CUT, DIALECTS, DONE, REFUSED
from faults import Storm
from house import own_deaths
from judge import Judge, stored
from others import Database, Pool
from people import LIMITS, SEED, Crowd, ends_of, tenants
from servers import until

EXCHANGES = int(os.environ.get("BANTER_TEST_EXCHANGES", "0"))
LANDED = int(os.environ.get("BANTER_TEST_LANDED", "0"))
MOST_NEXT = 500  # conversations that are gone on with at the end
SHORT_S = 45  # of storm, where nothing else is said; longer, until an answer was stopped, on a busy machine
WORKERS, QUEUE_S, SLACK_S = 4, 1, 15  # of each pool that has too much to do
SATURATED_S = 60 if EXCHANGES else 10
# How often each comes, in seconds on average.
OFTEN = {
    Workers: {Workers.kill: 0.15, Workers.leave: 2},
    Pauses: {Pauses.pause: 0.3},
    Pool: {Pool.admission: 5, Pool.admission_stopped: 15, Pool.status: 20, Pool.reload: 45, Pool.master: 30,
           Pool.master_stopped: 30},
    Database: {
        Database.terminate_session: 0.3, Database.stop_session: 10, Database.crash_cluster: 20, Database.kill: 40,
        Database.restart: 60, Database.pause: 40, Database.kill_pooler: 20, Database.pause_pooler: 40,
    },
}


def stuck_requests(house):
    """Those that the masters ended: their logs name them."""
    return {match for site in house.sites
            for match in re.findall(r"request=(\S+); it is told to end", site.banter.text())}


def stops(records):
    """What became of the answers that they meant, as they were told."""
    return collections.Counter(status for record in records if record["stop"] for _, status in record["stop"]["told"] or [])


def account(storm, records, judge, took):
    """What was done and what came of it, for reading."""
    yield f"seed {SEED}: {len(records)} requests in {took:.0f} s, {sum(record['end'] == DONE for record in records)} done"
    yield from ends_of(records)
    for how in sorted({how for how, _ in storm.landed}):
        yield f"  workers {how}: " + ", ".join(f"{storm.landed[how, stage]} in {stage}" for stage in STAGES)
    yield "  " + ", ".join(f"{what}: {count}" for what, count in sorted(storm.done.items()))
    yield "  of that, for a client: " + (", ".join(f"{why}: {count}" for why, count in judge.excuses.items()) or "nothing")
    yield "  stops, told: " + (", ".join(f"{count} {status}" for status, count in sorted(stops(records).items())) or "nothing")
    yield f"  {len(judge.found)} lost, doubled, charged twice or otherwise wrong"


def doctored(database, records):
    """As if one answer that was acknowledged were lost, doubled, another one, and one charge made twice."""
    acknowledged = {record["id"] for record in records if record["end"] == DONE}
    at, row = next((at, row) for at, row in enumerate(database.rows) if row.request_id in acknowledged)
    entry = next(entry for entry in database.ledger if entry.kind == "reserve")
    rest = database.rows[:at] + database.rows[at + 1:]
    yield database._replace(rows=rest)
    yield database._replace(rows=[*database.rows, row._replace(exchange="another")])
    yield database._replace(rows=[*rest, row._replace(answer="another")])
    yield database._replace(ledger=[*database.ledger, entry])


def next_requests(house, people, records):
    """Each conversation with a stream that was cut goes on: those that do not."""
    cut = {}
    for record in records:
        own = record["own"] or {"conversationId": record.get("conversation")}
        if record["end"] == CUT and None not in own.values() and record["tenant"] in ("unlimited", "metered"):
            cut[json.dumps(own), record["tenant"]] = record["dialect"]
    for (own, name), dialect in list(cut.items())[:MOST_NEXT]:
        site = house.site_of(people[name])
        api = DIALECTS[dialect].api(site)
        try:
            api.answered("and now?", DIALECTS[dialect].streams, json.loads(own))
        except AssertionError as failure:
            yield own, name, dialect, str(failure)


def test_nothing_acknowledged_is_lost_nobody_waits_in_vain(house, tmp_path, record_property):
    house = house(workers=24)
    people = tenants(house)
    began = time.monotonic()
    crowd = Crowd(house, people, tmp_path, clients=24)
    storm = Storm(house, SEED, house.hands(OFTEN))
    try:
        def enough():
            assert not storm.failures, storm.failures
            ended, lasts = crowd.count(), time.monotonic() - began
            if not EXCHANGES and not LANDED:
                return lasts >= SHORT_S and (crowd.stopped or lasts >= 3 * SHORT_S)
            return ended >= EXCHANGES and all(storm.landed["killed", stage] >= LANDED for stage in STAGES)

        while not enough():
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
    felled = storm.felled | stuck_requests(house)

    def judged(database):
        return Judge(records, database, people, lambda record: record["id"] in felled,
                     lambda record: storm.unknown(record, people[record["tenant"]]), LIMITS)

    database = stored(house.postgres.run)
    judge = judged(database)
    complaints = judge.complaints()
    record_property("account", "\n".join(account(storm, records, judge, took)))
    assert not complaints, "\n".join([f"seed {SEED}: {len(complaints)} complaints", *complaints[:20]])
    assert [len(judged(wrong).complaints()) > 0 for wrong in doctored(database, records)] == [True] * 4
    assert not own_deaths(house)
    assert not list(next_requests(house, people, records))
    assert all(any(record["end"] == DONE for record in records if record["dialect"] == name) for name in DIALECTS)
    assert stops(records)["left"]
    assert sum(count for (how, _), count in storm.landed.items() if how == "killed") > 0


def test_G6_four_times_the_clients_are_served_or_refused_in_time(house, tmp_path, record_property):
    """Nothing hangs, what is served is right, and all is well afterwards."""
    house = house(workers=WORKERS, queue_time=f"{QUEUE_S}s")
    people = {"unlimited": house.sites[0].tenant}
    crowd = Crowd(house, people, tmp_path, clients=4 * WORKERS * len(house.sites), seconds=SATURATED_S, slow_ms=150, leave=0,
                  repeat=0, stop=0)
    try:
        until(lambda: crowd.process.poll() is not None, "the crowd's end", SATURATED_S + 2 * servers.PATIENCE)
    finally:
        records = crowd.end(at_once=crowd.process.poll() is None)
    slowest = max((record["ended"] - record["sent"] for record in records if record["end"] == REFUSED), default=0)
    record_property("account", "\n".join([
        f"seed {SEED}: {len(records)} requests of four times the clients, the slowest 503 after {slowest:.1f} s",
        *ends_of(records)]))
    complaints = Judge(records, stored(house.postgres.run), people).complaints()
    assert not complaints, "\n".join(complaints[:20])
    assert {record["end"] for record in records} == {DONE, REFUSED}
    assert {record["status"] for record in records} == {200, 503}
    # A busy machine may be late with it; nobody is forgotten.
    assert slowest < QUEUE_S + 1 + SLACK_S
    for site in house.sites:
        until(lambda: {one["stage"] for one in house.look(site) if one["kind"] == "worker"} == {"idle"}, "rest")  # noqa: B023
        for dialect in DIALECTS.values():
            dialect.api(house.site_of(people["unlimited"], site)).answered("and now?", dialect.streams)
    assert not own_deaths(house)
