"""The floor does the job: every token arrives, every answer is stored; and its figures stand beside Banter's."""

import contextlib
import json

import run  # which finds the servers that parts.py starts
from run import exchanges, floor, limits, parts

LOAD = exchanges.Case("few", "a few", 4, 3, 50, 0)


@contextlib.contextmanager
def begun():
    with contextlib.ExitStack() as stack:
        enter = lambda part: stack.enter_context(contextlib.closing(part))  # noqa: E731
        yield run.Bench(enter, 1, False, False), enter


def test_every_answer_is_stored():
    with begun() as (bench, enter):
        found = parts.floor(enter, bench, 4).load(LOAD)
        stored = bench.postgres.run(
            "select count(*) from banter_data.exchange where state = 'done'"
            " and answer ~ '^([0-9]+:[0-9]+ ){50}$'")
    assert found["tokens"] == 4 * 3 * 50
    assert stored == [(4 * 3,)]


def test_a_figure_that_has_a_limit_has_the_floors_beside_it():
    with begun() as (bench, enter):
        lowest = json.loads(json.dumps(floor.measure(bench, enter)))
    assert all([*map(len, lowest["streams"].values()), lowest["exchanges"]["burst"]])
    table = limits.table({"floor": lowest, "streams": lowest["streams"]})
    assert table.head[-1] == "the floor's" and all(row[-1] for row in table.rows), table.text()
    assert limits.table({"streams": lowest["streams"]}).head[-1] == "met"
