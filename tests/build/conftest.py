"""Fixtures: a copy of the tree that was built once, and copies of that for tests that change something."""

import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a caller set for its own make means another tree.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
ENVIRONMENT["LC_ALL"] = "C.UTF-8"
QUICK = "CFLAGS=-O0"


class Tree:
    """A copy of the sources, and what make does there."""

    def __init__(self, folder):
        self.folder = folder

    def __truediv__(self, path):
        return self.folder / path

    def run(self, *words, **environment):
        return subprocess.run([str(word) for word in words], cwd=self.folder, env={**ENVIRONMENT, **environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def make(self, *words, **environment):
        """What it says; it must succeed."""
        done = self.run("make", *words, **environment)
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    def would(self, *words, **environment):
        """What make would do: (the files it would compile, what it would link)."""
        said = self.make("-n", "V=1", *words, **environment)
        compiled = re.findall(r"^\S+ .* -c .*-o build/obj/(\S+)\.o ", said, re.MULTILINE)
        linked = re.findall(r"^\S+ .*-o build/(\S+) build/obj/", said, re.MULTILINE)
        assert len(set(compiled)) == len(compiled)
        return set(compiled), set(linked)

    def holds(self, file, text):
        return text.encode() in (self / file).read_bytes()

    def write(self, file, text):
        (self / file).parent.mkdir(parents=True, exist_ok=True)
        (self / file).write_text(text)

    def append(self, file, text):
        self.write(file, (self / file).read_text() + text)


def copy_sources(to):
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, check=True).stdout
    old = time.time() - 86400
    for path in filter(None, listed.decode().split("\0")):
        if (ROOT / path).is_file() and not path.startswith("tests/fuzz/corpus/"):
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, to / path)
            os.utime(to / path, (old, old))


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Built from nothing by eight at once. It is for looking at, and for `make -n`."""
    tree = Tree(tmp_path_factory.mktemp("built"))
    copy_sources(tree.folder)
    tree.make("-j8", QUICK, "all", "build/libbanter.a", "build/unit/test_buf")
    return tree


@pytest.fixture
def tree(built, tmp_path):
    """A copy of it that the test may change."""
    return Tree(pathlib.Path(shutil.copytree(built.folder, tmp_path / "tree")))
