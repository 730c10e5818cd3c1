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
# Labels that a monitor adds, or that a histogram has by itself; and node_exporter's.
ADDED = {"instance", "job", "le", "file"}


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


def test_the_dashboard_finds_its_instances_without_a_pool_too():
    """By a counter: of workers under mod_fcgid nothing else is shown."""
    asked = [one["query"]["query"] for one in json.loads((FOLDER / "dashboard.json").read_text())["templating"]["list"]
             if one["type"] == "query"]
    assert asked == ["label_values(banter_tokens_total, instance)"]


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


def test_the_page_names_each_member_of_the_status(shared_site):
    code, out, err = ctl("status", "--json", "--pid", shared_site.banter.process.pid)
    assert (code, err) == (0, "")
    said = {}
    for line in (FOLDER / "README.md").read_text().partition("## Status in JSON")[2].partition("\n## ")[0].splitlines():
        words = re.findall(r"`([a-z_]+)`", line)
        if line.startswith("| `"):
            said[words[0]] = set(words)
    for member, value in json.loads(out).items():
        for names in value if isinstance(value, list) else [value]:
            if isinstance(names, dict):
                assert set(names) <= said[member], (member, set(names) - said[member])
            else:
                assert any(member in words for words in said.values()), member


def promtool(*words, **options):
    if not shutil.which("promtool"):
        pytest.skip("promtool (Debian's prometheus) is not installed")
    return subprocess.run(["promtool", *words], capture_output=True, text=True, **options)


def test_promtool_takes_the_alerts():
    done = promtool("check", "rules", FOLDER / "alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def judge(folder, series, alerts=(), expressions=()):
    """Whether promtool agrees. `series`: values a minute, by their names; `alerts`: (name, minute, the labels of each that
    fires then); `expressions`: those that must give something at minute 10."""
    def said(name, labels):
        rule = rules()[name]
        return {"exp_labels": {**rule["labels"], **labels},
                "exp_annotations": {key: re.sub(r"{{ \$labels\.(\w+) }}", lambda label: labels[label[1]], text)
                                    for key, text in rule["annotations"].items()}}

    file = folder / "test.yml"
    file.write_text(yaml.safe_dump({
        "rule_files": [str(FOLDER / "alerts.yml")],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [{"alertname": name, "eval_time": f"{minute}m",
                                 "exp_alerts": [said(name, labels) for labels in fires]} for name, minute, fires in alerts],
            "promql_expr_test": [{"expr": f"count({one}) > bool 0", "eval_time": "10m",
                                  "exp_samples": [{"labels": "{}", "value": 1}]} for one in expressions],
        }],
    }, width=10000))
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def named(series, **labels):
    return series + "{" + ",".join(f'{label}="{value}"' for label, value in {"instance": "a", **labels}.items()) + "}"


def times(family, each, bound, within, **labels):
    """A histogram: `each` a minute, of which `within` took no longer than the bound, and the others ten times that at most."""
    counts = {str(bound): within, str(bound * 10): each, "+Inf": each}
    return {**{named(family + "_bucket", le=le, **labels): f"0+{count}x60" for le, count in counts.items()},
            named(family + "_count", **labels): f"0+{each}x60"}


MTIME = "node_textfile_mtime_seconds"
FILE = {"file": "/var/lib/prometheus/node-exporter/banter.prom"}
UP = {"job": "banter"}
MODEL = {"server": "default"}
WORKER = {"process": "worker", "cause": "SIGSEGV"}
CALL = {"call": "exchange_begin"}
VISITORS, PERCENT = "banter_visitor_caps_used_total", {"percent": "80"}
WAIT, FIRST, DATABASE = "banter_queue_wait_seconds", "banter_first_token_seconds", "banter_database_call_seconds"


def ends(failed, done):
    return {named("banter_exchanges_total", end="failed"): failed, named("banter_exchanges_total", end="done"): done}


