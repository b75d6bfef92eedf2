"""Metrics of scores beside scikit-learn, torchmetrics and Keras, on data with ties."""

from __future__ import annotations

import math
import os
import warnings
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest
import torch
from sklearn import metrics as sk
from torchmetrics.functional import classification as tm

from snellen.classification.calibration import CalibrationError
from snellen.classification.curves import ThresholdCurves
from snellen.classification.probability import ProbabilityLoss
from snellen.classification.top_k import TopKAccuracy

# scikit-learn sums up to 1,000 rounded terms in float64: each addition is off by half a unit of a
# number up to 1, together less than 1e-13.
SUMS = {"rtol": 0.0, "atol": 1e-13}
# torchmetrics computes in float32, whose unit is 6e-8, from rounded ratios.
SINGLE = {"rtol": 0.0, "atol": 2e-6}

WEIGHTS = ("none", "fractions", "whole")


def weights(kind: str, n: int, random: np.random.Generator) -> Any:
    if kind == "none":
        return None
    return random.random(n) if kind == "fractions" else random.integers(0, 4, n).astype(float)


def binary(seed: int, n: int, levels: int, dtype: Any) -> tuple[Any, Any]:
    """Return labels of both classes and scores of so many levels; 0: no ties."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, n)
    truth[:2] = 0, 1
    score = random.random(n) * 0.7 + 0.3 * truth
    if levels:
        score = np.floor(score * levels) / levels
    return truth, score.astype(dtype)


def multiclass(
    seed: int, n: int, n_classes: int, *, digits: int | None = 2, absent: tuple[int, ...] = ()
) -> tuple[Any, Any]:
    """Return labels and probabilities whose columns tie; some classes never occur."""
    random = np.random.default_rng(seed)
    present = [k for k in range(n_classes) if k not in absent]
    truth = random.choice(present, n)
    truth[: len(present)] = present
    logits = random.normal(size=(n, n_classes))
    logits[np.arange(n), truth] += 1.5
    score = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if digits is not None:
        score = np.round(score, digits)
        score[:, 0] = np.maximum(0, score[:, 0] + 1 - score.sum(axis=1))
        score /= score.sum(axis=1, keepdims=True)
    return truth, score


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("levels", [0, 1, 3, 50])
@pytest.mark.parametrize("n", [2, 7, 1000])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_binary_curves(n: int, levels: int, dtype: Any, weight: str) -> None:
    truth, score = binary(n, n, levels, dtype)
    sample_weight = weights(weight, n, np.random.default_rng(n))
    if sample_weight is not None:
        sample_weight[:2] = 1.0
    metric = ThresholdCurves().update(truth, score, weight=sample_weight)
    result = metric.compute()
    np.testing.assert_allclose(
        result.auc, sk.roc_auc_score(truth, score, sample_weight=sample_weight), **SUMS
    )
    np.testing.assert_allclose(
        result.ap, sk.average_precision_score(truth, score, sample_weight=sample_weight), **SUMS
    )
    # The curves: every point of scikit-learn's, whose last has no threshold.
    table = metric.table()
    precision, recall, threshold = sk.precision_recall_curve(
        truth, score, sample_weight=sample_weight
    )
    np.testing.assert_array_equal(table.threshold, threshold[::-1])
    np.testing.assert_allclose(table.precision, precision[-2::-1], **SUMS)
    np.testing.assert_allclose(table.recall, recall[-2::-1], **SUMS)
    if sample_weight is None:
        np.testing.assert_array_equal(table.precision, precision[-2::-1])
        np.testing.assert_array_equal(table.recall, recall[-2::-1])


@pytest.mark.parametrize("levels", [0, 4])
def test_roc_corners_lie_on_the_roc_curve_and_hold_every_corner(levels: int) -> None:
    truth, score = binary(3, 300, levels, np.float64)
    false_rate, true_rate = ThresholdCurves().update(truth, score).compute().curve().roc()
    # drop_intermediate leaves the corners only.
    wanted = set(zip(*sk.roc_curve(truth, score, drop_intermediate=True)[:2], strict=True))
    assert wanted <= set(zip(false_rate, true_rate, strict=True))
    assert sk.auc(false_rate, true_rate) == pytest.approx(sk.roc_auc_score(truth, score), abs=1e-13)


def test_auc_is_the_nearest_float64() -> None:
    """Where P N is a power of two scikit-learn rounds nothing either: equal in every bit."""
    random = np.random.default_rng(0)
    for seed in range(20):
        truth = np.repeat([0, 1], [64, 32])
        score = np.random.default_rng(seed).integers(0, 30, 96) + truth
        shuffled = random.permutation(96)
        auc = ThresholdCurves().update(truth[shuffled], score[shuffled]).compute().auc
        assert auc == sk.roc_auc_score(truth, score)
        pairs = np.sign(score[64:, None] - score[None, :64])
        assert auc == int((pairs + 1).sum()) / (2 * 64 * 32)


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("n_classes", [3, 10, 40])
def test_multiclass_averages(n_classes: int, weight: str) -> None:
    truth, score = multiclass(n_classes, 600, n_classes)
    sample_weight = weights(weight, len(truth), np.random.default_rng(1))
    if sample_weight is not None:
        sample_weight[:n_classes] = 2.0
    result = ThresholdCurves().update(truth, score, weight=sample_weight).compute()
    options = {"sample_weight": sample_weight}
    each = sk.roc_auc_score(truth, score, multi_class="ovr", average=None, **options)
    np.testing.assert_allclose(result.class_auc, each, **SUMS)
    member = np.eye(n_classes)[truth]
    np.testing.assert_allclose(
        result.class_ap, sk.average_precision_score(member, score, average=None, **options), **SUMS
    )
    for how in ("macro", "weighted", "micro"):
        wanted = sk.roc_auc_score(truth, score, multi_class="ovr", average=how, **options)
        assert result.metrics[f"auc_{how}"] == pytest.approx(wanted, abs=1e-13)
        wanted = sk.average_precision_score(member, score, average=how, **options)
        assert result.metrics[f"ap_{how}"] == pytest.approx(wanted, abs=1e-13)
    for how in ("macro", "weighted"):
        if sample_weight is None:
            wanted = sk.roc_auc_score(truth, score, multi_class="ovo", average=how)
            assert result.metrics[f"auc_ovo_{how}"] == pytest.approx(wanted, abs=1e-13)


def test_one_against_one_with_weights_is_that_of_repeated_rows() -> None:
    """scikit-learn has no weights here; whole weights are repetitions."""
    truth, score = multiclass(4, 200, 5)
    times = np.random.default_rng(2).integers(1, 4, 200)
    weighted = ThresholdCurves().update(truth, score, weight=times.astype(float)).compute()
    rows = np.repeat(np.arange(200), times)
    for how in ("macro", "weighted"):
        wanted = sk.roc_auc_score(truth[rows], score[rows], multi_class="ovo", average=how)
        assert weighted.metrics[f"auc_ovo_{how}"] == pytest.approx(wanted, abs=1e-13)


def test_multilabel_averages() -> None:
    random = np.random.default_rng(5)
    member = (random.random((400, 7)) < 0.3).astype(int)
    score = np.round(random.random((400, 7)) * 0.6 + 0.4 * member, 1)
    result = ThresholdCurves().update(member, score).compute()
    for how in ("macro", "weighted", "micro"):
        assert result.metrics[f"auc_{how}"] == pytest.approx(
            sk.roc_auc_score(member, score, average=how), abs=1e-13
        )
        assert result.metrics[f"ap_{how}"] == pytest.approx(
            sk.average_precision_score(member, score, average=how), abs=1e-13
        )


@pytest.mark.parametrize("absent_classes", ["drop", "zero"])
def test_absent_classes(absent_classes: str) -> None:
    """Left out: scikit-learn on the classes that occur. As 0: torchmetrics' macro AUC."""
    truth, score = multiclass(6, 300, 6, absent=(1, 4))
    result = ThresholdCurves(absent_classes=absent_classes).update(truth, score).compute()
    assert np.isnan(result.class_auc).tolist() == [False, True, False, False, True, False]
    if absent_classes == "drop":
        each = [sk.roc_auc_score(truth == k, score[:, k]) for k in (0, 2, 3, 5)]
        assert result.auc_macro == pytest.approx(np.mean(each), abs=1e-13)
        each = [sk.average_precision_score(truth == k, score[:, k]) for k in (0, 2, 3, 5)]
        assert result.ap_macro == pytest.approx(np.mean(each), abs=1e-13)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torchmetrics warns of the absent classes
            wanted = tm.multiclass_auroc(torch.tensor(score), torch.tensor(truth), 6).item()
        assert result.auc_macro == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("bins", [2, 5, 200])
