"""deploy/monitoring: alerts, dashboard and page name what the program truly gives, and all of it."""

import json
import re
import shutil
import subprocess

import exposition
import pytest
import yaml
from ctl import ctl
from servers import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
# Labels that a monitor adds, or that a histogram has by itself.
ADDED = {"instance", "job", "le"}


@pytest.fixture(scope="module")
def given(shared_site):
    """The program's metrics, each label's values not needed."""
    assert shared_site.for_new_tenant().chat("hello").status_code == 200
    code, out, err = ctl("metrics", "--pid", shared_site.banter.process.pid)
    assert (code, err) == (0, "")
    return exposition.read(out)


def rules():
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def panels():
    return json.loads((FOLDER / "dashboard.json").read_text())["panels"]


def expressions():
    yield from ((name, rule["expr"]) for name, rule in rules().items())
    yield from ((panel["title"], target["expr"]) for panel in panels() for target in panel["targets"])


def labels_of(given, series):
    for family, what in given.items():
        if series in {family + suffix for suffix in exposition.SUFFIXES[what["type"]]}:
            return {name for _, labels in what["samples"] for name, _ in labels}
    raise AssertionError(f"the program gives no {series}")


@pytest.mark.parametrize("where, expression", expressions())
def test_an_expression_names_what_is_given(where, expression, given):
    series = re.findall(r"\bbanter_[a-z_]+", expression)
    assert series or "up{" in expression, where
    labels = set.union(*(labels_of(given, one) for one in series)) if series else set()
    used = set(re.findall(r"([a-z]+)=~?\"", expression))
    for several in re.findall(r"\bby \(([^)]*)\)", expression):
        used |= {word.strip() for word in several.split(",")}
    assert used <= labels | ADDED, (where, used - labels - ADDED)


def test_an_expressions_values_are_given(given):
    """end="failed" and the like: a value that never comes makes no alert."""
    values = {}
    for what in given.values():
        for _, labels in what["samples"]:
            for label, value in labels:
                values.setdefault(label, set()).add(value)
    for where, expression in expressions():
        for label, value in re.findall(r'([a-z]+)="([^"$]*)"', expression):
            assert label == "job" or value in values[label], (where, label, value)


def test_legends_name_labels_of_their_expressions():
    for panel in panels():
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), (panel["title"], target["legendFormat"])


def test_the_page_says_what_each_metric_and_each_alert_is(given):
    page = (FOLDER / "README.md").read_text()
    table = set(re.findall(r"`(banter_[a-z_]+)`", page.partition("## What is counted")[2].partition("## What to watch")[0]))
    names = {family + ("_total" if what["type"] == "counter" else "") for family, what in given.items()}
    assert table == names
    for name, rule in rules().items():
        assert f"\n### {name}\n" in page
        assert rule["annotations"]["runbook"] == f"deploy/monitoring/README.md#{name.lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(re.findall(r"\n### (\w+)", page)) == set(rules())
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_promtool_takes_the_alerts():
    if not shutil.which("promtool"):
        pytest.skip("promtool (Debian's prometheus) is not installed")
    done = subprocess.run(["promtool", "check", "rules", FOLDER / "alerts.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
