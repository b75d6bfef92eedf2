"""One network of a benchmark, and all that was measured of it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.benchmark.class_scores import checked_places, class_probabilities, right_among
from snellen.classification.classification import Classification
from snellen.classification.confusion_matrix import ConfusionMatrix
from snellen.errors import InputError, ShapeError, SnellenError
from snellen.result import Interval
from snellen.statistics import intervals, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.model import Facts
    from snellen.benchmark.preprocessing import Preprocessing
    from snellen.benchmark.speed import Speed
    from snellen.classification.classification_result import ClassificationResult
    from snellen.classification.confusion_matrix_result import ConfusionMatrixResult

__all__ = ["MeasuredModel", "measured_model"]

# Up to so many scores (images times classes) curves are exact, and all scores are kept: 32 MB of a
# network. Beyond, they are counts at thresholds.
_EXACT = 4_000_000
_CURVE_BINS = 1000
# Scores that are worked on at a time.
_AT_ONCE = 4_000_000
_TOP = 5
_AVERAGED = ("precision", "recall", "f1")


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredModel:
    """A network, how well it does and how fast.

    Attributes
    ----------
    name : str
        Short; no two of a benchmark have the same.
    source : str
        As it was typed.
    metric : Classification
        What absorbed all images, with their ids.
    result : ClassificationResult
        What it gives, with intervals of the top-1 and top-5 accuracy and macro F1.
    classes : tuple of str
        Those of the images first, in the benchmark's order; then those that only the network
        knows.
    n_classes : int
        How many of them are the images'.
    predicted : ndarray of int64, shape (N,)
        Positions in `classes`.
    confidence : ndarray, shape (N,), or None
        The probability of the predicted class; None without scores.
    scores : {"logits", "probabilities", "labels"}
        What the network gave.
    real : dict of str to float, or None
        ``real_top1`` and, with scores, ``real_top5``: the share of images of which the first, or
        any of the first five, is among the classes that count as right. Images of which none does
        are not counted.
    speed : Speed or None
        None where nothing was timed.
    facts : Facts or None
        What else is known.
    preprocessing : Preprocessing or None
        What was done to images.
    class_rule : str
        How outputs were matched with classes.
    notes : tuple of str
        What people should know.
    """

    name: str
    source: str
    metric: Classification
    result: ClassificationResult
    classes: tuple[str, ...]
    n_classes: int
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64] | None
    scores: str
    real: dict[str, float] | None = None
    speed: Speed | None = None
    facts: Facts | None = None
    preprocessing: Preprocessing | None = None
    class_rule: str = ""
    notes: tuple[str, ...] = ()

    @property
    def confusion(self) -> ConfusionMatrixResult:
        """The confusion matrix, over `classes`."""
        found: Any = self.result.parts["labels"]
        return found  # type: ignore[no-any-return]  # that is what this part is

    @property
    def top1(self) -> float:
        """The share of images whose class is predicted."""
        return self.result.metrics["accuracy"]

    def number(self, name: str) -> float:
        """Return a number of the result; NaN where there is none.

        Averages over classes are over those of the images: a class that only the network knows
        has no recall, and would take from networks that know many.
        """
        of, _, how = name.rpartition("_")
        if how != "macro" or of not in _AVERAGED or len(self.classes) == self.n_classes:
            return self.result.metrics.get(name, math.nan)
        confusion, known = self.confusion, slice(self.n_classes)
        absent = (confusion.tp + confusion.fp + confusion.fn)[known] == 0
        average, _ = confusion.averaging.average(
            confusion.class_values()[of][known],
            support=confusion.support[known],
            absent=absent,
            how=how,
        )
        return average

    def interval(self, name: str) -> Interval | None:
        """Return where a number lies; None where that was not asked for."""
        return self.result.intervals.get(name)

    def class_values(self, name: str) -> NDArray[np.float64]:
        """Return ``"recall"``, ``"precision"`` or ``"f1"`` of each class of the images."""
        return self.confusion.class_values()[name][: self.n_classes]

    def noise(self) -> list[str]:
        """Return in words why its speed cannot be believed."""
        return [] if self.speed is None else self.speed.noise()


def measured_model(
    name: str,
    source: str,
    *,
    truth: NDArray[Any],
    ids: Sequence[str],
    classes: Sequence[str],
    n_classes: int | None = None,
    kind: str,
    scores: NDArray[Any] | None = None,
    labels: NDArray[Any] | None = None,
    places: NDArray[Any] | None = None,
    also: Sequence[tuple[int, ...]] | None = None,
    level: float = 0.95,
    replicates: int = 200,
    speed: Speed | None = None,
    facts: Facts | None = None,
    preprocessing: Preprocessing | None = None,
    class_rule: str = "",
    notes: Sequence[str] = (),
) -> MeasuredModel:
    """Return a network with the numbers that its predictions give.

    Parameters
    ----------
    name, source : str
        What it is called, and as it was typed.
    truth : ndarray of int, shape (N,)
        Positions of the images' classes.
    ids : sequence of str
        Of the images.
    classes : sequence of str
        Those of the images, then those that only the network knows.
    n_classes : int, optional
        How many are the images'; without, all.
    kind : {"logits", "probabilities", "labels"}
        What the network gave.
    scores : ndarray, shape (N, outputs), optional
        Where `kind` says so.
    labels : ndarray of int, shape (N,), optional
        With ``kind="labels"``: which output each image got.
    places : ndarray of int, optional
        The position in `classes` of each output; without, output k is class k.
    also : sequence of tuple of int, optional
        Of each image the classes that count as right, see `LabelledImages`.
    level, replicates : float, int
        Of intervals: Wilson's for top-1 and top-5, a bootstrap over images for macro F1.
    speed, facts, preprocessing, class_rule, notes
        See `MeasuredModel`.

    Raises
    ------
    InputError
        For scores that are none: not finite, or not what `kind` says; the network and the image
        are named.
    """
    told = tuple(classes)
    known = len(told) if n_classes is None else n_classes
    truth = np.ascontiguousarray(truth, np.int64)
    if len(truth) != len(ids):
        raise ShapeError(f"expected an id for each of {len(truth)} images, got {len(ids)}", name)
    try:
        if kind == "labels":
            absorbed = _of_labels(truth, ids, told, labels, places)
        elif kind in ("logits", "probabilities"):
            absorbed = _of_scores(truth, ids, told, scores, kind, places, also)
        else:
            raise InputError(
                f'expected "logits", "probabilities" or "labels", got {kind!r}', "kind"
            )
    except SnellenError as error:
        raise error.within(name) from error
    real = None if also is None else _real(absorbed, also, len(told))
    result = absorbed.metric.compute()
    result = dataclasses.replace(
        result,
        intervals=_intervals(result, truth, absorbed.predicted, told, known, level, replicates),
    )
    said = list(notes)
    elsewhere = int(np.count_nonzero(absorbed.predicted >= known))
    if elsewhere:
        said.append(
            f"{elsewhere:,} images were taken for classes that the data lack: they count as wrong; "
            f"precision, recall and F1 are averaged over the {known:,} classes of the data"
        )
    return MeasuredModel(
        name=name,
        source=source,
        metric=absorbed.metric,
        result=result,
        classes=told,
        n_classes=known,
        predicted=absorbed.predicted,
        confidence=absorbed.confidence,
        scores=kind,
        real=real,
        speed=speed,
        facts=facts,
        preprocessing=preprocessing,
        class_rule=class_rule,
        notes=tuple(said),
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Absorbed:
    metric: Classification
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64] | None = None
    rank: NDArray[np.int64] | None = None  # the best of the classes that count as right


def _of_labels(
    truth: NDArray[np.int64],
    ids: Sequence[str],
    classes: tuple[str, ...],
    labels: NDArray[Any] | None,
    places: NDArray[Any] | None,
) -> _Absorbed:
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
    predicted = where[outputs].astype(np.int64)
    metric = Classification(classes).update(truth, predicted, sample_id=np.asarray(ids))
    return _Absorbed(metric, predicted)


def _of_scores(
    truth: NDArray[np.int64],
    ids: Sequence[str],
    classes: tuple[str, ...],
    scores: NDArray[Any] | None,
    kind: str,
    places: NDArray[Any] | None,
    also: Sequence[tuple[int, ...]] | None,
) -> _Absorbed:
    if scores is None or scores.ndim != 2 or len(scores) != len(truth):
        raise ShapeError(
            f"expected scores of {len(truth)} images, (N, outputs), got {_shape(scores)}"
        )
    n_outputs, n_classes = scores.shape[1], len(classes)
    if n_outputs < 2:
        raise ShapeError(f"expected scores of two classes or more, got {n_outputs} output")
    where = checked_places(places, n_outputs, n_classes)
    bins = None if len(truth) * n_classes <= _EXACT else _CURVE_BINS
    metric = Classification(classes, scores="probabilities", curve_bins=bins)
    predicted, confidence = np.empty(len(truth), np.int64), np.empty(len(truth))
    rank = None if also is None else np.empty(len(truth), np.int64)
    named = np.asarray(ids)
    for first in range(0, len(truth), size := max(1, _AT_ONCE // n_classes)):
        part = slice(first, first + size)
        if not np.isfinite(scores[part]).all():
            row, column = np.argwhere(~np.isfinite(scores[part]))[0].tolist()
            raise InputError(
                f"expected finite scores, got {scores[first + row, column]}",
                f"image {ids[first + row]}",
            )
        probability = class_probabilities(scores[part], kind, where, n_classes)
        metric.update(truth[part], probability, sample_id=named[part])
        predicted[part] = probability.argmax(axis=1)
        confidence[part] = probability.max(axis=1)
        if rank is not None and also is not None:
            rank[part] = right_among(probability, also[part])
    return _Absorbed(metric, predicted, confidence, rank)


def _shape(array: Any) -> str:
    return "none" if array is None else f"shape {np.shape(array)}"


def _real(absorbed: _Absorbed, also: Sequence[tuple[int, ...]], n_classes: int) -> dict[str, float]:
    n = sum(len(each) > 0 for each in also)
    first = [each in right for each, right in zip(absorbed.predicted.tolist(), also, strict=True)]
    found = {"real_top1": sum(first) / n if n else math.nan}
    if absorbed.rank is not None:
        among = int(np.count_nonzero((absorbed.rank >= 0) & (absorbed.rank < _TOP)))
        found["real_top5"] = among / n if n and n_classes >= _TOP else math.nan
    return found


def _intervals(
    result: ClassificationResult,
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    classes: tuple[str, ...],
    n_classes: int,
    level: float,
    replicates: int,
) -> dict[str, Interval]:
    """Return those that the tables show: few, for a bootstrap of areas would take seconds."""
    wanted = ["accuracy"] + (["f1_macro"] if len(classes) == n_classes else [])
    labels = ConfusionMatrix(classes).update(truth, predicted)
    found = intervals(labels, level=level, replicates=replicates, names=wanted)
    n = len(truth)
    for name in ("top1", "top5"):
        share = result.metrics.get(name, math.nan)
        if not math.isnan(share):
            low, high = wilson(round(share * n), n, level=level)
            found[name] = Interval(low, high, level, "Wilson", "sample")
    return found
