"""One network of a benchmark, and all that was measured of it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.benchmark.absorbed import absorbed
from snellen.classification.confusion_matrix import ConfusionMatrix
from snellen.errors import ShapeError, SnellenError
from snellen.result import Interval
from snellen.statistics import intervals, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.absorbed import Absorbed
    from snellen.benchmark.model import Facts
    from snellen.benchmark.preprocessing import Preprocessing
    from snellen.benchmark.speed import Speed
    from snellen.classification.classification import Classification
    from snellen.classification.classification_result import ClassificationResult
    from snellen.classification.confusion_matrix_result import ConfusionMatrixResult

__all__ = ["MeasuredModel", "measured_model"]

_TOP = 5


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
        What it gives, with intervals of the top-1 and top-5 accuracy and macro F1. Macro averages
        are over the classes of the images.
    classes : tuple of str
        Those of the images first, in the benchmark's order; then those that only the network
        knows.
    n_classes : int
        How many of them are the images'.
    predicted : ndarray of int64, shape (N,)
        Positions in `classes`.
    confidence : ndarray, shape (N,), or None
        The probability of the predicted class; None where that is not known.
    scores : {"logits", "probabilities", "any", "confidences", "labels"}
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
        """Return a number of the result; NaN where there is none."""
        return self.result.metrics.get(name, math.nan)

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
    confidence: NDArray[Any] | None = None,
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
    kind : {"logits", "probabilities", "any", "confidences", "labels"}
        What the network gave. ``"any"``: scores of which only the order counts. ``"confidences"``:
        labels, and how sure each is.
    scores : ndarray, shape (N, outputs), optional
        Where `kind` says so.
    labels : ndarray of int, shape (N,), optional
        Which output each image got. With scores: what counts as predicted, in place of the output
        of the highest score.
    confidence : ndarray, shape (N,), optional
        With ``kind="confidences"``: between 0 and 1.
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
        said = absorbed(
            truth,
            ids,
            told,
            kind,
            known=known,
            scores=scores,
            labels=labels,
            confidence=confidence,
            places=places,
            also=also,
        )
    except SnellenError as error:
        raise error.within(name) from error
    result = said.metric.compute()
    result = dataclasses.replace(
        result,
        intervals=_intervals(result, truth, said.predicted, level, replicates),
    )
    remarks = list(notes)
    elsewhere = int(np.count_nonzero(said.predicted >= known))
    if elsewhere:
        were = "image was" if elsewhere == 1 else "images were"
        wrong = "it counts as wrong" if elsewhere == 1 else "they count as wrong"
        remarks.append(
            f"{elsewhere:,} {were} taken for classes that the data lack: {wrong}; "
            f"precision, recall and F1 are averaged over the {known:,} classes of the data"
        )
    return MeasuredModel(
        name=name,
        source=source,
        metric=said.metric,
        result=result,
        classes=told,
        n_classes=known,
        predicted=said.predicted,
        confidence=said.confidence,
        scores=kind,
        real=None if also is None else _real(said, also, len(told)),
        speed=speed,
        facts=facts,
        preprocessing=preprocessing,
        class_rule=class_rule,
        notes=tuple(remarks),
    )


def _real(said: Absorbed, also: Sequence[tuple[int, ...]], n_classes: int) -> dict[str, float]:
    n = sum(len(each) > 0 for each in also)
    first = [each in right for each, right in zip(said.predicted.tolist(), also, strict=True)]
    found = {"real_top1": sum(first) / n if n else math.nan}
    if said.rank is not None:
        among = int(np.count_nonzero((said.rank >= 0) & (said.rank < _TOP)))
        found["real_top5"] = among / n if n and n_classes >= _TOP else math.nan
    return found


def _intervals(
    result: ClassificationResult,
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    level: float,
    replicates: int,
) -> dict[str, Interval]:
    """Return those that the tables show: few, for a bootstrap of areas would take seconds."""
    told: Any = result.parts["labels"]
    labels = ConfusionMatrix(told.classes, n_macro=told.averaging.n_macro)
    labels.update(truth, predicted)
    found = intervals(labels, level=level, replicates=replicates, names=["f1_macro"])
    n = len(truth)
    for name in ("accuracy", "top1", "top5"):
        share = result.metrics.get(name, math.nan)
        if not math.isnan(share):
            low, high = wilson(round(share * n), n, level=level)
            found[name] = Interval(low, high, level, "Wilson", "sample")
    return found
