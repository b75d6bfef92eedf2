"""What a network said of all images, as a metric absorbed it: scores, labels, or both."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.benchmark.class_scores import (
    checked_places,
    class_probabilities,
    class_ranking,
    right_among,
)
from snellen.classes import Classes
from snellen.classification.classification import Classification
from snellen.classification.labels import Labels
from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Absorbed", "absorbed"]

# Up to so many scores (images times classes) curves are exact, and all scores are kept: 32 MB of a
# network. Beyond, they are counts at thresholds.
_EXACT = 4_000_000
_CURVE_BINS: Final = 1000
# Scores that are worked on at a time.
_AT_ONCE = 4_000_000
_KINDS: Final = ("logits", "probabilities", "any", "confidences", "labels")


@dataclasses.dataclass(frozen=True, eq=False)
class Absorbed:
    """What became of n images; see `snellen.benchmark.measured_model.MeasuredModel`.

    Attributes
    ----------
    metric : Classification
        With all images and their ids.
    predicted : ndarray of int64, shape (n,)
        The class of each.
    confidence : ndarray of float64, shape (n,), or None
        How sure that is; None where that is not known.
    rank : ndarray of int64, shape (n,), or None
        The best of the classes that count as right, from 0; -1 where none does. None without
        scores.
    """

    metric: Classification
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64] | None = None
    rank: NDArray[np.int64] | None = None


def absorbed(
    truth: NDArray[np.int64],
    ids: Sequence[str],
    classes: tuple[str, ...],
    kind: str,
    *,
    known: int,
    scores: NDArray[Any] | None,
    labels: NDArray[Any] | None,
    confidence: NDArray[Any] | None,
    places: NDArray[Any] | None,
    also: Sequence[tuple[int, ...]] | None,
) -> Absorbed:
    """Return what a network said; see `measured_model` for all parameters.

    Macro averages are over the images' classes, the first `known`: a class that only the network
    knows has no recall, and would take from networks that know many.

    Raises
    ------
    InputError
        For scores that are none, and kinds that there are not.
    """
    if kind not in _KINDS:
        raise InputError(f"expected {', '.join(_KINDS)}, got {kind!r}", "kind")
    n_macro = known if known < len(classes) else None
    if kind in ("labels", "confidences"):
        told = _places_of(truth, ids, classes, labels, places)
        sure = confidence if kind == "confidences" else None
        return _of_labels(truth, ids, classes, n_macro, told, sure)
    if scores is None or scores.ndim != 2 or len(scores) != len(truth):
        raise ShapeError(
            f"expected scores of {len(truth)} images, (N, outputs), got {_shape(scores)}"
        )
    if scores.shape[1] < 2:
        raise ShapeError(f"expected scores of two classes or more, got {scores.shape[1]} output")
    where = checked_places(places, scores.shape[1], len(classes))
    said = None if labels is None else _places_of(truth, ids, classes, labels, where)
    return _of_scores(truth, ids, classes, n_macro, scores, kind, where, said, also)


def _places_of(
    truth: NDArray[np.int64],
    ids: Sequence[str],
    classes: tuple[str, ...],
    labels: NDArray[Any] | None,
    places: NDArray[Any] | None,
) -> NDArray[np.int64]:
    """Return the class of each label, which is the position of an output."""
    if (
        labels is None
        or np.shape(labels) != truth.shape
        or np.asarray(labels).dtype.kind not in "iu"
    ):
        raise ShapeError(f"expected a label for each of {len(truth)} images, got {_shape(labels)}")
    outputs = np.asarray(labels).astype(np.int64)
    n_outputs = len(classes) if places is None else len(places)
    where = checked_places(places, n_outputs, len(classes))
    if len(outputs) and not (outputs.min() >= 0 and outputs.max() < n_outputs):
        row = int(np.flatnonzero((outputs < 0) | (outputs >= n_outputs))[0])
        raise InputError(
            f"expected labels from 0 to {n_outputs - 1}, got {outputs[row]}", f"image {ids[row]}"
        )
    return where[outputs].astype(np.int64)


def _of_labels(
    truth: NDArray[np.int64],
    ids: Sequence[str],
    classes: tuple[str, ...],
    n_macro: int | None,
    predicted: NDArray[np.int64],
    confidence: NDArray[Any] | None,
) -> Absorbed:
    sure = None
    if confidence is not None:
        sure = np.asarray(confidence, np.float64)
        if sure.shape != truth.shape:
            raise ShapeError(
                f"expected a confidence for each of {len(truth)} images, got {_shape(sure)}"
            )
    metric = Classification(
        classes, scores=None if sure is None else "confidences", n_macro=n_macro
    )
    metric.update(truth, predicted, confidence=sure, sample_id=np.asarray(ids))
    return Absorbed(metric, predicted, sure)


def _of_scores(
    truth: NDArray[np.int64],
    ids: Sequence[str],
    classes: tuple[str, ...],
    n_macro: int | None,
    scores: NDArray[Any],
    kind: str,
    places: NDArray[Any],
    said: NDArray[np.int64] | None,
    also: Sequence[tuple[int, ...]] | None,
) -> Absorbed:
    n, n_classes = len(truth), len(classes)
    _refuse_infinite(scores, ids)
    bins = None if n * n_classes <= _EXACT else _CURVE_BINS
    ranking = kind == "any"
    metric = Classification(
        classes,
        scores="any" if ranking else "probabilities",
        curve_bins=bins,
        n_macro=n_macro,
    )
    known = Classes.of(classes)
    between = None
    if ranking and n and (bins is not None or len(places) < n_classes):
        between = float(scores.min()), float(scores.max())
    predicted = np.empty(n, np.int64)
    confidence = None if ranking else np.empty(n)
    rank = None if also is None else np.empty(n, np.int64)
    named = np.asarray(ids)
    for first in range(0, n, size := max(1, _AT_ONCE // n_classes)):
        part = slice(first, first + size)
        value = (
            class_ranking(scores[part], between, places, n_classes)
            if ranking
            else class_probabilities(scores[part], kind, places, n_classes)
        )
        best = value.argmax(axis=1) if said is None else said[part]
        told = Labels(known, code=None if said is None else best.astype(np.int32), score=value)
        metric.update(truth[part], told, sample_id=named[part])
        predicted[part] = best
        if confidence is not None:
            confidence[part] = value[np.arange(len(best)), best]
        if rank is not None and also is not None:
            rank[part] = right_among(value, also[part])
    return Absorbed(metric, predicted, confidence, rank)


def _refuse_infinite(scores: NDArray[Any], ids: Sequence[str]) -> None:
    size = max(1, _AT_ONCE // scores.shape[1])
    for first in range(0, len(scores), size):
        finite = np.isfinite(scores[first : first + size])
        if not finite.all():
            row, column = np.argwhere(~finite)[0].tolist()
            raise InputError(
                f"expected finite scores, got {scores[first + row, column]}",
                f"image {ids[first + row]}",
            )


def _shape(array: Any) -> str:
    return "none" if array is None else f"shape {np.shape(array)}"
