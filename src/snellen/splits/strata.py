"""What is to be spread evenly: how many objects of each class each sample holds."""

from __future__ import annotations

import itertools
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.arrays import to_numpy
from snellen.errors import InputError, ShapeError
from snellen.splits.hashing import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Strata", "factorised", "name_order", "sorted_names"]


class Strata(NamedTuple):
    """Classes of samples: one for each sample, or any number of objects.

    Attributes
    ----------
    names : tuple of str
        The classes, K of them, in the order of `name_order`.
    row : ndarray of int64, shape (m,)
        The sample, ascending; one entry for each class that it holds.
    code : ndarray of int32, shape (m,)
        The class.
    times : ndarray of int64, shape (m,)
        How many objects of the class the sample holds, at least 1.
    single : bool
        Whether each sample has exactly one class.
    """

    names: tuple[str, ...]
    row: NDArray[np.int64]
    code: NDArray[np.int32]
    times: NDArray[np.int64]
    single: bool

    def totals(self) -> NDArray[np.int64]:
        """Return how many samples hold each class, shape (K,)."""
        return np.bincount(self.code, minlength=len(self.names)).astype(np.int64)

    def take(self, rows: NDArray[np.int64], n: int) -> Strata:
        """Return the classes of some of n samples, in ascending order; no class is dropped."""
        place = np.full(n, -1, np.int64)
        place[rows] = np.arange(len(rows))
        kept = place[self.row] >= 0
        return self._replace(
            row=place[self.row[kept]], code=self.code[kept], times=self.times[kept]
        )

    @classmethod
    def of_codes(cls, names: Sequence[str], code: NDArray[np.int32]) -> Strata:
        """Return one class for each sample from its place in sorted names."""
        n = len(code)
        return cls(tuple(names), np.arange(n), code, np.ones(n, np.int64), single=True)

    @classmethod
    def of_objects(
        cls, names: Sequence[str], row: NDArray[np.int64], code: NDArray[np.int32]
    ) -> Strata:
        """Return the classes of samples from their objects: one entry an object, in any order.

        The names may be in any order, and come twice: then they mean one class.
        """
        distinct, place = factorised(list(names))
        code = place[code].astype(np.int64) if len(code) else np.zeros(0, np.int64)
        pair, count = np.unique(row * len(distinct) + code, return_counts=True)
        rows, codes = np.divmod(pair, max(1, len(distinct)))
        return cls(
            tuple(distinct), rows, codes.astype(np.int32), count.astype(np.int64), single=False
        )

    @classmethod
    def of_labels(cls, labels: Any, n: int, classes: Sequence[str] | None = None) -> Strata:
        """Return the classes of n samples from labels as a program has them; see `hold_out`."""
        if isinstance(labels, Strata):
            if labels.row.size and int(labels.row[-1]) >= n:
                raise ShapeError(f"expected labels of {n} samples, got more", "labels")
            return labels
        matrix = None
        if (
            isinstance(labels, np.ndarray)
            or hasattr(labels, "to_numpy")
            or hasattr(labels, "detach")
        ):
            array = to_numpy(labels, "labels")
            matrix = array if array.ndim == 2 else None
            labels = array if array.ndim == 1 else labels
        else:
            labels = list(labels)
            if labels and all(isinstance(each, (list, tuple, set, frozenset)) for each in labels):
                _check_length(len(labels), n)
                if not _are_rows(labels, classes):
                    return cls._of_lists(labels)
                matrix = np.array(labels)
        if matrix is not None:
            _check_length(len(matrix), n)
            return cls._of_matrix(matrix, classes)
        _check_length(len(labels), n)
        if isinstance(labels, np.ndarray) and labels.dtype.kind == "b":
            labels = labels.astype(np.int64)
        if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu":
            values, code = np.unique(labels, return_inverse=True)
            names = list(map(str, values.tolist()))
            return cls.of_codes(*sorted_names(names, code.astype(np.int32)))
        return cls.of_codes(*factorised(texts_of(labels, "labels")))

    @classmethod
    def _of_lists(cls, labels: Sequence[Any]) -> Strata:
        row = np.repeat(np.arange(len(labels)), [len(each) for each in labels])
        texts = texts_of([name for each in labels for name in each], "labels")
        return cls.of_objects(texts, row, np.arange(len(texts), dtype=np.int32))

    @classmethod
    def _of_matrix(cls, matrix: NDArray[Any], classes: Sequence[str] | None) -> Strata:
        if matrix.dtype.kind not in "biu" and not (
            matrix.dtype.kind == "f"
            and np.isfinite(matrix).all()
            and (matrix == np.floor(matrix)).all()
        ):
            raise InputError("expected whole numbers of objects of each class", "labels")
        if matrix.size and matrix.min() < 0:
            raise InputError(f"expected counts from 0, got {matrix.min()}", "labels")
        n_classes = matrix.shape[1]
        names = [str(k) for k in range(n_classes)] if classes is None else list(classes)
        if len(names) != n_classes or len(set(names)) < n_classes:
            raise ShapeError(
                f"expected {n_classes} different class names, got {len(set(names))}", "classes"
            )
        row, code = np.nonzero(matrix)
        count = matrix[row, code].astype(np.int64)
        order = sorted(range(n_classes), key=lambda k: name_order(names[k]))
        place = np.empty(n_classes, np.int32)
        place[order] = np.arange(n_classes, dtype=np.int32)
        return cls(
            tuple(names[k] for k in order), row.astype(np.int64), place[code], count, single=False
        )


def _are_rows(labels: Sequence[Any], classes: Sequence[str] | None) -> bool:
    """Return whether lists are rows of a matrix, not classes: the rule that `hold_out` states."""
    width = len(labels[0])
    if any(len(each) != width or not isinstance(each, (list, tuple)) for each in labels):
        return False
    numbers = (int, float, np.number, np.bool_)
    values = list(itertools.chain.from_iterable(labels))
    if not values or not all(isinstance(value, numbers) for value in values):
        return False
    if classes is not None and width == len(classes):
        return True
    if all(isinstance(value, (bool, np.bool_)) for value in values):
        return True
    # One number a row is a class: as a matrix it would say little.
    return width > 1 and all(value in (0, 1) for value in values)


def _check_length(got: int, wanted: int) -> None:
    if got != wanted:
        raise ShapeError(f"expected one label for each of {wanted} keys, got {got}", "labels")


def name_order(name: str) -> tuple[bool, int, str]:
    """Return what names are ordered by: whole numbers by value, then texts by code points."""
    number = name.isascii() and name.isdecimal() and len(name) < 20
    return (not number, int(name) if number else 0, name)


def factorised(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int32]]:
    """Return the distinct texts in NFC, in the order of `name_order`, and the place of each."""
    place: dict[str, int] = {}
    code = np.fromiter((place.setdefault(text, len(place)) for text in texts), np.int32, len(texts))
    return sorted_names(list(place), code)


def sorted_names(
    texts: Sequence[str], code: NDArray[np.int32]
) -> tuple[list[str], NDArray[np.int32]]:
    """Return names in NFC, each once, sorted, and the codes that follow them."""
    normal = [text if text.isascii() else unicodedata.normalize("NFC", text) for text in texts]
    names = sorted(set(normal), key=name_order)
    place = {name: i for i, name in enumerate(names)}
    moved = np.array([place[name] for name in normal], np.int32)
    return names, moved[code] if len(code) else code
