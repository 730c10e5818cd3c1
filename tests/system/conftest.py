"""Fixtures: the servers that a run shares, and what a test starts for itself.

BANTER_TEST_THROUGH=pgbouncer puts PgBouncer between Banter and PostgreSQL for the whole run; =shards has a router and four
partitions in PostgreSQL's place, =pooled-shards has PgBouncer before each of them too; =hosts makes each site two hosts behind one nginx.
BANTER_TEST_BUILD names another folder of binaries (such as the sanitizers' build)."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import described  # noqa: E402
import hosts  # noqa: E402
import servers  # noqa: E402
import shards  # noqa: E402
from fronts import FRONTS  # noqa: E402
from site_client import Site  # noqa: E402

# A shell's background job ignores it, and so would all that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


# A file is one process's, but of test_fronts each front: these, begun last, would go on when all others are done.
LONG = ["test_fronts", "test_doctor", "test_ctl_tenants", "test_ctl", "test_pool", "test_shared_host", "test_containers",
        "test_run", "test_shards_move", "test_widget", "test_widget_answers", "test_widget_page", "test_widget_access", "test_widget_fails",
        "test_front_end_pages", "test_ctl_conversations", "test_failover", "test_faults", "test_stream", "test_ctl_help", "test_database"]


def pytest_collection_modifyitems(items):
    """The long files first."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """--dist loadfile, but what each front has for itself can be where the others' is not."""
    from xdist.scheduler import LoadFileScheduling

    names = "|".join(sorted((re.escape(front.name) for front in FRONTS), key=len, reverse=True))
    of_a_front = re.compile(rf"[^:]*test_fronts\.py(?=::).*?\[({names})[-\]]")

    class ByFront(LoadFileScheduling):
        def _split_scope(self, nodeid):
            found = of_a_front.match(nodeid)
            return f"{super()._split_scope(nodeid)} {found[1]}" if found else super()._split_scope(nodeid)

    return ByFront(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test whose clients saw what the API's description does not say has failed. When a test fails, the logs of its servers are
    what one needs."""
    outcome = yield
    report = outcome.get_result()
    wrong = described.take_wrong() if call.when == "call" else []
    if wrong and not report.failed:
        report.outcome = "failed"
        report.longrepr = "\n".join(["not as app/http/openapi.json says:", *wrong])
    servers.show_logs(item, report)


def pytest_configure():
    described.hold_from_now_on()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """xdist's processes tell what they saw to the one that began them."""
    described.seen.update(getattr(node, "workeroutput", {}).get("seen", ()))


def whole_run(config):
    """Whether all tests of this folder are in it; xdist's processes have a part each."""
    options = config.option
    return ([pathlib.Path(one).resolve() for one in config.args] == [pathlib.Path(__file__).parent]
            and not (options.keyword or options.markexpr or options.ignore or options.deselect or options.maxfail or options.collectonly))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session, exitstatus):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["seen"] = sorted(described.seen)
    elif exitstatus == 0 and whole_run(session.config) and described.unseen():
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    """What the description names and no test has seen is a failure, where all of them ran. What was left out is said."""
    hosts.say_what_is_left_out(terminalreporter)
    if whole_run(config):
        for one in described.unseen():
            terminalreporter.write_line(f"FAILED app/http/openapi.json names what no test saw: {one}")


@pytest.fixture(scope="session", autouse=True)
def network():
    """Of a run through hosts: all that it begins is in it. The database's socket is a file, which they reach too."""
    if os.environ.get("BANTER_TEST_THROUGH") != "hosts":
        yield None
        return
    reason = hosts.refusal()
    if reason:
        pytest.skip(hosts.NOT_TESTED + reason)
    with contextlib.closing(hosts.Network()) as made:
        hosts.every_site_has_two(made)
        yield made


@pytest.fixture(scope="session")
def postgres():
    kinds = {"shards": shards.Sharded, "pooled-shards": shards.Pooled}
    server = kinds.get(os.environ.get("BANTER_TEST_THROUGH"), servers.Postgres)()
    yield server
    server.close()


@pytest.fixture(scope="session")
def database(postgres):
    """What Banter connects to: PostgreSQL, or the pooler in front of it."""
    if os.environ.get("BANTER_TEST_THROUGH") != "pgbouncer":
        yield postgres
        return
    server = servers.Pooler(postgres)
    yield server
    server.close()


@pytest.fixture(scope="session")
def standin():
    server = servers.StandIn()
    yield server
    server.close()


@pytest.fixture(scope="session")
def model(standin):
    """Steers the stand-in: open_gate(), wait(), requests()."""
    return standin.control


@pytest.fixture(scope="session")
def shared_site(postgres, database, standin):
    """A pool behind nginx with no address limits, for tests that need nothing special."""
    site = Site.start(postgres, database.url(), standin, workers=8)
    yield site
    site.close()


@pytest.fixture
def site(shared_site):
    """The shared pool, with a tenant of the test's own."""
    return shared_site.for_new_tenant()


@pytest.fixture
def start(postgres, database, standin):
    """start(workers=…, **settings) -> Site: a pool of the test's own, behind nginx, stopped at its end."""
    started = []

    def begin(**settings):
        url = settings.pop("database_url", database.url())
        started.append(Site.start(postgres, url, standin, **settings))
        return started[-1]

    yield begin
    for one in started:
        one.close()


@pytest.fixture
def pool(database, standin):
    """pool(workers=…, **settings) -> servers.Banter: a pool without a web server, for fastcgi.py; stopped at the test's end."""
    started = []

    def begin(**settings):
        url = settings.pop("database_url", database.url())
        model_url = settings.pop("model_url", standin.url)
        started.append(servers.Banter(url, model_url, **settings))
        return started[-1]

    yield begin
    for one in started:
        one.close()


@pytest.fixture
def tenant(postgres):
    """A workspace with a chatbot and keys of the test's own."""
    return postgres.demo()


@pytest.fixture(scope="module")
def tls():
    """A certificate authority of our own, one that signed nothing, and a stand-in model behind the first."""
    folder = servers.folder("tls")

    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    for ca in ("ours", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", f"/CN={ca}", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1",
            "-keyout", "model.key", "-out", "model.csr")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "model.csr", "-CA", "ours.pem", "-CAkey", "ours.key", "-CAcreateserial",
            "-days", "2", "-extfile", "ext", "-out", "model.pem")
    model = servers.StandIn("--tls-cert", folder / "model.pem", "--tls-key", folder / "model.key",
                          verify=str(folder / "ours.pem"))
    model.certificates = pathlib.Path(folder)
    yield model
    model.close()
    shutil.rmtree(folder)
