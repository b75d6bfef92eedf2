"""Scores of a network as probabilities of a benchmark's classes, whatever it gave, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["checked_places", "class_probabilities", "class_ranking", "right_among"]

# Probabilities below this keep the order of their logits; softmax would give 0 for many of them.
_TINY = 1e-250


def checked_places(places: NDArray[Any] | None, n_outputs: int, n_classes: int) -> NDArray[Any]:
    """Return the class of each output; without, output k is class k.

    Raises
    ------
    ShapeError
        Where there is not one for each output.
    InputError
        For places that are none, or come twice.
    """
    found = np.arange(n_outputs) if places is None else np.asarray(places)
    if found.shape != (n_outputs,):
        raise ShapeError(f"expected the classes of {n_outputs} outputs, got shape {found.shape}")
    if len(found) and not (found.min() >= 0 and found.max() < n_classes):
        raise InputError(
            f"expected outputs for {n_classes} classes, got one for class "
            f"{found.max() if found.min() >= 0 else found.min()}"
        )
    if len(np.unique(found)) != n_outputs:
        raise InputError("expected each class from one output, got one from two")
    return found


def class_probabilities(
    scores: NDArray[Any], kind: str, places: NDArray[Any], n_classes: int
) -> NDArray[np.float64]:
    """Return the probability of each class.

    All networks are measured on probabilities, in float64: one rule for those that give logits and
    those that don't, so that log loss, calibration and curves can be compared. What softmax rounds
    to 0 keeps the order of the logits, so that the five best classes are those of the network.

    Parameters
    ----------
    scores : ndarray, shape (n, outputs)
        Finite.
    kind : {"logits", "probabilities"}
        What they are.
    places : ndarray, shape (outputs,)
        The class of each output.
    n_classes : int
        Classes without an output have probability 0.

    Returns
    -------
    ndarray of float64, shape (n, n_classes)
    """
    given = np.ascontiguousarray(
        scores, np.float64 if scores.dtype.kind != "f" or scores.dtype.itemsize > 4 else np.float32
    )
    shares = _core.probabilities(given, logit=True) if kind == "logits" else given
    if kind == "logits" and len(given):
        _keep_order(shares, given)
    if len(places) == n_classes and np.array_equal(places, np.arange(n_classes)):
        return np.asarray(shares, np.float64)
    wide = np.zeros((len(given), n_classes))
    wide[:, places] = shares
    return wide


def class_ranking(
    scores: NDArray[Any],
    between: tuple[float, float] | None,
    places: NDArray[Any],
    n_classes: int,
) -> NDArray[np.float64]:
    """Return a score of each class, where only the order counts.

    Parameters
    ----------
    scores : ndarray, shape (n, outputs)
        Finite.
    between : (float, float), optional
        The lowest and the highest score of all images: they are moved to 0 … 1, above 0, where
        classes without an output are. Without, they stay as they are.
    places, n_classes
        As in `class_probabilities`.
    """
    value = np.asarray(scores, np.float64)
    if between is not None:
        # Of quarters, the difference is finite whatever the scores are.
        low, high = (each / 4 for each in between)
        apart = high - low or 1.0
        below = low - apart / 1000
        value = (value / 4 - below) / (high - below or 1.0)
    wide = np.zeros((len(value), n_classes))
    wide[:, places] = value
    return wide


def _keep_order(shares: NDArray[np.float64], logits: NDArray[Any]) -> None:
    """Give those that are all but 0 values that rise with their logits, below all others."""
    best = logits.max(axis=1)
    far = np.log(_TINY)
    rows = np.flatnonzero(logits.min(axis=1) - best.astype(np.float64) < far)
    if not len(rows):
        return
    below = logits[rows].astype(np.float64) - best[rows, None]
    share = shares[rows]
    # Below the threshold it rises from 0 to less than the share of one at the threshold.
    rising = share.max(axis=1, keepdims=True) * _TINY / (1 - below)
    shares[rows] = np.where(below < far, rising, share)


def right_among(
    probability: NDArray[np.float64], accepted: Sequence[tuple[int, ...]]
) -> NDArray[np.int64]:
    """Return the best rank, from 0, of the classes that count as right; -1 where none does.

    Of equal probabilities the earlier class comes first.

    Parameters
    ----------
    probability : ndarray, shape (n, K)
        Of each class.
    accepted : sequence of n tuples of int
        Of each image the classes that are right.
    """
    found = np.full(len(probability), -1, np.int64)
    n_right = np.array([len(each) for each in accepted], np.int64)
    rows = np.repeat(np.arange(len(probability)), n_right)
    if not len(rows):
        return found
    code = np.array([each for right in accepted for each in right], np.int32)
    rank = _core.target_ranks(np.ascontiguousarray(probability[rows]), code)
    counted = n_right > 0
    begin = (np.cumsum(n_right) - n_right)[counted]
    found[counted] = np.minimum.reduceat(rank, begin)
    return found
