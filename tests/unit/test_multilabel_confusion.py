"""Multilabel counts on small cases worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Classes, Labels, MultilabelConfusion, multilabel_confusion
from snellen.classification.averaging import Averaging
from snellen.classification.multilabel_confusion import MultilabelConfusionResult
from snellen.classification.resampled_sets import SetRows, set_units
from snellen.errors import ClassError, InputError, ShapeError
from snellen.result import Interval
from snellen.state import Keys

#            truth        predicted     tp fp fn
# sample 0   a b          a              1  0  1
# sample 1     b            b c          1  1  0
# sample 2   a   c        a   c          2  0  0
# sample 3                  b            0  1  0
# sample 4                               0  0  0
TRUTH = [[1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0]]
PRED = [[1, 0, 0], [0, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_by_hand() -> None:
    result = multilabel_confusion(TRUTH, PRED)
    #                                     a  b  c
    assert result.tp.tolist() == [2, 1, 1]
    assert result.fp.tolist() == [0, 1, 1]
    assert result.fn.tolist() == [0, 1, 0]
    assert result.tn.tolist() == [3, 2, 3]
    assert result.support.tolist() == [2, 2, 1]
    values = result.class_values()
    assert values["precision"].tolist() == [1, 1 / 2, 1 / 2]
    assert values["recall"].tolist() == [1, 1 / 2, 1]
    assert values["f1"].tolist() == [1, 2 / 4, 2 / 3]
    assert values["jaccard"].tolist() == [1, 1 / 3, 1 / 2]
    assert values["specificity"].tolist() == [1, 2 / 3, 3 / 4]
    assert values["npv"].tolist() == [1, 2 / 3, 1]
    assert values["accuracy"].tolist() == [1, 3 / 5, 4 / 5]
    # (TP TN − FP FN) / sqrt((TP+FN) (TN+FP) (TP+FP) (TN+FN)): 6/6, 1/6, 3/sqrt(1·4·2·3)
    assert values["mcc"].tolist() == [1, 1 / 6, 3 / math.sqrt(24)]
    # LR+ = TP (TN+FP) / (FP (TP+FN)): –, 3/2, 4/1. LR− = FN (TN+FP) / (TN (TP+FN)): 0, 3/4, 0
    assert np.isnan(values["lr_positive"][0])
    assert values["lr_positive"][1:].tolist() == [3 / 2, 4]
    assert values["lr_negative"].tolist() == [0, 3 / 4, 0]
    assert result.precision_micro == 4 / 6
    assert result.recall_micro == 4 / 5
    assert result.f1_micro == 8 / 11
    assert result.precision_macro == pytest.approx(2 / 3, rel=1e-15)
    assert result.recall_weighted == 4 / 5  # (2 · 1 + 2 · 1/2 + 1) / 5
    assert result.accuracy_micro == 12 / 15
    assert result.subset_accuracy == 2 / 5  # samples 2 and 4
    assert result.hamming == 3 / 15
    assert result.cardinality_truth == 5 / 5
    assert result.cardinality_prediction == 6 / 5
    assert result.density_truth == 5 / 15
    assert result.density_prediction == 6 / 15
    assert result.data == {
        "n_samples": 5,
        "n_classes": 3,
        "n_truth_labels": 5,
        "n_predicted_labels": 6,
        "n_without_truth_labels": 2,
    }


# Precision of samples 0 to 3: 1, 1/2, 1, 0. Recall: 1/2, 1, 1, 0/0. Sample 4 has nothing on either
# side. F1: 2/3, 2/3, 1, 0.
@pytest.mark.parametrize(
    ("absent", "zero", "precision", "recall", "f1"),
    [
        ("drop", 0.0, 2.5 / 4, 2.5 / 4, (7 / 3) / 4),
        ("drop", 1.0, 2.5 / 4, 3.5 / 4, (7 / 3) / 4),
        ("drop", math.nan, 2.5 / 4, 2.5 / 3, (7 / 3) / 4),
        ("zero", 0.0, 2.5 / 5, 2.5 / 5, (7 / 3) / 5),
        ("one", 0.0, 3.5 / 5, 3.5 / 5, (10 / 3) / 5),
        ("one", math.nan, 3.5 / 5, 3.5 / 4, (10 / 3) / 5),
    ],
)
def test_samples_averages_by_hand(
    absent: str, zero: float, precision: float, recall: float, f1: float
) -> None:
    result = multilabel_confusion(TRUTH, PRED, absent_classes=absent, zero_division=zero)
    assert result.precision_samples == pytest.approx(precision, rel=1e-15)
    assert result.recall_samples == pytest.approx(recall, rel=1e-15)
    assert result.f1_samples == pytest.approx(f1, rel=1e-15)


@pytest.mark.parametrize(("absent", "f1"), [("drop", 1.0), ("zero", 1 / 2), ("one", 1.0)])
def test_absent_classes_by_hand(absent: str, f1: float) -> None:
    result = multilabel_confusion([[1, 0], [0, 0]], [[1, 0], [0, 0]], absent_classes=absent)
    assert result.f1_macro == f1
    assert np.isnan(result.class_values()["f1"][1])
    reasons = {(e.metric, e.class_name): e.reason for e in result.undefined_of_classes()}
    assert reasons["f1", "1"] == "neither truth nor predictions have the class"
    assert reasons["precision", "1"] == "the class was never predicted"


def test_all_forms_give_the_same() -> None:
    wanted = MultilabelConfusion(["a", "b", "c"]).update(TRUTH, PRED)
    names = "abc"
    truth, pred = ([{names[k] for k in np.flatnonzero(row)} for row in s] for s in (TRUTH, PRED))
    column = np.empty(5, object)
    column[:] = [sorted(labels) for labels in truth]
    flags = np.array(PRED, bool)
    scores = np.where(flags, 0.5, 0.499).astype(np.float32)
    classes = Classes([0, 1, 2], ["a", "b", "c"])
    for one, other in [
        (np.array(TRUTH), flags),
        (np.array(TRUTH, float), scores),
        (truth, pred),
        ([sorted(labels) for labels in truth], [list(labels) for labels in pred]),
        (column, [frozenset(labels) for labels in pred]),
        ([{names.index(label) for label in labels} for labels in truth], flags),
        (
            Labels(classes, member=np.array(TRUTH, np.uint8)),
            Labels(classes, score=scores),
        ),
        ([[*labels, *labels] for labels in truth], pred),  # a label twice is there once
    ]:
        metric = wanted.empty().update(one, other)
        assert metric.to_bytes() == wanted.to_bytes()


def test_a_score_at_the_threshold_is_a_label() -> None:
    scores = np.array([[0.1, 0.3]], np.float32)
    result = multilabel_confusion([[1, 1]], scores, threshold=float(np.float32(0.3)))
    assert result.tp.tolist() == [0, 1]
    strictly = np.nextafter(float(np.float32(0.3)), 1)
    assert multilabel_confusion([[1, 1]], scores, threshold=strictly).tp.tolist() == [0, 0]
    logits = multilabel_confusion([[1, 1]], [[-0.5, 0.0]], threshold=0)
    assert logits.tp.tolist() == [0, 1]


def test_lists_of_numbers_are_rows_of_a_matrix() -> None:
    assert multilabel_confusion([[0, 1], [1, 0]], [[0, 1], [1, 0]]).tp.tolist() == [1, 1]
    assert multilabel_confusion([{0, 1}, {1, 0}], [{0, 1}, {1, 0}]).tp.tolist() == [2, 2]


def test_weights_by_hand() -> None:
    truth, pred = [[1, 0], [1, 1], [0, 0]], [[1, 1], [0, 1], [0, 0]]
    result = multilabel_confusion(truth, pred, weight=[0.5, 0.25, 2.0])
    assert result.tp.tolist() == [0.5, 0.25]
    assert result.fp.tolist() == [0.0, 0.5]
    assert result.fn.tolist() == [0.25, 0.0]
    assert result.tn.tolist() == [2.0, 2.0]
    assert result.subset_accuracy == 2.0 / 2.75
    assert result.hamming == 0.75 / 5.5
    # Precision of samples 0 and 1: 1/2 and 1; sample 2 is left out.
    assert result.precision_samples == (0.5 / 2 + 0.25) / 0.75
    assert result.cardinality_truth == 1.0 / 2.75


@pytest.mark.parametrize("weight", [1e-300, 1e-90, 1e90, 1e300])
def test_weights_of_any_size(weight: float) -> None:
    truth, pred = [[1], [1], [0], [0]], [[1], [0], [1], [0]]
    metric = MultilabelConfusion().update([*truth, [1]], [*pred, [1]], weight=[weight] * 5)
    (record,) = metric.compute().per_class()
    # TP 2, FP, FN and TN 1: (2 · 1 - 1 · 1) / sqrt(3 · 3 · 2 · 2), and (2/3) / (1/2).
    assert record["mcc"] == pytest.approx(1 / 6)
    assert record["lr_positive"] == pytest.approx(4 / 3)
    assert metric.compute().mcc_micro == pytest.approx(1 / 6)


def test_weighted_sums_that_cancel_leave_no_trace() -> None:
    # 0.1 + 0.2 + 0.3 is not 0.6 in float64: a difference would leave 1e-16 true negatives.
    truth, pred = [[1], [1], [1]], [[1], [1], [1]]
    result = multilabel_confusion(truth, pred, weight=[0.1, 0.2, 0.3])
    assert result.tn.tolist() == [0.0]
    assert np.isnan(result.class_values()["specificity"][0])
    assert np.isnan(result.class_values()["mcc"][0])


def test_classes_align_by_name_not_by_place() -> None:
    result = multilabel_confusion([{"b"}, {"c"}], [{"a", "b"}, {"c"}])
    assert result.classes.display_names() == ["a", "b", "c"]
    assert result.tp.tolist() == [0, 1, 1]
    grown = MultilabelConfusion().update([{"z"}], [{"z"}]).update([{"a"}], [{"z"}]).compute()
    assert (grown.tp.tolist(), grown.fp.tolist(), grown.fn.tolist()) == ([0, 1], [0, 1], [1, 0])


def test_no_data() -> None:
    for result in (
        MultilabelConfusion().compute(),
        MultilabelConfusion(["a", "b"]).compute(),
        multilabel_confusion(np.zeros((0, 3), bool), np.zeros((0, 3), bool)),
    ):
        assert all(math.isnan(value) for value in result.metrics.values())
        assert {entry.reason for entry in result.undefined} == {"there are no samples"}
        assert str(result)
        assert result.composition()
    bare = multilabel_confusion([set(), set()], [[], []])
    assert bare.subset_accuracy == 1.0
    assert {e.reason for e in bare.undefined if e.metric == "hamming"} == {"there are no classes"}


def test_memory_does_not_grow_with_samples() -> None:
    metric = MultilabelConfusion()
    truth, pred = np.array(TRUTH), np.array(PRED)
    small = len(metric.update(truth, pred).to_bytes())
    for _ in range(50):
        metric.update(np.tile(truth, (1000, 1)), np.tile(pred, (1000, 1)))
    assert len(metric.to_bytes()) == small


@pytest.mark.parametrize(("absent", "zero"), [("drop", 0.0), ("one", math.nan), ("zero", 1.0)])
def test_units_give_the_result_again(absent: str, zero: float) -> None:
    metric = MultilabelConfusion(absent_classes=absent, zero_division=zero, beta=0.5)
    units, result = metric.update(TRUTH, PRED).units(), metric.compute()
    values = units.values(units.counts[None])
    assert set(result.metrics) - set(values) == {
        name for name in result.metrics if name.endswith(("_macro", "_weighted"))
    }
    again = units.values(2 * units.counts[None])
    joined = units.values(units.counts[None], other=(units, units.counts[None]))
    for name, value in values.items():
        for found in (value, again[name], joined[name]):
            assert found[0] == pytest.approx(result.metrics[name], rel=1e-12, nan_ok=True), name
    assert units.successes_and_trials("subset_accuracy") == (2, 5)
    with pytest.raises(InputError, match="keeps no samples"):
        metric.units(each=True)


def test_units_of_some_samples_are_those_samples() -> None:
    metric = MultilabelConfusion().update(TRUTH, PRED)
    units = metric.units()
    # Kinds ascend by (tp, fp, fn): samples 4, 3, 0, 1, 2. Twice sample 0, once sample 3.
    drawn = np.array([[0, 1, 2, 0, 0]])
    again = MultilabelConfusion().update(
        [TRUTH[i] for i in (3, 0, 0)], [PRED[i] for i in (3, 0, 0)]
    )
    result = again.compute()
    for name, value in units.values(drawn).items():
        assert value[0] == pytest.approx(result.metrics[name], rel=1e-12, nan_ok=True), name


def kept(unit: Any = None, **rules: Any) -> Any:
    true, told = np.array(TRUTH, bool), np.array(PRED, bool)
    sample, label = np.nonzero(true | told)
    rows = SetRows(
        sample.astype(np.int32), label.astype(np.int32), true[sample, label], told[sample, label]
    )
    return set_units(
        rows,
        5,
        Classes(range(3)),
        averaging=Averaging(**rules),
        beta=0.5,
        ids=Keys(range(5 if unit is None else int(unit.max()) + 1), "unit"),
        unit=unit,
        truth=None,
    )


@pytest.mark.parametrize(("absent", "zero"), [("drop", 0.0), ("one", math.nan), ("zero", 1.0)])
def test_units_that_know_their_labels(absent: str, zero: float) -> None:
    rules: dict[str, Any] = {"absent_classes": absent, "zero_division": zero}
    units = kept(**rules)
    drawn = np.array([[1, 1, 1, 1, 1], [2, 0, 0, 1, 3], [0, 0, 4, 0, 0]])
    found, of_classes = units.values(drawn), units.class_values(drawn)
    for i, times in enumerate(drawn):
        at = np.repeat(np.arange(5), times)
        metric = MultilabelConfusion(beta=0.5, **rules)
        result = metric.update(np.array(TRUTH)[at], np.array(PRED)[at]).compute()
        assert found.keys() == result.metrics.keys()
        for name, value in found.items():
            assert value[i] == pytest.approx(result.metrics[name], rel=1e-12, nan_ok=True), name
        f1 = result.class_values()["f1"]
        assert of_classes[i] == pytest.approx(f1, rel=1e-12, nan_ok=True)
    # Joined with the first data set: all samples once, and so often again.
    joined = units.values(drawn[:1].repeat(3, axis=0), other=(units, drawn))
    whole = units.values(drawn + 1)
    assert units.class_values(drawn[:1], other=(units, drawn[1:2])) == pytest.approx(
        units.class_values(drawn[1:2] + 1), nan_ok=True
    )
    for name, value in joined.items():
        assert value == pytest.approx(whole[name], rel=1e-12, nan_ok=True), name
    assert units.proportions.keys() == {"subset_accuracy"}
    assert units.successes_and_trials("subset_accuracy") == (2, 5)


def test_units_of_groups() -> None:
    units = kept(unit=np.array([0, 1, 1, 0, 1], np.int32))
    assert units.counts.tolist() == [1, 1]
    twice = units.values(np.array([[2, 1]]))
    samples = kept().values(np.array([[2, 1, 1, 2, 1]]))
    for name, value in twice.items():
        assert value == pytest.approx(samples[name], rel=1e-12, nan_ok=True), name


def test_text() -> None:
    text = str(multilabel_confusion([{"cat"}, {"dog"}], [{"cat"}, set()]))
    assert text.splitlines()[0].split() == ["precision", "recall", "f1", "support"]
    assert "cat                  1.0000  1.0000  1.0000        1" in text
    assert "dog                       -  0.0000  0.0000        1" in text
    assert "subset_accuracy         0.5000" in text
    many = np.eye(50, dtype=bool)
    assert len(str(multilabel_confusion(many, many)).splitlines()) < 20


def test_saved_and_loaded(tmp_path: Path) -> None:
    for weight in (None, [0.1, 0.2, 0.3, 0.4, 0.5]):
        result = multilabel_confusion(TRUTH, PRED, weight=weight, zero_division=math.nan)
        object.__setattr__(
            result,
            "intervals",
            {"hamming": Interval(0.1, math.nan, 0.9, "bootstrap", "sample", "why")},
        )
        result.save(tmp_path / "result")
        again = MultilabelConfusionResult.load(tmp_path / "result")
        assert str(again) == str(result)
        assert again.to_dict() == result.to_dict()


BAD: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
    ([[0, 1]], [[0, 1], [1, 0]], {}, ShapeError, "as many predictions as samples .* got 2 and 1"),
    ([[0, 1]], [[0, 1, 1]], {}, ShapeError, "as many columns in predictions as in truth, got 3 an"),
    ([[0, 2]], [[0, 1]], {}, InputError, r"expected 0 or 1, got 2 - at truth\[0, 1\]"),
    ([[0, 0.5]], [[0, 1]], {}, InputError, r"got 0\.5: are these scores\? - at truth\[0, 1\]"),
    ([[0, 1]], [[0.1, math.nan]], {}, InputError, r"got nan - at pred\[0, 1\]"),
    ([[0, 1]], [[0, 1]], {"weight": [-1.0]}, InputError, r"not negative, got -1\.0 - at weight"),
    ([[0, 1], [1]], [[0, 1], [1, 0]], {}, InputError, "give labels that are numbers as Python se"),
    ([0, 1], [0, 1], {}, ShapeError, "use ConfusionMatrix for single labels - at truth"),
    (["a", "b"], ["a", "b"], {}, InputError, r"got the text 'a': use .* - at truth\[0\]"),
    (
        [{"cat"}, {"dog"}],
        [{"cat"}, {"cats"}],
        {"classes": ["cat", "dog"]},
        ClassError,
        r'got "cats" .* Did you mean "cat"\? - at pred\[1\]\[0\]',
    ),
    ([[0, 1]], [[0, 1]], {"classes": ["a"]}, ShapeError, "one column for each of 1 classes, got 2"),
    ([[0]], [[0]], {"threshold": math.nan}, InputError, "expected a finite number, got nan"),
    ([[0]], [[0]], {"beta": -1}, InputError, "expected a number above 0, got -1"),
    ([[0]], [[0]], {"absent_classes": "skip"}, InputError, 'expected "drop", "zero" or "one"'),
]


@pytest.mark.parametrize(("truth", "pred", "options", "error", "message"), BAD)
def test_bad_input(
    truth: Any, pred: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        multilabel_confusion(truth, pred, **options)


def test_single_labels_are_refused() -> None:
    with pytest.raises(InputError, match="got one label for each sample: use ConfusionMatrix"):
        MultilabelConfusion().update(Labels.of(["a"]), Labels.of(["a"]))
    truth = Labels(Classes([0]), member=np.ones((1, 1), np.uint8))
    with pytest.raises(InputError, match="expected no weight beside Labels"):
        MultilabelConfusion().update(truth, truth, weight=[1.0])


def test_too_many_classes() -> None:
    with pytest.raises(ClassError, match="expected at most 1,048,575 classes, got 1,048,576"):
        MultilabelConfusion(Classes(range(1 << 20)))