# An hour of each: what it fires for, with its labels but for the instance; and what is no reason: a single event, a counter that
# begins anew (a restart, an upgrade), much that is well.
ONE, ANEW, WELL = "0x20 1x39", "500x20 0x39", "0+100x60"
FIRES = [
    ("BanterDown", {named("up", **UP): "0x60"}, UP),
    ("BanterDown", {named(MTIME, **FILE): "0x60"}, FILE),
    ("BanterPoolFull", {named("banter_requests_refused_total"): "0+1x60"}, {}),
    ("BanterRequestsWait", times(WAIT, 10, 1.0, 1), {}),
    ("BanterExchangesFail", ends("0+1x60", "0+9x60"), {}),
    ("BanterModelServerOpen", {named("banter_breaker_open", **MODEL): "1x60"}, MODEL),
    ("BanterModelSlow", times(FIRST, 10, 10.0, 1), {}),
    ("BanterDatabaseFails", {named("banter_database_failures_total", **CALL): "0+1x60"}, {}),
    ("BanterDatabaseSlow", times(DATABASE, 10, 0.25, 1, **CALL), {}),
    ("BanterWorkersDie", {named("banter_deaths_total", **WORKER): "0+1x60"}, {}),
    ("BanterVisitorsUseUpADay", {named(VISITORS, **PERCENT): ONE}, PERCENT),
    ("BanterRestarts", {named("banter_start_time_seconds"): "0+300x60"}, {}),
]
QUIET = [
    ("BanterDown", {named("up", **UP): "1x20 0 1x38", named(MTIME, **FILE): "0+60x60"}),
    *(("BanterPoolFull", {named("banter_requests_refused_total"): values}) for values in (ONE, ANEW)),
    ("BanterRequestsWait", times(WAIT, 10, 1.0, 10)),
    ("BanterRequestsWait", times(WAIT, 1, 1.0, 0)),
    *(("BanterExchangesFail", ends(*values)) for values in ((ONE, ONE), (ANEW, ANEW), (ONE, WELL), ("0+1x60", WELL))),
    *(("BanterModelServerOpen", {named("banter_breaker_open", **MODEL): values}) for values in ("0x60", "1x3 0x3 1x3 0x50")),
    ("BanterModelSlow", times(FIRST, 10, 10.0, 10)),
    *(("BanterDatabaseFails", {named("banter_database_failures_total", **CALL): values}) for values in (ONE, ANEW)),
    ("BanterDatabaseSlow", times(DATABASE, 100, 0.25, 99, **CALL)),
    ("BanterDatabaseSlow", times(DATABASE, 10, 0.25, 1, call="health")),
    *(("BanterWorkersDie", {named("banter_deaths_total", **WORKER): values}) for values in (ONE, ANEW)),
    *(("BanterVisitorsUseUpADay", {named(VISITORS, **PERCENT): values}) for values in ("7x60", ANEW)),
    ("BanterRestarts", {named("banter_start_time_seconds"): "100x20 1300x39"}),
]


def test_promtool_takes_the_alerts():
    done = promtool("check", "rules", FOLDER / "alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_reason_to_fire_and_one_not_to():
    assert {name for name, *_ in FIRES} == {name for name, *_ in QUIET} == set(rules())


@pytest.mark.parametrize("alert, series, labels", FIRES)
def test_an_alert_fires(alert, series, labels, tmp_path):
    judge(tmp_path, series, [(alert, 45, [{"instance": "a", **labels}])])


@pytest.mark.parametrize("alert, series", QUIET)
def test_an_alert_does_not_fire_for_less(alert, series, tmp_path):
    judge(tmp_path, series, [(alert, minute, []) for minute in range(1, 60)])


def test_each_panel_shows_something(given, tmp_path):
    """Of what the program gives, growing."""
    series = {}
    for family, what in given.items():
        for (suffix, labels), value in what["samples"].items():
            step = "+0" if what["type"] == "gauge" else "+1"
            series[named(family + suffix, **dict(labels), job="banter")] = f"{value}{step}x20"
    shown = [target["expr"].replace("$instance", "a").replace("$__rate_interval", "5m")
             for panel in panels() for target in panel["targets"]]
    assert len(shown) > len(panels())
    judge(tmp_path, series, expressions=shown)
