"""The confusion matrix on small cases worked by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from snellen import Classes, Classification, ConfusionMatrix, Labels, confusion_matrix
from snellen.classification import pair_counts
from snellen.errors import ClassError, InputError, ShapeError

# Rows are true classes. a: 3 of 4 found; b: 1 of 2; c: 2 of 2, and two false ones.
#        a b c
#    a   3 0 1
#    b   0 1 1
#    c   0 0 2
TRUTH = ["a", "a", "a", "a", "b", "b", "c", "c"]
PRED = ["a", "a", "a", "c", "b", "c", "c", "c"]


def test_by_hand() -> None:
    result = confusion_matrix(TRUTH, PRED)
    assert result.matrix.tolist() == [[3, 0, 1], [0, 1, 1], [0, 0, 2]]
    assert result.tp.tolist() == [3, 1, 2]
    assert result.fp.tolist() == [0, 0, 2]
    assert result.fn.tolist() == [1, 1, 0]
    assert result.tn.tolist() == [4, 6, 4]
    assert result.support.tolist() == [4, 2, 2]
    values = result.class_values()
    assert values["precision"].tolist() == [1, 1, 0.5]
    assert values["recall"].tolist() == [0.75, 0.5, 1]
    # 2 TP / (2 TP + FP + FN): 6/7, 2/3, 4/6
    assert values["f1"].tolist() == [6 / 7, 2 / 3, 4 / 6]
    assert values["jaccard"].tolist() == [3 / 4, 1 / 2, 2 / 4]
    assert values["specificity"].tolist() == [1, 1, 4 / 6]
    assert values["npv"].tolist() == [4 / 5, 6 / 7, 1]
    assert result.accuracy == 6 / 8
    assert result.hamming == 2 / 8
    assert result.balanced_accuracy == 0.75  # (3/4 + 1/2 + 1) / 3
    assert result.precision_macro == pytest.approx(2.5 / 3, rel=1e-15)
    assert result.recall_weighted == 6 / 8
    assert result.f1_micro == 6 / 8
    # Margins of truth 4, 2, 2 and of predictions 3, 1, 4: by chance 12 + 2 + 8 of 64 agree.
    assert result.kappa == pytest.approx(
        float(1 - Fraction(2, 8) / (1 - Fraction(22, 64))), rel=1e-15
    )
    # (6 · 8 − 22) / sqrt((64 − 24) (64 − 26))
    assert result.mcc == pytest.approx(26 / math.sqrt(40 * 38), rel=1e-15)
    # Distances of the two errors: 2 and 1. By chance: Σ |i − j| r_i c_j / 8 =
    # (1·(4·1 + 2·3 + 2·4 + 2·1) + 2·(4·4 + 2·3)) / 8 = (20 + 44) / 8 = 8.
    assert result.kappa_linear == pytest.approx(1 - 3 / 8, rel=1e-15)
    # Squared: 4 + 1 = 5; by chance (20 + 4 · 22) / 8 = 13.5.
    assert result.kappa_quadratic == pytest.approx(1 - 5 / 13.5, rel=1e-15)


def test_normalised_by_hand() -> None:
    result = confusion_matrix(["a", "a", "a", "a", "b"], ["a", "a", "a", "c", "c"])
    assert result.normalised("truth")[:2].tolist() == [[0.75, 0, 0.25], [0, 0, 1]]
    assert np.isnan(result.normalised("truth")[2]).all()  # no true c
    assert result.normalised("prediction")[:, 2].tolist() == [0.5, 0.5, 0]
    assert np.isnan(result.normalised("prediction")[:, 1]).all()  # no predicted b
    assert result.normalised("all")[0].tolist() == [3 / 5, 0, 1 / 5]
    with pytest.raises(InputError, match=r'expected "truth", "prediction" or "all", got .* at by'):
        result.normalised("true")


def test_binary_by_hand() -> None:
    # TP 3, FP 1, FN 1, TN 5
    truth = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    pred = [1, 1, 1, 0, 1, 0, 0, 0, 0, 0]
    result = confusion_matrix(truth, pred)
    assert (result.precision, result.recall, result.f1) == (3 / 4, 3 / 4, 6 / 8)
    assert (result.specificity, result.npv, result.jaccard) == (5 / 6, 5 / 6, 3 / 5)
    # (3/4) / (1/6) = 4.5; (1/4) / (5/6) = 0.3
    assert (result.lr_positive, result.lr_negative) == pytest.approx((4.5, 0.3), rel=1e-15)
    other = confusion_matrix(truth, pred, positive=0)
    assert (other.precision, other.recall) == (5 / 6, 5 / 6)
    named = confusion_matrix(truth, pred, classes=["no", "yes"], positive="yes")
    assert named.precision == 3 / 4
    assert "precision" not in confusion_matrix(["no"], ["yes"]).metrics


def test_a_positive_class_that_never_occurs() -> None:
    result = confusion_matrix(["a", "b"], ["a", "a"], positive="z")
    assert math.isnan(result.precision)
    reasons = {entry.metric: entry.reason for entry in result.undefined}
    assert reasons["precision"] == "no sample and no prediction is of class z"


def test_f_beta_by_hand() -> None:
    # TP 1, FP 1, FN 3, beta 2: 5 · 1 / (5 · 1 + 4 · 3 + 1) = 5/18
    result = confusion_matrix([1, 1, 1, 1, 0], [1, 0, 0, 0, 1], beta=2)
    assert result.metrics["f2"] == 5 / 18
    assert result.f1 == 2 / 6


# Truth 0, 0, 1; predicted 0, 0, 0; class 2 nowhere. F1: 4/5, 0/1, 0/0.
@pytest.mark.parametrize(("absent", "f1"), [("drop", 0.8 / 2), ("zero", 0.8 / 3), ("one", 1.8 / 3)])
def test_absent_classes_by_hand(absent: str, f1: float) -> None:
    result = confusion_matrix([0, 0, 1], [0, 0, 0], classes=["x", "y", "z"], absent_classes=absent)
    assert result.f1_macro == pytest.approx(f1, rel=1e-15)
    assert np.isnan(result.class_values()["f1"][2])


@pytest.mark.parametrize(("zero", "precision"), [(0.0, 1 / 3), (1.0, 5 / 6), (math.nan, 2 / 3)])
def test_zero_division_by_hand(zero: float, precision: float) -> None:
    # Class 1 is never predicted: precision 2/3 and 0/0.
    result = confusion_matrix([0, 0, 1], [0, 0, 0], zero_division=zero)
    assert result.precision_macro == pytest.approx(precision, rel=1e-15)
    (reason,) = [e for e in result.undefined_of_classes() if e.metric == "precision"]
    assert (reason.reason, reason.class_name) == ("the class was never predicted", "1")


def test_weights_by_hand() -> None:
    result = confusion_matrix([0, 0, 1], [0, 1, 1], weight=[0.5, 0.25, 2.0])
    assert result.matrix.tolist() == [[0.5, 0.25], [0.0, 2.0]]
    assert result.accuracy == 2.5 / 2.75
    assert result.data["n_samples"] == 3


@pytest.mark.parametrize("weight", [1e-300, 1e-90, 1e90, 1e300])
def test_weights_of_any_size(weight: float) -> None:
    truth, pred = ([each == "a" for each in side] for side in (TRUTH, PRED))
    metric = Classification(positive=1).update(truth, pred, weight=[weight] * 8)
    units = metric.units()
    resampled = {name: value[0] for name, value in units.values(units.counts[None]).items()}
    # 3 of 4 found, nothing else taken for it: (3 · 4 - 0 · 1) / sqrt(4 · 4 · 3 · 5).
    for found in (metric.compute().metrics, resampled):
        assert found["mcc"] == pytest.approx(12 / math.sqrt(4 * 4 * 3 * 5))
        assert found["kappa"] == pytest.approx(float(1 - Fraction(1, 8) / Fraction(1, 2)))
        assert found["lr_negative"] == pytest.approx(1 / 4)
        assert found["accuracy"] == pytest.approx(7 / 8)


def test_powers_of_two_as_weights_change_no_bit() -> None:
    weight = np.random.default_rng(0).random(8)
    few, many = (confusion_matrix(TRUTH, PRED, weight=weight * 2.0**k) for k in (0, 200))
    assert few.metrics == many.metrics


def test_classes_align_by_name_not_by_place() -> None:
    # Predictions lack "a" and have "d": nothing shifts.
    result = confusion_matrix(["a", "b", "c"], ["b", "b", "d"])
    assert result.classes.display_names() == ["a", "b", "c", "d"]
    assert result.tp.tolist() == [0, 1, 0, 0]
    named = ConfusionMatrix({10: "dog", 20: "cat"})
    assert named.update(["cat", "dog"], [20, 20]).compute().matrix.tolist() == [[0, 1], [0, 1]]


def test_scores_predict_the_highest_and_the_first_of_equals() -> None:
    scores = [[0.1, 0.8, 0.1], [0.5, 0.5, 0.0], [0.2, 0.2, 0.6]]
    result = confusion_matrix([1, 1, 2], scores)
    assert result.matrix.tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 1]]


def test_all_ways_of_counting_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(-3, 60, 20_000) * 2
    pred = np.where(random.random(20_000) < 0.5, truth, random.integers(0, 70, 20_000))
    wanted = np.zeros((len(np.union1d(truth, pred)),) * 2, np.int64)
    ids = np.union1d(truth, pred)
    np.add.at(wanted, (np.searchsorted(ids, truth), np.searchsorted(ids, pred)), 1)

    def check(metric: ConfusionMatrix) -> None:
        result = metric.compute()
        assert result.classes.keys.ids.tolist() == ids.tolist()
        assert np.array_equal(result.matrix, wanted)

    check(ConfusionMatrix().update(truth, pred))  # at once
    check(ConfusionMatrix().update(truth.tolist(), pred.tolist()))  # codes, table
    in_batches = ConfusionMatrix()
    for part in np.array_split(np.arange(20_000), 50):
        in_batches.update(truth[part], pred[part])
    check(in_batches)
    monkeypatch.setattr(pair_counts, "_DENSE", 1)
    monkeypatch.setattr(pair_counts, "_PENDING", 100)
    check(ConfusionMatrix().update(truth.tolist(), pred.tolist()))  # sorted
    spread = ConfusionMatrix().update(truth * 10**12, pred * 10**12).compute()
    assert np.array_equal(spread.matrix, wanted)


def test_memory_does_not_grow_with_samples() -> None:
    metric = ConfusionMatrix()
    truth, pred = np.array(TRUTH), np.array(PRED)
    small = len(metric.update(truth, pred).to_bytes())
    for _ in range(100):
        metric.update(np.tile(truth, 1000), np.tile(pred, 1000))
    assert len(metric.to_bytes()) == small


def test_units_give_the_result_again() -> None:
    metric = ConfusionMatrix(classes=["a", "b", "c", "d"]).update(
        [0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 0, 2, 1, 2, 2, 2]
    )
    units, result = metric.units(), metric.compute()
    values = units.values(units.counts[None])
    assert values.keys() == result.metrics.keys()
    for name, value in values.items():
        assert value[0] == pytest.approx(result.metrics[name], rel=1e-12, nan_ok=True), name
    # Twice everything changes nothing; joined with itself neither.
    for name, value in units.values(2 * units.counts[None]).items():
        assert value[0] == pytest.approx(result.metrics[name], rel=1e-12, nan_ok=True), name
    joined = units.values(units.counts[None], other=(units, units.counts[None]))
    assert joined["mcc"][0] == pytest.approx(result.mcc, rel=1e-12)
    assert units.class_values is not None
    assert units.class_values(units.counts[None])[0] == pytest.approx(
        result.class_values()["f1"], nan_ok=True
    )
    assert units.successes_and_trials("accuracy") == (6, 8)


def test_most_confused_and_text() -> None:
    result = confusion_matrix(TRUTH, PRED)
    assert result.most_confused(1) == [
        {"truth": "a", "prediction": "c", "n": 1, "share_of_truth": 0.25}
    ]
    text = str(result)
    assert "true \\ predicted  a  b  c" in text
    many = confusion_matrix(np.arange(30), np.r_[1, 1, 2:30])
    assert "most confused (true → predicted)" in str(many)
    assert "0 → 1" in str(many)


BAD: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
    (
        [0, 1],
        [0],
        {},
        ShapeError,
        "expected as many predictions as samples with truth, got 1 and 2",
    ),
    ([0.5], [0], {}, InputError, r"as labels, got 0\.5: are these scores\? - at truth\[0\]"),
    (
        [0.0],
        [2.0**63],
        {},
        InputError,
        r"expected labels that 64 bits can hold, got 9\.22337e\+18 - at pred\[0\]",
    ),
    ([-1e30], [0.0], {}, InputError, r"that 64 bits can hold, got -1e\+30 - at truth\[0\]"),
    ([0], [0], {"weight": [-1]}, InputError, r"not negative, got -1\.0 - at weight\[0\]"),
    ([0], [0], {"weight": [1, 1]}, ShapeError, "expected one weight for each of 1 samples"),
    ([0], [0], {"beta": 0}, InputError, "expected a number above 0, got 0 - at beta"),
    ([0], [0], {"absent_classes": "skip"}, InputError, 'expected "drop", "zero" or "one"'),
    ([0], [0], {"zero_division": 0.5}, InputError, r"expected 0, 1 or nan, got 0\.5"),
    (
        ["cat"],
        ["cats"],
        {"classes": ["cat", "dog"]},
        ClassError,
        r'got "cats" and 0 more that are none of them\. Did you mean "cat"\? - at pred\[0\]',
    ),
    (
        [0],
        [[0.1, 0.2]],
        {"classes": ["a", "b", "c"]},
        ShapeError,
        "one score for each of 3 classes",
    ),
    ([0], [[[0.1]]], {}, ShapeError, "expected labels in one axis"),
]


@pytest.mark.parametrize(("truth", "pred", "options", "error", "message"), BAD)
def test_bad_input(
    truth: Any, pred: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        confusion_matrix(truth, pred, **options)


def test_labels_of_two_kinds_and_sets_are_refused() -> None:
    sets = Labels(Classes(["a"]), member=np.ones((1, 1), np.uint8))
    with pytest.raises(InputError, match="expected one label for each sample, got sets of labels"):
        ConfusionMatrix().update(sets, sets)
    with pytest.raises(InputError, match="expected no weight, sample_id or group beside Labels"):
        ConfusionMatrix().update(Labels.of([0]), [0], weight=[1])


def test_macro_averages_over_classes_that_there_are_not() -> None:
    with pytest.raises(InputError, match="as the declared classes, 0, got 1 - at n_macro"):
        ConfusionMatrix(n_macro=1)
    with pytest.raises(InputError, match="as the declared classes, 2, got 3 - at n_macro"):
        ConfusionMatrix(["a", "b"], n_macro=3)
    with pytest.raises(InputError, match="expected a whole number from 1, got 0 - at n_macro"):
        ConfusionMatrix(["a", "b"], n_macro=0)
    with pytest.raises(InputError, match="expected macro averages over all sets of labels"):
        Classification(["a", "b"], multilabel=True, n_macro=1)
