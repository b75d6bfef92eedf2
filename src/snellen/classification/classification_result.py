"""The results of a classification's parts, as one."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classification.calibration import CalibrationErrorResult
from snellen.classification.confusion_matrix_result import ConfusionMatrixResult
from snellen.classification.curves_result import ThresholdCurvesResult
from snellen.classification.multilabel_confusion import MultilabelConfusionResult
from snellen.classification.probability import ProbabilityLossResult
from snellen.classification.top_k import TopKAccuracyResult
from snellen.result import Result
from snellen.state import pack
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.displays import Display
    from snellen.state import PackedState


__all__ = ["ClassificationResult"]

_KINDS: Final[dict[str, type[Result]]] = {
    "labels": ConfusionMatrixResult,
    "sets": MultilabelConfusionResult,
    "top_k": TopKAccuracyResult,
    "curves": ThresholdCurvesResult,
    "losses": ProbabilityLossResult,
    "calibration": CalibrationErrorResult,
}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ClassificationResult(Result):
    """The results of a classification's parts, as one.

    Attributes
    ----------
    parts : mapping of str to Result
        ``"labels"`` or ``"sets"`` and, where there are scores, ``"top_k"``, ``"curves"``,
        ``"losses"`` and ``"calibration"``.
    """

    parts: Mapping[str, Result]

    @classmethod
    def of_parts(cls, parts: Mapping[str, Result]) -> ClassificationResult:
        """Return the result of its parts.

        The accuracy is that of the labels: the calibration's own is left out, which of sets of
        labels is another number.
        """
        metrics: dict[str, float] = {}
        undefined = []
        data: dict[str, int] = {}
        for name, part in parts.items():
            known = {*metrics, *(["accuracy"] if name == "calibration" else [])}
            metrics |= {key: value for key, value in part.metrics.items() if key not in known}
            undefined += [entry for entry in part.undefined if entry.metric not in known]
            data = {**part.data, **data}
        return cls(
            metrics=metrics,
            protocol={
                "name": "classification",
                **{name: dict(part.protocol) for name, part in parts.items()},
            },
            undefined=tuple(undefined),
            data=data,
            parts=dict(parts),
        )

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "classification"

    def __str__(self) -> str:
        """Return the report of the labels, and the numbers of the scores."""
        main = next(iter(self.parts))
        labels = dataclasses.replace(self.parts[main], intervals=self.intervals)
        rows = [
            [name, with_interval(value, self.intervals.get(name))]
            for part_name, part in self.parts.items()
            if part_name != main
            for name, value in part.metrics.items()
            if name in self.metrics and name not in labels.metrics
        ]
        text = str(labels)
        return f"{text}\n\n{chr(10).join(aligned_lines(rows, left=2))}" if rows else text

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        main = next(iter(self.parts))
        lines = self.parts[main].composition().splitlines()
        for name, part in self.parts.items():
            if name != main:
                known = {line.split()[0] for line in lines}
                lines += [
                    line
                    for line in part.composition().splitlines()
                    if line.startswith("undefined") or line.split()[0] not in known
                ]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return one record for each class: that of the labels, and what other parts add."""
        main = next(iter(self.parts.values()))
        records = [dict(record) for record in main.per_class()]
        place = {record["id"]: record for record in records}
        for part in self.parts.values():
            for record in part.per_class():
                mine = place.get(record["id"])
                if mine is not None:
                    mine.update({key: value for key, value in record.items() if key not in mine})
        columns = {key: math.nan for record in records for key in record}
        return [{**columns, **record} for record in records]

    def displays(self) -> tuple[Display, ...]:
        """Return the pictures of the parts, and the headline numbers."""
        found = {
            display.name: display
            for part in self.parts.values()
            for display in part.displays()
            if display.name != "metrics"
        }
        return (*found.values(), *super().displays())

    def undefined_of_classes(self) -> list[Any]:
        """Return which numbers of single classes are NaN, and why."""
        return [entry for part in self.parts.values() for entry in part.undefined_of_classes()]

    def _pack(self) -> bytes:
        arrays = {name: np.frombuffer(part._pack(), np.uint8) for name, part in self.parts.items()}
        content = {"parts": list(self.parts), "intervals": plain_intervals(self.intervals)}
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ClassificationResult:
        found = cls.of_parts(
            {
                name: _KINDS[name]._unpack(packed.arrays[name].tobytes(), name)
                for name in packed.content["parts"]
            }
        )
        intervals = stored_intervals(packed.content["intervals"])
        return dataclasses.replace(found, intervals=intervals)
