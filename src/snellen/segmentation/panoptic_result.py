"""What panoptic quality comes to: over all, of things and stuff, of each class, of each image."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.result import Result, Undefined
from snellen.segmentation.panoptic_matching import ious_of
from snellen.segmentation.panoptic_rules import PanopticRules
from snellen.state import Keys, pack
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.state import PackedState

    Real = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["GROUPS", "PanopticQualityResult", "Qualities", "group_means", "qualities"]

GROUPS = (("", "All"), ("_things", "Things"), ("_stuff", "Stuff"))
_ARRAYS = (
    *("iou_sum", "tp", "fp", "fn"),
    *("image_pq", "image_sq", "image_rq", "image_tp", "image_fp", "image_fn"),
)
_COUNTS = ("n_truth", "n_crowd", "n_pred", "n_ignored")


class Qualities(NamedTuple):
    """PQ, SQ and RQ, each (…, K); 0 where there is no match, and `counts` false where all is 0."""

    pq: Real
    sq: Real
    rq: Real
    counts: NDArray[np.bool_]


def qualities(
    iou_sum: NDArray[Any], tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any]
) -> Qualities:
    """Return the qualities that sums and counts give."""
    counts = tp + fp + fn > 0
    size = np.where(counts, tp + 0.5 * fp + 0.5 * fn, 1.0)
    sq = np.where(tp > 0, iou_sum / np.maximum(tp, 1), 0.0)
    return Qualities(iou_sum / size, sq, tp / size, counts)


def group_means(rules: PanopticRules, found: Qualities) -> dict[str, tuple[Real, Whole]]:
    """Return the mean over the classes of each group that count, and their number, by name.

    NaN where there are none. Added class by class, as the reference does.
    """
    means: dict[str, tuple[Real, Whole]] = {}
    for suffix, _ in GROUPS:
        if suffix and rules.is_thing is None:
            continue
        mine = found.counts.copy()
        if suffix:
            assert rules.is_thing is not None
            mine &= rules.is_thing if suffix == "_things" else ~rules.is_thing
        number = mine.sum(axis=-1)
        for name, values in (("PQ", found.pq), ("SQ", found.sq), ("RQ", found.rq)):
            # cumsum adds one after the other, where sum adds in pairs.
            total = np.zeros(number.shape)
            if values.shape[-1]:
                total = np.cumsum(np.where(mine, values, 0.0), axis=-1)[..., -1]
            with np.errstate(invalid="ignore"):
                means[f"{name}{suffix}"] = total / number, number
    return means


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PanopticQualityResult(Result):
    """Panoptic quality of K classes and N images.

    Attributes
    ----------
    rules : PanopticRules
        The rules; `protocol` has them as plain values.
    images : Keys
        The ids of the images.
    iou_sum : ndarray, shape (K,)
        The sum of the IoU of matches.
    tp, fp, fn : ndarray, shape (K,), int64
        Matches, predicted segments without one, truth segments without one.
    image_pq, image_sq, image_rq : ndarray, shape (N,)
        The qualities of each image: means over the classes that count in it; NaN without any.
    image_tp, image_fp, image_fn : ndarray, shape (N,), int64
        Those of each image, over all classes.
    """

    rules: PanopticRules
    images: Keys
    iou_sum: Real
    tp: Whole
    fp: Whole
    fn: Whole
    image_pq: Real
    image_sq: Real
    image_rq: Real
    image_tp: Whole
    image_fp: Whole
    image_fn: Whole

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "panoptic"

    @classmethod
    def of_rows(
        cls,
        rules: PanopticRules,
        images: Keys,
        pairs: Mapping[str, NDArray[Any]],
        tallies: Mapping[str, NDArray[Any]],
    ) -> PanopticQualityResult:
        """Return the result of matched pairs, and tallies by image and class, each in order."""
        n_classes, n_images = len(rules.classes), len(images)
        iou = ious_of(pairs)
        cell = tallies["image"].astype(np.int64) * n_classes + tallies["label"]
        at = np.searchsorted(cell, pairs["image"].astype(np.int64) * n_classes + pairs["label"])
        tp = np.bincount(at, minlength=len(cell))
        found = qualities(
            np.bincount(at, iou, minlength=len(cell)), tp, tallies["fp"], tallies["fn"]
        )
        counting = found.counts
        image = tallies["image"][counting]
        n_counting = np.bincount(image, minlength=n_images)
        with np.errstate(invalid="ignore"):
            of_images = [
                np.bincount(image, values[counting], minlength=n_images) / n_counting
                for values in found[:3]
            ]

        def sums(by: str, n: int) -> list[Whole]:
            columns = (tp, tallies["fp"], tallies["fn"])
            return [_sums(tallies[by], column, n) for column in columns]

        return cls.of_arrays(
            rules,
            images,
            {
                "n_images": n_images,
                "n_classes": n_classes,
                **{name: int(tallies[name].sum()) for name in _COUNTS},
            },
            # bincount adds in order of rows: by image, and by truth segment in it.
            np.bincount(pairs["label"], iou, minlength=n_classes),
            *sums("label", n_classes),
            *of_images,
            *sums("image", n_images),
        )

    @classmethod
    def of_arrays(
        cls, rules: PanopticRules, images: Keys, data: Mapping[str, int], *arrays: NDArray[Any]
    ) -> PanopticQualityResult:
        """Return the result whose headline numbers follow from its arrays, in order of fields."""
        means = group_means(rules, qualities(*arrays[:4]))
        metrics = {name: float(value) for name, (value, _) in means.items()}
        what = {"things": "class of things", "stuff": "class of stuff"}
        undefined = tuple(
            Undefined(
                name, f"no {what.get(name.partition('_')[2], 'class')} has segments that count"
            )
            for name, value in metrics.items()
            if math.isnan(value)
        )
        fields: dict[str, Any] = dict(zip(_ARRAYS, arrays, strict=True))
        return cls(
            metrics=metrics,
            protocol=rules.to_dict(),
            undefined=undefined,
            data=dict(data),
            rules=rules,
            images=images,
            **fields,
        )

    def __str__(self) -> str:
        """Return the table that panopticapi prints, in its layout."""
        means = group_means(self.rules, self._qualities())
        rows = []
        for suffix, title in GROUPS:
            if f"PQ{suffix}" not in means:
                continue
            cells = []
            for name in ("PQ", "SQ", "RQ"):
                interval = self.intervals.get(f"{name}{suffix}")
                if interval is not None:
                    interval = interval._replace(low=100 * interval.low, high=100 * interval.high)
                cells.append(with_interval(100 * self.metrics[f"{name}{suffix}"], interval, 1))
            rows.append([title, *cells, str(int(means[f"PQ{suffix}"][1]))])
        head = ["", "PQ", "SQ", "RQ", "N"]
        widths = [max(5, *(len(row[i]) for row in [head, *rows])) for i in range(1, 5)]
        lines = []
        for row in [head, *rows]:
            pq, sq, rq, n = (cell.rjust(width) for cell, width in zip(row[1:], widths, strict=True))
            lines.append(f"{row[0]:10s}| {pq}  {sq}  {rq} {n}")
        return "\n".join([lines[0], "-" * (len(lines[0]) + 1), *lines[1:]])

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        crowds = f", and {data['n_crowd']:,} crowds" if data["n_crowd"] else ""
        ignored = ""
        if data["n_ignored"]:
            ignored = f", {data['n_ignored']:,} of them left out: on void or crowds"
        tp, fp, fn = (int(each.sum()) for each in (self.tp, self.fp, self.fn))
        lines = [
            f"images       {data['n_images']:,}",
            f"truth        {data['n_truth']:,} segments{crowds}",
            f"predictions  {data['n_pred']:,} segments{ignored}",
            f"segments     {tp:,} matched, {fp:,} false, {fn:,} missed",
            f"protocol     {self.rules}",
        ]
        without = int(np.count_nonzero(self._qualities().counts & (self.tp == 0)))
        if without:
            lines.insert(
                4, f"no match     {without:,} classes with segments: SQ counts as 0 in the mean"
            )
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, qualities, counts and sum of IoUs."""
        pq, sq, rq, counts = self._qualities()
        if not self.rules.strict:
            pq, rq = (np.where(counts, values, math.nan) for values in (pq, rq))
            sq = np.where(self.tp > 0, sq, math.nan)
        classes = self.rules.classes
        thing: list[bool | None] = [None] * len(classes)
        if self.rules.is_thing is not None:
            thing = self.rules.is_thing.tolist()
        return [
            {
                "class": name,
                "id": class_id,
                "thing": thing[k],
                "PQ": float(pq[k]),
                "SQ": float(sq[k]),
                "RQ": float(rq[k]),
                "tp": int(self.tp[k]),
                "fp": int(self.fp[k]),
                "fn": int(self.fn[k]),
                "iou_sum": float(self.iou_sum[k]),
            }
            for k, (name, class_id) in enumerate(
                zip(classes.display_names(), classes.keys.ids.tolist(), strict=True)
            )
        ]

    def per_image(self) -> list[dict[str, Any]]:
        """Return, for each image, its id, qualities and counts; the worst first.

        By PQ; of equal ones the image of more false and missed segments, then by id. Images
        without segments that count come last.
        """
        wrong = self.image_fp + self.image_fn
        order = np.lexsort((np.arange(len(self.images)), -wrong, self.image_pq))
        ids = self.images.ids.tolist()
        return [
            {
                "image": ids[i],
                "PQ": float(self.image_pq[i]),
                "SQ": float(self.image_sq[i]),
                "RQ": float(self.image_rq[i]),
                "tp": int(self.image_tp[i]),
                "fp": int(self.image_fp[i]),
                "fn": int(self.image_fn[i]),
            }
            for i in order.tolist()
        ]

    def displays(self) -> tuple[Display, ...]:
        """Return the qualities of classes, and the headline numbers."""
        from snellen.segmentation.pixel_displays import class_qualities

        return (class_qualities(self), *super().displays())

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        if self.rules.strict:
            return []
        counts = self._qualities().counts
        found = []
        for k, name in enumerate(self.rules.classes.display_names()):
            if not counts[k]:
                reason = "no segment of the class counts"
                found += [Undefined(metric, reason, name) for metric in ("PQ", "SQ", "RQ")]
            elif not self.tp[k]:
                found.append(Undefined("SQ", "no segment of the class is matched", name))
        return found

    def _qualities(self) -> Qualities:
        return qualities(self.iou_sum, self.tp, self.fp, self.fn)

    def _pack(self) -> bytes:
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        content = {
            "rules": self.rules.to_dict(),
            "image_ids": self.images.ids.tolist(),
            "data": dict(self.data),
            "intervals": plain_intervals(self.intervals),
        }
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> PanopticQualityResult:
        content = packed.content
        found = cls.of_arrays(
            PanopticRules.from_dict(content["rules"]),
            Keys(content["image_ids"], "image id"),
            content["data"],
            *(packed.arrays[name] for name in _ARRAYS),
        )
        return dataclasses.replace(found, intervals=stored_intervals(content["intervals"]))


def _sums(at: NDArray[Any], values: NDArray[Any], n: int) -> Whole:
    sums = np.zeros(n, np.int64)
    np.add.at(sums, at, values)
    return sums
