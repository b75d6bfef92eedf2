"""What the lines of YOLO's texts are: boxes, oriented boxes, polygons or poses.

A line of nine numbers may be an oriented box, a polygon of four points, or a pose of two keypoints.
What was asked for decides; else ``data.yaml``, by ``kpt_shape`` or ``task``; else lines of nine
numbers are oriented boxes, and lines of different odd numbers polygons. What is left open is
refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from snellen.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Collection

    from snellen.readers.box_rows import ObjectKind
    from snellen.readers.yolo_description import YoloDescription

__all__ = ["BOX", "ORIENTED", "Expected", "LineForm", "expected_lines"]

BOX: Final = 5
"""Class, centre, width and height."""
ORIENTED: Final = 9
"""Class and four corners."""

_OF_TASK: Final[dict[str, ObjectKind]] = {
    "detect": "box",
    "segment": "mask",
    "pose": "keypoints",
    "obb": "oriented",
}
_FEWEST_OF_POLYGON: Final = 7


class LineForm(NamedTuple):
    """What all lines are.

    Attributes
    ----------
    kind : str
    n_keypoints, of_each : int
        Of poses the number of keypoints, and the numbers of each: 2 or 3.
    """

    kind: ObjectKind
    n_keypoints: int = 0
    of_each: int = 0

    @property
    def width(self) -> int:
        """How many numbers a line has without a score; of polygons there is none."""
        widths = {"box": BOX, "oriented": ORIENTED, "mask": 0}
        return widths.get(self.kind, BOX + self.n_keypoints * self.of_each)


class Expected(NamedTuple):
    """What is known of lines before one is read.

    Attributes
    ----------
    kind : str or None
        What they are; None where the lines have to show it.
    is_truth : bool
        Whether they have no scores.
    n_keypoints, of_each : int
        Of poses, where known; 0 where not.
    may_be_boxes : bool
        Whether upright boxes will do.
    """

    kind: ObjectKind | None
    is_truth: bool
    n_keypoints: int = 0
    of_each: int = 0
    may_be_boxes: bool = False

    def fits(self, width: int) -> bool:
        """Return whether a line may have so many numbers, with its score."""
        n = width if self.is_truth else width - 1
        if n == BOX and self.may_be_boxes:
            return True
        if self.kind == "mask":
            # What Ultralytics predicts may have no outline.
            return n % 2 == 1 and n >= (_FEWEST_OF_POLYGON if self.is_truth else 1)
        if self.kind == "keypoints":
            return bool(self.poses(n))
        if self.kind == "oriented":
            return n == ORIENTED
        return n == BOX or (self.kind is None and n == ORIENTED)

    def goes_with(self, width: int, other: int) -> bool:
        """Return whether two lines of these numbers of numbers may be in one data set."""
        if width == other:
            # Whether it is one, the other lines have to show.
            return self.fits(width) or (self.kind is None and self._is_polygon(width))
        if self.kind is None:
            return self._is_polygon(width) and self._is_polygon(other)
        # Two points are no polygon: five numbers are a box then, and boxes have no other.
        is_box = self.is_truth and BOX in (width, other)
        return self.kind == "mask" and not is_box and self.fits(width) and self.fits(other)

    def poses(self, n: int) -> list[LineForm]:
        """Return the poses that so many numbers, without a score, may be."""
        found = []
        for of_each in (2, 3) if not self.of_each else (self.of_each,):
            n_keypoints, rest = divmod(n - BOX, of_each)
            if not rest and n_keypoints > 0 and self.n_keypoints in (0, n_keypoints):
                found.append(LineForm("keypoints", n_keypoints, of_each))
        return found

    def form(self, widths: Collection[int]) -> LineForm | None:
        """Return what lines are that have these numbers of numbers; None for what is refused."""
        if not widths:
            return LineForm(self.kind or "box", self.n_keypoints, self.of_each or 3)
        if not all(self.goes_with(width, min(widths)) for width in widths):
            return None
        numbers = {width if self.is_truth else width - 1 for width in widths}
        if numbers == {BOX} and (self.may_be_boxes or self.kind in (None, "box")):
            return LineForm("box")
        if self.kind == "mask" or len(numbers) > 1:
            return LineForm("mask") if numbers != {BOX} else None
        if self.kind == "keypoints":
            poses = self.poses(numbers.pop())
            return poses[0] if len(poses) == 1 else None
        return LineForm("oriented") if numbers == {ORIENTED} else None

    def _is_polygon(self, width: int) -> bool:
        n = width if self.is_truth else width - 1
        return n % 2 == 1 and n >= _FEWEST_OF_POLYGON


def expected_lines(
    kind: ObjectKind | None,
    description: YoloDescription | None,
    *,
    is_truth: bool,
    n_keypoints: int = 0,
) -> Expected:
    """Return what lines are, by what was asked for and ``data.yaml``.

    Parameters
    ----------
    kind : str or None
        What was asked for. Boxes are read of lines of any kind.
    description : YoloDescription or None
        The data set's.
    is_truth : bool
        Whether lines have no scores.
    n_keypoints : int
        Of predicted poses that of truth's.

    Raises
    ------
    SchemaError
        Where ``data.yaml`` has another number of keypoints than truth.
    """
    said: ObjectKind | None = None
    shape = None if description is None else description.keypoints
    if shape is not None:
        said = "keypoints"
    elif description is not None and description.task is not None:
        said = _OF_TASK[description.task]
    # Lines are of one kind also where only their boxes are asked for.
    kind_of_lines = said if kind in (None, "box") else kind
    # Truth of boxes may be around a data set of another kind.
    may_be_boxes = kind in (None, "box")
    if kind_of_lines != "keypoints":
        return Expected(kind_of_lines, is_truth, may_be_boxes=may_be_boxes)
    of_each = 0
    if shape is not None:
        if n_keypoints not in (0, shape[0]) and description is not None:
            raise SchemaError(
                f"expected {n_keypoints} keypoints, as truth has, got {shape[0]}",
                f"{description.place} kpt_shape",
            )
        n_keypoints, of_each = shape
    return Expected("keypoints", is_truth, n_keypoints, of_each, may_be_boxes)