def test_bins_are_those_of_torchmetrics(bins: int) -> None:
    truth, score = binary(7, 900, 0, np.float64)
    result = ThresholdCurves(bins).update(truth, score).compute()
    tensors = torch.tensor(score), torch.tensor(truth)
    assert result.auc == pytest.approx(tm.binary_auroc(*tensors, thresholds=bins).item(), abs=2e-6)
    wanted = tm.binary_average_precision(*tensors, thresholds=bins).item()
    assert result.ap == pytest.approx(wanted, abs=2e-6)
    false_rate, true_rate, threshold = tm.binary_roc(*tensors, thresholds=bins)
    curve = result.curve()
    np.testing.assert_allclose(curve.threshold, threshold.numpy(), **SINGLE)
    np.testing.assert_allclose(curve.recall, true_rate.numpy(), **SINGLE)
    np.testing.assert_allclose(curve.false_positive_rate, false_rate.numpy(), **SINGLE)


def test_scores_on_thresholds_reach_them_as_in_torchmetrics() -> None:
    """float32 scores that are the thresholds themselves, given as a list."""
    steps = [0.0, 0.1, 0.3, 0.7, 0.9]
    random = np.random.default_rng(8)
    score = random.choice(np.array([*steps, 0.05, 0.6, 0.95], np.float32), 500)
    truth = random.integers(0, 2, 500)
    curve = ThresholdCurves(steps).update(truth, score).compute().curve()
    state = tm.binary_roc(torch.tensor(score), torch.tensor(truth), thresholds=steps)
    np.testing.assert_allclose(curve.recall, state[1].numpy(), **SINGLE)
    np.testing.assert_allclose(curve.false_positive_rate, state[0].numpy(), **SINGLE)


