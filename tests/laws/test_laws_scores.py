"""The laws of metrics, over those that read scores of classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import ConfusionMatrix
from snellen.classes import Classes
from snellen.classification.calibration import CalibrationError
from snellen.classification.curves import ThresholdCurves
from snellen.classification.labels import Labels
from snellen.classification.probability import ProbabilityLoss
from snellen.classification.scores import scored_samples
from snellen.classification.top_k import TopKAccuracy
from snellen.testing import LAWS, MetricCase

K = 4
KINDS = ("binary", "multiclass", "multilabel")


class Fed:
    """A metric whose updates are tuples (truth, pred, weight, sample_id)."""


def batch(kind: str, seed: int, n: int, **options: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Return truth, probabilities that tie all the time, and options of an update."""
    random = np.random.default_rng(seed)
    if kind == "binary":
        return random.integers(0, 2, n), random.integers(0, 9, n) / 8, options
    if kind == "multilabel":
        scores = random.integers(0, 9, (n, K)) / 8
        return random.integers(0, 2, (n, K)), scores, options
    # Quarters that sum to 1; class 3 never occurs in the first batch.
    parts = random.multinomial(4, [1 / K] * K, n) / 4
    return random.integers(0, K - (seed == 0), n), parts, options


def batches(kind: str, *, weighted: bool, named: bool) -> list[tuple[Any, Any, dict[str, Any]]]:
    """Return four batches: one without samples, some with weights, scores of both types."""
    made = []
    for seed, n in enumerate((20, 31, 0, 9)):
        truth, scores, options = batch(kind, seed, n)
        if seed == 1:
            scores = scores.astype(np.float32)
        if weighted and seed != 3:
            options["weight"] = np.random.default_rng(seed).random(n)
        if named:
            # Ids of the batches interleave.
            options["sample_id"] = np.random.default_rng(9).permutation(80)[seed * 20 :][:n] if (
                n <= 20
            ) else np.arange(100, 100 + n)
        made.append((truth, scores, options))
    return made


def joined(parts: list[tuple[Any, Any, dict[str, Any]]]) -> tuple[Any, Any, dict[str, Any]]:
    options: dict[str, Any] = {}
    if any("weight" in each[2] for each in parts):
        options["weight"] = np.concatenate(
            [each[2].get("weight", np.ones(len(each[0]))) for each in parts]
        )
    if "sample_id" in parts[0][2]:
        options["sample_id"] = np.concatenate([each[2]["sample_id"] for each in parts])
    return (
        np.concatenate([each[0] for each in parts]),
        np.concatenate([each[1] for each in parts]),
        options,
    )


def wrapped(make: Any) -> Any:
    """Return a maker of metrics whose update takes options as a third argument.

    The laws give updates positional arguments only.
    """

    def made() -> Any:
        metric = make()

        class Adapted(type(metric)):  # type: ignore[misc]  # the metric's own class, given options
            __slots__ = ()

            def update(self, truth: Any, pred: Any, options: dict[str, Any] | None = None) -> Any:
                return super().update(truth, pred, **(options or {}))

        raise NotImplementedError(Adapted)

    return made


def bad_batches(kind: str) -> list[tuple[Any, ...]]:
    truth, scores, _ = batch(kind, 5, 6)
    nan, infinite = scores.copy(), scores.copy()
    nan.flat[3], infinite.flat[2] = math.nan, -math.inf
    bad: list[tuple[Any, ...]] = [
        (truth, nan),
        (truth, infinite),
        (truth[:-1], scores),
        (truth, scores[:-1]),
        (truth, scores.astype(str)),
        (truth, scores[..., None, None]),
        (truth + 7, scores),
        (None, scores),
    ]
    return bad
