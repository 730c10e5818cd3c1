"""`make install` and `make uninstall`, and the units as they stand."""

import gzip
import re
import subprocess

import pytest

from servers import BUILD
from sandbox import ROOT

# What the operator's program knows of itself: named by the Makefile, made by the build.
OF_THE_BUILD = re.compile(r"/share/(man/man\d/[^/]+\.\d|bash-completion/completions/banterctl|zsh/[^/]+/_banterctl)$")
# deploy/ without what is for a clone or a host of another's.
LEFT_OUT = {"containers", "debian", "dev", "man", "run", "shared-host"}


def make(*words):
    done = subprocess.run(["make", "-s", "-C", ROOT, f"B={BUILD}", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def files(folder):
    return {str(path)[len(str(folder)):] for path in folder.rglob("*") if path.is_file()}


def expected(prefix):
    names = {f"{prefix}/lib/banter/banter.fcgi", f"{prefix}/bin/banterctl", f"{prefix}/lib/sysusers.d/banter.conf",
             f"{prefix}/lib/systemd/system/banter.service", f"{prefix}/lib/systemd/system/banter.socket",
             f"{prefix}/lib/systemd/system/banter-sweep.service", f"{prefix}/lib/systemd/system/banter-sweep.timer",
             f"{prefix}/lib/tmpfiles.d/banter.conf", f"{prefix}/share/banter/banter.conf",
             f"{prefix}/share/banter/openapi.json",
             f"{prefix}/share/doc/banter/README.md", f"{prefix}/share/doc/banter/LICENSE"}
    for page in (ROOT / "deploy").glob("*/README.md"):
        if page.parent.name not in LEFT_OUT:
            for path in (path for path in page.parent.rglob("*") if path.is_file() and path != page):
                names.add(f"{prefix}/share/banter/{path.relative_to(ROOT / 'deploy')}")
            names.add(f"{prefix}/share/doc/banter/deploy/{page.parent.name}/README.md")
    for path in files(BUILD / "obj" / "web"):
        names.add(f"{prefix}/share/banter/web{path}")
    return names


@pytest.fixture(params=["/usr/local", "/opt/banter"])
def prefix(request):
    return request.param


def test_it_installs_exactly_these_files_twice_in_a_row_and_takes_them_away(tmp_path, prefix):
    where = (f"DESTDIR={tmp_path}", f"PREFIX={prefix}")
    for _ in range(2):
        make("install", *where)
        assert {name for name in files(tmp_path) if not OF_THE_BUILD.search(name)} == expected(prefix)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "precious").write_text("mine")
    make("uninstall", *where)
    assert files(tmp_path) == {"/etc/precious"}
    assert not [name for name in ("lib", "share", "share/doc") if (tmp_path / prefix[1:] / name / "banter").exists()]


def test_what_is_installed_runs_and_names_its_own_place(tmp_path, prefix):
    make("install", f"DESTDIR={tmp_path}", f"PREFIX={prefix}")
    root = tmp_path / prefix[1:]
    for program in (root / "lib/banter/banter.fcgi", root / "bin/banterctl"):
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
        assert done.stdout.startswith("banter ")
    unit = (root / "lib/systemd/system/banter.service").read_text()
    assert f"ExecStart={prefix}/lib/banter/banter.fcgi " in unit
    for path in root.rglob("*"):
        if path.is_file() and path.suffix not in (".fcgi", ".md", ".gz") and path.name != "banterctl":
            text = path.read_text()
            assert not re.search(r"/usr/(bin|lib|share/doc)/banter|/usr/bin/banterctl", text), path


def test_the_widgets_files_are_those_that_are_served(tmp_path, prefix):
    """A site that serves them itself needs no more: the loader names the folder of the others, and each is packed too."""
    make("install", f"DESTDIR={tmp_path}", f"PREFIX={prefix}")
    web = tmp_path / prefix[1:] / "share/banter/web"
    built = BUILD / "obj" / "web"
    assert files(web) == files(built)
    assert all((web / path[1:]).read_bytes() == (built / path[1:]).read_bytes() for path in files(built))
    [version] = re.findall(r"banter/([0-9a-f]{16})/", (web / "banter.js").read_text())
    plain = {path for path in files(web) if not path.endswith(".gz")}
    assert "/banter.js" in plain and {path.rpartition("/")[0] for path in plain - {"/banter.js"}} == {f"/banter/{version}"}
    for path in plain:
        assert gzip.decompress((web / f"{path[1:]}.gz").read_bytes()) == (web / path[1:]).read_bytes()


def test_the_example_settings_are_good(tmp_path):
    """As they stand, and with every line that is offered."""
    text = (ROOT / "deploy" / "banter.conf").read_text()
    (tmp_path / "all.conf").write_text(re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE))
    for path in (ROOT / "deploy" / "banter.conf", tmp_path / "all.conf"):
        done = subprocess.run([BUILD / "banter.fcgi", "--check", "--config", path], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "the settings are good\n"), done.stderr
    assert (tmp_path / "all.conf").read_text() != text


def analyze(*words):
    return subprocess.run(
        ["systemd-analyze", "security", "--offline=true", *words], capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})


@pytest.mark.parametrize("unit", ["banter.service", "banter-sweep.service"])
def test_a_service_is_exposed_at_most_1_5(unit):
    done = analyze(ROOT / "deploy" / "systemd" / unit)
    assert float(re.search(rf"Overall exposure level for {unit}: (\S+)", done.stdout)[1]) <= 1.5
    assert "ignoring" not in done.stderr, done.stderr
    assert analyze("--threshold=15", ROOT / "deploy" / "systemd" / unit).returncode == 0


def seconds(text):
    return float(re.fullmatch(r"([\d.]+)s", text)[1])


def test_the_service_waits_longer_than_the_program_takes_to_end():
    """BANTER_DRAIN_TIME, and what the master adds before it kills a worker."""
    unit = (ROOT / "deploy" / "systemd" / "banter.service").read_text()
    patience = seconds(re.search(r"^TimeoutStopSec=(\S+)$", unit, re.MULTILINE)[1])
    grace = int(re.search(r"^#define MASTER_GRACE_MS (\d+)$", (ROOT / "include/pool/master.h").read_text(), re.MULTILINE)[1]) / 1000
    drain = seconds(re.search(r"^  BANTER_DRAIN_TIME=(\S+)$", subprocess.run(
        [BUILD / "banter.fcgi", "--help"], capture_output=True, text=True).stdout, re.MULTILINE)[1])
    assert patience > drain + grace
