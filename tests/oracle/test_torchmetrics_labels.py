"""Metrics of labels and of sets of labels beside torchmetrics, under its conventions.

Of single labels, absent classes are left out and 0/0 is 0: our defaults. Of sets of labels, every
class counts: an absent one is 0 where its number is 0/0, and what it is (1) where it is not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torchmetrics.functional import classification as tm

from snellen import Classes, ConfusionMatrix, MultilabelConfusion

# torchmetrics divides and averages in float32, whose unit is 6e-8, numbers of at most 1; a few
# roundings each.
SINGLE = {"rtol": 0.0, "atol": 1e-6}
# Matthews and kappa are ratios of differences of counts in float32: n² for n = 300 is exact, the
# square root and expected counts are not, and 1 − x loses what x has.
DIFFERENCES = {"rtol": 0.0, "atol": 5e-6}
SEEDS = range(8)
AVERAGES = ("none", "micro", "macro", "weighted")


def labels(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return truth, predictions and the number of classes, of which some are on no side."""
    random = np.random.default_rng(seed)
    k = int(random.integers(3, 12))
    pool = random.permutation(k)[: max(2, k - seed % 4)]
    n = int(random.integers(20, 300))
    truth = random.choice(pool, n)
    pred = np.where(random.random(n) < 0.5, truth, random.choice(pool[: max(1, len(pool) - 1)], n))
    return truth, pred, k


