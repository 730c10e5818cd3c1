"""Fixtures: the release before, and what tests/system has."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent / "system", HERE):
    sys.path.insert(0, str(folder))
import release  # noqa: E402
import servers  # noqa: E402


def pytest_collection_modifyitems(items):
    """The first test of a file builds and migrates too."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(10 * servers.PATIENCE))


def pytest_terminal_summary(terminalreporter):
    """A run without the release before must not look like one that tested all."""
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", [])]
    for reason in sorted(set(reasons)):
        if reason.startswith(release.NOT_TESTED):
            terminalreporter.write_line(f"NOT TESTED: {reasons.count(reason)} tests of the upgrade: {reason}", red=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """When a test fails, the logs of its servers are what one needs."""
    outcome = yield
    servers.show_logs(item, outcome.get_result())


@pytest.fixture(scope="session", params=release.COMMITS)
def before(request):
    return release.before(request.param)


@pytest.fixture(scope="module")
def standin():
    server = servers.StandIn()
    yield server
    server.close()
