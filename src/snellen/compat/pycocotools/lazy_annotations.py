"""Annotations of a file that become dicts when somebody looks at them.

Until then nobody can have changed one, and an evaluation may go by the file's columns. From then on
they are dicts like others, and evaluations go by those.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.compat.pycocotools.completion import complete
from snellen.compat.pycocotools.documents import decoded, first_of_list, no_collection
from snellen.compat.pycocotools.file_columns import FileColumns, codes_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["LAZY_ATTRIBUTES", "LazyAnnotations", "LazyAttribute", "look_at", "unseen"]

LAZY_ATTRIBUTES = ("dataset", "anns", "imgToAnns", "catToImgs")  # attributes of a data set


class LazyAnnotations:
    """The annotations or results of a file.

    Parameters
    ----------
    document : bytes
        The list of them, JSON.
    columns : FileColumns
        The same.
    dataset : dict
        All else of the data set.

    Attributes
    ----------
    columns, dataset
        As above.
    """

    def __init__(self, document: bytes, columns: FileColumns, dataset: dict[Any, Any]) -> None:
        self.columns = columns
        self.dataset = dataset
        self.lock = threading.RLock()
        self._document = document
        self._records: list[Any] | None = None
        self._attributes: dict[str, Any] = {}
        # What evaluations mark truth with: which it is, and what `_ignore` is, -1 where it is not.
        self._is_marked = np.zeros(0, np.bool_)
        self._last_ignored = np.zeros(0, np.int8)

    @classmethod
    def of_truth(cls, document: bytes) -> LazyAnnotations | None:
        """Return the annotations of a file; None where they cannot wait."""
        found = FileColumns.of_truth(document)
        if found is None:
            return None
        columns, at = found
        # All but the annotations: images and categories are few, and asked for by everybody. A mark
        # of byte order is refused here, as json refuses it.
        dataset = decoded(document[: at.start] + b"[]" + document[at.stop :])
        return cls(document[at], columns, dataset)

    @classmethod
    def of_results(
        cls, document: bytes, images: Iterable[Any], dataset: dict[Any, Any]
    ) -> LazyAnnotations | None:
        """Return results with boxes, all in known images; None where they cannot wait."""
        first = first_of_list(document)
        # Files of other kinds need not be read any further, nor what begins with no list.
        if type(first) is not dict or "caption" in first or not first.get("bbox"):
            return None
        columns = FileColumns.of_results(document)
        if columns is None:
            return None
        codes = codes_of(columns.image_id, {each: i for i, each in enumerate(images)})
        if codes is None or codes.min() < 0:
            return None
        return cls(document, columns, dataset)

    def attributes(self) -> dict[str, Any]:
        """Return what a data set has once it was looked at: its dict and its indices."""
        with self.lock:
            if not self._attributes:
                anns: dict[Any, Any] = {}
                of_image: defaultdict[Any, list[Any]] = defaultdict(list)
                of_category: defaultdict[Any, list[Any]] = defaultdict(list)
                with no_collection():
                    records = list(self.records())
                    _core.index_records(records, anns, of_image, of_category)
                self.dataset["annotations"] = records
                self._attributes = {
                    "dataset": self.dataset,
                    "anns": anns,
                    "imgToAnns": of_image,
                    "catToImgs": of_category,
                }
            return self._attributes

    @property
    def are_made(self) -> bool:
        """Whether somebody has the dicts."""
        return self._records is not None

    def records(self) -> list[Any]:
        """Return all annotations as dicts, the same ones each time."""
        with self.lock:
            if self._records is None:
                with no_collection():
                    records = decoded(self._document)
                    if self.columns.score is not None:
                        complete(records)
                for row in np.flatnonzero(self._is_marked).tolist():
                    _mark(records[row], int(self._last_ignored[row]))
                self._records, self._document = records, b""
            return self._records

    def mark(
        self, rows: NDArray[np.int64], seen: NDArray[np.int64], ignored: NDArray[np.bool_]
    ) -> None:
        """Mark truth as an evaluation does.

        Parameters
        ----------
        rows : ndarray of int
            Which were chosen.
        seen : ndarray of int
            Which of them are in a cell.
        ignored : ndarray of bool
            Whether those count not in the last area range.
        """
        with self.lock:
            if not len(self._is_marked):
                self._is_marked = np.zeros(len(self.columns.ids), np.bool_)
                self._last_ignored = np.full(len(self.columns.ids), -1, np.int8)
            self._is_marked[rows] = True
            self._last_ignored[seen] = ignored


class LazyAttribute:
    """An attribute of a data set that is made when it is asked for, with all that are lazy."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, dataset: Any, owner: type | None = None) -> Any:
        if dataset is None:
            return self
        look_at(dataset)
        if self._name not in vars(dataset):
            raise AttributeError(f"{type(dataset).__name__} has no attribute {self._name!r}")
        return vars(dataset)[self._name]


def look_at(dataset: Any) -> None:
    """Make all attributes of a data set that are lazy, but those that were set to something."""
    own = vars(dataset)
    lazy = own.get("_lazy")
    if lazy is not None:
        for name, value in lazy.attributes().items():
            own.setdefault(name, value)
        own.pop("_lazy", None)


def unseen(dataset: Any) -> LazyAnnotations | None:
    """Return the annotations of a data set that nobody has looked at; None where somebody may."""
    lazy: LazyAnnotations | None = vars(dataset).get("_lazy")
    if lazy is None or lazy.are_made or any(name in vars(dataset) for name in LAZY_ATTRIBUTES):
        return None
    return lazy


def _mark(annotation: Any, last_ignored: int) -> None:
    annotation["ignore"] = annotation["iscrowd"]
    if last_ignored >= 0:
        annotation["_ignore"] = last_ignored
