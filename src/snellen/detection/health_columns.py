"""A data set as its files have it, faults and all: what the check of its health looks at.

`Boxes` and their like cannot hold what is wrong with a data set: unknown images, ids that come
twice, sizes below 0. These columns can.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes

__all__ = [
    "CheckedData",
    "CheckedKeypoints",
    "CheckedMasks",
    "CheckedObjects",
    "Fault",
    "ListedClasses",
    "ListedImages",
    "checked_boxes",
]


class Fault(NamedTuple):
    """A field that could not be read, and why; the record counts without it.

    Attributes
    ----------
    section : str
        The list that the record is in: ``"annotations"``.
    record : int
        Its position there.
    text : str
        What was expected, and what is there.
    """

    section: str
    record: int
    text: str


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ListedImages:
    """The records of images, in file order.

    Attributes
    ----------
    id : sequence
        Whole numbers or texts; None where there is none.
    size : ndarray, shape (n, 2), float64
        Height and width in pixels; NaN where unknown.
    name : sequence of str
        The names of files; ``""`` where there are none.
    """

    id: Sequence[Any]
    size: NDArray[np.float64]
    name: Sequence[str]

    @functools.cached_property
    def position(self) -> dict[Any, int]:
        """The last record of each id, which is the one that counts, as in pycocotools."""
        return {key: k for k, key in enumerate(self.id) if key is not None}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ListedClasses:
    """The records of categories, in file order.

    Attributes
    ----------
    id : sequence
        Whole numbers or texts; None where there is none.
    name : sequence of str
        ``""`` where there is none.
    n_keypoints : ndarray, shape (n,), int64
        The length of their lists of keypoints; -1 where there is none.
    """

    id: Sequence[Any]
    name: Sequence[str]
    n_keypoints: NDArray[np.int64]

    @functools.cached_property
    def position(self) -> dict[Any, int]:
        """The last record of each id."""
        return {key: k for k, key in enumerate(self.id) if key is not None}


class CheckedMasks(NamedTuple):
    """The shapes of n objects.

    Attributes
    ----------
    form : ndarray, shape (n,), uint8
        `ABSENT`, `EMPTY` (a list of nothing), `POLYGONS`, `RUNS`, or `BROKEN`.
    n_pixels : ndarray, shape (n,), float64
        NaN where they cannot be counted.
    xywh : ndarray, shape (n, 4), float64
        The box around the pixels; NaN where there are none.
    size : ndarray, shape (n, 2), float64
        Height and width that run lengths state; NaN for other forms.
    n_short : ndarray, shape (n,), int64
        How many polygons have less than three vertices.
    """

    form: NDArray[np.uint8]
    n_pixels: NDArray[np.float64]
    xywh: NDArray[np.float64]
    size: NDArray[np.float64]
    n_short: NDArray[np.int64]


ABSENT, EMPTY, POLYGONS, RUNS, BROKEN = range(5)


class CheckedKeypoints(NamedTuple):
    """The keypoints of n objects.

    Attributes
    ----------
    n : ndarray, shape (n,), int64
        How many each object has; -1 for none at all.
    n_stated : ndarray, shape (n,), int64
        ``num_keypoints``; -1 where it is not given.
    owner : ndarray, shape (m,), int64
        The object of each keypoint, ascending.
    xyv : ndarray, shape (m, 3), float64
        Left, top, visibility.
    """

    n: NDArray[np.int64]
    n_stated: NDArray[np.int64]
    owner: NDArray[np.int64]
    xyv: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CheckedObjects:
    """The records of n objects, in file order.

    Attributes
    ----------
    section : str
        What the records are called: ``"annotations"``; ``"$"`` of a list that has no name.
    image_id, class_id : sequence
        As the file has them; None where there is none.
    image, label : ndarray, shape (n,), int64
        The positions in the lists of images and classes; -1 where these lack them.
    xywh : ndarray, shape (n, 4), float64
        Left, top, width, height; NaN where a number is none.
    has_box : ndarray, shape (n,), bool
        Whether the record has a box at all.
    id : sequence or None
        Ids of annotations, None where there is none; None where records need none.
    area : ndarray, shape (n,), float64, or None
        NaN where there is none.
    crowd : ndarray, shape (n,), float64, or None
        ``iscrowd``; NaN where there is none.
    score : ndarray, shape (n,), float64, or None
        Of predictions; NaN where a number is none.
    masks, keypoints
        None where no record has any.
    relative : bool
        Whether boxes are parts of the image's size, and meant so.
    """

    section: str
    image_id: Sequence[Any]
    class_id: Sequence[Any]
    image: NDArray[np.int64]
    label: NDArray[np.int64]
    xywh: NDArray[np.float64]
    has_box: NDArray[np.bool_]
    id: Sequence[Any] | None = None
    area: NDArray[np.float64] | None = None
    crowd: NDArray[np.float64] | None = None
    score: NDArray[np.float64] | None = None
    masks: CheckedMasks | None = None
    keypoints: CheckedKeypoints | None = None
    relative: bool = False

    def __len__(self) -> int:
        return len(self.image)

    @functools.cached_property
    def known(self) -> NDArray[np.bool_]:
        """Whether image and class of each object are listed."""
        return (self.image >= 0) & (self.label >= 0)

    @functools.cached_property
    def sound(self) -> NDArray[np.bool_]:
        """Whether each box has four numbers within reason, and a width and height above 0."""
        with np.errstate(invalid="ignore"):
            near = np.abs(self.xywh) < 1e100
            large = self.xywh[:, 2:] > 0
        sound: NDArray[np.bool_] = self.has_box & near.all(axis=1) & large.all(axis=1)
        return sound

    @functools.cached_property
    def is_crowd(self) -> NDArray[np.bool_]:
        """Whether each is a region of many objects."""
        if self.crowd is None:
            return np.zeros(len(self), np.bool_)
        crowd: NDArray[np.bool_] = np.nan_to_num(self.crowd) != 0
        return crowd


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CheckedData:
    """A data set, or predictions for one.

    Attributes
    ----------
    path : str
        Where it was read.
    images, classes
        What is listed; for predictions those of their truth.
    objects : CheckedObjects
    faults : tuple of Fault
        What could not be read.
    complete : bool
        Whether a missing id, area or crowd flag is worth a word: of COCO's annotation files.
    """

    path: str
    images: ListedImages
    classes: ListedClasses
    objects: CheckedObjects
    faults: tuple[Fault, ...] = ()
    complete: bool = False

    @functools.cached_property
    def size(self) -> NDArray[np.float64]:
        """Height and width of each object's image, (n, 2); NaN where unknown."""
        if self.objects.relative:
            return np.ones((len(self.objects), 2))
        sizes = np.concatenate([self.images.size, np.full((1, 2), np.nan)])
        found: NDArray[np.float64] = sizes[self.objects.image]
        found[~(found > 0).all(axis=1)] = np.nan
        return found


