"""Masks and keypoints of COCO files read as they are; see `snellen.readers.coco_lenient`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from snellen.detection.health_columns import (
    ABSENT,
    BROKEN,
    EMPTY,
    POLYGONS,
    RUNS,
    CheckedKeypoints,
    CheckedMasks,
    Fault,
)
from snellen.errors import SnellenError
from snellen.rle_masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["checked_keypoints", "checked_masks"]

# So many shapes at a time: as numbers of Python's they take ten times their room in the file.
_CHUNK: Final = 8192
_NO_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MOST_PIXELS: Final = 2**32 - 1
_Polygons = list[list[float]]


def checked_masks(shapes: Sequence[msgspec.Raw], size: NDArray[np.float64]) -> CheckedMasks | None:
    """Return what is known of shapes; None where no record has one.

    Parameters
    ----------
    shapes : sequence of Raw
        ``segmentation`` of each record as JSON; empty where there is none.
    size : ndarray, shape (n, 2)
        Height and width of each one's image; NaN where unknown.
    """
    n = len(shapes)
    first = np.frombuffer(b"".join(bytes(memoryview(raw)[:1]) or b"n" for raw in shapes), np.uint8)
    if not n or (first == ord("n")).all():
        return None
    found = CheckedMasks(
        np.where(first == ord("n"), ABSENT, BROKEN).astype(np.uint8),
        np.full(n, np.nan),
        np.full((n, 4), np.nan),
        np.full((n, 2), np.nan),
        np.zeros(n, np.int64),
    )
    for begin in range(0, n, _CHUNK):
        some = np.arange(begin, min(begin + _CHUNK, n))
        _polygons_of(shapes, some[first[some] == ord("[")], size, found)
        _runs_of(shapes, some[first[some] == ord("{")], found)
    return found


def _decoded(shapes: Sequence[msgspec.Raw], rows: NDArray[np.int64], kind: Any) -> list[Any]:
    """Return the values of some shapes, None for those that are not of a kind."""
    parts = [shapes[row] for row in rows.tolist()]
    try:
        whole: list[Any] = msgspec.json.decode(b"[" + b",".join(parts) + b"]", type=list[kind])
        return whole
    except _NO_JSON:
        pass
    return [_decoded_one(part, kind) for part in parts]


def _decoded_one(part: msgspec.Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(part, type=kind)
    except _NO_JSON:
        return None


def _polygons_of(
    shapes: Sequence[msgspec.Raw],
    rows: NDArray[np.int64],
    size: NDArray[np.float64],
    found: CheckedMasks,
) -> None:
    filled: list[int] = []
    kept: list[list[float]] = []
    n_kept: list[int] = []
    for row, polygons in zip(rows.tolist(), _decoded(shapes, rows, _Polygons), strict=True):
        if polygons is None or any(len(each) % 2 for each in polygons):
            continue
        long = [each for each in polygons if len(each) >= 6]
        found.n_short[row] = len(polygons) - len(long)
        found.form[row] = POLYGONS if polygons else EMPTY
        height, width = size[row].tolist()
        if not long:
            found.n_pixels[row] = 0
        elif height >= 1 and width >= 1 and height * width <= _MOST_PIXELS:
            filled.append(row)
            kept += long
            n_kept.append(len(long))
    if not filled:
        return
    xy = np.concatenate([np.array(each) for each in kept]).reshape(-1, 2)
    masks, sound = _filled(
        xy,
        _begins([len(each) // 2 for each in kept]),
        _begins(n_kept),
        size[filled].astype(np.int64),
    )
    where = np.array(filled)
    found.form[where[~sound]] = BROKEN
    _measure(masks, where[sound], found)


def _filled(
    xy: NDArray[np.float64],
    polygon_begin: NDArray[np.int64],
    begin: NDArray[np.int64],
    size: NDArray[np.int64],
) -> tuple[RleMasks, NDArray[np.bool_]]:
    """Return masks, but of objects with a vertex too far out, and which objects have none."""
    far = ~(np.abs(xy) < 2e8).all(axis=1)
    sound = np.ones(len(size), np.bool_)
    if far.any():
        of_polygon = np.repeat(np.arange(len(polygon_begin) - 1), np.diff(polygon_begin))
        of_object = np.repeat(np.arange(len(begin) - 1), np.diff(begin))
        sound[of_object[of_polygon[far]]] = False
        kept = np.repeat(sound, np.diff(begin))
        xy = xy[np.repeat(kept, np.diff(polygon_begin))]
        polygon_begin = _begins(np.diff(polygon_begin)[kept].tolist())
        begin = _begins(np.diff(begin)[sound].tolist())
    return RleMasks.from_vertices(xy, polygon_begin, begin, size[sound]), sound


def _runs_of(shapes: Sequence[msgspec.Raw], rows: NDArray[np.int64], found: CheckedMasks) -> None:
    if not len(rows):
        return
    values = _decoded(shapes, rows, dict[str, Any])
    pairs = [pair for pair in zip(rows.tolist(), values, strict=True) if pair[1] is not None]
    try:
        masks = RleMasks.from_coco([value for _, value in pairs])
    except (SnellenError, OverflowError):
        parts: list[RleMasks] = []
        sound = []
        for pair in pairs:
            try:
                parts.append(RleMasks.from_coco([pair[1]]))
            except (SnellenError, OverflowError):
                continue
            sound.append(pair)
        if not parts:
            return
        masks, pairs = RleMasks.joined(parts), sound
    where = np.array([row for row, _ in pairs], np.int64)
    found.form[where] = RUNS
    found.size[where] = masks.size
    _measure(masks, where, found)


def _measure(masks: RleMasks, rows: NDArray[np.int64], found: CheckedMasks) -> None:
    areas = masks.areas()
    found.n_pixels[rows] = areas
    found.xywh[rows] = np.where(areas[:, None] > 0, masks.boxes(), np.nan)


def checked_keypoints(
    points: Sequence[msgspec.Raw],
    stated: Sequence[int | None],
    section: str,
    faults: list[Fault],
) -> CheckedKeypoints | None:
    """Return keypoints; None where no record has any, nor says how many.

    What is no list of threes of numbers becomes a fault.
    """
    n = len(points)
    n_stated = np.fromiter((-1 if each is None else each for each in stated), np.int64, n)
    has = np.fromiter(
        (bytes(memoryview(raw)[:1]) not in (b"", b"n") for raw in points), np.bool_, n
    )
    rows = np.flatnonzero(has)
    if not len(rows) and (n_stated < 0).all():
        return None
    n_points = np.full(n, -1, np.int64)
    lists = []
    for row, numbers in zip(rows.tolist(), _decoded(points, rows, list[float]), strict=True):
        if numbers is None or len(numbers) % 3:
            got = "something else" if numbers is None else f"{len(numbers)} numbers"
            faults.append(Fault(section, row, f"keypoints: expected numbers in threes, got {got}"))
            continue
        n_points[row] = len(numbers) // 3
        lists.append(numbers)
    flat = [value for numbers in lists for value in numbers]
    owner = np.repeat(np.arange(n), np.maximum(n_points, 0))
    return CheckedKeypoints(n_points, n_stated, owner, np.array(flat, np.float64).reshape(-1, 3))


def _begins(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.append(0, np.cumsum(lengths, dtype=np.int64))
