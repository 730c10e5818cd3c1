"""The two calls of an exchange from pgbench: what PostgreSQL alone takes for them, and how many it bears."""

import pathlib

TITLES = {
    "extended8": "pgbench, 8 clients, extended",
    "prepared8": "pgbench, 8 clients, prepared",
    "extended16": "pgbench, 16 clients, extended",
}


def measure(bench):
    """By the keys of TITLES: `rate`, pairs a second, and `cpu_us`, PostgreSQL's for one."""
    if not (pathlib.Path(__file__).parent / "exchange.sql").exists():
        return {}
    raise NotImplementedError