def test_scores_of_1_miss_a_triangle_in_torchmetrics() -> None:
    """Its curve begins at threshold 1 and not at the origin; ours begins there."""
    random = np.random.default_rng(23)
    score, truth = random.integers(0, 11, 400) / 10, random.integers(0, 2, 400)
    result = ThresholdCurves(30).update(truth, score).compute()
    curve = result.curve()
    triangle = curve.recall[0] * curve.false_positive_rate[0] / 2
    wanted = tm.binary_auroc(torch.tensor(score), torch.tensor(truth), thresholds=30).item()
    assert triangle > 1e-3
    assert result.auc - triangle == pytest.approx(wanted, abs=2e-6)
    # Tenths: no bin, 1/29 wide, holds two of them, so the curve is exact.
    assert result.auc == pytest.approx(sk.roc_auc_score(truth, score), abs=1e-13)


def test_confidence_1_has_a_bin_of_its_own_in_torchmetrics() -> None:
    random = np.random.default_rng(24)
    confidence = np.where(random.random(300) < 0.3, 1.0, random.random(300) * 0.19 + 0.8)
    right = (random.random(300) < 0.7).astype(int)
    result = CalibrationError(5).update(np.ones(300, int), right, confidence=confidence).compute()
    tensors = torch.tensor(confidence), torch.tensor(right)
    parts = [confidence == 1, confidence < 1]
    gaps = [confidence[part].mean() - right[part].mean() for part in parts]
    apart = sum(part.mean() * gap**2 for part, gap in zip(parts, gaps, strict=True))
    wanted = tm.binary_calibration_error(*tensors, n_bins=5, norm="l2").item()
    assert math.sqrt(apart) == pytest.approx(wanted, abs=2e-6)
    assert result.rmsce == pytest.approx(abs(confidence.mean() - right.mean()), abs=1e-13)


def test_bins_of_classes_are_those_of_torchmetrics() -> None:
    truth, score = multiclass(9, 500, 5, digits=None)
    result = ThresholdCurves(50).update(truth, score).compute()
    tensors = torch.tensor(score), torch.tensor(truth)
    for how in ("macro", "weighted"):
        wanted = tm.multiclass_auroc(*tensors, 5, average=how, thresholds=50).item()
        assert result.metrics[f"auc_{how}"] == pytest.approx(wanted, abs=2e-6)
        wanted = tm.multiclass_average_precision(*tensors, 5, average=how, thresholds=50).item()
        assert result.metrics[f"ap_{how}"] == pytest.approx(wanted, abs=2e-6)
    wanted = tm.multilabel_auroc(
        torch.tensor(score),
        torch.tensor(np.eye(5, dtype=int)[truth]),
        5,
        average="micro",
        thresholds=50,
    ).item()
    assert result.auc_micro == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("bins", [3, 50, 200])
