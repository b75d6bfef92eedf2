"""Panoptic quality of data sets that are made of the same images, each so often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.digests import unit_digests
from snellen.metric import Units
from snellen.segmentation.panoptic_matching import ious_of
from snellen.segmentation.panoptic_result import group_means, qualities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.segmentation.panoptic import PanopticQuality
    from snellen.segmentation.panoptic_result import Qualities

    Real = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["panoptic_units"]


class _Sums(NamedTuple):
    """Of R data sets and K classes, each (R, K)."""

    iou: Real
    tp: Whole
    fp: Whole
    fn: Whole

    def with_those(self, other: _Sums) -> _Sums:
        return _Sums(
            self.iou + other.iou, self.tp + other.tp, self.fp + other.fp, self.fn + other.fn
        )


class _Rows(NamedTuple):
    """What each image adds: the IoU of matched pairs, counts of images and classes."""

    n_classes: int
    pair_image: NDArray[np.int32]
    pair_label: NDArray[np.int32]
    iou: Real
    image: NDArray[np.int32]
    label: NDArray[np.int32]
    false: Mapping[str, Whole]

    def sums(self, multiplicity: NDArray[Any]) -> _Sums:
        """Return the sums of data sets in which images occur so often, (R, U)."""
        n_sets = len(multiplicity)
        found = _Sums(
            np.zeros((n_sets, self.n_classes)),
            *(np.zeros((n_sets, self.n_classes), np.int64) for _ in range(3)),
        )
        for r, times in enumerate(multiplicity):
            # bincount adds in order of rows, so that the same images give the same bits.
            often = times[self.pair_image]
            found.iou[r] = np.bincount(self.pair_label, often * self.iou, self.n_classes)
            found.tp[r] = np.bincount(self.pair_label, often, self.n_classes)
            often = times[self.image]
            for name, sums in (("fp", found.fp), ("fn", found.fn)):
                sums[r] = np.bincount(self.label, often * self.false[name], self.n_classes)
        return found


def panoptic_units(metric: PanopticQuality) -> Units:
    """Return the images of a metric as units."""
    rules = metric.rules
    images, pairs, tallies = metric.rows()
    rows = _Rows(
        len(rules.classes),
        pairs["image"],
        pairs["label"],
        ious_of(pairs),
        tallies["image"],
        tallies["label"],
        {name: tallies[name] for name in ("fp", "fn")},
    )
    # The last qualities: a comparison asks for those of the classes after the others.
    latest: list[tuple[Any, Any, Qualities]] = []

    def found(multiplicity: NDArray[Any], other: Any) -> Qualities:
        if not latest or latest[0][0] is not multiplicity or latest[0][1] is not other:
            sums = rows.sums(multiplicity)
            if other is not None:
                units, times = other
                sums = sums.with_those(units.content.sums(times))
            latest[:] = [(multiplicity, other, qualities(*sums))]
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