def sets(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    n, k = int(random.integers(20, 300)), int(random.integers(3, 12))
    truth = random.random((n, k)) < random.random(k) ** 2
    score = np.where(truth, random.random((n, k)), random.random((n, k)) ** 3).round(1)
    if seed % 2:
        truth[:, 0] = False
        score[:, 0] = 0.0
    truth[0, -1] = True  # something to weight by
    return truth, score.astype(np.float32)


def close(ours: Any, theirs: Any, tolerance: dict[str, float] = SINGLE) -> None:
    np.testing.assert_allclose(ours, theirs.numpy(), **tolerance)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("seed", SEEDS)
def test_single_labels(seed: int, average: str) -> None:
    truth, pred, k = labels(seed)
    result = ConfusionMatrix(Classes(range(k)), beta=2).update(truth, pred).compute()
    given: dict[str, Any] = {"num_classes": k, "average": average}
    tensors = torch.tensor(pred), torch.tensor(truth)
    values = result.class_values()

    def ours(name: str) -> Any:
        if average == "none":
            return np.nan_to_num(values[name])  # of a class torchmetrics says 0 for 0/0
        return result.metrics[f"{name}_{average}"]

    close(ours("precision"), tm.multiclass_precision(*tensors, **given))
    close(ours("recall"), tm.multiclass_recall(*tensors, **given))
    close(ours("f1"), tm.multiclass_f1_score(*tensors, **given))
    close(ours("f2"), tm.multiclass_fbeta_score(*tensors, beta=2.0, **given))
    close(ours("jaccard"), tm.multiclass_jaccard_index(*tensors, **given))
    close(ours("specificity"), tm.multiclass_specificity(*tensors, **given))
    # Accuracy of a class is its recall there.
    accuracy = result.accuracy if average == "micro" else ours("recall")
    close(accuracy, tm.multiclass_accuracy(*tensors, **given))
    hamming = tm.multiclass_hamming_distance(*tensors, **given)
    close(result.hamming if average == "micro" else 1 - np.asarray(ours("recall")), hamming)


@pytest.mark.filterwarnings("ignore:.*NaN values found in confusion matrix")
@pytest.mark.parametrize("seed", SEEDS)
def test_agreement_of_single_labels(seed: int) -> None:
    truth, pred, k = labels(seed)
    result = ConfusionMatrix(Classes(range(k))).update(truth, pred).compute()
    tensors = torch.tensor(pred), torch.tensor(truth)
    matrix = tm.multiclass_confusion_matrix(*tensors, num_classes=k)
    np.testing.assert_array_equal(result.matrix, matrix.numpy())
    for by, word in (("truth", "true"), ("prediction", "pred"), ("all", "all")):
        theirs = tm.multiclass_confusion_matrix(*tensors, num_classes=k, normalize=word)
        close(np.nan_to_num(result.normalised(by)), theirs)
    close(result.mcc, tm.multiclass_matthews_corrcoef(*tensors, num_classes=k), DIFFERENCES)
    for name, word in (
        ("kappa", None),
        ("kappa_linear", "linear"),
        ("kappa_quadratic", "quadratic"),
    ):
        theirs = tm.multiclass_cohen_kappa(*tensors, num_classes=k, weights=word)
        close(result.metrics[name], theirs, DIFFERENCES)


@pytest.mark.parametrize("seed", SEEDS)
def test_binary(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, 100)
    pred = np.where(random.random(100) < 0.7, truth, 1 - truth)
    result = ConfusionMatrix(Classes([0, 1])).update(truth, pred).compute()
    tensors = torch.tensor(pred), torch.tensor(truth)
    close(result.accuracy, tm.binary_accuracy(*tensors))
    close(result.precision, tm.binary_precision(*tensors))
    close(result.recall, tm.binary_recall(*tensors))
    close(result.f1, tm.binary_f1_score(*tensors))
    close(result.jaccard, tm.binary_jaccard_index(*tensors))
    close(result.specificity, tm.binary_specificity(*tensors))
    close(result.npv, tm.binary_negative_predictive_value(*tensors))
    close(result.hamming, tm.binary_hamming_distance(*tensors))
    close(result.mcc, tm.binary_matthews_corrcoef(*tensors), DIFFERENCES)
    close(result.kappa, tm.binary_cohen_kappa(*tensors), DIFFERENCES)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("seed", SEEDS)
def test_sets_of_labels(seed: int, average: str) -> None:
    truth, score = sets(seed)
    given: dict[str, Any] = {"num_labels": truth.shape[1], "average": average}
    tensors = torch.tensor(score), torch.tensor(truth).long()
    # Scores tie with the threshold, where torchmetrics asks for more than it.
    found = {
        absent: MultilabelConfusion(
            beta=2, absent_classes=absent, threshold=float(np.nextafter(0.5, 1))
        )
        .update(truth, score)
        .compute()
        for absent in ("zero", "one")
    }

    def ours(name: str, absent: str = "zero") -> Any:
        if average == "none":
            return np.nan_to_num(found[absent].class_values()[name])
        return found[absent].metrics[f"{name}_{average}"]

    close(ours("precision"), tm.multilabel_precision(*tensors, **given))
    close(ours("recall"), tm.multilabel_recall(*tensors, **given))
    close(ours("f1"), tm.multilabel_f1_score(*tensors, **given))
    close(ours("f2"), tm.multilabel_fbeta_score(*tensors, beta=2.0, **given))
    close(ours("jaccard"), tm.multilabel_jaccard_index(*tensors, **given))
    # Absent classes have all their true negatives: specificity, accuracy are 1 there.
    close(ours("specificity", "one"), tm.multilabel_specificity(*tensors, **given))
    close(ours("npv", "one"), tm.multilabel_negative_predictive_value(*tensors, **given))
    close(ours("accuracy", "one"), tm.multilabel_accuracy(*tensors, **given))
    hamming = tm.multilabel_hamming_distance(*tensors, **given)
    close(1 - np.asarray(ours("accuracy", "one")), hamming)


@pytest.mark.parametrize("seed", SEEDS)
def test_samples_of_sets(seed: int) -> None:
    truth, score = sets(seed)
    k = truth.shape[1]
    metric = MultilabelConfusion(absent_classes="zero", threshold=math.nextafter(0.5, 1))
    result = metric.update(truth, score).compute()
    tensors = torch.tensor(score), torch.tensor(truth).long()
    exact = tm.multilabel_exact_match(*tensors, num_labels=k)
    close(result.subset_accuracy, exact)
    mcc = tm.multilabel_matthews_corrcoef(*tensors, num_labels=k)
    close(result.mcc_micro, mcc, DIFFERENCES)
    # A third axis of one element makes "samplewise" mean the labels of one sample.
    for name, function in (
        ("precision", tm.multilabel_precision),
        ("recall", tm.multilabel_recall),
        ("f1", tm.multilabel_f1_score),
    ):
        theirs = function(
            *(each[..., None] for each in tensors),
            num_labels=k,
            average="micro",
            multidim_average="samplewise",
        )
        close(result.metrics[f"{name}_samples"], theirs.double().mean())
