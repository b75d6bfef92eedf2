"""Annotations in columns, and which of their rows are in a cell."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.compat.pycocotools.cells import stable_order
from snellen.compat.pycocotools.lazy_rows import LazyRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.compat.pycocotools.rules import Rules

__all__ = ["CellRows", "Table"]


@dataclasses.dataclass(frozen=True)
class Table:
    """Truth or results, one row an object, in the order of the annotations.

    Attributes
    ----------
    image, label : ndarray, shape (n,), int32
        Positions in the rules' images and categories.
    area : ndarray, shape (n,), float64
        The annotations' own.
    ids : list, or ndarray of int
        Of annotations.
    place : ndarray, shape (n,), int64
        Of each row, among all annotations.
    columns : dict
        Of truth ``crowd``, ``ignored`` (uint8) and ``id`` (int64; 0 where it is 0, else 1); of
        results ``score`` (float64), ``scores``, the list of objects behind it, or the same again,
        and of LVIS ``exempt`` (uint8): 1 where it is left out if it takes no truth. ``xywh``;
        ``runs``, ``offset``, ``size`` and ``shapes``, the objects behind them; ``keypoints``.
    """

    image: NDArray[np.int32]
    label: NDArray[np.int32]
    area: NDArray[np.float64]
    ids: list[Any] | NDArray[np.int64]
    place: NDArray[np.int64]
    columns: dict[str, Any]

    @classmethod
    def read(cls, records: Any, rules: Rules, *, truth: bool) -> Table | None:
        """Return the columns of dicts; None where one is out of the ordinary."""
        if isinstance(records, LazyRows):
            columns = records.columns(rules, truth=truth)
        elif type(records) is not list:
            return None
        else:
            columns = _core.read_records(
                records,
                *rules.codes(),
                truth=truth,
                crowds=rules.crowds,
                boxes=rules.kind == "bbox" or (truth and rules.kind == "keypoints"),
                masks=rules.kind == "segm",
                n_points=None if rules.sigmas is None else len(rules.sigmas),
            )
        if columns is None or (columns.pop("float32_area") and not rules.takes_float32()):
            return None
        image, label, area, ids = (columns.pop(key) for key in ("image", "label", "area", "ids"))
        if truth and rules.kind == "keypoints" and (area < 0).any():
            return None
        table = cls(image, label, area, ids, np.arange(len(image)), columns)
        if rules.pooled is not None:
            # Category by category, as objects of one.
            table = table.taken(stable_order(label))
        wanted = (table.image >= 0) & (table.label >= 0)
        if not wanted.all():
            table = table.taken(np.flatnonzero(wanted))
        if rules.pooled is not None:
            return dataclasses.replace(table, label=np.zeros_like(table.label))
        return table

    def taken(self, rows: NDArray[np.int64]) -> Table:
        """Return some rows."""
        columns = {
            name: _taken(column, rows)
            for name, column in self.columns.items()
            if name not in ("runs", "offset")
        }
        if "runs" in self.columns:
            runs, offset = self.columns["runs"], self.columns["offset"]
            columns["runs"], columns["offset"] = _core.take_rle(runs, offset, rows)
        return Table(
            self.image[rows],
            self.label[rows],
            self.area[rows],
            _taken(self.ids, rows),
            self.place[rows],
            columns,
        )

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]

    def outside(self, bounds: tuple[float, float]) -> NDArray[np.bool_]:
        """Return of each row whether its area lies outside a range."""
        low, high = bounds
        return np.less(self.area, low) | np.greater(self.area, high)


def _taken(column: Any, rows: NDArray[np.int64]) -> Any:
    return [column[i] for i in rows] if type(column) is list else column[rows]


class CellRows:
    """The rows of each image and label, in their order.

    Parameters
    ----------
    table : Table
        What has rows.
    n_images, n_labels : int
        How many there are of each.
    """

    def __init__(self, table: Table, n_images: int, n_labels: int) -> None:
        self._n_images = n_images
        place = _core.group_rows(table.image, table.label, n_images, n_labels)
        self._row = np.empty(len(place), np.uint32)
        self._row[place] = np.arange(len(place), dtype=np.uint32)
        self._cell = table.label[self._row].astype(np.int64) * n_images
        self._cell += table.image[self._row]

    def of(self, image: int, label: int) -> NDArray[np.int64]:
        """Return the rows of one cell."""
        cell = label * self._n_images + image
        begin, end = self._cell.searchsorted((cell, cell + 1))
        return self._row[begin:end].astype(np.int64)

    def images_with(self, label: int) -> NDArray[np.int64]:
        """Return the image of each row of a label."""
        return self._cell[self._span(label)] - label * self._n_images

    def of_label(self, label: int) -> NDArray[np.int64]:
        """Return the rows of a label, image by image."""
        return self._row[self._span(label)].astype(np.int64)

    def _span(self, label: int) -> slice:
        first = label * self._n_images
        begin, end = self._cell.searchsorted((first, first + self._n_images))
        return slice(begin, end)
