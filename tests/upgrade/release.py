"""The releases before the schema's present version whose workers it still serves, as their packages would install them: each
built once from the repository's own history, kept under build/ by its commit. Not for the present one: that is servers.BUILD."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import unittest.mock

import ctl
import pytest
import servers

COMMITS = {5: "d4a53debfe80a6bd4422f457cc402246015111ad", 6: "0e66776c691ebf0ddfefcbba8c561a0cf00fd95d"}  # by the schema's version
NOW = servers.SCHEMA_VERSION
KEPT = servers.ROOT / "build" / "upgrade"
NOT_TESTED = "the release before is not in the repository's history: "


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, cwd=servers.ROOT, **options)
    assert done.returncode == 0, (command, (done.stdout + done.stderr)[-4000:])
    return done


def build(folder, commit):
    tree = folder / "tree"
    tree.mkdir(parents=True)
    archive = folder / "tree.tar"
    run("git", "archive", "--output", archive, commit)
    run("tar", "-xf", archive, "-C", tree)
    # What `make deb` puts into the package; nothing of the make that runs us may reach it.
    run("make", "-s", "-C", tree, f"-j{os.cpu_count()}", "install", "PREFIX=/usr", f"DESTDIR={folder}/root",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
    programs = folder / "programs"
    programs.mkdir()
    for program in ("lib/banter/banter.fcgi", "bin/banterctl"):
        shutil.copy(folder / "root/usr" / program, programs)
    shutil.rmtree(tree)
    archive.unlink()


def before(version):
    """The folder of its programs. Skips where the history is not here."""
    commit = COMMITS[version]
    look = subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=servers.ROOT, capture_output=True, text=True)
    if look.returncode:
        pytest.skip(NOT_TESTED + (look.stderr.strip().splitlines() or ["no git"])[-1])
    KEPT.mkdir(parents=True, exist_ok=True)
    with open(KEPT / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = KEPT / commit
        if not kept.exists():
            being_made = pathlib.Path(f"{kept}.new")
            shutil.rmtree(being_made, ignore_errors=True)
            build(being_made, commit)
            being_made.rename(kept)
    return kept / "programs"


@contextlib.contextmanager
def programs_of(folder):
    """What is started in this block, with servers and ctl, is of that folder."""
    with unittest.mock.patch.object(servers, "BUILD", folder), unittest.mock.patch.object(ctl, "BUILD", folder):
        yield
