"""What is wrong with lines of YOLO's that are not what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from snellen import _core
from snellen.errors import SchemaError
from snellen.readers.message_text import printable
from snellen.readers.yolo_lines import BOX, ORIENTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.readers.yolo_lines import Expected

__all__ = ["line_fault"]

_BOX: Final = "class, centre x, centre y, width, height"
_SAY: Final = (
    'kind="mask" or kind="keypoints" (--similarity, --kind), or kpt_shape or task in data.yaml, '
    "say which"
)


def line_fault(
    paths: Sequence[str], documents: Sequence[bytes], expected: Expected
) -> SchemaError | None:
    """Return what is wrong with the first line that is not as wide as it should be.

    Parameters
    ----------
    paths, documents : sequence
        The files and what they hold.
    expected : Expected
        What the lines should be.

    Returns
    -------
    SchemaError or None
        With file and line; None where nothing is wrong with the number of numbers.
    """
    first = None
    first_place = ""
    for path, document in zip(paths, documents, strict=True):
        for number, line in enumerate(document.decode("utf-8", "replace").split("\n")):
            cells = line.split()
            if not cells:
                continue
            n = len(cells)
            where = f"{path} line {number + 1}"
            if expected.goes_with(n, n if first is None else first):
                if first is None:
                    first, first_place = n, where
                continue
            if not all(map(_core.is_number, cells)):
                return SchemaError(
                    f'expected {_numbers(expected)}, got "{printable(line, 60)}": is this a text '
                    "of labels?",
                    where,
                )
            if first is not None and (expected.fits(n) or expected.kind is None):
                return _of_two_widths(n, first, expected, where)
            return SchemaError(_wrong_width(n, expected), where)
    if first is None or expected.form({first}) is not None:
        return None
    return SchemaError(_open_width(first, expected), first_place)


def _numbers(expected: Expected) -> str:
    """Return what a line should be made of."""
    behind = "" if expected.is_truth else ", confidence"
    more = 0 if expected.is_truth else 1
    if expected.kind == "mask":
        return f"{7 + more} or more numbers of a polygon (class, x and y of each point{behind})"
    if expected.kind == "oriented":
        return f"{ORIENTED + more} numbers of an oriented box (class, 4 corners{behind})"
    if expected.kind == "keypoints":
        if expected.n_keypoints and expected.of_each:
            n = BOX + expected.n_keypoints * expected.of_each + more
            of_points = f"{expected.n_keypoints} keypoints of {expected.of_each} numbers"
            return f"{n} numbers of a pose ({_BOX}, {of_points}{behind})"
        n_points = f"{expected.n_keypoints} " if expected.n_keypoints else ""
        return f"the numbers of a pose ({_BOX}, {n_points}keypoints of 2 or 3 numbers{behind})"
    box = f"{BOX + more} numbers ({_BOX}{behind})"
    if expected.kind == "box":
        return box
    return f"{box}, or {ORIENTED + more} of an oriented box (class, 4 corners{behind})"


def _of_two_widths(n: int, first: int, expected: Expected, where: str) -> SchemaError:
    more = 0 if expected.is_truth else 1
    widths = {BOX + more: "an upright box", ORIENTED + more: "an oriented box"}
    if {n, first} == set(widths) and expected.kind is None:
        return SchemaError(
            f"expected {first} numbers as in the lines before, got {n}: upright boxes "
            f"({BOX + more} numbers) and oriented ones ({ORIENTED + more}) cannot be in one data "
            "set",
            where,
        )
    if n < BOX:
        return SchemaError(_wrong_width(n, expected), where)
    if BOX + more in (n, first) and expected.kind in (None, "mask"):
        return SchemaError(
            f"expected lines of one kind, got {first} numbers before and {n} here: upright boxes "
            f"({BOX + more} numbers) and polygons or poses cannot be in one data set",
            where,
        )
    return SchemaError(
        f"expected {first} numbers as in the lines before, got {n}: {_hint(n, expected)}", where
    )


def _wrong_width(n: int, expected: Expected) -> str:
    return f"expected {_numbers(expected)}, got {n}: {_hint(n, expected)}"


def _hint(n: int, expected: Expected) -> str:
    """Return what a line of so many numbers may be."""
    shape = n if expected.is_truth else n - 1
    if not expected.is_truth and expected.fits(n + 1):
        behind = ""
        if expected.kind == "mask":
            behind = ", and no number of a track behind"
        return f"predictions need scores (Ultralytics: save_conf=True){behind}"
    if expected.is_truth and n > BOX and expected.fits(n - 1):
        return "are these predictions? Truth has no scores"
    if n < BOX:
        return "was the line cut off?"
    if not expected.is_truth and expected.fits(n - 1):
        return "is there the number of a track behind, or an angle?"
    if shape == BOX:
        return "this is an upright box"
    if expected.kind == "mask":
        return "a point has two numbers"
    if expected.kind is not None:
        return "this is another kind of line"
    if shape % 2 == 0:
        return f"this is a pose: {_SAY}"
    return f"this is a polygon of {(shape - 1) // 2} points, or a pose: {_SAY}"


def _open_width(n: int, expected: Expected) -> str:
    """Return why nobody can see what lines of this one width are."""
    shape = n if expected.is_truth else n - 1
    poses = expected.poses(shape)
    if expected.kind == "keypoints" and len(poses) > 1:
        listed = " or ".join(f"{each.n_keypoints} of {each.of_each} numbers" for each in poses)
        return (
            f"expected to be told what keypoints are, {n} numbers are {listed}: kpt_shape in "
            "data.yaml says it"
        )
    if expected.kind is None:
        return _wrong_width(n, expected)
    return f"expected {_numbers(expected)}, got {n} in every line: these are upright boxes"
