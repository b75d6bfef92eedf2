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

    def _select(
        self,
        protocol: DetectionProtocol,
        precision: NDArray[np.float64],
        recall: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64] | None, int, str]:
        """Return the cells with classes last, the area's position, and why there are none."""
        labels = [area.label for area in protocol.area_ranges]
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
        defined = n_counted[:, a] > 0
        if not defined.any():
            return math.nan, f"no truth box counts in area range {self.area}"
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
        defined = n_counted[:, :, a] > 0
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


def headlines(protocol: DetectionProtocol) -> list[Headline]:
    """Return the lines of the summary: with COCO's areas and caps, the field's twelve.

    Of keypoints, which have one cap, the field's ten: recall at single thresholds, too.
    """
    first, *sizes = [area.label for area in protocol.area_ranges]
    cap = protocol.max_detections[-1]
    if protocol.similarity == "keypoints":
        recall = [
            Headline("AR", True, first, protocol.ap_only_at or cap),
            Headline("AR50", True, first, cap, 0.5),
            Headline("AR75", True, first, cap, 0.75),
        ]
    else:
        recall = [Headline(f"AR_{each}", True, first, each) for each in protocol.max_detections]
    return [
        Headline("AP", False, first, protocol.ap_only_at or cap),
        Headline("AP50", False, first, cap, 0.5),
        Headline("AP75", False, first, cap, 0.75),
        *(Headline(f"AP_{size}", False, size, cap) for size in sizes),
        *recall,
        *(Headline(f"AR_{size}", True, size, cap) for size in sizes),
    ]
