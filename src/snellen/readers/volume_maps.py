"""Pairs of label volumes → volumes of class ids, whatever values the files hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.readers.class_maps import void_id
from snellen.readers.label_counts import CountedLabels
from snellen.readers.volume import read_volume_pair
from snellen.segmentation.label_scheme import STRAY, VOID
from snellen.segmentation.value_pairs import ValuePairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.label_encodings import Encodings
    from snellen.readers.label_pairs import LabelPairs
    from snellen.segmentation.label_scheme import Encoding

__all__ = ["VolumeMaps", "VolumePair", "count_volumes"]

# Values that span more are looked up one by one, not in a table of all between.
_WIDEST_TABLE = 1 << 22


class VolumePair(NamedTuple):
    """Truth and prediction of an image, each (D, H, W), and the distance between voxels in mm."""

    image_id: str
    place: str  # both files, for messages
    truth: NDArray[Any]
    pred: NDArray[Any]
    spacing: tuple[float, ...]


def count_volumes(files: LabelPairs, **limits: Any) -> CountedLabels:
    """Return how often each pair of values occurs in each pair of volumes.

    Parameters
    ----------
    files : LabelPairs
    **limits
        What `snellen.readers.volume.read_volume_pair` takes, which says what it raises.
    """
    start, columns = [0], [[np.zeros(0, np.int64)] for _ in range(3)]
    # One after the other: each is large.
    for truth, pred in zip(files.truth, files.pred, strict=True):
        pair = read_volume_pair(truth, pred, **limits)
        _, *rows = _core.value_pairs(*(volume.values.reshape(1, -1) for volume in pair))
        for column, values in zip(columns, rows, strict=True):
            column.append(values)
        start.append(start[-1] + len(rows[0]))
    joined = (np.concatenate(column) for column in columns)
    return CountedLabels(ValuePairs(np.array(start, np.int64), *joined), None, "ids", "ids")


class VolumeMaps:
    """Reads pairs of volumes, as they are or as volumes of class ids.

    Parameters
    ----------
    files : LabelPairs
    **limits
        What `snellen.readers.volume.read_volume_pair` takes.
    """

    def __init__(self, files: LabelPairs, **limits: Any) -> None:
        self._files, self._limits = files, limits

    def raw(self) -> Iterator[VolumePair]:
        """Yield the pairs with the values of the files."""
        files = self._files
        for image_id, truth, pred in zip(files.image_ids, files.truth, files.pred, strict=True):
            one, other = read_volume_pair(truth, pred, **self._limits)
            place = f"{truth} and {pred}"
            yield VolumePair(image_id, place, one.values, other.values, one.spacing)

    def of_classes(self, encodings: Encodings, classes: Classes) -> Iterator[VolumePair]:
        """Yield the pairs as class ids; what is no class is `void_id`."""
        whole = np.array([*classes.keys.ids.astype(np.int64), void_id(classes)])
        ids = whole.astype(np.min_scalar_type(int(whole.max())) if whole.min() >= 0 else np.int64)
        for pair in self.raw():
            yield pair._replace(
                truth=_mapped(pair.truth, encodings.truth, ids, is_pred=False),
                pred=_mapped(pair.pred, encodings.pred, ids, is_pred=True),
            )


def _mapped(
    values: NDArray[Any], encoding: Encoding, ids: NDArray[Any], *, is_pred: bool
) -> NDArray[Any]:
    """Return the ids of values; the last one for what is void or stray."""

    def of(some: NDArray[Any]) -> NDArray[Any]:
        codes = encoding.codes_of(some, pred=is_pred)
        found: NDArray[Any] = ids[np.where(codes == STRAY, VOID, codes)]
        return found

    if values.dtype == bool:
        values = values.view(np.uint8)
    first, last = min(0, int(values.min())), int(values.max())
    if last - first >= _WIDEST_TABLE:
        return of(values)
    table = of(np.arange(first, last + 1))
    found: NDArray[Any] = np.take(table, values.astype(np.int64) - first if first else values)
    return found
