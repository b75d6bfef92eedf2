"""What a data set is made of: objects by class, by size, by image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.detection.health_boxes import AREA_BOUNDS
from snellen.detection.health_findings import Example, examples_of_cells, examples_of_images
from snellen.table_text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.health_columns import CheckedData
    from snellen.detection.health_findings import Findings

__all__ = ["ClassCount", "PerImage", "Sizes", "check_counts"]

_CAP: Final = 100
_LVIS_CAP: Final = 300
_FEW: Final = 10
_IMBALANCE: Final = 100


class ClassCount(NamedTuple):
    """What there is of a class.

    Attributes
    ----------
    id : int or str
    name : str
        ``""`` where it has none.
    objects, crowds : int
        Single objects, and regions of crowds.
    images : int
        Images with at least one single object.
    """

    id: Any
    name: str
    objects: int
    crowds: int
    images: int


class Sizes(NamedTuple):
    """How many single objects are small, medium and large by COCO's bounds, 32² and 96²."""

    small: int
    medium: int
    large: int


class PerImage(NamedTuple):
    """How many objects, or predictions, images have.

    Attributes
    ----------
    median, mean : float
    most : int
    without, over_100, over_300 : int
        How many images have none, and more than so many.
    """

    median: float
    mean: float
    most: int
    without: int
    over_100: int
    over_300: int

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> PerImage:
        """Return the summary of the numbers of objects of images."""
        if not len(counts):
            return cls(0.0, 0.0, 0, 0, 0, 0)
        return cls(
            float(np.median(counts)),
            float(counts.mean()),
            int(counts.max()),
            *(int(np.count_nonzero(each)) for each in
              (counts == 0, counts > _CAP, counts > _LVIS_CAP)),
        )  # fmt: skip


def check_counts(
    data: CheckedData, findings: Findings
) -> tuple[tuple[ClassCount, ...], Sizes | None, PerImage]:
    """Count the objects of truth, and find what is rare, absent, or more than is counted."""
    objects, images, classes = data.objects, data.images, data.classes
    # Of records with one id the last one counts.
    image_rows = np.array(sorted(images.position.values()), np.int64)
    class_rows = np.array(sorted(classes.position.values()), np.int64)
    single = objects.known & ~objects.is_crowd
    n_images, n_classes = len(images.id), len(classes.id)
    image, label = objects.image[single], objects.label[single]
    cells, in_cell = np.unique(image * n_classes + label, return_counts=True)
    by_class = np.bincount(label, minlength=n_classes)
    with_class = np.bincount(cells % max(n_classes, 1), minlength=n_classes)
    crowds = np.bincount(objects.label[objects.known & objects.is_crowd], minlength=n_classes)
    counts = tuple(
        ClassCount(classes.id[k], classes.name[k], int(by_class[k]), int(crowds[k]),
                   int(with_class[k]))
        for k in class_rows.tolist()
    )  # fmt: skip
    _check_classes(counts, class_rows, findings)
    any_object = np.bincount(objects.image[objects.image >= 0], minlength=n_images)
    empty = image_rows[any_object[image_rows] == 0]
    findings.add(
        "image-without-objects",
        len(empty),
        len(image_rows),
        examples_of_images(images, empty),
    )
    over = np.flatnonzero(in_cell > _CAP)
    findings.add(
        "image-over-cap",
        len(over),
        len(cells),
        examples_of_cells(data, cells[over], in_cell[over]),
        detail=f"{int((in_cell[over] - _CAP).sum()):,} objects too many",
    )
    in_image = np.bincount(image, minlength=n_images)
    crowded = image_rows[in_image[image_rows] > _LVIS_CAP]
    findings.add(
        "image-over-lvis-cap",
        len(crowded),
        len(image_rows),
        examples_of_images(images, crowded, in_image[crowded]),
    )
    return counts, _sizes(data, single), PerImage.of(in_image[image_rows])


def _check_classes(
    counts: tuple[ClassCount, ...], rows: NDArray[np.int64], findings: Findings
) -> None:
    most = max((each.objects for each in counts), default=0)
    if not most:
        return
    named = list(zip(rows.tolist(), counts, strict=True))
    for kind, found in (
        ("class-without-objects", [pair for pair in named if not pair[1].objects]),
        ("class-with-few-objects", [pair for pair in named if 0 < pair[1].objects < _FEW]),
        ("class-imbalance", [pair for pair in named if 0 < pair[1].objects * _IMBALANCE < most]),
    ):
        found.sort(key=lambda pair: pair[1].objects)
        findings.add(
            kind,
            len(found),
            len(counts),
            [
                Example(
                    "categories",
                    row,
                    each.id,
                    None,
                    ": ".join(
                        part
                        for part in (
                            printable(each.name, 40),
                            f"{each.objects:,}" if each.objects else "",
                        )
                        if part
                    ),
                )
                for row, each in found[:5]
            ],
            detail=f"the largest has {most:,}" if kind == "class-imbalance" else "",
        )


def _sizes(data: CheckedData, single: NDArray[np.bool_]) -> Sizes | None:
    """Return numbers by size; of boxes alone where there are no areas, None of parts of images."""
    objects = data.objects
    if objects.relative:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        area = objects.xywh[:, 2] * objects.xywh[:, 3]
    if objects.area is not None:
        area = np.where(np.isnan(objects.area), area, objects.area)
    known = area[single]
    known = known[~np.isnan(known)]
    bins = np.bincount(np.searchsorted(AREA_BOUNDS, known), minlength=3).tolist()
    return Sizes(*bins)
