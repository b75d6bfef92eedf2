"""The columns of a table in which turned boxes stand: four corners, or centre, size and angle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from snellen.detection.oriented import FARTHEST, corners_of_cxcywha
from snellen.errors import InputError, SchemaError
from snellen.readers.message_text import few

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "CORNERS",
    "OrientedColumns",
    "corners_of_columns",
    "listed_corners",
    "oriented_columns",
]

CORNERS: Final = ("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")
"""What the columns of four corners are called, in order around the box."""

_CENTRES: Final = (("cx", "cy"), ("x_center", "y_center"))
_EXTENTS: Final = (("w", "h"), ("width", "height"))
_UNITS: Final[dict[str, Literal["degrees", "radians"]]] = {
    "angle_degrees": "degrees",
    "angle_deg": "degrees",
    "rotation_degrees": "degrees",
    "angle_radians": "radians",
    "angle_rad": "radians",
    "rotation_radians": "radians",
}
# Of these nobody knows the unit: OpenCV's and CVAT's are degrees, MMRotate's and YOLO's radians.
_WITHOUT_UNIT: Final = ("angle", "rotation", "theta", "box_angle", "bbox_angle")
_MOST_RADIANS: Final = 2 * math.pi
_EXPECTED: Final = "angle_degrees or angle_radians"


class OrientedColumns(NamedTuple):
    """Where the numbers of turned boxes stand.

    Attributes
    ----------
    names : tuple of str
        Eight columns, x and y of each corner; or five, of centre, width, height and angle.
    unit : {"degrees", "radians"} or None
        What angles are in; None of corners.
    """

    names: tuple[str, ...]
    unit: Literal["degrees", "radians"] | None = None

    def described(self, numbers: NDArray[np.float64]) -> str:
        """Return what the boxes, of which these are the numbers, are: for people."""
        listed = few(self.names, len(CORNERS))
        if self.unit is None:
            return f"boxes are oriented, four corners in columns {listed}"
        said = (
            f"boxes are oriented: centre, width, height and angle in {self.unit}, clockwise to the "
            f"eye, in columns {listed}"
        )
        n_wide = int(np.count_nonzero(np.abs(numbers[:, 4]) > _MOST_RADIANS))
        if self.unit == "degrees" or not n_wide:
            return said
        return (
            f"{said}; {n_wide:,} of more than a whole turn: if they are degrees, call the column "
            "angle_degrees"
        )


def oriented_columns(names: Sequence[str], path: str) -> OrientedColumns | None:
    """Return the columns of turned boxes, None in a table of upright ones.

    Of a table that has both the corners count: an angle says less.

    Parameters
    ----------
    names : sequence of str
        The table's columns, found in any case.
    path : str
        The file, for messages.

    Raises
    ------
    SchemaError
        For an angle whose unit is not said, or twice, or that has no centre, width and height
        beside it; for corners of which some are missing.

    Examples
    --------
    >>> oriented_columns(["image", "label", "cx", "cy", "w", "h", "angle_degrees"], "a.csv")
    OrientedColumns(names=('cx', 'cy', 'w', 'h', 'angle_degrees'), unit='degrees')
    >>> oriented_columns(["image", "label", "x", "y", "w", "h"], "a.csv")
    """
    known = {name.lower(): name for name in names}
    missing = [name for name in CORNERS if name not in known]
    if not missing:
        return OrientedColumns(tuple(known[name] for name in CORNERS))
    # Two corners alone are those of upright boxes.
    if any(name in known for name in CORNERS[4:]):
        raise SchemaError(
            f"expected four corners, {CORNERS[0]}, {CORNERS[1]} … {CORNERS[-1]}, there is no "
            f"{few(missing, len(CORNERS))}",
            path,
        )
    angles = [known[name] for name in _UNITS if name in known]
    bare = [known[name] for name in _WITHOUT_UNIT if name in known]
    if len(angles) > 1:
        raise SchemaError(f"expected one column of angles, got {few(angles)}: leave one", path)
    if not angles and bare:
        raise SchemaError(
            f"expected the unit of the boxes' angles in their column's name, {_EXPECTED}, got "
            f'"{bare[0]}": rename it, or drop it if boxes are not turned by it',
            path,
        )
    if not angles:
        return None
    centre = next((each for each in _CENTRES if all(name in known for name in each)), None)
    extent = next((each for each in _EXTENTS if all(name in known for name in each)), None)
    if centre is None or extent is None:
        raise SchemaError(
            f'expected centre, width and height (cx, cy, width, height) beside "{angles[0]}", by '
            f"which boxes are turned about their centre, got {few(names, 12)}",
            path,
        )
    of_box = tuple(known[name] for name in (*centre, *extent))
    return OrientedColumns((*of_box, angles[0]), _UNITS[angles[0].lower()])


def listed_corners(names: Sequence[str], path: str) -> OrientedColumns | None:
    """Return the columns of a list of eight numbers, None of one of four.

    Parameters
    ----------
    names : sequence of str
        The columns into which the list was spread: ``bbox.0``, ``bbox.1``, ….
    path : str
        The file, for messages.

    Raises
    ------
    SchemaError
        For another length: nobody knows whether a fifth number is an angle, and in which unit.
    """
    if len(names) == len(CORNERS):
        return OrientedColumns(tuple(names))
    if len(names) != len(CORNERS) // 2:
        raise SchemaError(
            f'expected 4 numbers in a list "{names[0].rpartition(".")[0]}", or 8 of four corners, '
            f"got {len(names)}: of turned boxes give columns cx, cy, width, height and {_EXPECTED}",
            path,
        )
    return None


def corners_of_columns(
    numbers: NDArray[np.float64],
    columns: OrientedColumns,
    place: Callable[[int], str],
) -> NDArray[np.float64]:
    """Return the corners of turned boxes, shape (n, 8).

    Parameters
    ----------
    numbers : ndarray, shape (n, 8) or (n, 5)
        The finite numbers of the columns.
    columns : OrientedColumns
    place : callable
        Where a row stands, for messages.

    Raises
    ------
    InputError
        For a negative width or height, and numbers that are too great; the first is named.
    """
    if columns.unit is None:
        return numbers
    for k in (2, 3):
        negative = numbers[:, k] < 0
        if negative.any():
            row = int(np.argmax(negative))
            raise InputError(
                f"expected a width and height of at least 0, got {numbers[row, k]:g}",
                f'{place(row)} column "{columns.names[k]}"',
            )
    far = (np.abs(numbers[:, :4]) > FARTHEST).any(axis=1)
    if far.any():
        row = int(np.argmax(far))
        raise InputError(
            f"expected numbers within ±{FARTHEST:g}, got {few(numbers[row, :4].tolist())}",
            place(row),
        )
    return corners_of_cxcywha(numbers, "boxes", degrees=columns.unit == "degrees")