def test_bins_are_those_of_keras(bins: int) -> None:
    import keras

    truth, score = binary(10, 700, 0, np.float64)
    peer = keras.metrics.AUC(num_thresholds=bins)
    peer.update_state(truth, score)
    result = ThresholdCurves(bins).update(truth, score).compute()
    assert result.auc == pytest.approx(float(peer.result()), abs=2e-6)


@pytest.mark.parametrize("bins", [2, 4, 11, 100])
@pytest.mark.parametrize("levels", [0, 10])
def test_bounds_of_bins_hold_the_exact_numbers(bins: int, levels: int) -> None:
    for seed in range(10):
        truth, score = binary(seed, 200, levels, np.float64)
        binned = ThresholdCurves(bins).update(truth, score).compute()
        auc = sk.roc_auc_score(truth, score)
        ap = sk.average_precision_score(truth, score)
        (auc_low, auc_high), (ap_low, ap_high) = binned.auc_bounds[0], binned.ap_bounds[0]
        assert auc_low - 1e-12 <= auc <= auc_high + 1e-12
        assert ap_low - 1e-12 <= ap <= ap_high + 1e-12


def test_binned_weights() -> None:
    truth, score = binary(11, 300, 0, np.float64)
    weight = np.random.default_rng(1).random(300)
    result = ThresholdCurves(20).update(truth, score, weight=weight).compute()
    # As scores that are rounded down to the threshold that they reach.
    rounded = np.floor(score * 19) / 19
    wanted = sk.roc_auc_score(truth, rounded, sample_weight=weight)
    assert result.auc == pytest.approx(wanted, abs=1e-13)


@pytest.mark.parametrize("levels", [0, 6, 40])
def test_chosen_thresholds(levels: int) -> None:
    truth, score = binary(12, 400, levels, np.float64)
    curve = ThresholdCurves().update(truth, score).compute().curve()
    precision, recall, threshold = sk.precision_recall_curve(truth, score)
    precision, recall = precision[:-1], recall[:-1]
    for beta in (0.5, 1.0, 2.0):
        points = [sk.fbeta_score(truth, score >= t, beta=beta) for t in threshold]
        best = curve.best_f(beta)
        assert best.value == pytest.approx(max(points), abs=1e-15)
        assert best.threshold == max(
            t
            for t, value in zip(threshold, points, strict=True)
            if value == pytest.approx(max(points), abs=1e-15)
        )
    false_rate, true_rate, steps = sk.roc_curve(truth, score, drop_intermediate=False)
    j = (true_rate - false_rate)[1:]
    assert curve.youden().value == pytest.approx(j.max(), abs=1e-13)
    assert curve.youden().threshold == steps[1:][np.flatnonzero(j >= j.max() - 1e-12)[0]]
    tensors = torch.tensor(score), torch.tensor(truth)
    for wanted in (0.0, 0.2, 0.5, 0.9, 1.0):
        point = curve.precision_at_recall(wanted)
        value, at = tm.binary_precision_at_fixed_recall(*tensors, min_recall=wanted)
        assert point.value == pytest.approx(value.item(), abs=2e-6)
        assert point.threshold == pytest.approx(at.item(), abs=2e-6)
        assert point.value == precision[recall >= wanted].max()
        reached = recall[precision >= wanted]
        point = curve.recall_at_precision(wanted)
        if len(reached):
            value, at = tm.binary_recall_at_fixed_precision(*tensors, min_precision=wanted)
            assert point.value == reached.max()
            assert point.value == pytest.approx(value.item(), abs=2e-6)
            assert point.threshold == pytest.approx(at.item(), abs=2e-6)
        else:
            assert math.isnan(point.threshold)
            assert point.reason == f"no threshold reaches precision {wanted:g}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_top_k_without_ties(dtype: Any, weight: str) -> None:
    truth, score = multiclass(13, 500, 30, digits=None)
    score = score.astype(dtype)
    sample_weight = weights(weight, 500, np.random.default_rng(3))
    result = TopKAccuracy((1, 3, 5, 29)).update(truth, score, weight=sample_weight).compute()
    for k in (1, 3, 5, 29):
        wanted = sk.top_k_accuracy_score(
            truth, score, k=k, sample_weight=sample_weight, labels=np.arange(30)
        )
        assert result.metrics[f"top{k}"] == pytest.approx(wanted, abs=1e-13)
    if weight == "none":
        tensors = torch.tensor(score), torch.tensor(truth)
        wanted = tm.multiclass_accuracy(*tensors, 30, average="micro", top_k=5).item()
        assert result.top5 == pytest.approx(wanted, abs=2e-6)
        per_class = tm.multiclass_accuracy(*tensors, 30, average=None, top_k=3).numpy()
        got = [record["top3"] for record in result.per_class()]
        np.testing.assert_allclose(got, per_class, **SINGLE)