def checked_boxes(
    boxes: Boxes,
    path: str,
    *,
    sizes: NDArray[np.int64] | None = None,
    relative: bool = False,
) -> CheckedData:
    """Return boxes that were read, which have been checked in part, for the check of the rest.

    Parameters
    ----------
    boxes : Boxes
    path : str
        Where they were read.
    sizes : ndarray, shape (n_images, 2), optional
        Height and width of each of their images.
    relative : bool
        Whether they are parts of the image's size.
    """
    n_images, ids = len(boxes.images), boxes.images.ids.tolist()
    class_ids = boxes.classes.keys.ids.tolist()
    known = np.full((n_images, 2), np.nan) if sizes is None else sizes.astype(np.float64)
    objects = CheckedObjects(
        "objects",
        [ids[k] for k in boxes.image.tolist()],
        [class_ids[k] for k in boxes.label.tolist()],
        boxes.image.astype(np.int64),
        boxes.label.astype(np.int64),
        boxes.xywh,
        np.ones(len(boxes), np.bool_),
        id=None if boxes.id is None else boxes.id.tolist(),
        area=boxes.area,
        crowd=None if boxes.crowd is None else boxes.crowd.astype(np.float64),
        score=boxes.score,
        relative=relative,
    )
    images = ListedImages(ids, known, [""] * n_images)
    classes = ListedClasses(
        class_ids, list(boxes.classes.names), np.full(len(class_ids), -1, np.int64)
    )
    return CheckedData(path, images, classes, objects)
