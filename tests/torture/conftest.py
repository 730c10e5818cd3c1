"""Paths, the logs of what a failed test had, and what failed, at the end of the run."""

import pathlib
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent / "system", HERE.parent / "storm", HERE):
    sys.path.insert(0, str(folder))
import servers  # noqa: E402

# A shell's background job ignores it, and so would all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    servers.show_logs(item, outcome.get_result())


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            for title, text in getattr(report, "user_properties", []):
                if title == "account" and report.when == "teardown":
                    terminalreporter.write_line(f"{report.nodeid.partition('::')[2]}: {text}")


@pytest.fixture(scope="session")
def postgres():
    server = servers.Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def standin():
    server = servers.StandIn()
    yield server
    server.close()
