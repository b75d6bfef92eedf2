"""The laws of metrics, over those that read scores of classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen.classes import Classes
from snellen.classification.calibration import CalibrationError
from snellen.classification.curves import ThresholdCurves
from snellen.classification.labels import Labels
from snellen.classification.probability import ProbabilityLoss
from snellen.classification.top_k import TopKAccuracy
from snellen.testing import LAWS, MetricCase

K = 4
SIZES = (20, 31, 0, 9)
Side = dict[str, Any]


def columns(
    kind: str, seed: int, n: int, *, weighted: bool, named: bool, mixed: bool = False
) -> tuple[Side, Side]:
    """Return truth and predictions with probabilities, eighths or quarters, that tie a lot."""
    random = np.random.default_rng(seed)
    truth: Side = {}
    pred: Side = {}
    if kind == "multilabel":
        truth["member"] = random.integers(0, 2, (n, K)).astype(np.uint8)
        pred["score"] = random.integers(0, 9, (n, K)) / 8
    elif kind == "binary":
        truth["code"] = random.integers(0, 2, n).astype(np.int32)
        second = random.integers(0, 9, n) / 8
        pred["score"] = np.stack([1 - second, second], axis=1)
    else:
        # The first batch lacks the last class.
        truth["code"] = random.integers(0, K - (seed == 0), n).astype(np.int32)
        pred["score"] = random.multinomial(4, [1 / K] * K, n) / 4
    if mixed and seed == 1:
        pred["score"] = pred["score"].astype(np.float32)
    if weighted:
        # Nothing that a sum of float64 would hold exactly.
        truth["weight"] = random.random(n) * 10.0 ** random.integers(-3, 4, n)
    if named:
        # Ids of the batches interleave.
        truth["sample_id"] = pred["sample_id"] = np.arange(n) * len(SIZES) + seed
    return truth, pred


def classes_of(kind: str) -> Classes:
    return Classes.of(["no", "yes"] if kind == "binary" else ["ant", "bee", "cat", "dog"])


def labels(kind: str, sides: tuple[Side, Side]) -> tuple[Labels, Labels]:
    return Labels(classes_of(kind), **sides[0]), Labels(classes_of(kind), **sides[1])


def joined(parts: list[tuple[Side, Side]]) -> tuple[Side, Side]:
    truth, pred = (
        {name: np.concatenate([part[side][name] for part in parts]) for name in parts[0][side]}
        for side in (0, 1)
    )
    return truth, pred


def bad_batches(kind: str) -> list[tuple[Any, Any]]:
    truth, pred = columns(kind, 5, 6, weighted=False, named=False)
    score = pred["score"]
    answer = truth["member"] if kind == "multilabel" else truth["code"]
    nan, infinite = score.copy(), score.copy()
    nan[3, 1], infinite[2, 0] = math.nan, -math.inf
    negative = np.where(answer == 0, 1, -1) if kind == "multilabel" else answer - 7
    return [
        (answer, nan),
        (answer, infinite),
        (answer[:-1], score),
        (answer, score[:-1]),
        (answer, score.astype(str)),
        (answer, score[..., None]),
        (negative, score),
        (answer + 0.5, score),
        # No scores; no labels; ids of another length; ids in another order.
        (Labels(classes_of(kind), **truth), Labels(classes_of(kind), **truth)),
        (Labels(classes_of(kind), **pred), Labels(classes_of(kind), **pred)),
        labels(kind, ({**truth, "sample_id": np.arange(5)}, pred)),
        labels(
            kind,
            ({**truth, "sample_id": np.arange(6)}, {**pred, "sample_id": np.arange(6)[::-1]}),
        ),
        # A class that has no score.
        (
            Labels(Classes.of([*classes_of(kind).names, "extra"]), **widened(truth)),
            Labels(classes_of(kind), **pred),
        ),
    ]


def widened(truth: Side) -> Side:
    """Return truth that knows one more class, which nothing belongs to."""
    if "code" in truth:
        return truth
    return {"member": np.concatenate([truth["member"], truth["member"][:, :1] * 0], axis=1)}


def perfect(kind: str) -> tuple[Any, Any]:
    if kind == "binary":
        return np.array([0, 1, 1]), np.array([0.0, 1.0, 1.0])
    if kind == "multiclass":
        return np.arange(K).astype(np.int32), np.eye(K)
    return np.eye(K, dtype=np.int64), np.eye(K)


AVERAGES = ("macro", "weighted", "micro")
PERFECT_CURVES = {
    "binary": {"auc": 1.0, "ap": 1.0},
    "multiclass": {
        **{f"{name}_{how}": 1.0 for name in ("auc", "ap") for how in AVERAGES},
        "auc_ovo_macro": 1.0,
        "auc_ovo_weighted": 1.0,
    },
    "multilabel": {f"{name}_{how}": 1.0 for name in ("auc", "ap") for how in AVERAGES},
}
PERFECT_BINNED = {
    kind: {name: value for name, value in values.items() if "ovo" not in name}
    for kind, values in PERFECT_CURVES.items()
}
PERFECT_CALIBRATION = {
    "ece": 0.0,
    "rmsce": 0.0,
    "mce": 0.0,
    "adaptive_ece": 0.0,
    "classwise_ece": 0.0,
}
# Name, maker, kinds of data, makers of other parameters, numbers of the perfect prediction.
METRICS: dict[str, tuple[Any, tuple[str, ...], list[Any], Any]] = {
    "top-k": (
        lambda: TopKAccuracy((1, 2), scores="probabilities"),
        ("binary", "multiclass"),
        [lambda: TopKAccuracy((1, 3)), lambda: TopKAccuracy((1, 2))],
        {"top1": 1.0, "top2": 1.0},
    ),
    "curves": (
        ThresholdCurves,
        ("binary", "multiclass", "multilabel"),
        [
            lambda: ThresholdCurves(9),
            lambda: ThresholdCurves(scores="probabilities"),
            lambda: ThresholdCurves(absent_classes="zero"),
            lambda: ThresholdCurves(positive=0),
        ],
        PERFECT_CURVES,
    ),
    "curves over bins": (
        lambda: ThresholdCurves(bins=5),
        ("binary", "multiclass", "multilabel"),
        [ThresholdCurves, lambda: ThresholdCurves([0, 0.3, 0.5])],
        PERFECT_BINNED,
    ),
    "losses": (
        ProbabilityLoss,
        ("binary", "multiclass", "multilabel"),
        [lambda: ProbabilityLoss(scores="logits"), lambda: ProbabilityLoss(scale_by_half=False)],
        {"brier": 0.0},
    ),
    "losses of logits": (
        lambda: ProbabilityLoss(scores="logits"),
        ("binary", "multiclass", "multilabel"),
        [ProbabilityLoss],
        None,
    ),
    "losses of any scores": (
        lambda: ProbabilityLoss(scores="any"),
        ("binary", "multiclass", "multilabel"),
        [ProbabilityLoss],
        None,
    ),
    "calibration": (
        lambda: CalibrationError(5, adaptive=True, classwise=True),
        ("binary", "multiclass", "multilabel"),
        [
            lambda: CalibrationError(6, adaptive=True, classwise=True),
            lambda: CalibrationError(5, classwise=True),
            lambda: CalibrationError(5, adaptive=True),
        ],
        PERFECT_CALIBRATION,
    ),
    "calibration of logits": (
        lambda: CalibrationError(5, scores="logits", classwise=True),
        ("binary", "multiclass", "multilabel"),
        [CalibrationError],
        None,
    ),
    "calibration of any scores": (
        lambda: CalibrationError(5, scores="any", classwise=True),
        ("multiclass",),
        [CalibrationError],
        None,
    ),
}


def case(metric: str, kind: str, *, weighted: bool, named: bool) -> MetricCase:
    make, _, others, values = METRICS[metric]
    parts = [columns(kind, seed, n, weighted=weighted, named=named) for seed, n in enumerate(SIZES)]
    batches = [labels(kind, part) for part in parts]
    return MetricCase(
        make,
        batches,
        whole=labels(kind, joined(parts)),
        bad_batches=bad_batches(kind),
        other_parameters=others,
        perfect=None if values is None else (perfect(kind), values.get(kind, values)),
    )


CASES = {
    f"{metric}, {kind}, {what}": (metric, kind, weighted, named)
    for metric, (_, kinds, _, _) in METRICS.items()
    for kind in kinds
    for what, weighted, named in (
        ("plain", False, False),
        ("weighted", True, False),
        ("weighted, named", True, True),
    )
}


@pytest.mark.parametrize("name", CASES)
def test_laws(name: str) -> None:
    metric, kind, weighted, named = CASES[name]
    for law in LAWS.values():
        law(case(metric, kind, weighted=weighted, named=named))
