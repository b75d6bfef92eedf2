"""The boxes of a COCO file in columns, where dicts would say the same."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.compat.pycocotools.documents import text_is_utf8

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    # Numbers, or positions in the texts beside them.
    IdColumn = tuple[NDArray[np.int64], list[str] | None]

__all__ = ["FileColumns", "codes_of"]

# Up to here float64 holds whole numbers as Python's ints do.
_EXACT = 2.0**53


@dataclasses.dataclass(frozen=True)
class FileColumns:
    """Annotations or results, one row an object, in the order of the file.

    Attributes
    ----------
    image_id, category_id : (ndarray of int64, list of str or None)
        Numbers, or positions in the texts.
    xywh : ndarray, shape (n, 4), float64
    area : ndarray, shape (n,), float64
        Of results width times height.
    ids : ndarray, shape (n,), int64
        Each once; of results 1, 2, ….
    crowd : ndarray, shape (n,), uint8, or None
        Of annotations: 0 or 1.
    score : ndarray, shape (n,), float64, or None
        Of results.
    """

    image_id: IdColumn
    category_id: IdColumn
    xywh: NDArray[np.float64]
    area: NDArray[np.float64]
    ids: NDArray[np.int64]
    crowd: NDArray[np.uint8] | None = None
    score: NDArray[np.float64] | None = None

    @classmethod
    def of_truth(cls, document: bytes) -> tuple[FileColumns, slice] | None:
        """Return the annotations of a file and where their list stands in it.

        None where a field is missing or out of the ordinary: dicts, made one by one, say what is
        wrong, or do something with it.
        """
        if not text_is_utf8():
            return None
        raw = _core.read_coco_truth(document, "box")
        if raw.fault() is not None or raw.unusual:
            return None
        ids, texts = raw.box_id()
        crowd = raw.crowd()
        if texts is not None or not raw.box_has_id().all() or (crowd > 1).any():
            return None
        columns = cls(
            raw.box_image_id(), raw.box_category_id(), raw.xywh(), raw.area(), ids, crowd=crowd
        )
        if not columns._is_exact() or not _come_once(ids):
            return None
        return columns, slice(*raw.annotations_at())

    @classmethod
    def of_results(cls, document: bytes) -> FileColumns | None:
        """Return the results of a file; None where one is out of the ordinary."""
        if not text_is_utf8():
            return None
        raw = _core.read_coco_results(document, "box")
        if raw.fault() is not None or raw.unusual:
            return None
        xywh = raw.xywh()
        columns = cls(
            raw.image_id(),
            raw.category_id(),
            xywh,
            xywh[:, 2] * xywh[:, 3],
            np.arange(1, len(xywh) + 1),
            score=raw.score(),
        )
        return columns if columns._is_exact() else None

    def _is_exact(self) -> bool:
        # An area that is not there is NaN, which is below nothing.
        return len(self.ids) > 0 and bool(
            self.xywh.min() > -_EXACT and self.xywh.max() < _EXACT and self.area.max() < _EXACT
        )


def codes_of(column: IdColumn, positions: Mapping[Any, int]) -> NDArray[np.int32] | None:
    """Return the position of each id, -1 where it has none; None where they are of odd kinds."""
    values, texts = column
    if texts is not None:
        of_text = [positions.get(text, -1) for text in texts]
        return np.array(of_text, np.int32)[values]
    if not positions or any(type(each) is not int for each in positions):
        return None
    try:
        ids = np.array(list(positions), np.int64)
    except OverflowError:
        return None
    order = np.argsort(ids, kind="stable")
    found = _core.lookup(values, ids[order])[0]
    position = np.array(list(positions.values()), np.int32)[order]
    return np.where(found < 0, np.int32(-1), position[found])


def _come_once(ids: NDArray[np.int64]) -> bool:
    if (ids[1:] > ids[:-1]).all():
        return True
    ordered = np.sort(ids)
    return bool((ordered[1:] != ordered[:-1]).all())
