"""Metrics of labels and of sets of labels beside scikit-learn, on random data."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import metrics as sk

from snellen import Classes, ConfusionMatrix, MultilabelConfusion
from snellen.classification.averaging import Averaging

# What scikit-learn's one option is in our two.
ABSENT = {0.0: "zero", 1.0: "one", math.nan: "drop"}
ZERO_DIVISIONS = (0.0, 1.0, math.nan)
SEEDS = range(12)

# scikit-learn adds weights one by one; each of up to 400 additions is off by half a unit of the
# sum: relative 400 · 1.1e-16. Ours are exact sums, rounded once. Differences of such sums (true
# negatives, kappa, Matthews) lose some digits more.
WEIGHTED = {"rtol": 1e-12, "atol": 1e-12}
# scikit-learn's mean over samples is a pairwise sum of up to 400 numbers; ours is exact and rounded
# once.
SUMMED = {"rtol": 1e-14, "atol": 0.0}


@pytest.fixture(autouse=True)
def _undefined_is_no_warning_here() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=sk._classification.UndefinedMetricWarning)
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
        # Likelihood ratios without positives are 0/0 there too, and say so.
        warnings.filterwarnings("ignore", message="invalid value encountered in scalar divide")
        warnings.filterwarnings("ignore", message="A single label was found")
        yield


def pools(seed: int) -> tuple[list[Any], list[Any]]:
    """Return labels that may occur, and classes to declare: some of them never occur."""
    random = np.random.default_rng(seed)
    k = int(random.integers(2, 9))
    kind = seed % 4
    if kind == 0:
        ids: list[Any] = list(range(k + 3))
    elif kind == 1:
        ids = sorted(random.choice(np.arange(-50, 50), k + 3, replace=False).tolist())
    elif kind == 2:
        ids = sorted(f"{'zyx'[i % 3]}ü{i}" for i in range(k + 3))
    else:
        return [False, True], [False, True]
    return random.permutation(np.array(ids))[:k].tolist(), ids


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Return truth, predictions and classes; not every class is on both sides."""
    random = np.random.default_rng(seed + 100)
    pool, ids = pools(seed)
    n = int(random.integers(1, 400)) if seed else 1
    share = random.random(len(pool)) ** 3 + 1e-9
    truth = random.choice(pool, n, p=share / share.sum())
    told = random.choice(pool[: max(1, len(pool) - 1)], n)
    pred = np.where(random.random(n) < 0.6, truth, told)
    return truth, pred, ids


def classes_of(ids: list[Any]) -> Classes:
    return Classes([int(i) for i in ids] if isinstance(ids[0], bool) else ids)


def equal(ours: Any, theirs: Any, tolerance: dict[str, float] | None) -> None:
    if tolerance is None:
        assert_array_equal(ours, theirs)
    else:
        np.testing.assert_allclose(ours, theirs, **tolerance)


@pytest.mark.parametrize("weights", ["none", "whole", "fractions"])
@pytest.mark.parametrize("seed", SEEDS)
def test_matrix_and_single_numbers(seed: int, weights: str) -> None:
    truth, pred, ids = drawn(seed)
    weight = weights_of(weights, len(truth), seed)
    tolerance = WEIGHTED if weights == "fractions" else None
    kept: dict[str, Any] = {"sample_weight": weight}
    result = ConfusionMatrix(classes_of(ids)).update(truth, pred, weight=weight).compute()

    matrix = sk.confusion_matrix(truth, pred, labels=ids, **kept)
    equal(result.matrix, matrix, tolerance)
    for by, word in (("truth", "true"), ("prediction", "pred"), ("all", "all")):
        with np.errstate(invalid="ignore"):
            theirs = sk.confusion_matrix(truth, pred, labels=ids, normalize=word, **kept)
        # scikit-learn prints 0 for rows and columns without samples.
        equal(np.nan_to_num(result.normalised(by)), theirs, tolerance)

    equal(result.accuracy, sk.accuracy_score(truth, pred, **kept), tolerance)
    equal(result.balanced_accuracy, sk.balanced_accuracy_score(truth, pred, **kept), tolerance)
    equal(result.hamming, sk.hamming_loss(truth, pred, **kept), tolerance)
    # 0 is scikit-learn's word for undefined.
    equal(np.nan_to_num(result.mcc), sk.matthews_corrcoef(truth, pred, **kept), tolerance)
    for name, word in (
        ("kappa", None),
        ("kappa_linear", "linear"),
        ("kappa_quadratic", "quadratic"),
    ):
        theirs = sk.cohen_kappa_score(truth, pred, labels=ids, weights=word, **kept)
        equal(result.metrics[name], theirs, tolerance)