def test_top_k_with_ties_is_a_stable_sort() -> None:
    truth, score = multiclass(14, 800, 6, digits=1)
    order = np.argsort(-score, axis=1, kind="stable")
    result = TopKAccuracy((1, 2, 4)).update(truth, score).compute()
    for k in (1, 2, 4):
        assert result.metrics[f"top{k}"] == (order[:, :k] == truth[:, None]).any(axis=1).mean()
    # scikit-learn takes the later class first: its number is ours with the classes turned round.
    turned = TopKAccuracy((1, 2, 4)).update(5 - truth, score[:, ::-1]).compute()
    for k in (1, 2, 4):
        wanted = sk.top_k_accuracy_score(truth, score, k=k, labels=np.arange(6))
        assert turned.metrics[f"top{k}"] == pytest.approx(wanted, abs=1e-15)
        assert result.metrics[f"top{k}"] != turned.metrics[f"top{k}"]


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("digits", [1, None])
def test_losses(digits: int | None, weight: str) -> None:
    truth, score = multiclass(15, 500, 6, digits=digits)
    sample_weight = weights(weight, 500, np.random.default_rng(4))
    result = ProbabilityLoss().update(truth, score, weight=sample_weight).compute()
    options = {"sample_weight": sample_weight, "labels": np.arange(6)}
    # Each term is off by a few units in the last place, of at most 36 = −ln 2⁻⁵².
    assert result.log_loss == pytest.approx(sk.log_loss(truth, score, **options), abs=1e-13)
    assert result.brier == pytest.approx(sk.brier_score_loss(truth, score, **options), abs=1e-13)
    halved = ProbabilityLoss(scale_by_half=True).update(truth, score, weight=sample_weight)
    wanted = sk.brier_score_loss(truth, score, scale_by_half=True, **options)
    assert halved.compute().brier == pytest.approx(wanted, abs=1e-13)


@pytest.mark.parametrize("columns", [1, 2])
def test_binary_losses(columns: int) -> None:
    truth, score = binary(16, 400, 20, np.float64)
    given = score if columns == 1 else np.stack([1 - score, score], axis=1)
    result = ProbabilityLoss().update(truth, given).compute()
    assert result.log_loss == pytest.approx(sk.log_loss(truth, score), abs=1e-13)
    assert result.brier == pytest.approx(sk.brier_score_loss(truth, score), abs=1e-13)
    whole = ProbabilityLoss(scale_by_half=False).update(truth, given).compute()
    wanted = sk.brier_score_loss(truth, score, scale_by_half=False)
    assert whole.brier == pytest.approx(wanted, abs=1e-13)


def test_losses_of_logits_are_those_of_their_softmax() -> None:
    random = np.random.default_rng(17)
    logits = random.normal(size=(300, 8)) * 20
    truth = random.integers(0, 8, 300)
    result = ProbabilityLoss(scores="logits").update(truth, logits).compute()
    tensors = torch.tensor(logits), torch.tensor(truth)
    wanted = torch.nn.functional.cross_entropy(*tensors).item()
    assert result.log_loss == pytest.approx(wanted, rel=1e-14)
    softmax = torch.softmax(tensors[0], 1).numpy()
    wanted = sk.brier_score_loss(truth, softmax / softmax.sum(1, keepdims=True))
    assert result.brier == pytest.approx(wanted, abs=1e-13)
    member = random.integers(0, 2, (300, 8))
    result = ProbabilityLoss(scores="logits").update(member, logits).compute()
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(
        tensors[0], torch.tensor(member, dtype=torch.float64)
    ).item()
    assert result.log_loss == pytest.approx(wanted, rel=1e-14)
    single = ProbabilityLoss(scores="logits").update(member[:, 0], logits[:, 0]).compute()
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(
        tensors[0][:, 0], torch.tensor(member[:, 0], dtype=torch.float64)
    ).item()
    assert single.log_loss == pytest.approx(wanted, rel=1e-14)


