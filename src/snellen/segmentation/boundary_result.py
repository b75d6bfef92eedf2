"""What boundaries come to: over all classes, of each class, of each image."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes
from snellen.result import Result, Undefined
from snellen.segmentation.boundary_rules import BoundaryRules
from snellen.state import Keys, pack, prefixed, unprefixed
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.state import PackedState

    Real = NDArray[np.float64]

__all__ = [
    "COLUMNS",
    "OF_IMAGES",
    "BoundaryQualityResult",
    "boundary_ratios",
    "image_means",
    "mean",
]

# What is counted of a class, as the kernel has it (core/include/snellen/boundary.hpp).
COLUMNS: Final = (
    *("pixels_both", "pixels_truth", "pixels_pred"),
    *("border_both", "border_truth", "border_pred"),
    *("contour_truth", "contour_truth_matched", "contour_pred", "contour_pred_matched"),
)
# Which ratios have means over images, too.
OF_IMAGES: Final = ("boundary_iou", "boundary_f")

_MEANS: Final = ("boundary_iou", "boundary_f", "mask_iou")
_SHOWN_CLASSES: Final = 40


def boundary_ratios(pixels: NDArray[Any]) -> dict[str, Real]:
    """Return the ratios that counts give.

    Parameters
    ----------
    pixels : ndarray, shape (…, 10)
        Counts by `COLUMNS`.

    Returns
    -------
    dict of str to ndarray, shape (…)
        NaN where a ratio is 0/0. Boundary F is 0 where only one side has a contour.
    """
    count = {name: pixels[..., i].astype(np.float64) for i, name in enumerate(COLUMNS)}
    precision = _ratio(count["contour_pred_matched"], count["contour_pred"])
    recall = _ratio(count["contour_truth_matched"], count["contour_truth"])
    p, r = np.nan_to_num(precision), np.nan_to_num(recall)
    f = np.nan_to_num(_ratio(2 * p * r, p + r))
    f[count["contour_truth"] + count["contour_pred"] == 0] = math.nan
    return {
        "boundary_iou": _ratio(
            count["border_both"],
            count["border_truth"] + count["border_pred"] - count["border_both"],
        ),
        "mask_iou": _ratio(
            count["pixels_both"],
            count["pixels_truth"] + count["pixels_pred"] - count["pixels_both"],
        ),
        "boundary_f": f,
        "boundary_precision": precision,
        "boundary_recall": recall,
    }


def mean(values: Real) -> Real:
    """Return means over the last axis of what is defined; NaN where nothing is."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def image_means(
    ratios: Mapping[str, Real], image: NDArray[np.int32], n_images: int
) -> dict[str, Real]:
    """Return the mean of ratios over the classes of each image, (N,); NaN where there are none."""
    found = {}
    for name in OF_IMAGES:
        defined = ~np.isnan(ratios[name])
        there = image[defined]
        # bincount adds in order of rows.
        found[name] = _ratio(
            np.bincount(there, ratios[name][defined], n_images), np.bincount(there, None, n_images)
        )
    return found


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Real:
    quotient = np.full(np.shape(denominator), math.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BoundaryQualityResult(Result):
    """Boundary IoU and boundary F of K classes.

    Attributes
    ----------
    classes : Classes
        The K classes.
    rules : BoundaryRules
        The rules; `protocol` has them as plain values.
    pixels : ndarray, shape (K, 10), int64
        Numbers of pixels of each class, over all images: on both sides, in truth, in predictions;
        the same of border zones; contour pixels of truth, those matched, contour pixels of
        predictions, those matched.
    images : Keys or None
        The ids of the N images; None where they have none.
    rows : mapping of str to ndarray
        Of each image and each class that it has on either side: ``image`` and ``label``, positions,
        (M,), and ``pixels``, (M, 10).
    """

    classes: Classes
    rules: BoundaryRules
    pixels: NDArray[np.int64]
    images: Keys | None
    rows: Mapping[str, NDArray[Any]]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "segmentation"

    @classmethod
    def of_pixels(
        cls,
        classes: Classes,
        rules: BoundaryRules,
        n_images: int,
        pixels: NDArray[np.int64],
        images: Keys | None,
        rows: Mapping[str, NDArray[Any]],
    ) -> BoundaryQualityResult:
        """Return the result of counts."""
        ratios = boundary_ratios(pixels)
        metrics: dict[str, float] = {}
        undefined: list[Undefined] = []

        def put(name: str, value: float, reason: str) -> None:
            metrics[name] = value
            if math.isnan(value):
                undefined.append(Undefined(name, reason if n_images else "there are no images"))

        missing = {
            "boundary_iou": "no class has pixels",
            "mask_iou": "no class has pixels",
            "boundary_f": "no class has a contour",
        }
        for name in _MEANS:
            put(name, float(mean(ratios[name])), missing[name])
        of_images = {}
        if images is not None:
            of_images = image_means(boundary_ratios(rows["pixels"]), rows["image"], len(images))
        for name in OF_IMAGES:
            if images is None:
                put(f"{name}_images", math.nan, "images have no ids: only their sum is kept")
            else:
                put(f"{name}_images", float(mean(of_images[name])), missing[name])
        return cls(
            metrics=metrics,
            protocol={"name": "boundary-quality", **rules.to_dict()},
            undefined=tuple(undefined),
            data={
                "n_images": n_images,
                "n_classes": len(classes),
                "n_pixels": int(pixels[:, COLUMNS.index("pixels_truth")].sum()),
            },
            classes=classes,
            rules=rules,
            pixels=pixels,
            images=images,
            rows=rows,
        )

    def class_values(self) -> dict[str, Real]:
        """Return the ratios of each class by name, each (K,).

        ``border_share`` is the share of a class's truth pixels that lie in its border zone: at 1
        the class is so thin that Boundary IoU is hardly another number than the IoU of masks.
        """
        truth, border = (
            self.pixels[:, COLUMNS.index(name)].astype(np.float64)
            for name in ("pixels_truth", "border_truth")
        )
        return {**boundary_ratios(self.pixels), "border_share": _ratio(border, truth)}

    def displays(self) -> tuple[Display, ...]:
        """Return the boundaries of classes, and the headline numbers."""
        from snellen.segmentation.shape_displays import class_boundaries

        return (class_boundaries(self), *super().displays())

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, ratios and counts."""
        values = {name: column.tolist() for name, column in self.class_values().items()}
        counts = dict(zip(COLUMNS, self.pixels.T.tolist(), strict=True))
        return [
            {
                "class": name,
                "id": class_id,
                **{key: each[k] for key, each in (values | counts).items()},
            }
            for k, (name, class_id) in enumerate(
                zip(self.classes.display_names(), self.classes.keys.ids.tolist(), strict=True)
            )
        ]

    def per_image(self) -> list[dict[str, Any]]:
        """Return, for each image with an id, its numbers; the worst first.

        Means over the classes that are there; by Boundary IoU, of equal ones by id, images without
        classes last.
        """
        if self.images is None:
            return []
        image, n_images = self.rows["image"], len(self.images)
        means = image_means(boundary_ratios(self.rows["pixels"]), image, n_images)
        n_classes = np.bincount(image, None, n_images)
        ids = self.images.ids.tolist()
        order = np.argsort(means["boundary_iou"], kind="stable")
        return [
            {
                "image": ids[i],
                **{name: float(each[i]) for name, each in means.items()},
                "n_classes": int(n_classes[i]),
            }
            for i in order.tolist()
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        count = dict(zip(COLUMNS, self.pixels.T, strict=True))
        absent = count["pixels_truth"] + count["pixels_pred"] == 0
        reasons = {
            "boundary_iou": "",
            "mask_iou": "",
            "boundary_f": "the class fills every image: it has no contour",
            "boundary_precision": "predictions have no contour of the class",
            "boundary_recall": "truth has no contour of the class",
            "border_share": "truth has no pixel of the class",
        }
        names = self.classes.display_names()
        return [
            Undefined(
                name,
                "neither side has a pixel of the class" if absent[k] else reasons[name],
                names[k],
            )
            for name, values in self.class_values().items()
            for k in np.flatnonzero(np.isnan(values)).tolist()
        ]

    def __str__(self) -> str:
        """Return the table of classes, and the means."""
        values = self.class_values()
        head = {
            "boundary_iou": "boundary IoU",
            "mask_iou": "mask IoU",
            "boundary_f": "boundary F",
            "boundary_precision": "precision",
            "boundary_recall": "recall",
            "border_share": "border share",
        }
        rows = [["", *head.values()]]
        if len(self.classes) <= _SHOWN_CLASSES:
            rows += [
                [printable(name, 30), *(number(float(values[key][k])) for key in head)]
                for k, name in enumerate(self.classes.display_names())
            ]
        rows.append(["mean", *(number(self.metrics.get(key, math.nan)) for key in head)])
        lines = aligned_lines(rows)
        lines.insert(len(lines) - 1, "")
        headline = [
            [name, with_interval(value, self.intervals.get(name))]
            for name, value in self.metrics.items()
        ]
        return "\n".join([*lines, "", *aligned_lines(headline, left=2)])

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        count = dict(zip(COLUMNS, self.pixels.T, strict=True))
        present = count["pixels_truth"] + count["pixels_pred"] > 0
        absent = int(np.count_nonzero(~present))
        lines = [
            f"images       {data['n_images']:,}, {data['n_pixels']:,} pixels of classes",
            f"classes      {data['n_classes']:,}"
            + (f", {absent:,} on neither side" if absent else ""),
            f"protocol     {self.rules}",
        ]
        thin = present.copy()
        for side in ("truth", "pred"):
            thin &= count[f"border_{side}"] == count[f"pixels_{side}"]
        if thin.any():
            lines.append(
                f"thin         {np.count_nonzero(thin):,} classes lie in their border zones "
                "wholly: their Boundary IoU is that of masks"
            )
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def _pack(self) -> bytes:
        content = {
            "class_ids": self.classes.keys.ids.tolist(),
            "class_names": list(self.classes.names),
            "rules": self.rules.to_dict(),
            "n_images": self.data["n_images"],
            "image_ids": None if self.images is None else self.images.ids.tolist(),
            "intervals": plain_intervals(self.intervals),
        }
        arrays = {"pixels": self.pixels, **prefixed("rows.", self.rows)}
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> BoundaryQualityResult:
        content, arrays = packed.content, packed.arrays
        ids = content["image_ids"]
        found = cls.of_pixels(
            Classes(content["class_ids"], content["class_names"]),
            BoundaryRules(**content["rules"]),
            content["n_images"],
            arrays["pixels"],
            None if ids is None else Keys(ids, "image id"),
            unprefixed("rows.", arrays),
        )
        return dataclasses.replace(found, intervals=stored_intervals(content["intervals"]))