def weights_of(kind: str, n: int, seed: int) -> np.ndarray | None:
    random = np.random.default_rng(seed + 1)
    if kind == "none":
        return None
    # Whole numbers add up without rounding, in any order; no class loses all its weight.
    return random.integers(1, 5, n).astype(float) if kind == "whole" else 0.1 + random.random(n)


@pytest.mark.parametrize("weights", ["none", "whole", "fractions"])
@pytest.mark.parametrize("zero", ZERO_DIVISIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_precision_recall_f_jaccard(seed: int, zero: float, weights: str) -> None:
    truth, pred, ids = drawn(seed)
    weight = weights_of(weights, len(truth), seed)
    tolerance = WEIGHTED if weights == "fractions" else None
    beta = (0.5, 2.0, 3.7)[seed % 3]
    metric = ConfusionMatrix(
        classes_of(ids), beta=beta, absent_classes=ABSENT[zero], zero_division=zero
    )
    result = metric.update(truth, pred, weight=weight).compute()
    check_ratios(result, truth, pred, ids, weight, zero, beta, tolerance)


@pytest.mark.parametrize("zero", ZERO_DIVISIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_macro_averages_over_the_first_classes(seed: int, zero: float) -> None:
    truth, pred, ids = drawn(seed)
    n = 1 + seed % len(ids)
    rules: dict[str, Any] = {"absent_classes": ABSENT[zero], "zero_division": zero}
    metric = ConfusionMatrix(classes_of(ids), n_macro=n, **rules).update(truth, pred)
    result = metric.compute()
    p, r, f, _ = sk.precision_recall_fscore_support(
        truth, pred, average="macro", labels=ids[:n], zero_division=zero
    )
    for key, theirs in (("precision", p), ("recall", r), ("f1", f)):
        compare(result, {}, key, "macro", theirs, zero, None)
    # All other numbers are over all classes.
    over_all = ConfusionMatrix(classes_of(ids), **rules).update(truth, pred).compute()
    others = [name for name in result.metrics if not name.endswith("_macro")]
    for name in others:
        assert_array_equal(result.metrics[name], over_all.metrics[name])
    # And so are those of resampled data.
    units = metric.units()
    drawn_once = units.values(units.counts[None])
    for name in ("precision_macro", "recall_macro", "f1_macro", "f1_weighted"):
        np.testing.assert_allclose(drawn_once[name][0], result.metrics[name], rtol=1e-12)


def check_ratios(
    result: Any,
    truth: Any,
    pred: Any,
    ids: list[Any],
    weight: Any,
    zero: float,
    beta: float,
    tolerance: dict[str, float] | None,
) -> None:
    """Compare precision, recall, F1, F-beta, Jaccard: of classes, micro, macro, weighted."""
    kept: dict[str, Any] = {"sample_weight": weight, "labels": ids, "zero_division": zero}
    values = result.class_values()
    for average in (None, "micro", "macro", "weighted"):
        for name, number in (("f1", 1.0), (f"f{beta:g}", beta)):
            p, r, f, _ = sk.precision_recall_fscore_support(
                truth, pred, beta=number, average=average, **kept
            )
            for key, theirs in (("precision", p), ("recall", r), (name, f)):
                compare(result, values, key, average, theirs, zero, tolerance)
        if not math.isnan(zero):  # scikit-learn's Jaccard knows 0 and 1
            theirs = sk.jaccard_score(truth, pred, average=average, **kept)
            compare(result, values, "jaccard", average, theirs, zero, tolerance)


def compare(
    result: Any,
    values: Any,
    key: str,
    average: str | None,
    theirs: Any,
    zero: float,
    tolerance: dict[str, float] | None,
) -> None:
    if average is None:
        # Of a class, undefined is NaN with us.
        equal(np.where(np.isnan(values[key]), zero, values[key]), theirs, tolerance)
    elif average == "weighted" and not result.support.any():
        # Nothing to weight by: NaN, where scikit-learn averages without weights.
        assert math.isnan(result.metrics[f"{key}_weighted"])
    else:
        ours = result.metrics[f"{key}_{average}"]
        equal(zero if math.isnan(ours) else ours, theirs, tolerance)


@pytest.mark.parametrize("weights", ["none", "whole", "fractions"])
@pytest.mark.parametrize("seed", range(20))
def test_binary(seed: int, weights: str) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 60))
    truth, pred = random.random(n) < random.random(), random.random(n) < random.random()
    weight = weights_of(weights, n, seed)
    tolerance = WEIGHTED if weights == "fractions" else None
    result = ConfusionMatrix(Classes([0, 1])).update(truth, pred, weight=weight).compute()
    kept: dict[str, Any] = {"sample_weight": weight}
    for name, score in (
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("f1", sk.f1_score),
    ):
        theirs = score(truth, pred, zero_division=math.nan, **kept)
        equal(result.metrics[name], theirs, tolerance)
    others = sk.recall_score(truth, pred, pos_label=False, zero_division=math.nan, **kept)
    equal(result.specificity, others, tolerance)
    others = sk.precision_score(truth, pred, pos_label=False, zero_division=math.nan, **kept)
    equal(result.npv, others, tolerance)
    theirs = sk.class_likelihood_ratios(truth, pred, labels=[False, True], **kept)
    equal([result.lr_positive, result.lr_negative], theirs, tolerance)


