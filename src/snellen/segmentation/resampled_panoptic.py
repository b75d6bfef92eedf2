"""Panoptic quality of data sets that are made of the same images, each so often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.digests import unit_digests
from snellen.metric import Units
from snellen.segmentation.panoptic_matching import ious_of
from snellen.segmentation.panoptic_result import group_means, qualities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.segmentation.panoptic import PanopticQuality
    from snellen.segmentation.panoptic_result import Qualities

    Real = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["panoptic_units"]


class _Sums(NamedTuple):
    """Of R data sets and K classes, each (R, K): sums of IoUs, matches, false and missed ones."""

    iou: Real
    tp: Real
    wrong: Real

    def with_those(self, other: _Sums) -> _Sums:
        return _Sums(self.iou + other.iou, self.tp + other.tp, self.wrong + other.wrong)

    def qualities(self) -> Qualities:
        """Return the qualities, for which false and missed segments are alike."""
        return qualities(self.iou, self.tp, self.wrong, np.zeros_like(self.wrong))


class _Rows(NamedTuple):
    """What each image adds: the IoU of matched pairs, and counts of false and missed segments."""

    n_classes: int
    pair_image: NDArray[np.int32]
    pair_label: NDArray[np.intp]
    iou: Real
    image: NDArray[np.int32]
    label: NDArray[np.intp]
    wrong: Real

    def sums(self, multiplicity: NDArray[Any]) -> _Sums:
        """Return the sums of data sets in which images occur so often, (R, U)."""
        k = self.n_classes
        found = _Sums(*np.zeros((3, len(multiplicity), k)))
        for r, times in enumerate(multiplicity.astype(np.float64)):
            often = times[self.pair_image]
            # bincount adds in order of rows, so that the same images give the same bits.
            found.iou[r] = np.bincount(self.pair_label, often * self.iou, k)
            found.tp[r] = np.bincount(self.pair_label, often, k)
            found.wrong[r] = np.bincount(self.label, times[self.image] * self.wrong, k)
        return found


def panoptic_units(metric: PanopticQuality) -> Units:
    """Return the images of a metric as units."""
    rules = metric.rules
    images, pairs, tallies = metric.rows()
    wrong = tallies["fp"] + tallies["fn"]
    some = wrong > 0
    rows = _Rows(
        len(rules.classes),
        pairs["image"],
        pairs["label"].astype(np.intp),
        ious_of(pairs),
        tallies["image"][some],
        tallies["label"][some].astype(np.intp),
        wrong[some].astype(np.float64),
    )
    # The last qualities: a comparison asks for those of the classes after the others.
    latest: list[tuple[Any, Any, Qualities]] = []

    def found(multiplicity: NDArray[Any], other: Any) -> Qualities:
        if not latest or latest[0][0] is not multiplicity or latest[0][1] is not other:
            sums = rows.sums(multiplicity)
            if other is not None:
                units, times = other
                sums = sums.with_those(units.content.sums(times))
            latest[:] = [(multiplicity, other, sums.qualities())]
        return latest[0][2]

    def values(multiplicity: NDArray[Any], other: Any = None) -> dict[str, Real]:
        means = group_means(rules, found(multiplicity, other))
        return {name: mean for name, (mean, _) in means.items()}

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> Real:
        pq, _, _, counts = found(multiplicity, other)
        return np.where(counts, pq, np.nan)

    return Units(
        unit="image",
        counts=np.ones(len(images), np.int64),
        ids=images,
        values=values,
        class_metric="PQ",
        classes=rules.classes,
        class_values=class_values,
        headline=("PQ", "SQ", "RQ"),
        ranges={"": (0.0, 1.0)},
        truth=unit_digests(
            [tallies[name] for name in ("label", "n_truth", "n_crowd", "truth_area")],
            tallies["image"],
            len(images),
        ),
        content=rows,
    )
