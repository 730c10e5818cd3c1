"""Prometheus' text format 0.0.4 and OpenMetrics 1.0.0, read strictly: what is not said exactly as the formats want it is
an error. For what the program gives; a monitor reads more loosely."""

import re

NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
LABEL = re.compile(rf'({NAME})="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
NUMBER = re.compile(r"\d+(\.\d+)?")
TYPES = {"counter", "gauge", "histogram"}
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found, text
        assert found[1] not in labels, text
        labels[found[1]] = re.sub(r"\\(.)", lambda escaped: {"n": "\n"}.get(escaped[1], escaped[1]), found[2])
        at = found.end()
        assert found[3] or at == len(text), text
    return labels


class Metrics(dict):
    """Of each family's name (a counter's without _total): {"type", "unit", "help", "samples": {(suffix, labels): value}}."""

    def value(self, family, suffix="", **labels):
        """The sum over all samples that have these labels."""
        kind = self[family]["type"]
        suffix = suffix or SUFFIXES[kind][0]
        wanted = set(labels.items())
        return sum(value for (ending, has), value in self[family]["samples"].items() if ending == suffix and wanted <= set(has))

    def by(self, family, *names):
        """{the values of those labels: the sum}, those that are 0 left out."""
        found = {}
        for (ending, has), value in self[family]["samples"].items():
            if ending == SUFFIXES[self[family]["type"]][0] and value:
                key = tuple(dict(has)[name] for name in names)
                found[key if len(names) > 1 else key[0]] = found.get(key if len(names) > 1 else key[0], 0) + value
        return found

    def names(self):
        """The names of all series, as a query has them."""
        return {family + suffix for family, what in self.items() for suffix in SUFFIXES[what["type"]]}


def family_of(name, families, openmetrics):
    for family, what in families.items():
        for suffix in SUFFIXES[what["type"]]:
            if name == family + suffix:
                return family, suffix
    raise AssertionError(f"{name} is of no family")


def read(text, openmetrics=False):
    """All of it; each line is a HELP, a TYPE, a UNIT or a sample of the family that was begun last."""
    metrics, last, begun = Metrics(), None, {}
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    if openmetrics:
        assert lines.pop() == "# EOF"
    for line in lines:
        if line.startswith("# "):
            found = re.fullmatch(rf"# (HELP|TYPE|UNIT) ({NAME}) (.+)", line)
            assert found, line
            what, name, words = found.groups()
            begun.setdefault(name, {})
            assert list(begun)[-1] == name and what not in begun[name], line
            begun[name][what] = words
            if what == "TYPE":
                assert words in TYPES and "HELP" in begun[name], line
                total = words == "counter" and not openmetrics
                assert not total or name.endswith("_total"), line
                last = name.removesuffix("_total") if total else name
                assert last not in metrics, line
                metrics[last] = {"type": words, "unit": "", "help": begun[name]["HELP"], "samples": {}}
            if what == "UNIT":
                assert openmetrics and name == last and name.endswith("_" + words), line
                metrics[last]["unit"] = words
            continue
        found = SAMPLE.fullmatch(line)
        assert found and NUMBER.fullmatch(found[3]), line
        family, suffix = family_of(found[1], {last: metrics[last]}, openmetrics)
        labels = labels_of(found[2] or "")
        key = suffix, tuple(sorted(labels.items()))
        assert key not in metrics[family]["samples"], line
        assert ("le" in labels) == (suffix == "_bucket"), line
        metrics[family]["samples"][key] = float(found[3])
    for family, what in metrics.items():
        assert not openmetrics or what["type"] != "histogram" or what["unit"], family
        if what["type"] == "histogram":
            check_histogram(family, what["samples"])
    return metrics


def check_histogram(family, samples):
    """Bounds and counts grow, the last bound is infinite, and its count is the count."""
    series = {}
    for (suffix, labels), value in samples.items():
        bare = tuple(label for label in labels if label[0] != "le")
        series.setdefault(bare, {"_bucket": []})
        if suffix == "_bucket":
            series[bare]["_bucket"].append((float(dict(labels)["le"]), value))
        else:
            series[bare][suffix] = value
    for labels, parts in series.items():
        bounds, counts = zip(*parts["_bucket"])
        assert list(bounds) == sorted(set(bounds)) and bounds[-1] == float("inf"), (family, labels)
        assert list(counts) == sorted(counts) and counts[-1] == parts["_count"], (family, labels)
        assert parts["_sum"] >= 0 and (parts["_sum"] == 0 or parts["_count"]), (family, labels)
