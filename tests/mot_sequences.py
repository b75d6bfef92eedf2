"""Random frames for multi-object tracking, with what makes matching hard: ties, gaps, nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Frame(NamedTuple):
    """What one call of an accumulator gets; a distance of NaN or infinity is no pair."""

    truth: Any
    pred: Any
    distance: Any


def mot_frames(
    seed: int,
    n_frames: int = 30,
    n_truth: int = 6,
    n_pred: int = 8,
    *,
    step: float | None = None,
    forbidden: float = 0.5,
) -> list[Frame]:
    """Return frames of up to n_truth objects and n_pred hypotheses.

    Parameters
    ----------
    step : float, optional
        Distances are multiples of it, so that many sums are equal; else any numbers.
    forbidden : float
        How often a pair is not allowed.
    """
    random = np.random.default_rng(seed)
    frames = []
    for _ in range(n_frames):
        # Tracks come and go; the order of rows says nothing.
        truth = random.permutation(n_truth)[: random.integers(0, n_truth + 1)] + 1
        pred = random.permutation(n_pred)[: random.integers(0, n_pred + 1)] + 100
        if random.random() < 0.1:
            truth = truth[:0]
        if random.random() < 0.1:
            pred = pred[:0]
        distance = random.random((len(truth), len(pred)))
        if step is not None:
            distance = np.floor(distance / step) * step
        none = random.random(distance.shape)
        distance[none < forbidden] = np.nan
        distance[none < forbidden / 4] = np.inf
        frames.append(Frame(truth, pred, distance))
    return frames
