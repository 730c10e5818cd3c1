"""The two calls of an exchange from pgbench: what PostgreSQL alone takes for them, and how many it bears. exchange.py says how
they are made; here they run beside Banter, in the same cluster."""

import time

from servers import ROOT

try:
    import exchange
except ImportError:  # the tables then have no pgbench beside Banter
    exchange = None

# Clients and mode of each; the last one is Banter's number of connections in exchanges.py.
RUNS = {"extended8": (8, "extended"), "prepared8": (8, "prepared"), "extended16": (16, "extended")}
TITLES = {key: f"pgbench, {clients} clients, {mode}" for key, (clients, mode) in RUNS.items()}
EXCHANGES = 900


class Calls:
    """A database of its own, with the schema as it is."""

    def __init__(self, postgres):
        self.schema = exchange.Schema("calls", postgres, ROOT) if exchange else None

    def measure(self):
        """By the keys of RUNS: `rate`, pairs a second, and `cpu_us`, PostgreSQL's for one. What connecting and first plans
        take is in a short run too, and taken out."""
        found = {}
        if not self.schema:
            return found
        for key, (clients, mode) in RUNS.items():
            (less, short), (more, long) = (self.run(mode, count, clients) for count in (EXCHANGES // 10, EXCHANGES * 11 // 10))
            found[key] = {"rate": EXCHANGES / (long - short), "cpu_us": (more - less) / EXCHANGES / 1000}
        return found

    def run(self, mode, exchanges, clients):
        """Nanoseconds of CPU, and seconds."""
        began = time.monotonic()
        cpu = self.schema.pgbench(mode, exchanges, clients)
        return cpu, time.monotonic() - began
