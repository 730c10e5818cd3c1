"""Who asks: tenants of each kind, and a crowd of clients (crowd.py, a process of its own) beside whatever is done meanwhile."""

import collections
import json
import os
import secrets
import subprocess
import sys

import servers
from dialects import DIALECTS

SEED = os.environ.get("BANTER_TEST_SEED") or secrets.token_hex(4)
PATIENCE = 60  # seconds without a byte
LONG_S = 4 * 3600
LIMITS = {"limited": 15}  # requests in a window
TENANTS = {
    "unlimited": {},
    "metered": {"credits": 10**9},
    "poor": {"credits": 300},
    "limited": {"chatbot": {"rate_limit": LIMITS["limited"], "rate_window": 2}},
    "capped": {"credits": 10**9, "max_open": 4},
}


def tenants(house, kinds=None):
    made = {}
    for name, how in (kinds or TENANTS).items():
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
                "long": 0.02, "leave": 0.05, "repeat": 0.15, "stop": 0.02, "count": 10**9, "seconds": LONG_S, **plan,
                "tenants": {name: [one.widget_key, one.workspace_key, one.chatbot, one.workspace]
                            for name, one in people.items()}}
        self.log, self.counted, self.ended, self.stopped = self.records_file.with_suffix(".log"), None, 0, 0
        self.records_file.with_suffix(".plan").write_text(json.dumps(plan))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, os.path.join(os.path.dirname(__file__), "crowd.py"),
                 self.records_file.with_suffix(".plan"), self.records_file], stdout=log, stderr=log)

    def count(self):
        """How many requests have ended; of those, .stopped while they ran. Reads on from where it was."""
        assert self.process.poll() in (None, 0), self.log.read_text()
        if self.counted is None and self.records_file.exists():
            self.counted = open(self.records_file, "rb")
        read = self.counted.read() if self.counted else b""
        self.ended += read.count(b"\n")
        self.stopped += read.count(b'"left"]')
        return self.ended

    def end(self, at_once=False):
        """What its clients saw. They let what runs end."""
        self.stop(at_once)
        return list(self.records())

    def stop(self, at_once=False):
        if self.counted:
            self.counted.close()
        if at_once:
            self.process.kill()
        elif self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(2 * servers.PATIENCE)
        assert at_once or code == 0, self.log.read_text()

    def records(self):
        """One by one: many are more than one wants to keep."""
        with open(self.records_file, encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def ends_of(records):
    """How many ended how, by dialect."""
    ends = collections.Counter((record["dialect"], record["end"]) for record in records)
    kinds = sorted({end for _, end in ends})
    return ["  " + dialect + ": " + ", ".join(f"{ends[dialect, end]} {end}" for end in kinds) for dialect in DIALECTS]
