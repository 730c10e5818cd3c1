"""Four thousand streams at a token a second: each is served to its end, and PostgreSQL has a few connections."""

import contextlib

import run


def test_4000_streams_at_one_token_a_second_all_complete():
    with contextlib.ExitStack() as stack:
        bench = run.Bench(lambda part: stack.enter_context(contextlib.closing(part)), 1, False, False)
        found = run.memory.all_of(bench, run.scale.MOST, run.scale.WITHIN)
    assert (found["served"], found["backends"] <= 16) == (run.scale.MOST, True), found
