"""Pictures and tables of comparisons and of benchmarks."""

from __future__ import annotations

import numpy as np
import pytest

from snellen import Classification, Regression
from snellen.benchmark.measured_model import measured_model
from snellen.benchmark.result import BenchmarkResult
from snellen.errors import InputError
from snellen.statistics import Comparison, compare

HOSTILE = "<b>&_|"


def of_labels() -> Comparison:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 200)
    ids = [str(k) for k in range(200)]
    runs = []
    for right in (0.5, 0.9):
        pred = np.where(rng.random(200) < right, truth, 1 - truth)
        runs.append(Classification([0, 1]).update(truth, pred, sample_id=ids))
    return compare(*runs, names=["a", HOSTILE], replicates=200, metrics=["accuracy", "f1_macro"])


def of_numbers() -> Comparison:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=50)
    ids = [str(k) for k in range(50)]
    runs = [
        Regression(keep_samples=True).update(truth, truth + rng.normal(size=50) * 9, sample_id=ids)
        for _ in range(3)
    ]
    return compare(*runs, replicates=50)


def test_differences_are_drawn_with_their_intervals() -> None:
    found = of_labels()
    numbers, classes = found.displays()
    for record, each in zip(numbers.records(), found.differences, strict=True):
        assert record == {
            "category": each.metric,
            "difference": each.difference,
            "difference low": each.interval.low,
            "difference high": each.interval.high,
        }
    assert numbers.words.finding.startswith(f"accuracy: {HOSTILE} is better than a by 0.")
    assert "200 samples, 200 replicates" in numbers.words.protocol
    assert len(classes.records()) == 2
    assert classes.records()[0]["difference"] <= classes.records()[1]["difference"]
    assert classes.words.finding == "2 of 2 differences can be claimed."
    drawn = found.plot(name="class_differences")
    assert drawn.ax_ is not None
    assert found.figure("differences").data[0].orientation == "h"
    with pytest.raises(InputError, match="expected the name of a picture: differences, class_diff"):
        found.plot(name="pr")


def test_numbers_in_other_units_are_not_drawn_beside_shares() -> None:
    found = of_numbers()
    (numbers,) = found.displays()
    units = {each.metric for each in found.differences}
    drawn = {record["category"].partition(":")[0] for record in numbers.records()}
    assert drawn == {"mae"}
    assert units - drawn <= set(numbers.words.note.rstrip(".").split(": ")[1].split(", "))
    assert [record["category"] for record in numbers.records()] == [
        "mae: B less A",
        "mae: C less A",
        "mae: C less B",
    ]


def test_tables_of_a_comparison() -> None:
    found = of_labels()
    head, _, first, *_ = found.to_markdown().splitlines()
    assert head == (
        "| metric | a | &lt;b&gt;&amp;\\_\\| | difference [95 % interval] | adjusted p |"
    )
    each = found.differences[0]
    assert first.startswith(
        f"| accuracy | {each.value_first:.3f} | {each.value_second:.3f} | {each.difference:.3f} ["
    )
    assert "class (f1) & a & " in found.to_latex("classes", label="tab:c")
    assert "<b>" not in found._repr_html_().replace("<p><b>Comparison</b></p>", "")
    of_three = of_numbers().to_markdown().splitlines()
    assert of_three[0].startswith("| metric | runs | first | second |")
    assert len(of_three) == 2 + 3 * 3
    with pytest.raises(InputError, match='expected a table metrics or classes, got "pairs"'):
        found.to_markdown("pairs")


def test_a_benchmark_without_speed() -> None:
    truth, ids = np.array([0, 0, 1, 1]), list("wxyz")
    options = {"truth": truth, "ids": ids, "classes": ("cat", "dog"), "kind": "labels"}
    models = [
        measured_model(name, "p.csv", labels=np.array(labels), **options)  # type: ignore[arg-type]
        for name, labels in (("half", [0, 1, 1, 0]), (HOSTILE, [0, 0, 1, 0]))
    ]
    found = BenchmarkResult(models, ids, truth, ("cat", "dog"))
    (bars,) = found.displays()
    assert [record["top1"] for record in bars.records()] == [0.75, 0.5]
    assert bars.words.finding == f"Best is {HOSTILE}: 0.750."
    assert found.plot().ax_ is not None
    lines = found.to_markdown().splitlines()
    assert lines[0] == "| model | top-1 | F1 |"
    assert lines[3].startswith("| half | 0.500 [0.")
    classes = found.to_markdown("classes").splitlines()
    assert classes[2:] == ["| cat | 0.500 | 1.000 |", "| dog | 0.500 | 0.500 |"]
    assert "<b>&" not in found._repr_html_()


def test_a_benchmark_with_speed() -> None:
    from tests.unit.test_benchmark_result import three

    speeds, accuracy = three().displays()
    assert speeds.words.finding.startswith("Most accurate is a (75.0% at")
    assert accuracy.name == "top1"
    head = three().to_markdown().splitlines()[0]
    assert head == ("| model | top-1 | F1 | images/s | network alone | latency (ms) | parameters |")
