"""The result of average precision."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.detection.headlines import headlines
from snellen.detection.protocols import DetectionProtocol
from snellen.result import Result, Undefined
from snellen.state import pack
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["AveragePrecisionResult"]

_PLURALS = {"mask": "masks", "boundary": "masks", "keypoints": "poses"}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class AveragePrecisionResult(Result):
    """Average precision and recall.

    T IoU thresholds (of poses: of OKS), R recall thresholds, K classes, A area ranges (and behind
    them ranges of crowding), M caps. Undefined cells are NaN (coco-strict: −1).

    Attributes
    ----------
    rules : DetectionProtocol
        The rules; `protocol` has them as plain values.
    classes : Classes
        The K classes.
    precision : ndarray, shape (T, R, K, A, M)
        Interpolated precision at each recall threshold.
    recall : ndarray, shape (T, K, A, M)
        The highest recall reached.
    scores : ndarray, shape (T, R, K, A, M)
        The score at which each recall threshold is reached; 0 where it is not.
    n_counted : ndarray, shape (K, A), int64
        Truth boxes that count: no crowds, area in range.
    groups : tuple of str, or None
        The group of each class, where truth says it.
    """

    rules: DetectionProtocol
    classes: Classes
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    scores: NDArray[np.float64]
    n_counted: NDArray[np.int64]
    groups: tuple[str, ...] | None = None

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    @classmethod
    def of_curves(
        cls,
        protocol: DetectionProtocol,
        classes: Classes,
        *,
        precision: NDArray[np.float64],
        recall: NDArray[np.float64],
        scores: NDArray[np.float64],
        n_counted: NDArray[np.int64],
        data: Mapping[str, int],
        groups: tuple[str, ...] | None = None,
    ) -> AveragePrecisionResult:
        """Return the result whose headline numbers are the means over the curves."""
        metrics: dict[str, float] = {}
        undefined = []
        for line in headlines(protocol, groups):
            metrics[line.name], reason = line.mean(protocol, precision, recall, n_counted)
            if reason:
                undefined.append(Undefined(line.name, reason))
        return cls(
            metrics=metrics,
            protocol=protocol.to_dict(),
            undefined=tuple(undefined),
            data=dict(data),
            rules=protocol,
            classes=classes,
            precision=precision,
            recall=recall,
            scores=scores,
            n_counted=n_counted,
            groups=groups,
        )

    def __str__(self) -> str:
        """Return the lines of pycocotools' summary, in its layout."""
        ious = self.rules.iou_thresholds
        areas = {area.label for area in self.rules.area_ranges}
        lines = []
        for line in headlines(self.rules, self.groups):
            value = self.metrics[line.name]
            if math.isnan(value) and self.rules.minus_one:
                value = -1.0
            title = "Average Recall" if line.is_recall else "Average Precision"
            kind = "(AR)" if line.is_recall else "(AP)"
            alone = ious[0] if len(ious) == 1 else line.iou
            iou = f"{ious[0]:.2f}:{ious[-1]:.2f}" if alone is None else f"{alone:.2f}"
            interval = self.intervals.get(line.name)
            shown = f"{value:.3f}" if interval is None else with_interval(value, interval, 3)
            part = "area" if line.area in areas else "type"  # as CrowdPose's evaluation says
            lines.append(
                f" {title:<18} {kind} @[ IoU={iou:<9} | {part}={line.area:>6s} "
                f"{'' if self.rules.has_no_caps else f'| maxDets={line.cap:>3d} '}"
                f"{f'| {line.group} ' if line.group else ''}] = {shown}"
            )
        return "\n".join(lines)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        what = "crowds, left out" if self.rules.crowds == "shared" else "crowds"
        if self.rules.crowds == "groups":
            what = "groups, each to be found" if self.rules.group_weight else "groups, left out"
        crowds = f", {data['n_crowd']:,} of them {what}" if data["n_crowd"] else ""
        dropped = data["n_dropped_by_cap"]
        by_cap = f"{f'{dropped:,}' if dropped else 'none'} dropped by the cap of "
        by_cap += f"{self.rules.max_detections[-1]:,}"
        with_truth = int(np.count_nonzero(self.n_counted[:, 0]))
        objects = _PLURALS.get(self.rules.similarity, "boxes")
        lines = [
            f"images       {data['n_images']:,}",
            f"{f'truth {objects}':<13}{data['n_truth']:,}{crowds}",
            f"predictions  {data['n_predictions']:,}"
            f"{'' if self.rules.has_no_caps else f', {by_cap}'}",
            f"classes      {data['n_classes']:,}, {with_truth:,} with truth",
            f"protocol     {self.rules}",
        ]
        left_out = [
            f"left out     {data[name]:,} predictions {which}"
            for name, which in (
                ("n_unverified", "of classes that nobody looked for in their image"),
                ("n_empty", "whose box or mask is empty"),
            )
            if data.get(name)
        ]
        lines[3:3] = left_out
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def displays(self) -> tuple[Display, ...]:
        """Return precision over recall, and the headline numbers."""
        from snellen.detection.curve_displays import precision_recall

        curves = precision_recall(self)
        return super().displays() if curves is None else (curves, *super().displays())

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        labels = self.rules.range_labels
        names = self.classes.display_names()
        return [
            Undefined(
                line.name,
                f"no truth box of the class counts in {self.rules.range_called(line.area)}",
                names[k],
            )
            for line in headlines(self.rules)
            if line.area in labels and not line.group
            for k in np.flatnonzero(self.n_counted[:, labels.index(line.area)] == 0).tolist()
        ]

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, number of truth boxes and headline numbers."""
        ids = self.classes.keys.ids.tolist()
        records: list[dict[str, Any]] = [
            {"class": name, "id": class_id, "n_truth": int(n)}
            for name, class_id, n in zip(
                self.classes.display_names(), ids, self.n_counted[:, 0], strict=True
            )
        ]
        for line in headlines(self.rules):
            if line.group:
                continue
            values = line.mean_of_each_class(
                self.rules, self.precision, self.recall, self.n_counted
            )
            for record, value in zip(records, values.tolist(), strict=True):
                record[line.name] = value
        return records

    def _pack(self) -> bytes:
        arrays = {
            name: np.ascontiguousarray(getattr(self, name))
            for name in ("precision", "recall", "scores", "n_counted")
        }
        content = {
            "protocol": self.protocol,
            "class_ids": self.classes.keys.ids.tolist(),
            "class_names": list(self.classes.names),
            "groups": self.groups,
            "data": dict(self.data),
            "intervals": plain_intervals(self.intervals),
        }
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> AveragePrecisionResult:
        groups = packed.content.get("groups")
        found = cls.of_curves(
            DetectionProtocol.from_dict(packed.content["protocol"]),
            Classes(packed.content["class_ids"], packed.content["class_names"]),
            groups=None if groups is None else tuple(groups),
            data=packed.content["data"],
            **packed.arrays,
        )
        # Results of release 0.1.0 have no intervals.
        intervals = stored_intervals(packed.content.get("intervals", {}))
        return dataclasses.replace(found, intervals=intervals)
