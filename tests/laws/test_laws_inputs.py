"""A law of metrics that is about their callers: arrays that were given may be filled anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from snellen import (
    CalibrationError,
    Classification,
    ConfusionMatrix,
    MultilabelConfusion,
    ProbabilityLoss,
    Regression,
    ThresholdCurves,
    TopKAccuracy,
)

N, K = 12, 3


def batch(seed: int) -> dict[str, Any]:
    """Return arrays of every kind that metrics take."""
    random = np.random.default_rng(seed)
    score = random.dirichlet([1.0] * K, N)
    return {
        "label": random.integers(0, K, N),
        "flag": random.integers(0, 2, N),
        "told": random.integers(0, K, N),
        "score": score,
        "small score": score.astype(np.float32),
        "column": score[:, 0].copy(),
        "pair": np.stack([1 - score[:, 0], score[:, 0]], axis=1),
        "member": random.integers(0, 2, (N, K)).astype(np.uint8),
        "members": random.integers(0, 2, (N, K)),
        "value": random.normal(size=(N, 2)),
        "values": random.normal(size=(N, 2)),
        "weight": random.random(N),
        "confidence": random.random(N),
        "sample_id": np.arange(N) + seed * N,
        "group": random.integers(0, 4, N),
    }


NAMED = ("sample_id", "group")
# What makes the metric, which arrays are truth and predictions, which columns go with them.
CASES: dict[str, tuple[Callable[[], Any], tuple[str, str], tuple[str, ...]]] = {
    "labels": (ConfusionMatrix, ("label", "told"), ("weight",)),
    "labels of scores": (ConfusionMatrix, ("label", "score"), ("weight",)),
    "sets": (MultilabelConfusion, ("member", "members"), ("weight",)),
    "sets of scores": (MultilabelConfusion, ("member", "score"), ("weight",)),
    "top-k": (lambda: TopKAccuracy(2), ("label", "score"), ("weight",)),
    "losses": (ProbabilityLoss, ("label", "score"), ("weight",)),
    "curves": (ThresholdCurves, ("label", "score"), ("weight", "sample_id")),
    "curves of one column": (ThresholdCurves, ("flag", "column"), ("weight",)),
    "curves of sets": (ThresholdCurves, ("member", "score"), ("weight",)),
    "calibration": (lambda: CalibrationError(adaptive=True), ("label", "score"), ("weight",)),
    "calibration of sets": (
        lambda: CalibrationError(adaptive=True),
        ("member", "score"),
        ("weight",),
    ),
    "calibration of one column": (
        lambda: CalibrationError(adaptive=True),
        ("flag", "column"),
        ("weight",),
    ),
    "calibration of labels": (
        lambda: CalibrationError(adaptive=True),
        ("label", "told"),
        ("confidence", "weight"),
    ),
    "all of labels": (Classification, ("label", "told"), ("weight", *NAMED)),
    "all of confidences": (
        lambda: Classification(scores="confidences"),
        ("label", "told"),
        ("confidence", "weight", *NAMED),
    ),
    "all of scores": (
        lambda: Classification(scores="probabilities", top_k=2),
        ("label", "score"),
        ("weight", *NAMED),
    ),
    "all of small scores": (
        lambda: Classification(scores="logits", top_k=2),
        ("label", "small score"),
        (),
    ),
    "all of pairs": (
        lambda: Classification(scores="probabilities", top_k=1),
        ("flag", "pair"),
        ("weight",),
    ),
    "all of sets": (
        lambda: Classification(multilabel=True),
        ("member", "members"),
        ("weight", "sample_id"),
    ),
    "all of sets of scores": (
        lambda: Classification(multilabel=True, scores="probabilities"),
        ("member", "score"),
        ("weight", *NAMED),
    ),
    "numbers": (Regression, ("value", "values"), ("weight",)),
    "kept numbers": (
        lambda: Regression(keep_samples=True),
        ("value", "values"),
        ("weight", *NAMED),
    ),
}


class Foreign:
    """An array of another library, which has DLPack alone."""

    def __init__(self, array: Any) -> None:
        self._tensor = torch.from_numpy(array)

    def __dlpack__(self, **options: Any) -> Any:
        return self._tensor.__dlpack__()

    def __dlpack_device__(self) -> Any:
        return self._tensor.__dlpack_device__()


def fed(
    metric: Any, arrays: dict[str, Any], case: str, given: Callable[[Any], Any] = np.array
) -> None:
    """Give a metric one batch, each array as `given`; without, as a copy."""
    _, sides, columns = CASES[case]
    metric.update(
        *(given(arrays[name]) for name in sides),
        **{name: arrays[name] if name in NAMED else given(arrays[name]) for name in columns},
    )


@pytest.mark.parametrize("given", [lambda array: array, torch.from_numpy, Foreign])
@pytest.mark.parametrize("case", CASES)
def test_arrays_may_be_filled_anew(case: str, given: Callable[[Any], Any]) -> None:
    make = CASES[case][0]
    metric, wanted, buffers = make(), make(), batch(0)
    for seed in range(3):
        arrays = batch(seed)
        for name, buffer in buffers.items():
            buffer[...] = arrays[name]
        fed(metric, buffers, case, given)
        fed(wanted, arrays, case)
    before = metric.to_bytes()
    for buffer in buffers.values():
        buffer[...] = 0
    assert metric.to_bytes() == before == wanted.to_bytes()
    assert metric.compute().to_dict() == wanted.compute().to_dict()
