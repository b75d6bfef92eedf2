"""What is written: columns of objects, and what their files said beside."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.detection.boxes import Boxes
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.detection.masks import Masks
    from snellen.detection.oriented import OrientedBoxes
    from snellen.detection.poses import Poses
    from snellen.readers.box_joining import ReadBoxes

__all__ = ["Detections", "Loss", "Written", "areas_differ"]


class Loss(NamedTuple):
    """Something that a format does not hold.

    Attributes
    ----------
    what : str
        Its name, for programs: ``"crowds"``.
    n : int
        How many there are.
    text : str
        What becomes of them, for people.
    """

    what: str
    n: int
    text: str


class Written(NamedTuple):
    """Files of a format, not on disk yet.

    Attributes
    ----------
    files : mapping of str to bytes
        What each file holds, by its path below the target; of a single file the path is empty.
    losses : list of Loss
        What reading them back would not give.
    notes : sequence of str
        What a reader of them has to know, for people.
    """

    files: Mapping[str, bytes]
    losses: list[Loss]
    notes: Sequence[str] = ()


class Detections(NamedTuple):
    """Truth or predictions of any kind, with all that formats say of them.

    Attributes
    ----------
    columns : Boxes, Masks, Poses or OrientedBoxes
        The objects: predictions if they have scores.
    place : str
        Where they came from, for messages.
    sizes : ndarray, shape (n_images, 2), int64, or None
        Height and width of each image, in the order of the columns' images.
    flags : mapping of str to ndarray, shape (n,), uint8
        As in `ReadBoxes`.
    names : tuple of str or None
        Names of the images' files, where these are not their ids.
    relative : bool
        Whether boxes are parts of images whose sizes are not known.
    is_coco : bool
        Whether ids of images and classes are COCO's: texts among them are meant.
    polygons : sequence or None
        The polygons of each object, (n_vertices, 2) in pixels, where they are known.
    point_names : mapping of int to tuple of str
        What the keypoints of a class are called, by its position; of those of which it is known.
    """

    columns: Boxes | Masks | Poses | OrientedBoxes
    place: str = "data"
    sizes: NDArray[np.int64] | None = None
    flags: Mapping[str, NDArray[np.uint8]] = {}
    names: tuple[str, ...] | None = None
    relative: bool = False
    is_coco: bool = False
    polygons: Sequence[Sequence[NDArray[Any]]] | None = None
    point_names: Mapping[int, tuple[str, ...]] = {}

    @classmethod
    def of_read(cls, read: ReadBoxes, place: str, truth: ReadBoxes | None = None) -> Detections:
        """Return what a reader read; of predictions, `truth` is what they were read for."""
        images = read if truth is None else truth
        return cls(
            columns=read.boxes,
            place=place,
            sizes=read.sizes,
            flags=read.flags,
            names=images.names,
            relative=read.relative,
            is_coco=images.format in ("coco", "records"),
            polygons=None if read.outlines is None else read.outlines.polygons(),
            # Predictions are in truth's order.
            point_names={**read.point_names, **images.point_names},
        )

    @property
    def boxes(self) -> Boxes:
        """What is known of each object beside its shape."""
        return self.columns.boxes

    @property
    def kind(self) -> str:
        """The kind of the objects: ``"box"``, ``"mask"``, ``"keypoints"`` or ``"oriented"``."""
        return self.columns.kind

    @property
    def is_truth(self) -> bool:
        """Whether objects have no scores."""
        return self.boxes.score is None

    def with_boxes(self, boxes: Boxes) -> Detections:
        """Return the same objects with other columns beside their shapes."""
        if isinstance(self.columns, Boxes):
            return self._replace(columns=boxes)
        return self._replace(columns=dataclasses.replace(self.columns, boxes=boxes))

    def flag(self, name: str) -> NDArray[np.uint8] | None:
        """Return a flag of each object, None where nothing is said of it.

        Truth that is ignored is difficult, and groups are crowds: they are read so. Where keypoints
        are read, objects that have none are ignored by that, and no flag says it.
        """
        if name == "group_of":
            return self.boxes.crowd
        values = self.flags.get(name)
        if name == "difficult" and values is None and self.kind != "keypoints":
            return self.boxes.ignored
        return values

    def yes_or_no(self, name: str) -> list[int]:
        """Return 1 or 0 for a flag of each object; 0 where nothing is said of it."""
        values = self.flag(name)
        if values is None:
            return [0] * len(self.boxes)
        return [int(value > 0) for value in values.tolist()]

    def scores(self) -> NDArray[np.float64]:
        """Return the scores of predictions."""
        score = self.boxes.score
        if score is None:
            raise InputError("expected predictions, with scores; got truth", self.place)
        return score

    def rows_of_images(self) -> Iterator[list[int]]:
        """Yield for each image the rows of its objects, in their order."""
        order = np.argsort(self.boxes.image, kind="stable")
        bounds = np.searchsorted(self.boxes.image[order], np.arange(len(self.boxes.images) + 1))
        rows = order.tolist()
        for first, last in itertools.pairwise(bounds.tolist()):
            yield rows[first:last]

    def sizes_of_rows(self, what: str) -> NDArray[np.int64]:
        """Return the size of each object's image.

        Raises
        ------
        InputError
            Where sizes are not known; `what` needs them.
        """
        return self.known_sizes(what)[self.boxes.image]

    def known_sizes(self, what: str) -> NDArray[np.int64]:
        """Return the size of each image; errors as `sizes_of_rows`."""
        if self.sizes is None:
            raise InputError(
                f"expected the sizes of images, which {what} needs, they are not known: name the "
                "folder of pictures (images=, --images)",
                self.place,
            )
        return self.sizes

    def refuse_relative(self, what: str) -> None:
        """Refuse boxes that are parts of unknown sizes, for a format of pixels.

        Raises
        ------
        InputError
            Saying what would give the sizes.
        """
        if self.relative:
            raise InputError(
                f"expected boxes in pixels, which {what} has, got {len(self.boxes):,} that are "
                "parts of images whose sizes are not known: name the folder of pictures (images=, "
                "--images)",
                self.place,
            )


def areas_differ(boxes: Boxes) -> NDArray[np.bool_]:
    """Return which objects have another area than their boxes: masks, as a rule."""
    if boxes.area is None:
        return np.zeros(len(boxes), np.bool_)
    differ: NDArray[np.bool_] = boxes.area != boxes.xywh[:, 2] * boxes.xywh[:, 3]
    return differ
