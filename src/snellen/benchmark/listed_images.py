"""What every kind of data gives: images that are listed, and what their labels are called."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import ClassError, InputError
from snellen.readers.class_list import whole_numbers
from snellen.readers.message_text import few
from snellen.splits.strata import factorised
from snellen.training.data.written_split import part_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.stored_images import StoredImages

__all__ = ["ListedImages", "Options", "chosen_part", "index_names", "label_codes"]


class Options(NamedTuple):
    """What a kind of data is told; see `open_images`."""

    labels: str | None = None
    synsets: str | None = None
    part: str | None = None
    root: str | None = None
    strict: bool = False


@dataclasses.dataclass
class ListedImages:
    """N images, and the label of each.

    Attributes
    ----------
    ids : list of str
        What each is called.
    codes : ndarray of int64, shape (N,)
        The place of its label in `names`.
    names : list of str
        What the labels of all classes are called: names, WordNet ids, or numbers.
    stored : StoredImages or None
        Where the images are; None for labels alone.
    source : dict
        Where all comes from, in plain values.
    notes : list of str
        What people should know.
    """

    ids: list[str]
    codes: NDArray[np.int64]
    names: list[str]
    stored: StoredImages | None
    source: dict[str, Any]
    notes: list[str] = dataclasses.field(default_factory=list)

    def taken(self, rows: Sequence[int]) -> ListedImages:
        """Return some of them; classes stay."""
        return dataclasses.replace(
            self,
            ids=[self.ids[row] for row in rows],
            codes=self.codes[np.asarray(rows, np.int64)],
            stored=None if self.stored is None else self.stored.taken(rows),
        )


def label_codes(
    labels: Sequence[str], place: Callable[[int], str]
) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of classes, and the place of each label in them.

    Labels that are whole numbers are indices of classes, of which there are as many as the highest
    one says; others are names.

    Raises
    ------
    ClassError
        For a number below 0, or a label without text.
    """
    numbers = whole_numbers(labels)
    if numbers is None:
        if "" in labels:
            raise ClassError("expected a label, got none", place(labels.index("")))
        names, codes = factorised(labels)
        return names, codes.astype(np.int64)
    lowest = min(numbers, default=0)
    if lowest < 0:
        raise ClassError(
            f"expected the indices of classes, from 0, got {lowest}: is this a test set without "
            "labels?",
            place(numbers.index(lowest)),
        )
    return index_names(max(numbers, default=-1) + 1), np.array(numbers, np.int64)


def index_names(n: int) -> list[str]:
    """Return the names of classes of which only numbers are known."""
    return [str(k) for k in range(n)]


def chosen_part(there: Sequence[str], wanted: str | None, notes: list[str], place: str) -> str:
    """Return which of the parts that there are is measured on.

    Parameters
    ----------
    there : sequence of str
        Their names.
    wanted : str, optional
        A name, or another word for it (``val``); without, test, else validation.
    notes : list of str
        It is added what was chosen.
    place : str
        Where the parts are, for messages.

    Raises
    ------
    InputError
        Where it is not there.
    """
    known = {part_name(name) or name: name for name in there}
    if wanted is not None:
        name = wanted if wanted in there else known.get(part_name(wanted) or wanted)
        if name is None:
            raise InputError(f'expected one of the parts {few(there)}, got "{wanted}"', place)
        return name
    name = known.get("test", known.get("validation"))
    if name is None:
        raise InputError(
            f"expected a part test or validation, got {few(there)}: say which is meant (part)",
            place,
        )
    if len(there) > 1:
        notes.append(f"the part {name} is measured on ({few(there)} are there)")
    return name
