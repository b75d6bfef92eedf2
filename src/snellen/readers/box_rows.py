"""Boxes as files have them: what readers of all detection formats return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from snellen import _core
from snellen.detection.box_layouts import listed_numbers
from snellen.detection.oriented import FARTHEST, upright_around
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.box_layouts import BoxLayout
    from snellen.readers.outlines import Outlines
    from snellen.readers.point_names import PointNames

__all__ = ["KINDS", "BoxRows", "ObjectKind", "distinct", "upright_of_corners"]

ObjectKind: TypeAlias = Literal["box", "mask", "keypoints", "oriented"]
"""What objects are."""

KINDS: Final[dict[str, str]] = {
    "box": "upright boxes",
    "mask": "masks",
    "keypoints": "keypoints",
    "oriented": "oriented boxes",
}
"""What objects of a kind are called in messages."""


class BoxRows(NamedTuple):
    """The boxes of one or many files, a row an object; nothing is scaled or matched yet.

    Attributes
    ----------
    images : list of str or of int
        The id of each image, each once: also of those without boxes.
    image : ndarray, shape (n,), int32
        The position of each box's image in `images`.
    labels : list of str or of int
        The distinct classes as boxes name them.
    label : ndarray, shape (n,), int32
        The position of each box's class in `labels`.
    xywh : ndarray, shape (n, 4), float64
        Left, top, width, height: in pixels, or as parts of the image's width and height.
    place : callable
        Where a box stands, for messages: ``"labels/1.txt line 3"``.
    path : str
        The file or folder, for messages.
    relative : bool
        Whether `xywh` are parts of the image's size.
    score : ndarray, shape (n,), float64, or None
        Confidence.
    sizes : ndarray, shape (n_images, 2), int64, or None
        Height and width of each image of `images`, where all are known.
    flags : mapping of str to ndarray, shape (n,), uint8
        What formats say of boxes beside: ``difficult``, ``truncated``, ``group_of``, ….
    crowd : ndarray, shape (n,), uint8, or None
        1 for regions of many objects.
    area : ndarray, shape (n,), float64, or None
        Areas, where the files have them.
    numbers : ndarray, shape (n, 4), float64, or None
        Of relative boxes the numbers of the file, in the order of `layout`: a corner is scaled to
        pixels before sizes are made of it, so that one on a whole pixel is there again.
    layout : {"xyxy", "xywh", "cxcywh"}
        What `numbers` are.
    corners : ndarray, shape (n, 8), float64, or None
        Of oriented boxes x1, y1, …, x4, y4, as `xywh` in pixels or relative, in any direction and
        order; `xywh` are then the upright boxes around them.
    outlines : Outlines or None
        Of masks the polygons, as `xywh` in pixels or relative; `xywh` are then the boxes around.
    keypoints : ndarray, shape (n, K, 3), float64, or None
        Of poses x and y of each keypoint, as `xywh` in pixels or relative, and its visibility.
    point_names : PointNames or None
        What the keypoints are called, where files say it.
    classes : Classes or None
        All classes, where the files list them.
    notes : tuple of str
        What was taken for what, for people.
    names : tuple of str or None
        The names of the images' files, where these are not their ids.
    beside : mapping of str to sequence of str
        Files that were read and may lie elsewhere than at `path`, by what they are: ``"labels"``,
        ``"images"`` (of which only the sizes are read), ``"description"``.
    """

    images: list[Any]
    image: NDArray[np.int32]
    labels: list[Any]
    label: NDArray[np.int32]
    xywh: NDArray[np.float64]
    place: Callable[[int], str]
    path: str
    relative: bool = False
    score: NDArray[np.float64] | None = None
    sizes: NDArray[np.int64] | None = None
    flags: Mapping[str, NDArray[np.uint8]] = {}
    crowd: NDArray[np.uint8] | None = None
    area: NDArray[np.float64] | None = None
    numbers: NDArray[np.float64] | None = None
    layout: BoxLayout = "xywh"
    corners: NDArray[np.float64] | None = None
    outlines: Outlines | None = None
    keypoints: NDArray[np.float64] | None = None
    point_names: PointNames | None = None
    classes: Classes | None = None
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    beside: Mapping[str, Sequence[str]] = {}

    @property
    def kind(self) -> ObjectKind:
        """What the objects are."""
        if self.outlines is not None:
            return "mask"
        if self.keypoints is not None:
            return "keypoints"
        return "box" if self.corners is None else "oriented"

    def as_boxes(self) -> BoxRows:
        """Return the upright boxes of the objects, whatever they are."""
        return self._replace(corners=None, outlines=None, keypoints=None, point_names=None)

    def taken(self, rows: NDArray[np.bool_]) -> BoxRows:
        """Return some of the boxes; images and classes stay."""
        number = np.flatnonzero(rows)
        place = self.place
        return self._replace(
            image=self.image[rows],
            label=self.label[rows],
            xywh=self.xywh[rows],
            place=lambda row: place(int(number[row])),
            score=None if self.score is None else self.score[rows],
            flags={name: flag[rows] for name, flag in self.flags.items()},
            crowd=None if self.crowd is None else self.crowd[rows],
            area=None if self.area is None else self.area[rows],
            numbers=None if self.numbers is None else self.numbers[rows],
            corners=None if self.corners is None else self.corners[rows],
            outlines=None if self.outlines is None else self.outlines.taken(rows),
            keypoints=None if self.keypoints is None else self.keypoints[rows],
            point_names=None if self.point_names is None else self.point_names.taken(rows),
        )


def upright_of_corners(
    corners: NDArray[np.float64], place: Callable[[int], str]
) -> NDArray[np.float64]:
    """Return the upright boxes around oriented ones, as left, top, width, height.

    Parameters
    ----------
    corners : ndarray, shape (n, 8)
        Finite numbers.
    place : callable
        Where a row stands, for messages.

    Raises
    ------
    InputError
        For corners or areas beyond what can be measured in float64; the first is named.
    """
    xywh = upright_around(corners)
    row = min(
        _core.first_unmeasurable(xywh),
        *np.flatnonzero((np.abs(corners) > FARTHEST).any(axis=1))[:1].tolist(),
        len(xywh),
    )
    if row < len(xywh):
        raise InputError(
            f"expected corners within ±{FARTHEST:g} and an area within the range of float64, got "
            f"{listed_numbers(corners[row])}",
            place(row),
        )
    return xywh


def distinct(values: Sequence[str]) -> tuple[list[str], NDArray[np.int32]]:
    """Return the distinct texts by first appearance, and the position of each among them.

    Examples
    --------
    >>> distinct(["dog", "cat", "dog"])
    (['dog', 'cat'], array([0, 1, 0], dtype=int32))
    """
    place: dict[str, int] = {}
    codes = np.fromiter(
        (place.setdefault(value, len(place)) for value in values), np.int32, len(values)
    )
    return list(place), codes
