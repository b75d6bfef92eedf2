"""What a model said of the images, whoever ran it, on its way to numbers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.benchmark.class_places import placed
from snellen.benchmark.result import measured_model
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.class_places import ClassPlaces
    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.benchmark.model import Facts
    from snellen.benchmark.predictions_file import StoredScores
    from snellen.benchmark.preprocessing import Preprocessing
    from snellen.benchmark.result import MeasuredModel
    from snellen.benchmark.speed import Speed

__all__ = ["Predicted", "in_all"]


@dataclasses.dataclass(frozen=True, eq=False)
class Predicted:
    """Scores or labels of n images.

    Attributes
    ----------
    name, source : str
        What the model is called, and as it was typed.
    rows : ndarray of int64, shape (n,)
        Which images; ascending.
    kind : str
        ``"logits"``, ``"probabilities"``, ``"any"``, ``"confidences"``, or ``"labels"``.
    scores : ndarray, shape (n, outputs), or None
        Of each output.
    labels : ndarray of int, shape (n,), or None
        Which output, where that was said.
    places : ClassPlaces
        What outputs stand for.
    confidence : ndarray of float64, shape (n,), or None
        How sure each label is, where there are no scores.
    left_out : sequence of (int, str)
        Images that could not be read, and why.
    facts, preprocessing
        As in `MeasuredModel`.
    notes : sequence of str
        What people should know.
    """

    name: str
    source: str
    rows: NDArray[np.int64]
    kind: str
    scores: NDArray[Any] | None
    labels: NDArray[Any] | None
    places: ClassPlaces
    confidence: NDArray[np.float64] | None = None
    left_out: Sequence[tuple[int, str]] = ()
    facts: Facts | None = None
    preprocessing: Preprocessing | None = None
    notes: Sequence[str] = ()

    @classmethod
    def of_file(
        cls, name: str, source: str, stored: StoredScores, images: LabelledImages
    ) -> Predicted:
        """Return what somebody stored.

        Raises
        ------
        ClassError
            Where its classes are not the images'.
        """
        return cls(
            name=name,
            source=source,
            rows=stored.rows,
            kind=stored.kind if stored.confidence is None else "confidences",
            scores=stored.scores,
            labels=stored.labels,
            confidence=stored.confidence,
            places=placed(images.classes, stored.classes, stored.n_outputs, name),
            notes=stored.notes,
        )

    def measured(
        self, images: LabelledImages, rows: NDArray[np.int64], speed: Speed | None
    ) -> MeasuredModel:
        """Return the numbers of some of the images, which are all among `rows`."""
        at = np.searchsorted(self.rows, rows)
        whole = len(rows) == len(self.rows)
        also = images.also
        notes = list(self.notes)
        if self.places.assumed:
            notes.append(f"classes were matched by {self.places.rule}: no names say so")
        return measured_model(
            self.name,
            self.source,
            truth=images.labels[rows],
            ids=[images.ids[row] for row in rows.tolist()],
            classes=self.places.classes,
            n_classes=len(images.classes),
            kind=self.kind,
            scores=self.scores if self.scores is None or whole else self.scores[at],
            labels=None if self.labels is None else self.labels[at],
            confidence=None if self.confidence is None else self.confidence[at],
            places=self.places.places,
            also=None if also is None else [also[row] for row in rows.tolist()],
            speed=speed,
            facts=self.facts,
            preprocessing=self.preprocessing,
            class_rule=self.places.rule,
            notes=notes,
        )


def in_all(
    predicted: Sequence[Predicted], images: LabelledImages
) -> tuple[NDArray[np.int64], list[tuple[str, str]]]:
    """Return the images that all models predicted; and those that not all did, and why.

    Models are compared on the same images.

    Raises
    ------
    InputError
        Where there is none.
    """
    n_models = np.zeros(len(images), np.int64)
    reasons: dict[int, str] = {}
    for each in predicted:
        n_models[each.rows] += 1
        for row, reason in each.left_out:
            reasons.setdefault(row, reason)
    rows = np.flatnonzero(n_models == len(predicted))
    left_out = [
        (images.ids[row], reasons.get(row, "not predicted by all models"))
        for row in np.flatnonzero(n_models < len(predicted)).tolist()
    ]
    if not len(rows):
        raise InputError(
            f"expected images that all models predicted, got none: {left_out[0][1]}",
            left_out[0][0],
        )
    return rows, left_out