# --- sets of labels -------------------------------------------------------------------------------


def sets(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return indicator matrices; classes and samples are empty on one side or on both."""
    random = np.random.default_rng(seed)
    n, k = int(random.integers(1, 400)), int(random.integers(2, 12))
    truth = random.random((n, k)) < random.random(k) ** 3
    pred = truth ^ (random.random((n, k)) < random.random(k) ** 3)
    for k_empty in range(seed % 3):
        truth[:, k_empty] = False
        pred[:, k_empty] &= k_empty > 0
    return truth, pred


@pytest.mark.parametrize("weights", ["none", "whole", "fractions"])
@pytest.mark.parametrize("zero", ZERO_DIVISIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_sets_of_labels(seed: int, zero: float, weights: str) -> None:
    truth, pred = sets(seed)
    weight = weights_of(weights, len(truth), seed)
    tolerance = WEIGHTED if weights == "fractions" else None
    beta = (0.5, 2.0, 3.7)[seed % 3]
    metric = MultilabelConfusion(beta=beta, absent_classes=ABSENT[zero], zero_division=zero)
    result = metric.update(truth, pred, weight=weight).compute()
    kept: dict[str, Any] = {"sample_weight": weight}

    theirs = sk.multilabel_confusion_matrix(truth, pred, **kept)
    ours = np.stack([result.tn, result.fp, result.fn, result.tp], axis=1).reshape(-1, 2, 2)
    equal(ours, theirs, tolerance)
    equal(result.subset_accuracy, sk.accuracy_score(truth, pred, **kept), tolerance)
    # scikit-learn divides by n · K · the mean weight, which is rounded even for whole weights.
    hamming = sk.hamming_loss(truth, pred, **kept)
    equal(result.hamming, hamming, None if weight is None else WEIGHTED)
    ids = list(range(truth.shape[1]))
    check_ratios(result, truth, pred, ids, weight, zero, beta, tolerance)

    summed = WEIGHTED if weights == "fractions" else SUMMED
    for name, number in (("f1", 1.0), (f"f{beta:g}", beta)):
        p, r, f, _ = sk.precision_recall_fscore_support(
            truth, pred, beta=number, average="samples", zero_division=zero, **kept
        )
        for key, theirs in (("precision", p), ("recall", r), (name, f)):
            equal(result.metrics[f"{key}_samples"], theirs, summed)
    if not math.isnan(zero):
        theirs = sk.jaccard_score(truth, pred, average="samples", zero_division=zero, **kept)
        equal(result.jaccard_samples, theirs, summed)

    values = result.class_values()
    for k in ids:
        one: dict[str, Any] = {"y_true": truth[:, k], "y_pred": pred[:, k], **kept}
        equal(np.nan_to_num(values["mcc"][k]), sk.matthews_corrcoef(**one), tolerance)
        equal(values["accuracy"][k], sk.accuracy_score(**one), tolerance)
        ratios = sk.class_likelihood_ratios(labels=[False, True], **one)
        equal([values["lr_positive"][k], values["lr_negative"][k]], ratios, tolerance)


def test_the_defaults_are_none_of_scikit_learns() -> None:
    # The worked example of docs/metrics/absent-classes.md.
    truth, pred, ids = [0, 0, 1], [0, 0, 0], [0, 1, 2]
    found = {
        zero: sk.f1_score(truth, pred, labels=ids, average="macro", zero_division=zero)
        for zero in ZERO_DIVISIONS
    }
    for zero, theirs in found.items():
        rule = {"absent_classes": ABSENT[zero], "zero_division": zero}
        metric = ConfusionMatrix(Classes(ids), **rule).update(truth, pred)
        assert metric.compute().f1_macro == theirs
    default = ConfusionMatrix(Classes(ids)).update(truth, pred).compute()
    assert default.f1_macro == found[math.nan] == 0.4
    # Precision of class 1 is 0/0, though it is there: nan leaves it out, we count 0.
    assert default.precision_macro == pytest.approx(1 / 3, rel=1e-15)
    assert str(Averaging()) == "absent classes are left out; 0/0 of others is counted as 0"
