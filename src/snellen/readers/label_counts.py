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
from snellen.readers.label_palettes import Meaning, Stored, colour_values, meaning_of_indices
from snellen.readers.label_sums import added_up, narrow
from snellen.segmentation.value_pairs import ValuePairs
from snellen.threads import get_threads, in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from snellen.readers.label_pairs import LabelPairs
    from snellen.segmentation.label_scheme import LabelScheme

__all__ = ["CountedLabels", "count_label_files", "read_pair"]

_MOST_AT_ONCE = 16  # pairs of files


class CountedLabels(NamedTuple):
    """What was counted of N pairs of files.

    Attributes
    ----------
    pairs : ValuePairs
        Of truth and prediction.
    instances : ValuePairs or None
        Of the map of instances and prediction, where there are such maps.
    truth_kind, pred_kind : str
        What the values of a side are: ``"ids"`` or ``"colours"``.
    truth_encoding, pred_encoding : str or None
        The encoding that the palettes of a side speak for.
    notes : tuple of str
        What was decided by palettes.
    """

    pairs: ValuePairs
    instances: ValuePairs | None
    truth_kind: str
    pred_kind: str
    truth_encoding: str | None = None
    pred_encoding: str | None = None
    notes: tuple[str, ...] = ()


class _Rows(NamedTuple):
    """Rows of some pairs of files, in as few bytes as they need."""

    n_rows: list[int]
    truth: NDArray[Any]
    pred: NDArray[Any]
    count: NDArray[Any]  # type: ignore[assignment]  # a tuple's own count is not missed


class _Block(NamedTuple):
    """What some pairs of files hold; of each file its kind and its palette."""

    pairs: _Rows
    instances: _Rows | None
    truth: list[tuple[str, bytes]]
    pred: list[tuple[str, bytes]]


def count_label_files(
    files: LabelPairs,
    scheme: LabelScheme,
    *,
    truth: str | None = None,
    pred: str | None = None,
    instances: Sequence[Path] | None = None,
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> CountedLabels:
    """Read pairs of label images and count their pairs of values, on as many threads as kernels.

    Parameters
    ----------
    files : LabelPairs
        N pairs.
    scheme : LabelScheme
        The classes: by their colours palettes tell whether indices are ids
        (`snellen.readers.label_palettes`).
    truth, pred : str, optional
        The names of encodings, where palettes do not decide.
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
    ClassError
        For palettes that do not tell.
    """
    palettes: dict[bytes, bytes] = {}  # equal ones are kept once

    def stored(image: LabelImage) -> tuple[str, bytes]:
        palette = b"" if image.palette is None else image.palette.tobytes()
        return image.kind, palettes.setdefault(palette, palette)

    def count(some: range) -> _Block:
        pairs, marks, of_truth, of_pred = [], [], [], []
        for i in some:
            one, other = read_pair(files.truth[i], files.pred[i], max_pixels=max_pixels)
            pairs.append(_count(one, other))
            of_truth.append(stored(one))
            of_pred.append(stored(other))
            if instances is not None:
                marked = read_label_image(instances[i], max_pixels=max_pixels)
                _check_sizes(marked, instances[i], other, files.pred[i])
                marks.append(_count(marked, other))
        return _Block(_narrowed(pairs), _narrowed(marks) if marks else None, of_truth, of_pred)

    blocks = list(in_threads(count, _blocks(len(files.truth))))
    sides = (
        Stored.of("truth", files.truth, [each for block in blocks for each in block.truth]),
        Stored.of("pred", files.pred, [each for block in blocks for each in block.pred]),
    )
    pairs = _joined([block.pairs for block in blocks])
    marks = [block.instances for block in blocks if block.instances is not None]
    marked = None if instances is None else _joined(marks)
    del blocks, marks
    return _with_meaning(pairs, marked, sides, scheme, (truth, pred))


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


def _blocks(n: int) -> list[range]:
    """Return 0 … n - 1 in parts: to hand out each by itself takes a tenth of the time."""
    size = max(1, min(_MOST_AT_ONCE, n // (4 * get_threads())))
    return [range(first, min(first + size, n)) for first in range(0, n, size)]


def _count(one: LabelImage, other: LabelImage) -> list[NDArray[np.int64]]:
    _, *rows = _core.value_pairs(_flat(one), _flat(other))
    return rows


def _flat(image: LabelImage) -> NDArray[Any]:
    values = image.values
    if image.kind == "colours":
        return values.reshape(1, -1, 3)
    return values.reshape(1, -1)


def _one_kind(side: Stored, meaning: Meaning) -> str:
    of_palettes = "ids" if meaning.colours is None else "colours"
    kinds = [of_palettes if kind == "palette" else kind for kind in side.kinds]
    if len(set(kinds)) > 1:
        other = kinds.index(next(kind for kind in kinds if kind != kinds[0]))
        raise SchemaError(
            f"expected files of one kind on a side, got {kinds[0]} in {side.files[0]} and "
            f"{kinds[other]} in another: store all of them as ids",
            str(side.files[other]),
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


def _narrowed(rows: list[list[NDArray[np.int64]]]) -> _Rows:
    """Return the rows of some pairs of files as one."""
    n_rows = [len(count) for _, _, count in rows]
    return _Rows(n_rows, *(narrow(np.concatenate(column)) for column in zip(*rows, strict=True)))


def _joined(blocks: list[_Rows]) -> ValuePairs:
    n_rows = [n for block in blocks for n in block.n_rows]
    start = np.zeros(len(n_rows) + 1, np.int64)
    np.cumsum(n_rows, out=start[1:])
    columns = (
        np.concatenate([np.zeros(0, np.int64), *(getattr(block, name) for block in blocks)])
        for name in ("truth", "pred", "count")
    )
    return ValuePairs(start, *columns)


def _with_meaning(
    pairs: ValuePairs,
    marked: ValuePairs | None,
    sides: tuple[Stored, Stored],
    scheme: LabelScheme,
    asked: tuple[str | None, str | None],
) -> CountedLabels:
    """Return what was counted, of colours where indices stand for them."""
    truth, pred = (
        meaning_of_indices(side, scheme, pairs.start, values, pairs.count, encoding=encoding)
        for side, values, encoding in zip(sides, (pairs.truth, pairs.pred), asked, strict=True)
    )
    kinds = _one_kind(sides[0], truth), _one_kind(sides[1], pred)
    if marked is not None and pred.colours is not None:
        n_rows = np.diff(marked.start)
        marked = _in_colours(marked, None, colour_values(sides[1].palettes, n_rows, marked.pred))
    return CountedLabels(
        _in_colours(pairs, truth.colours, pred.colours),
        marked,
        *kinds,
        truth_encoding=truth.encoding,
        pred_encoding=pred.encoding,
        notes=tuple(meaning.note for meaning in (truth, pred) if meaning.note),
    )


def _in_colours(
    pairs: ValuePairs, truth: NDArray[np.int64] | None, pred: NDArray[np.int64] | None
) -> ValuePairs:
    """Return pairs with colours for indices on a side or both: ascending, each pair once."""
    if truth is None and pred is None:
        return pairs
    n_images = len(pairs.start) - 1
    image = np.repeat(np.arange(n_images), np.diff(pairs.start))
    columns, count = added_up(
        image,
        pairs.truth if truth is None else truth,
        pairs.pred if pred is None else pred,
        counts=pairs.count,
    )
    start = np.searchsorted(columns[0], np.arange(n_images + 1))
    return ValuePairs(start, columns[1], columns[2], count)
