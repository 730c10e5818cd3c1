"""tests/run: what its words choose, what it counts, what it prints. The suites are stand-ins here."""

import re
import shutil

import pytest

from conftest import ROOT, Tree

MAKEFILE = """everything = all build/banter-model build/sanitized/banter-model build/sanitized/torture.fcgi unit-programs bench-quick
$(everything):
	@:
.PHONY: $(everything)
"""
# It passes a test for each argument, or one, and tells them.
STAND_IN = """#!/bin/sh
echo "# {name}:$*"
[ $# -gt 0 ] || set -- all
for test; do
	case $test in
	bad) echo "not ok - $test"; status=1 ;;
	none) ;;
	*) echo "ok - $test" ;;
	esac
done
exit ${status:-0}
"""


@pytest.fixture
def tree(tmp_path):
    tree = Tree(tmp_path)
    tree.write("Makefile", MAKEFILE)
    for name in ("lint", "unit/run", "sql/run", "fuzz/run", "mutants/run"):
        tree.write(f"tests/{name}", STAND_IN.replace("{name}", name))
        (tree / "tests" / name).chmod(0o755)
    tree.write("deploy/packages.sh", "#!/bin/sh\n")
    (tree / "deploy/packages.sh").chmod(0o755)
    shutil.copy(ROOT / "tests/run", tree / "tests/run")
    # pytest's words are what matters.
    tree.write("python", STAND_IN.replace("{name}", "python"))
    (tree / "python").chmod(0o755)
    text = (tree / "tests/run").read_text()
    assert "python=/usr/bin/python3 " in text
    tree.write("tests/run", text.replace("python=/usr/bin/python3 ", "python=./python "))
    for name in ("test_pool", "test_other"):
        tree.write(f"tests/system/{name}.py", "")
    return tree


def of_pytest(tree, *words):
    """The words that pytest is given behind our own."""
    said = re.search(r"^# python:.* --timeout 300 (.*)$", tree.run("tests/run", *words).stdout, re.MULTILINE)
    return said[1].split()


def test_the_last_line_is_the_totals(tree):
    done = tree.run("tests/run", "unit", "sql")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[-1] == "2 passed, 0 failed"
    assert [line for line in lines if line.startswith("== ")][:3] == ["== make", "== unit", "== sql"]
    assert len(re.findall(r"^   1 passed, 0 failed \(\d+ s\)$", done.stdout, re.MULTILINE)) == 2
    assert re.fullmatch(r"== \d+ s: (\w+ \d+(, )?){3}", lines[-2])


def test_what_fails_is_counted_and_shown(tree):
    done = tree.run("tests/run", "sql", "good", "bad")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"
    assert "sql: 1 failed: build/test/sql.log\n    not ok - bad\n" in done.stdout


def test_a_suite_that_tests_nothing_has_failed(tree):
    done = tree.run("tests/run", "sql", "none")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "0 passed, 1 failed")


def test_what_does_not_build_has_failed(tree):
    tree.write("Makefile", "all:\n\t@echo no; exit 1\n")
    done = tree.run("tests/run")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "0 passed, 1 failed")


def test_arguments_are_the_one_suites(tree):
    assert "# unit/run:build test_turn\n" in tree.run("tests/run", "unit", "test_turn").stdout
    assert "# sql/run:test_turn_begin -k x\n" in tree.run("tests/run", "sql", "test_turn_begin", "-k", "x").stdout
    assert "# fuzz/run:5\n" in tree.run("tests/run", "fuzz", "5").stdout
    assert "# mutants/run:07\n" in tree.run("tests/run", "mutants", "07").stdout


def test_pytest_gets_the_tests_that_are_named_else_the_folder(tree):
    assert of_pytest(tree, "system", "-k", "drain") == ["tests/system", "-k", "drain"]
    # What an option is given is no name.
    assert of_pytest(tree, "system", "-k", "test_pool") == ["tests/system", "-k", "test_pool"]
    for word in ("test_pool", "test_pool.py", "tests/system/test_pool.py"):
        assert of_pytest(tree, "system", word, "-x") == ["tests/system/test_pool.py", "-x"]
    assert of_pytest(tree, "system", "test_pool::test_x[1]") == ["tests/system/test_pool.py::test_x[1]"]
    assert of_pytest(tree, "pooled", "test_pool")[-1] == "tests/system/test_pool.py"
    # A suite of some files has these, unless others are named.
    assert "tests/system/test_pool.py" in of_pytest(tree, "sanitized", "-k", "drain")
    assert of_pytest(tree, "sanitized", "test_other", "-k", "x") == ["tests/system/test_other.py", "-k", "x"]


@pytest.mark.parametrize("words", [["nope"], ["unit", "sql", "test_x"], ["lint", "x"], ["--long", "unit"]])
def test_words_that_make_no_sense_are_refused(tree, words):
    done = tree.run("tests/run", *words)
    assert done.returncode == 2 and "suites: build unit " in done.stdout
    assert not (tree / "build").exists()


def test_all_and_the_long_ones(tree):
    """Between them they are every suite there is, and the budget is held against the first."""
    everything = tree.run("tests/run").stdout
    assert re.search(r"^== \d+ s of 1500: ", everything, re.MULTILINE)
    long = tree.run("tests/run", "--long").stdout
    assert not re.search(r" of 1500: ", long)
    for said in (everything, long):
        passed = [int(one) for one in re.findall(r"^   ([1-9]\d*) passed, 0 failed \(", said, re.MULTILINE)]
        assert len(passed) == said.count("\n== ") - 1
        assert said.splitlines()[-1] == f"{sum(passed)} passed, 0 failed"
    ran = re.findall(r"^== (\w+)$", everything, re.MULTILINE), re.findall(r"^== (\w+)$", long, re.MULTILINE)
    suites = re.findall(r"^suite_(\w+)\(\)", (tree / "tests/run").read_text(), re.MULTILINE)
    assert sorted([*ran[0][1:], *ran[1][1:]]) == sorted(suites)


def test_what_was_found_beside_the_other_suites_counts(tree):
    tree.write("tests/lint", "#!/bin/sh\nps -o cls= -p $$ >class\necho not ok - a finding\nexit 1\n")
    done = tree.run("tests/run")
    assert done.returncode == 1
    assert "lint: 1 failed: build/test/lint.log\n    not ok - a finding\n" in done.stdout
    assert (tree / "class").read_text().split() in (["IDL"], ["TS"])  # before it is waited for, and from then on


def test_what_ends_beside_the_other_suites_is_begun_anew(tree):
    tree.write("tests/lint", "#!/bin/sh\nmkdir there 2>/dev/null && kill -9 $PPID\necho ok - all\n")
    done = tree.run("tests/run")
    assert "== lint\n   1 passed, 0 failed (" in done.stdout and done.returncode == 0