def test_multilabel_losses_are_those_of_keras() -> None:
    import keras

    random = np.random.default_rng(18)
    score, member = random.random((200, 5)), random.integers(0, 2, (200, 5))
    result = ProbabilityLoss().update(member, score).compute()
    wanted = float(keras.losses.BinaryCrossentropy()(member.astype(float), score))
    assert result.log_loss == pytest.approx(wanted, abs=2e-6)
    each = [sk.log_loss(member[:, k], score[:, k]) for k in range(5)]
    assert [r["log_loss"] for r in result.per_class()] == pytest.approx(each, abs=1e-13)
    each = [sk.brier_score_loss(member[:, k], score[:, k]) for k in range(5)]
    assert [r["brier"] for r in result.per_class()] == pytest.approx(each, abs=1e-13)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_calibration_is_that_of_torchmetrics(bins: int) -> None:
    truth, score = multiclass(19, 700, 5, digits=None)
    result = CalibrationError(bins).update(truth, score).compute()
    tensors = torch.tensor(score), torch.tensor(truth)
    for name, norm in (("ece", "l1"), ("rmsce", "l2"), ("mce", "max")):
        wanted = tm.multiclass_calibration_error(*tensors, 5, n_bins=bins, norm=norm).item()
        assert result.metrics[name] == pytest.approx(wanted, abs=2e-6)


def test_calibration_of_classes_is_the_binary_one_of_torchmetrics() -> None:
    truth, score = multiclass(20, 400, 4, digits=None)
    result = CalibrationError(10, classwise=True).update(truth, score).compute()
    each = [
        tm.binary_calibration_error(
            torch.tensor(score[:, k]), torch.tensor((truth == k).astype(int)), n_bins=10
        ).item()
        for k in range(4)
    ]
    np.testing.assert_allclose(result.class_ece, each, **SINGLE)
    assert result.classwise_ece == pytest.approx(np.mean(each), abs=2e-6)


def plain_calibration(confidence: Any, right: Any, weight: Any, bins: int) -> tuple[float, ...]:
    """Return ECE, RMSCE, MCE as written in papers, bin by bin: (lo, hi]."""
    gaps, shares = [], []
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if b == 0:
            inside |= confidence == 0
        if weight[inside].sum() > 0:
            mean = np.average(confidence[inside], weights=weight[inside])
            accuracy = np.average(right[inside], weights=weight[inside])
            gaps.append(abs(mean - accuracy))
            shares.append(weight[inside].sum() / weight.sum())
    g, s = np.array(gaps), np.array(shares)
    return (g * s).sum(), math.sqrt((g**2 * s).sum()), g.max()


@pytest.mark.parametrize("weight", WEIGHTS)
def test_calibration_on_edges(weight: str) -> None:
    """Confidences that lie on edges, 0 and 1 among them."""
    random = np.random.default_rng(21)
    confidence = random.integers(0, 9, 500) / 8
    truth, pred = random.integers(0, 3, 500), random.integers(0, 3, 500)
    sample_weight = weights(weight, 500, random)
    for bins in (1, 4, 8):
        metric = CalibrationError(bins)
        metric.update(truth, pred, confidence=confidence, weight=sample_weight)
        result = metric.compute()
        each = np.ones(500) if sample_weight is None else sample_weight
        wanted = plain_calibration(confidence, truth == pred, each, bins)
        got = (result.ece, result.rmsce, result.mce)
        assert got == pytest.approx(wanted, abs=1e-13)


def test_adaptive_bins_have_equal_mass() -> None:
    """Without ties and with n a multiple of the bins: equal parts of the sorted confidences."""
    random = np.random.default_rng(22)
    confidence = random.random(600)
    right = random.random(600) < confidence
    result = (
        CalibrationError(15, adaptive=True)
        .update(np.ones(600, int), right.astype(int), confidence=confidence)
        .compute()
    )
    order = np.argsort(confidence)
    gaps = [abs(confidence[part].mean() - right[part].mean()) for part in np.array_split(order, 15)]
    assert result.adaptive_ece == pytest.approx(np.mean(gaps), abs=1e-13)
