"""How low it goes: between the bare relay and Banter the floor, which does with libcurl, a strict reading and two lean calls
what nobody can leave out who does Banter's job. What cannot be reached is not reached by it either."""

import exchanges
import parts
import streams
import target


def measure(bench, enter):
    targets = [parts.model_itself(bench), parts.relay(enter, bench, streams.WORKERS), parts.floor(enter, bench, streams.WORKERS),
               parts.banter(enter, bench, streams.WORKERS, pooled=True), *parts.rivals(enter, bench, streams.WORKERS)]
    for one in targets:
        one.load(streams.WARM)
    runs = target.in_turns(bench, [*streams.CASES, exchanges.ONE], targets,
                           lambda case, one: one.name != "model" or case.key == "50ms")
    one = runs.pop(exchanges.ONE.key)
    return {"streams": runs, "exchanges": {"one": one, "burst": exchanges.bursts(bench, targets[1:]), "calls": []}}


def in_banters_place(sections):
    """As if the floor were Banter: what limits.py reckons of it."""
    def put(runs):
        return {**runs, "Banter": runs["floor"]}

    found, crowd = sections["floor"], sections.get("thousand", {})
    return {"streams": {case: put(runs) for case, runs in found["streams"].items()},
            "exchanges": {"one": put(found["exchanges"]["one"]), "burst": put(found["exchanges"]["burst"]), "calls": []},
            **({"thousand": put(crowd)} if "floor" in crowd else {})}


def tables(found):
    return [*streams.tables(found["streams"]), exchanges.table_one(found["exchanges"]["one"]),
            exchanges.table_burst(found["exchanges"]["burst"])]
