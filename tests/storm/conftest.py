"""Paths, the logs of what a failed test had, and what a storm did, at the end of the run."""

import pathlib
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent / "system", HERE):
    sys.path.insert(0, str(folder))
import hosts  # noqa: E402
import servers  # noqa: E402
from houses import USUAL  # noqa: E402

# A shell's background job ignores it, and so would all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def house():
    """house(kind=USUAL, **settings) -> one of the test's own."""
    made = []

    def build(kind=USUAL, **how):
        made.append(kind(**how))
        build.shown_servers += made[-1].shown_servers
        return made[-1]

    build.shown_servers = []
    yield build
    for one in made:
        one.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    servers.show_logs(item, outcome.get_result())


def pytest_terminal_summary(terminalreporter):
    hosts.say_what_is_left_out(terminalreporter)
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", []):
                if name == "account" and report.when == "teardown":  # by then all have said it
                    terminalreporter.write_line(text)
