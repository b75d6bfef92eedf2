"""Pairs of label images → how often each pair of pixel values occurs in each of them.

What the values mean is decided afterwards, from all of them: an image pair is a few dozen rows by
then, so memory does not grow with pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.errors import SchemaError, ShapeError
from snellen.readers.label_image import DEFAULT_MAX_PIXELS, LabelImage, read_label_image
from snellen.segmentation.value_pairs import ValuePairs
from snellen.threads import get_threads, in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from snellen.readers.label_pairs import LabelPairs

__all__ = ["CountedLabels", "count_label_files", "read_pair", "value_counts"]

_MOST_AT_ONCE = 16  # pairs of files

Rows = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]"]


class CountedLabels(NamedTuple):
    """What was counted of N pairs of files.

    Attributes
    ----------
    pairs : ValuePairs
        Of truth and prediction.
    instances : ValuePairs or None
        Of the map of instances and prediction, where there are such maps.
    truth_kind, pred_kind : str
        What the files of a side hold: ``"ids"`` or ``"colours"``; palette indices are ids.
    """

    pairs: ValuePairs
    instances: ValuePairs | None
    truth_kind: str
    pred_kind: str


def count_label_files(
    files: LabelPairs,
    *,
    instances: Sequence[Path] | None = None,
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> CountedLabels:
    """Read pairs of label images and count their pairs of values, on as many threads as kernels.

    Parameters
    ----------
    files : LabelPairs
        N pairs.
    instances : sequence of path, optional
        For each pair the file of true instances.
    max_pixels : int
        Refuse larger images.

    Raises
    ------
    ShapeError
        Where two images of a pair differ in size; both files are named.
    SchemaError, InputError
        For files that are no label images, and for sides that mix ids and colours.
    """

    def count(i: int) -> tuple[Rows, Rows | None, str, str]:
        truth, pred = read_pair(files.truth[i], files.pred[i], max_pixels=max_pixels)
        found = None
        if instances is not None:
            marked = read_label_image(instances[i], max_pixels=max_pixels)
            _check_sizes(marked, instances[i], pred, files.pred[i])
            found = _count(marked, pred)
        return _count(truth, pred), found, _kind(truth), _kind(pred)

    def count_some(some: range) -> list[Any]:
        return [count(i) for i in some]

    blocks = in_threads(count_some, _blocks(len(files.truth)))
    counted = [of_pair for block in blocks for of_pair in block]
    return CountedLabels(
        pairs=_joined([rows for rows, _, _, _ in counted]),
        instances=None
        if instances is None
        else _joined([rows for _, rows, _, _ in counted if rows is not None]),
        truth_kind=_one_kind([kind for _, _, kind, _ in counted], files.truth),
        pred_kind=_one_kind([kind for _, _, _, kind in counted], files.pred),
    )


def read_pair(
    truth: Path, pred: Path, *, max_pixels: int | None = DEFAULT_MAX_PIXELS
) -> tuple[LabelImage, LabelImage]:
    """Read two label images of one size.

    Raises
    ------
    ShapeError
        Where they differ in size.
    """
    if any(side.name.lower().endswith((".nii", ".nii.gz")) for side in (truth, pred)):
        return _read_volumes(truth, pred, max_pixels)
    images = tuple(read_label_image(path, max_pixels=max_pixels) for path in (truth, pred))
    _check_sizes(images[0], truth, images[1], pred)
    return images[0], images[1]


def _read_volumes(truth: Path, pred: Path, max_pixels: int | None) -> tuple[LabelImage, LabelImage]:
    """Read two volumes, whose voxels are pixels."""
    from snellen.readers.volume import read_volume_pair

    # A volume may be larger than any picture; but a limit that was asked for holds.
    limit: dict[str, int] = {}
    if max_pixels is not None and max_pixels != DEFAULT_MAX_PIXELS:
        limit["max_voxels"] = max_pixels

    one, other = (
        LabelImage(volume.values, "ids", 8 * volume.values.dtype.itemsize, None)
        for volume in read_volume_pair(truth, pred, **limit)
    )
    return one, other


def value_counts(
    values: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each value once, ascending, and how many pixels have it."""
    distinct, place = np.unique(values, return_inverse=True)
    total = np.zeros(len(distinct), np.int64)
    np.add.at(total, place, counts)
    return distinct, total


def _blocks(n: int) -> list[range]:
    """Return 0 … n - 1 in parts: to hand out each by itself takes a tenth of the time."""
    size = max(1, min(_MOST_AT_ONCE, n // (4 * get_threads())))
    return [range(first, min(first + size, n)) for first in range(0, n, size)]


def _count(truth: LabelImage, pred: LabelImage) -> Rows:
    _, *rows = _core.value_pairs(*(_flat(side) for side in (truth, pred)))
    return rows[0], rows[1], rows[2]


def _flat(image: LabelImage) -> NDArray[Any]:
    values = image.values
    if image.kind == "colours":
        return values.reshape(1, -1, 3)
    return values.reshape(1, -1)


def _kind(image: LabelImage) -> str:
    return "colours" if image.kind == "colours" else "ids"


def _one_kind(kinds: list[str], files: Sequence[Path]) -> str:
    if len(set(kinds)) > 1:
        other = kinds.index(next(kind for kind in kinds if kind != kinds[0]))
        raise SchemaError(
            f"expected files of one kind on a side, got {kinds[0]} in {files[0]} and "
            f"{kinds[other]} in another: store all of them as ids",
            str(files[other]),
        )
    return kinds[0] if kinds else "ids"


def _check_sizes(one: LabelImage, one_path: Path, other: LabelImage, other_path: Path) -> None:
    if one.values.shape[:2] != other.values.shape[:2]:
        sizes = [f"{w} × {h}" for h, w in (side.values.shape[:2] for side in (one, other))]
        raise ShapeError(
            f"expected two images of one size, got {sizes[0]} in {one_path} and {sizes[1]}: resize "
            "the prediction with nearest neighbours",
            str(other_path),
        )


def _joined(rows: list[Rows]) -> ValuePairs:
    lengths = [len(each[0]) for each in rows]
    start = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    columns = [
        np.concatenate([each[i] for each in rows]) if rows else np.zeros(0, np.int64)
        for i in range(3)
    ]
    return ValuePairs(start, *columns)
