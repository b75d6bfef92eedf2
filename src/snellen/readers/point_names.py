"""The names of keypoints: predictions are put in the order in which truth has the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.errors import SchemaError
from snellen.readers.message_text import few, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.box_rows import BoxRows

__all__ = ["PointNames", "are_numbers", "as_truth_orders", "names_of_classes"]


class PointNames(NamedTuple):
    """What the keypoints of rows are called.

    Attributes
    ----------
    orders : tuple of tuple of str
        Names in the order of the keypoints, each once.
    code : ndarray, shape (n,), int32
        Of each row the position in `orders`; -1 where its keypoints have no names.
    """

    orders: tuple[tuple[str, ...], ...]
    code: NDArray[np.int32]

    def taken(self, rows: NDArray[np.bool_]) -> PointNames:
        """Return the names of some of the rows."""
        return self._replace(code=self.code[rows])


def names_of_classes(rows: BoxRows, label: NDArray[np.int32]) -> dict[int, tuple[str, ...]]:
    """Return what the keypoints of each class are called, where they have names.

    Parameters
    ----------
    rows : BoxRows
    label : ndarray, shape (n,), int32
        The class of each row.
    """
    if rows.point_names is None:
        return {}
    orders, code = rows.point_names
    having = code >= 0
    # A class has one order in a file.
    classes, first = np.unique(label[having], return_index=True)
    return {
        int(each): orders[code[having][row]]
        for each, row in zip(classes.tolist(), first.tolist(), strict=True)
    }


def as_truth_orders(
    rows: BoxRows,
    label: NDArray[np.int32],
    of_truth: Mapping[int, tuple[str, ...]],
    classes: Classes,
) -> tuple[BoxRows, list[str]]:
    """Return predictions whose keypoints are in truth's order by their names, and notes.

    Where one side has no names, or only the numbers 1, 2, 3, …, they stay in their order.

    Parameters
    ----------
    rows : BoxRows
        The predictions.
    label : ndarray, shape (n,), int32
        The position of each one's class in `classes`.
    of_truth : mapping of int to tuple of str
        What truth's keypoints of a class are called, by the position of the class.
    classes : Classes
        Truth's.

    Raises
    ------
    SchemaError
        For keypoints with other names than truth's.
    """
    if rows.point_names is None or rows.keypoints is None:
        return rows, []
    orders, code = list(rows.point_names.orders), rows.point_names.code.copy()
    keypoints = rows.keypoints.copy()
    n_moved = 0
    for each, order in sorted(_pairs(label, code)):
        own, wanted = orders[order], of_truth.get(each)
        if wanted is None or own == wanted:
            continue
        having = (label == each) & (code == order)
        if set(own) != set(wanted):
            if are_numbers(own) or are_numbers(wanted):
                continue
            name = printable(classes.display_names()[each], 40)
            raise SchemaError(
                f'expected keypoints of "{name}" with the names that truth has, got '
                f"{_difference(own, wanted)}: name them alike, or 1, 2, 3, … in truth's order",
                rows.place(int(np.argmax(having))),
            )
        keypoints[having] = keypoints[having][:, [own.index(point) for point in wanted]]
        code[having] = len(orders)
        orders.append(wanted)
        n_moved += np.count_nonzero(having)
    if not n_moved:
        return rows, []
    note = f"{rows.path}: keypoints of {n_moved:,} objects are put in truth's order by their names"
    names = PointNames(tuple(orders), code)
    return rows._replace(keypoints=keypoints, point_names=names), [note]


def _pairs(label: NDArray[np.int32], code: NDArray[np.int32]) -> set[tuple[int, int]]:
    """Return which classes have which names."""
    having = code >= 0
    return set(zip(label[having].tolist(), code[having].tolist(), strict=True))


def are_numbers(names: tuple[str, ...]) -> bool:
    """Return whether names say the position only, as those do that Snellen writes."""
    return names == tuple(str(k + 1) for k in range(len(names)))


def _difference(own: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    """Return in words how sets of names differ."""
    more = [name for name in own if name not in wanted]
    lacking = [name for name in wanted if name not in own]
    said = []
    if more:
        said.append(f"{few(more)}, which it does not have")
    if lacking:
        said.append(f"none called {few(lacking)}")
    return ", and ".join(said)
