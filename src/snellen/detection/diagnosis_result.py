"""Average precision, and what became of the diagnoses of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.detection.average_precision_result import AveragePrecisionResult
    from snellen.result import Result

__all__ = ["PARTS", "DetectionDiagnosis"]

PARTS: Final = (
    *("errors", "confusion", "points", "lrp", "calibration", "images", "labels", "slices"),
)
"""What a diagnosis may consist of."""

SCHEMA: Final = "snellen.diagnosis/1"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DetectionDiagnosis:
    """Why the average precision of a detector is what it is; ``print`` shows one screen of it.

    Attributes
    ----------
    precision : AveragePrecisionResult
        Average precision and recall.
    parts : mapping of str to Result
        The diagnoses that were asked for, by name (see `detection_diagnosis`).
    iou_threshold : float
        The IoU from which a detection is right in all of them.
    score_threshold : float or None
        The score from which detections are in the confusion matrix and the table of images, where
        it was given; None: that of the highest F.
    scores : tuple of float
        The lowest and the highest score of a detection; NaN without detections.
    layout : {"", "corners", "parts"}
        What the boxes of predictions look like, where that is not what they should be: left, top,
        right, bottom in place of widths and heights, or parts of the image in place of pixels.
    n_beyond_cap : int
        Truth objects that no detection can be for: one image has more of a class than the cap.
    """

    precision: AveragePrecisionResult
    parts: Mapping[str, Result]
    iou_threshold: float
    score_threshold: float | None
    scores: tuple[float, float]
    layout: str
    n_beyond_cap: int

    @property
    def has_both(self) -> bool:
        """Whether there are predictions, and truth that counts."""
        found = self.precision
        return bool(found.data["n_predictions"] and found.n_counted[:, 0].any())

    def __repr__(self) -> str:
        return f"DetectionDiagnosis(AP={self.precision.AP:.4f}, {', '.join(self.parts)})"

    def __str__(self) -> str:
        """Return one screen: of tables the ten rows that matter most."""
        return self.text()

    def text(self, *, rows: int | None = 10, classes: int | None = 10) -> str:
        """Return the diagnosis as text.

        Parameters
        ----------
        rows : int or None
            How many rows tables have at most, but that of classes; None: all.
        classes : int or None
            How many classes are shown, those of the lowest AP; None: all.
        """
        from snellen.detection.diagnosis_text import diagnosis_text

        return diagnosis_text(self, rows=rows, classes=classes)

    def next_looks(self) -> list[str]:
        """Return what to look at next, a sentence each: what costs most, and what looks wrong.

        Nothing is said that the numbers do not show; there may be nothing to say.
        """
        from snellen.detection.next_looks import next_looks

        return next_looks(self)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return every table as records, by name: what ``snellen diagnose --out`` writes."""
        from snellen.detection.diagnosis_tables import tables_of

        return tables_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; undefined ones are None."""
        from snellen import __version__
        from snellen.detection.diagnosis_tables import records_of

        return {
            "schema": SCHEMA,
            "library": __version__,
            "task": "detection",
            "iou_threshold": self.iou_threshold,
            "average_precision": self.precision.to_dict(),
            **{name: {**part.to_dict(), **records_of(part)} for name, part in self.parts.items()},
            "next_looks": self.next_looks(),
        }
