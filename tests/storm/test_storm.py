"""What was acknowledged is stored once, whatever is killed; what ends, ends as it should; nobody waits in vain.

BANTER_TEST_SEED repeats the choices of a run. BANTER_TEST_EXCHANGES (how many) and BANTER_TEST_LANDED (workers killed in each
stage) make the storm last until both are reached."""

import collections
import json
import os
import re
import secrets
import subprocess
import sys
import time

import pytest
import servers
from dialects import CUT, DIALECTS, DONE
from faults import STAGES, Storm
from house import House
from judge import Judge, stored
from servers import until

SEED = os.environ.get("BANTER_TEST_SEED") or secrets.token_hex(4)
EXCHANGES = int(os.environ.get("BANTER_TEST_EXCHANGES", "0"))
LANDED = int(os.environ.get("BANTER_TEST_LANDED", "0"))
SHORT_S = 45  # of storm, where nothing else is said
LONG_S = 4 * 3600
PATIENCE = 60  # seconds without a byte
LIMITS = {"limited": 15}  # requests in a window
TENANTS = {
    "unlimited": {},
    "metered": {"credits": 10**9},
    "poor": {"credits": 300},
    "limited": {"chatbot": {"rate_limit": LIMITS["limited"], "rate_window": 2}},
    "capped": {"credits": 10**9, "max_open": 4},
}


def tenants(house):
    made = {}
    for name, how in TENANTS.items():
        site = house.sites[0].for_new_tenant(**how.get("chatbot", {}))
        if "credits" in how:
            site.grant(how["credits"])
        if "max_open" in how:
            site.sql("update banter_data.workspace set max_open = %s where workspace = %s", how["max_open"],
                     site.tenant.workspace)
        made[name] = site.tenant
    return made


class Crowd:
    """crowd.py, run beside this."""

    def __init__(self, house, people, folder, **plan):
        self.records_file = folder / f"records-{secrets.token_hex(3)}"
        plan = {"seed": SEED, "ports": [site.nginx.port for site in house.sites], "patience": PATIENCE, "slow_ms": 12,
                "leave": 0.05, "repeat": 0.15, "count": 10**9, "seconds": LONG_S, **plan,
                "tenants": {name: [one.widget_key, one.workspace_key, one.chatbot, one.workspace]
                            for name, one in people.items()}}
        self.log = self.records_file.with_suffix(".log")
        self.records_file.with_suffix(".plan").write_text(json.dumps(plan))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, os.path.join(os.path.dirname(__file__), "crowd.py"),
                 self.records_file.with_suffix(".plan"), self.records_file], stdout=log, stderr=log)

    def count(self):
        assert self.process.poll() in (None, 0), self.log.read_text()
        return sum(block.count(b"\n") for block in iter(lambda file=open(self.records_file, "rb"): file.read(1 << 20), b"")) \
            if self.records_file.exists() else 0

    def end(self, at_once=False):
        """What its clients saw. They let what runs end."""
        if at_once:
            self.process.kill()
        elif self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(2 * servers.PATIENCE)
        assert at_once or code == 0, self.log.read_text()
        return [json.loads(line) for line in self.records_file.read_text().splitlines()]


@pytest.fixture
def house():
    made = []

    def build(**how):
        made.append(House(**how))
        return made[-1]

    build.shown_servers = ()
    yield build
    for one in made:
        one.close()


def stuck_requests(house):
    """Those that the masters ended: their logs name them."""
    return {match for site in house.sites
            for match in re.findall(r"request=(\S+); it is told to end", site.banter.text())}


def own_deaths(house):
    """Workers that died of something that nobody did to them."""
    return [line for site in house.sites for line in site.banter.text().splitlines()
            if re.search(r"\bdied\b", line) and not re.search(r"\bSIG(KILL|TERM)\b|signal (9|15)\b", line)]


def tell(capsys, lines):
    with capsys.disabled():
        print("", *lines, sep="\n  ", flush=True)


def account(storm, records, judge, took):
    """What was done and what came of it, for reading."""
    ends = collections.Counter((record["dialect"], record["end"]) for record in records)
    kinds = sorted({end for _, end in ends})
    yield f"seed {SEED}: {len(records)} requests in {took:.0f} s, {sum(record['end'] == DONE for record in records)} done"
    for dialect in DIALECTS:
        yield f"{dialect}: " + ", ".join(f"{ends[dialect, end]} {end}" for end in kinds)
    for how in sorted({how for how, _ in storm.landed}):
        yield f"workers {how}: " + ", ".join(f"{storm.landed[how, stage]} in {stage}" for stage in STAGES)
    yield "; ".join(f"{count} times {what}" for what, count in sorted(storm.done.items()))
    yield "cut or lost for their client by that: " + (", ".join(f"{count} {why}" for why, count in judge.excuses.items()) or "none")


def next_requests(house, people, records):
    """The conversations whose stream was cut, or that had any trouble, go on; the failures."""
    troubled = {}
    for record in records:
        own = record["own"] or ({"conversationId": record["conversation"]} if record.get("conversation") else None)
        if record["end"] == CUT and own:
            troubled[json.dumps(own), record["tenant"]] = record["dialect"]
    wrong = []
    for (own, name), dialect in list(troubled.items())[:500]:
        if name == "poor":
            continue
        site = house.sites[len(wrong) % 2]
        site.tenant = people[name]
        api = DIALECTS[dialect].api(site)

        def answered(api=api, own=json.loads(own), streams=DIALECTS[dialect].streams):
            response = api.json("and now?", own) if not streams else api.stream("and now?", own)
            if streams:
                return response.rest()[-1]["type"] == "done"
            return response.status_code == 200

        try:
            until(answered, "an answer", 1)
        except AssertionError as failure:
            wrong.append((own, name, dialect, str(failure)))
    return wrong, len(troubled)


def test_nothing_acknowledged_is_lost_nobody_waits_in_vain(house, tmp_path, capsys):
    house = house(workers=24)
    people = tenants(house)
    began = time.monotonic()
    crowd = Crowd(house, people, tmp_path, clients=24)
    storm = Storm(house, SEED)
    try:
        def enough():
            assert not storm.failures, storm.failures
            if not EXCHANGES and not LANDED:
                return time.monotonic() - began >= SHORT_S
            return crowd.count() >= EXCHANGES and all(storm.landed["killed", stage] >= LANDED for stage in STAGES)

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
    killed = {one.request for one in storm.casualties} | stuck_requests(house)

    def unknown(record):
        return any(one.since - 15 <= record["ended"] and (one.until or record["ended"]) >= record["sent"]
                   for one in storm.outages)

    judge = Judge(records, stored(house.postgres.run), people, lambda record: record["id"] in killed, unknown, LIMITS)
    complaints = judge.complaints()
    tell(capsys, account(storm, records, judge, took))
    assert not complaints, "\n".join([f"seed {SEED}: {len(complaints)} complaints", *complaints[:20]])
    assert not own_deaths(house)
    wrong, _ = next_requests(house, people, records)
    assert not wrong, wrong
    assert all(any(record["end"] == DONE for record in records if record["dialect"] == name) for name in DIALECTS)
    assert sum(count for (how, _), count in storm.landed.items() if how == "killed") > 0
