"""Fixtures: the Debian package, machines it is installed on, and a model that answers to OpenAI's name there."""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from page import Page  # noqa: E402
from servers import BUILD  # noqa: E402
from sandbox import NOT_TESTED, PATIENCE, ROOT, Layers, Sandbox, refusal, until  # noqa: E402

NAME = "api.openai.com"
HERE = pathlib.Path(__file__).resolve().parent


def pytest_collection_modifyitems(items):
    """The first test of a file makes packages and machines too: on a slow machine that takes its time."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(6 * PATIENCE))


def pytest_terminal_summary(terminalreporter):
    """Most of these tests need a sandbox: a run that made none must not look like one that tested all."""
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])]
    reasons = [reason.removeprefix("Skipped: ") for reason in reasons]
    for reason in sorted({reason for reason in reasons if reason.startswith(NOT_TESTED)}):
        count = reasons.count(reason)
        terminalreporter.write_line(f"NOT TESTED: {count} tests of the package and of deploy's pages: {reason}", red=True)


def make_package(tree, folder):
    """`make deb` of a tree; the package's path."""
    done = subprocess.run(["make", "-s", "-C", tree, "deb", f"B={folder}"], capture_output=True, text=True, timeout=2 * PATIENCE)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    (package,) = pathlib.Path(folder, "deb").glob("banter_*.deb")
    return package


def make_again(package, tree):
    """The package of a tree that is little else than that of `package`, of which the objects that are the same are taken:
    in the folder where they were compiled, since that is among the compiler's flags."""
    (stage,) = (path for path in package.parent.glob("banter-*") if path.is_dir())
    first = stage.with_name("first")
    if not first.exists():
        subprocess.run(["cp", "-a", stage, first], check=True)
    shutil.rmtree(stage)
    subprocess.run(["cp", "-a", first, stage], check=True)
    shutil.rmtree(stage / "debian")
    subprocess.run(["cp", "-a", *tree.iterdir(), stage], check=True)
    (stage / "deploy/debian").rename(stage / "debian")
    done = subprocess.run(["dpkg-buildpackage", "--build=binary", "--no-sign", "--no-pre-clean"], cwd=stage,
                          env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.fixture(scope="session")
def workshop():
    """A folder of this run's."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="banter-deploy-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def package():
    """Made by the first of a run's processes that wants it."""
    folder, run = BUILD / "package", os.environ.get("PYTEST_XDIST_TESTRUNUID", "one process")
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whose = folder / "made"
        if run == "one process" or not whose.exists() or whose.read_text().splitlines()[0] != run:
            whose.unlink(missing_ok=True)
            whose.write_text(f"{run}\n{make_package(ROOT, folder)}")
        return pathlib.Path(whose.read_text().splitlines()[1])


def copy_tree(to):
    """What the package is made of."""
    for part in ("app", "include", "sql", "deploy", "Makefile", "README.md", "LICENSE"):
        to.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, to / part)
    return to


@pytest.fixture(scope="session")
def newer(workshop, package):
    """Makes the package of a later version; `edit` may change its tree more."""

    def make(version, edit=lambda tree: None):
        tree = copy_tree(workshop / f"tree-{version}")
        for path, pattern in (("include/base/version.h", r'"\d+\.\d+\.\d+"'), ("deploy/debian/changelog", r"\(\S+\)")):
            text = (tree / path).read_text()
            fresh = f'"{version}"' if path.endswith(".h") else f"({version})"
            (tree / path).write_text(re.sub(pattern, fresh, text, count=1))
        edit(tree)
        make_again(package, tree)
        (made,) = package.parent.glob(f"banter_{version}_*.deb")
        return made

    return make


@pytest.fixture(scope="session")
def certificate(workshop):
    """An authority and its certificate for the model's name: (authority, certificate, key)."""
    folder = workshop / "tls"
    folder.mkdir()
    subprocess.run(
        f"""openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt &&
        openssl req -newkey rsa:2048 -nodes -subj /CN={NAME} -keyout model.key -out model.csr &&
        printf 'subjectAltName=DNS:{NAME}\n' >names &&
        openssl x509 -req -in model.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names \\
            -out model.crt""",
        shell=True, check=True, cwd=folder, capture_output=True)
    return folder / "ca.crt", folder / "model.crt", folder / "model.key"


@pytest.fixture(scope="session")
def layers():
    reason = refusal()
    if reason:
        pytest.skip(NOT_TESTED + reason)
    layers = Layers()
    yield layers
    layers.close()


@pytest.fixture(scope="session")
def boot(layers, certificate):
    """Boots a machine on another's layer, or a fresh one; whoever boots it closes it."""
    authority, public, private = certificate

    def make(below=None):
        box = Sandbox(layers, below)
        try:
            furnish(box, below is None)
        except BaseException:  # who was to close it never gets it
            box.halt()
            raise
        return box

    def furnish(box, fresh):
        if fresh:
            # What Debian does when PostgreSQL is installed.
            box.run("pg_createcluster $(ls /usr/lib/postgresql | sort -V | tail -n 1) main"
                    " && systemctl enable --now postgresql")
            box.put("/usr/local/share/ca-certificates/authority.crt", authority)
            box.put("/srv/model/model.crt", public)
            box.put("/srv/model/model.key", private)
            box.put("/srv/model/banter-model", BUILD / "banter-model", 0o755)
            box.run(f"update-ca-certificates && echo 127.0.0.1 {NAME} >>/etc/hosts")
        box.run("systemd-run --unit=model /srv/model/banter-model --listen 127.0.0.1:443"
                " --tls-cert /srv/model/model.crt --tls-key /srv/model/model.key")
        until(lambda: box.run(f"curl -s https://{NAME}/v1/models", check=False).returncode == 0, "the model's start")

    return make


@pytest.fixture(scope="session")
def installed(boot, package):
    """A machine on which the package was installed, and nothing else was done."""
    box = boot()
    try:
        box.put("/root/banter.deb", package)
        box.run("apt-get install -y /root/banter.deb")
    finally:
        box.close()
    return box


@pytest.fixture(scope="session")
def served(boot, installed):
    """One where the first page was followed."""
    box = boot(installed)
    try:
        Page(ROOT / "deploy" / "systemd" / "README.md").follow(box)
    finally:
        box.close()
    return box


@pytest.fixture
def with_clone(boot, workshop):
    """A fresh machine with a clone in /root/banter."""
    box = boot()
    tree = copy_tree(workshop / "clone")
    packed = subprocess.run(["tar", "-c", "-C", tree, "."], check=True, capture_output=True).stdout
    box.put("/root/clone.tar", packed)
    box.run("mkdir /root/banter && tar -x --no-same-owner -f /root/clone.tar -C /root/banter")
    yield box
    box.halt()


@pytest.fixture
def machine(boot):
    """Boots machines of a test's own: machine(served)."""
    boxes = []

    def make(below):
        boxes.append(boot(below))
        return boxes[-1]

    yield make
    for box in boxes:
        box.halt()
