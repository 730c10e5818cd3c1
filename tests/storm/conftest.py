"""Paths, and the logs of what a failed test had."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent / "system", HERE):
    sys.path.insert(0, str(folder))
import servers  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    servers.show_logs(item, outcome.get_result())
