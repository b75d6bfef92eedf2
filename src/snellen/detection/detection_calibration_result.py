"""The result of a calibration of detections."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classification import rates
from snellen.detection.stored_result import packed_result, result_fields
from snellen.result import Result, Undefined
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["NO_DETECTION", "DetectionCalibrationResult"]

NO_DETECTION = "no detection counts"
_NAME_WIDTH = 28
_ARRAYS = (
    *("low", "high", "n", "n_true", "total_score"),
    *("class_n", "class_n_true", "class_ece", "class_mce"),
)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DetectionCalibrationResult(Result):
    """Calibration errors of detections and the reliability table.

    B bins, K classes. Headline numbers: ``ece``, ``rmsce``, ``mce`` over all detections;
    ``classwise_ece``, the mean of the ECE of the classes that have detections; ``mean_score`` and
    ``precision`` of all detections.

    Attributes
    ----------
    classes : Classes
        The K classes.
    low, high : ndarray, shape (B,), float64
        Of equal width: bin b is (low[b], high[b]], the first holds 0 too. Of equal mass: the
        lowest and the highest score in it.
    n, n_true : ndarray, shape (B,), int64
        Detections in each bin, and how many are true positives.
    total_score : ndarray, shape (B,), float64
        The sum of their scores.
    class_n, class_n_true : ndarray, shape (K,), int64
        Detections of each class, and how many are true positives.
    class_ece, class_mce : ndarray, shape (K,), float64
        The errors of each class; NaN where it has no detections.
    """

    classes: Classes
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]
    n_true: NDArray[np.int64]
    total_score: NDArray[np.float64]
    class_n: NDArray[np.int64]
    class_n_true: NDArray[np.int64]
    class_ece: NDArray[np.float64]
    class_mce: NDArray[np.float64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    def reliability(self) -> list[dict[str, Any]]:
        """Return the reliability table: of each bin its edges, detections, score, precision."""
        mean, precision = rates.ratio(self.total_score, self.n), rates.ratio(self.n_true, self.n)
        columns = (self.low, self.high, self.n, self.n_true, mean, precision, mean - precision)
        names = ("low", "high", "n", "n_true", "mean_score", "precision", "gap")
        return [
            dict(zip(names, row, strict=True))
            for row in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def __str__(self) -> str:
        """Return the errors, the reliability table, and the errors of each class."""
        rules = self.protocol
        lines = [
            f"Calibration at IoU {rules['iou_threshold']:.2f}, area {rules['area']}, "
            f"{rules['bins']} bins of {rules['binning'].replace('-', ' ')}",
            "",
            *aligned_lines([[name, number(value)] for name, value in self.metrics.items()]),
            "",
        ]
        opening = "(" if rules["binning"] == "equal-width" else "["
        rows = [["score", "n", "TP", "mean score", "precision", "gap"]]
        rows += [
            [
                f"{opening}{each['low']:.4f}, {each['high']:.4f}]",
                *(number(each[key]) for key in ("n", "n_true", "mean_score", "precision", "gap")),
            ]
            for each in self.reliability()
        ]
        lines += [*aligned_lines(rows), ""]
        rows = [["class", "n", "TP", "ECE", "MCE"]]
        rows += [
            [
                printable(each["class"], _NAME_WIDTH),
                *(number(each[key]) for key in ("n", "n_true", "ece", "mce")),
            ]
            for each in self.per_class()
        ]
        return "\n".join([*lines, *aligned_lines(rows)])

    def displays(self) -> tuple[Display, ...]:
        """Return the reliability diagram."""
        from snellen.detection.curve_displays import reliability

        return (reliability(self),)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data, rules = self.data, self.protocol
        least = rules["lowest_score"]
        left_out = "" if least is None else f"; {data['n_left_out']:,} below {least:g} left out"
        lines = [
            f"images       {data['n_images']:,}",
            f"predictions  {data['n_predictions']:,} that count{left_out}",
            f"bins         {rules['bins']:,} of {rules['binning'].replace('-', ' ')}, "
            f"{np.count_nonzero(self.n):,} with detections",
            f"matching     {rules['rules']['name']}, IoU {rules['iou_threshold']:.2f}, "
            f"area {rules['area']}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its detections and calibration errors."""
        columns = (self.class_n, self.class_n_true, self.class_ece, self.class_mce)
        names = ("n", "n_true", "ece", "mce")
        return [
            {"class": name, "id": class_id, **dict(zip(names, values, strict=True))}
            for name, class_id, *values in zip(
                self.classes.display_names(),
                self.classes.keys.ids.tolist(),
                *(column.tolist() for column in columns),
                strict=True,
            )
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        n_outside = self.data["n_outside"]
        reason = f"{n_outside:,} scores lie outside [0, 1]" if n_outside else NO_DETECTION
        return [
            Undefined(key, reason, record["class"])
            for record in self.per_class()
            for key in ("ece", "mce")
            if math.isnan(record[key])
        ]

    def _pack(self) -> bytes:
        return packed_result(self, self.classes, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def _of_packed(cls, packed: PackedState) -> DetectionCalibrationResult:
        return cls(**result_fields(packed, _ARRAYS))
