"""The pictures: well formed, with every figure in them, and no label over another."""

import re
import xml.etree.ElementTree

import plot

TEXT = "{http://www.w3.org/2000/svg}text"


def words(path):
    return [(one.text, float(one.get("y"))) for one in xml.etree.ElementTree.parse(path).iter(TEXT)]


def test_latencies_are_labelled_where_their_lines_end(tmp_path):
    plot.latency(tmp_path / "x.svg", {"Banter": [(50, 0.2), (99.9, 2.1)], "<other>": [(50, 0.3), (99.9, 2.12)], "third": [(50, 9), (99.9, 940)]})
    labels = {text: y for text, y in words(tmp_path / "x.svg") if re.match("(Banter|<other>|third) ", text)}
    assert list(labels) == ["<other>  2.1", "third  940", "Banter  2.1"]
    places = sorted(labels.values())
    assert all(lower - upper >= 16.9 for upper, lower in zip(places, places[1:]))


def test_quantiles_that_are_missing_or_alike_are_no_fault(tmp_path):
    plot.latency(tmp_path / "x.svg", {"one": [(50, 1)], "none": [], "zero": [(50, 0)]})
    assert "one  1.0" in dict(words(tmp_path / "x.svg"))


def test_places_keep_their_order_and_stay_near():
    assert plot.spread([10, 100], 17) == [10, 100]
    assert plot.spread([50, 50, 50], 10) == [40, 50, 60]


def test_memory_has_its_figures(tmp_path):
    plot.memory(tmp_path / "x.svg", [("Banter", 300 * 1024), ("other", 2666 * 1024), ("small", 352), ("nothing", 0)])
    assert {"300 MiB", "2,666 MiB", "352 KiB", "0 KiB"} <= set(dict(words(tmp_path / "x.svg")))
