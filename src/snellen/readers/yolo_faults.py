"""What is wrong with a line of YOLO's that is of no known width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from snellen import _core
from snellen.errors import SchemaError
from snellen.readers.message_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["line_fault", "widths_of_lines"]

_BOX: Final = 5
_ORIENTED: Final = 9


def widths_of_lines(*, is_truth: bool, is_pose: bool) -> tuple[int, ...]:
    """Return how many numbers lines may have: those of an upright box, those of an oriented one.

    A pose of two keypoints has as many as an oriented box.
    """
    scored = 0 if is_truth else 1
    return (_BOX + scored,) if is_pose else (_BOX + scored, _ORIENTED + scored)


def line_fault(
    paths: Sequence[str], documents: Sequence[bytes], *, is_truth: bool, is_pose: bool
) -> SchemaError | None:
    """Return what is wrong with the first line that is not as wide as it should be.

    Parameters
    ----------
    paths, documents : sequence
        The files and what they hold.
    is_truth : bool
        Whether lines should have no confidence.
    is_pose : bool
        Whether the data set's description says that it is of poses.

    Returns
    -------
    SchemaError or None
        With file and line; None where all lines have one width, a known one.
    """
    widths = widths_of_lines(is_truth=is_truth, is_pose=is_pose)
    usual = None
    for path, document in zip(paths, documents, strict=True):
        for number, line in enumerate(document.decode("utf-8", "replace").split("\n")):
            cells = line.split()
            n = len(cells)
            usual = usual or (n if n in widths else None)
            if not cells or n == usual:
                continue
            where = f"{path} line {number + 1}"
            if not all(map(_core.is_number, cells)):
                return SchemaError(
                    f'expected {widths[0]} numbers, got "{printable(line, 60)}": is this a text of '
                    "labels?",
                    where,
                )
            if n in widths:
                return SchemaError(
                    f"expected {usual} numbers as in the lines before, got {n}: upright boxes "
                    f"({widths[0]} numbers) and oriented ones ({widths[1]}) cannot be in one data "
                    "set",
                    where,
                )
            return SchemaError(_wrong_width(n, is_truth=is_truth, is_pose=is_pose), where)
    return None


def _wrong_width(n: int, *, is_truth: bool, is_pose: bool) -> str:
    numbers = "class, centre x, centre y, width, height"
    asked = f"expected 5 numbers ({numbers}), or 9 of an oriented box (class, 4 corners)"
    if not is_truth:
        asked = (
            f"expected 6 numbers ({numbers}, confidence), or 10 of an oriented box (class, 4 "
            "corners, confidence)"
        )
    got = f"got {n}"
    if not is_truth and n in (_BOX, _ORIENTED):
        return f"{asked}, {got}: predictions need scores (Ultralytics: save_conf=True)"
    if is_truth and n in (_BOX + 1, _ORIENTED + 1):
        return f"{asked}, {got}: are these predictions? Truth has no scores"
    if n < _BOX:
        return f"{asked}, {got}: was the line cut off?"
    shape = n if is_truth else n - 1
    if not is_truth and n == _BOX + 2:
        return f"{asked}, {got}: is there the number of a track behind, or an angle?"
    if is_pose or shape % 2 == 0:
        return f"{asked}, {got}: this is a pose; its box is the first 5 numbers of the line"
    return (
        f"{asked}, {got}: this is a polygon of {(shape - 1) // 2} points; its box is that of the "
        "least and greatest x and y"
    )
