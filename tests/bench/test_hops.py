"""Each hop has its place in the tables, and its time is its own; where no networks can be made, a line says what is left out."""

import contextlib
import json

import pytest

import run  # which finds the servers that hops.py starts
from run import hops


@pytest.mark.parametrize("refusal", [hops.hosts.refusal(), "nobody may"])
def test_each_hop_is_measured(refusal, monkeypatch):
    monkeypatch.setattr(hops.hosts, "refusal", lambda: refusal)
    with contextlib.ExitStack() as stack:
        enter = lambda part: stack.enter_context(contextlib.closing(part))  # noqa: E731
        found = json.loads(json.dumps(hops.measure(run.Bench(enter, 1, False, False), enter)))
    names = [hops.DIRECT, hops.POOLED, hops.ROUTER, hops.POOLED_ROUTER, hops.ROUTER_POOLED] + [hops.HOSTS] * (not refusal)
    assert list(found["one"]) == list(found["alone"]) == names
    for name, (one,) in found["one"].items():
        between = {"nginx", "workers", "postgres"} | {group for group in ("router", "pgbouncer") if group in name.lower()}
        assert one["cpu"].keys() == between | {"model", "load"} and all(one["cpu"].values()), name
        assert one["exchanges"] == hops.ONE.clients * hops.ONE.exchanges
    assert found["written"]["wal"] > found["written"]["stored"] > 0
    text = "\n".join(table.text() for table in hops.tables(found))
    assert (f"NOT MEASURED: {hops.HOSTS}" in text) == bool(refusal), text
