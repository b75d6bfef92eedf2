"""Rows of truth and detections, some whole classes at a time: memory for these is all it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.mapped_file import let_go

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[Any]]

__all__ = ["BLOCK_ROWS", "LARGE_BLOCK_ROWS", "RowBlock", "check_rows", "row_blocks"]

BLOCK_ROWS: Final = 1 << 19
"""How many detections a block may have, where it is of several classes and columns are made."""

LARGE_BLOCK_ROWS: Final = 1 << 22
"""The same, where a kernel goes through the rows as they are, many classes at once."""


class RowBlock(NamedTuple):
    """The rows of some classes.

    Attributes
    ----------
    first, end : int
        The classes are first … end − 1.
    truth, pred : mapping of str to ndarray
        Their rows, ascending by ``label``; parts of the columns that were given, not copies.
    """

    first: int
    end: int
    truth: Columns
    pred: Columns


def row_blocks(
    truth: Columns, pred: Columns, n_classes: int, n_rows: int | None = None
) -> Iterator[RowBlock]:
    """Return the rows in blocks of whole classes; at least one block.

    A block is as many classes as have so many detections together, or one that has more. Once
    a block is over, the memory of mapped files that its columns lie in is let go of.

    Parameters
    ----------
    truth, pred : mapping of str to ndarray
        Rows ascending by ``label``.
    n_classes : int
        Labels are 0 … n_classes − 1.
    n_rows : int, optional
        How many detections; `BLOCK_ROWS` where not given.
    """
    # Of the type of labels, else NumPy copies these.
    every = np.arange(n_classes + 1, dtype=np.int32)
    of_truth, of_pred = (
        np.searchsorted(columns["label"], every).tolist() for columns in (truth, pred)
    )
    first = 0
    while True:
        most = of_pred[first] + (BLOCK_ROWS if n_rows is None else n_rows)
        end = min(first + 1, n_classes)
        while end < n_classes and of_pred[end + 1] <= most:
            end += 1
        yield RowBlock(
            first,
            end,
            _part(truth, of_truth[first], of_truth[end]),
            _part(pred, of_pred[first], of_pred[end]),
        )
        let_go(*truth.values(), *pred.values())
        first = end
        if first >= n_classes:
            return


def check_rows(columns: Columns, n_images: int, n_classes: int) -> None:
    """Refuse rows of a stored state that no images or classes are known for, or in another order.

    Raises
    ------
    KeyError, ValueError
    """
    image, label = columns["image"], columns["label"]
    for first in range(0, len(label), BLOCK_ROWS):
        # One more, so that the order is looked at from block to block too.
        part = label[first : first + BLOCK_ROWS + 1]
        if (part[1:] < part[:-1]).any():
            raise ValueError("expected rows ordered by label")
        for column, n in ((image, n_images), (label, n_classes)):
            part = column[first : first + BLOCK_ROWS]
            if len(part) and not 0 <= part.min() <= part.max() < n:
                raise ValueError(f"positions outside 0 to {n}")
        let_go(image, label)
    for name, column in columns.items():
        if column.dtype.kind == "f":
            for first in range(0, len(column), BLOCK_ROWS):
                if not np.isfinite(column[first : first + BLOCK_ROWS]).all():
                    raise ValueError(f"{name} that is not finite")
                let_go(column)


def _part(columns: Columns, first: int, end: int) -> dict[str, NDArray[Any]]:
    return {name: column[first:end] for name, column in columns.items()}
