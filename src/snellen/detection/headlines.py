"""The headline numbers of average precision: means over parts of the curve arrays."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.protocols import DetectionProtocol

__all__ = ["Headline", "headlines"]


@dataclasses.dataclass(frozen=True)
class Headline:
    """One line of the summary: a mean over part of a curve array."""

    name: str
    is_recall: bool
    area: str
    cap: int
    iou: float | None = None  # None: the mean over all thresholds
    group: str = ""
    of_group: tuple[bool, ...] | None = None  # by class; None: all of them

    def _select(
        self,
        protocol: DetectionProtocol,
        precision: NDArray[np.float64],
        recall: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64] | None, int, str]:
        """Return the cells with classes last, the area's position, and why there are none."""
        labels = protocol.range_labels
        if self.area not in labels:
            return None, 0, f"the protocol has no area range {self.area}"
        if self.cap not in protocol.max_detections:
            return None, 0, f"the protocol reads it at {self.cap} detections, which is no cap of it"
        a, m = labels.index(self.area), protocol.max_detections.index(self.cap)
        cells = recall[..., a, m] if self.is_recall else precision[..., a, m]
        if self.iou is not None:
            if self.iou not in protocol.iou_thresholds:
                return None, a, f"{self.iou} is not among the IoU thresholds"
            t = protocol.iou_thresholds.index(self.iou)
            cells = cells[t : t + 1]
        return cells, a, ""

    def _of_group(self, defined: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which classes, the last axis, are of the group, too."""
        if self.of_group is None:
            return defined
        if not self.of_group:  # truth says no groups
            return np.zeros_like(defined)
        return defined & np.array(self.of_group, np.bool_)

    def mean(
        self,
        protocol: DetectionProtocol,
        precision: NDArray[np.float64],
        recall: NDArray[np.float64],
        n_counted: NDArray[np.int64],
    ) -> tuple[float, str]:
        """Return the mean over the classes with truth boxes that count, or NaN and the reason."""
        cells, a, reason = self._select(protocol, precision, recall)
        if cells is None:
            return math.nan, reason
        defined = self._of_group(n_counted[:, a] > 0)
        if not defined.any():
            among = f" of the group {self.group}" if self.group else ""
            return math.nan, f"no truth box{among} counts in {protocol.range_called(self.area)}"
        # In this order of cells NumPy's pairwise sum gives the reference's last bit.
        return float(np.ascontiguousarray(cells[..., defined]).reshape(-1).mean()), ""

    def mean_of_each_class(
        self,
        protocol: DetectionProtocol,
        precision: NDArray[np.float64],
        recall: NDArray[np.float64],
        n_counted: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the mean of each class; NaN where none of its truth boxes counts."""
        cells, a, _ = self._select(protocol, precision, recall)
        if cells is None:
            return np.full(len(n_counted), math.nan)
        by_class = np.ascontiguousarray(np.moveaxis(cells, -1, 0)).reshape(
            len(n_counted), math.prod(cells.shape[:-1])
        )
        return np.where(n_counted[:, a] > 0, by_class.mean(axis=1), math.nan)

    def means(
        self,
        protocol: DetectionProtocol,
        precision: NDArray[np.float64],
        recall: NDArray[np.float64],
        n_counted: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return `mean` of N data sets: precision, recall (T, N, K, A, M), n_counted (N, K, A)."""
        cells, a, _ = self._select(protocol, precision, recall)
        if cells is None:
            return np.full(len(n_counted), math.nan)
        defined = self._of_group(n_counted[:, :, a] > 0)
        sums = np.where(defined, cells.sum(axis=0), 0.0).sum(axis=1)
        n_cells = defined.sum(axis=1) * len(cells)
        return np.where(n_cells > 0, sums / np.maximum(n_cells, 1), math.nan)

    def class_means(
        self,
        protocol: DetectionProtocol,
        precision: NDArray[np.float64],
        recall: NDArray[np.float64],
        n_counted: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return `mean_of_each_class` of N data sets, (N, K)."""
        cells, a, _ = self._select(protocol, precision, recall)
        if cells is None:
            return np.full(n_counted.shape[:2], math.nan)
        return np.where(n_counted[:, :, a] > 0, cells.mean(axis=0), math.nan)


def headlines(protocol: DetectionProtocol, groups: tuple[str, ...] | None = None) -> list[Headline]:
    """Return the lines of the summary: with COCO's areas and caps, the field's twelve.

    Of keypoints, which have one cap, the field's ten: recall at single thresholds, too. With one
    IoU threshold AP is that at it; of images by crowding there is AP alone. `groups` are those of
    the classes, in their order.
    """
    first, *sizes = [area.label for area in protocol.area_ranges]
    caps = protocol.max_detections
    ap_cap = caps[-1] if protocol.ap_only_at is None else protocol.ap_only_at
    if protocol.ap_only_at is None:
        cap = caps[-1]
    elif protocol.similarity == "keypoints":  # all ten lines are read where AP is
        cap = ap_cap
    else:  # the lines beside AP are read at the third cap, however many there are
        cap = caps[:3][-1]
    if protocol.similarity == "keypoints":
        recall = [
            Headline("AR", True, first, ap_cap),
            Headline("AR50", True, first, cap, 0.5),
            Headline("AR75", True, first, cap, 0.75),
        ]
    elif protocol.interpolation == "points":
        recall = [Headline(f"AR_{each}", True, first, each) for each in caps]
    else:
        recall = [Headline("AR", True, first, cap)]
    single = [
        Headline("AP50", False, first, cap, 0.5),
        Headline("AP75", False, first, cap, 0.75),
    ]
    return [
        Headline("AP", False, first, ap_cap),
        *(single if protocol.interpolation == "points" else []),
        *(Headline(f"AP_{size}", False, size, cap) for size in sizes),
        *(
            Headline(f"AP_{group}", False, first, cap, None, group, of_group)
            for group in protocol.class_groups
            for of_group in (tuple(each == group for each in groups or ()),)
        ),
        *recall,
        *(Headline(f"AR_{size}", True, size, cap) for size in sizes),
        *(
            Headline(f"AP_{each.label}", False, each.label, cap)
            for each in protocol.crowding_ranges
        ),
    ]
