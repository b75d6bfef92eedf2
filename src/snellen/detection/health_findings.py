"""Findings about a data set for detection, with the places of a few examples."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from snellen.detection.health_kinds import KINDS, OF_PREDICTIONS
from snellen.table_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from snellen.detection.health_columns import CheckedData, CheckedObjects, ListedImages
    from snellen.detection.health_kinds import Severity

__all__ = ["Example", "Finding", "Findings", "examples_of_cells", "examples_of_images", "shown_id"]

_EXAMPLES: Final = 5
_WIDTH: Final = 60


class Example(NamedTuple):
    """One of the records that a finding is about.

    Attributes
    ----------
    section : str
        The list it is in: ``"annotations"``, ``"images"``, ``"categories"``, ``"objects"``,
        ``"$"`` of results.
    record : int
        Its position there, from 0.
    id, image_id : int, str or None
        Its id, and that of its image.
    text : str
        What is wrong with it.
    """

    section: str
    record: int
    id: Any
    image_id: Any
    text: str

    @property
    def place(self) -> str:
        """Where it is, in words: ``annotations[5] (id 7, image 12)``."""
        named = [
            f"{name} {shown_id(value)}"
            for name, value in (("id", self.id), ("image", self.image_id))
            if value is not None
        ]
        return f"{self.section}[{self.record}]" + (f" ({', '.join(named)})" if named else "")


def examples_of_images(
    images: ListedImages, rows: NDArray[np.int64], counts: NDArray[np.int64] | None = None
) -> list[Example]:
    """Return the first of some images, each with its name, or with a count of its objects."""
    return [
        Example(
            "images",
            row,
            images.id[row],
            None,
            printable(images.name[row], _WIDTH) if counts is None else f"{counts[k]:,}",
        )
        for k, row in enumerate(rows[:_EXAMPLES].tolist())
    ]


def examples_of_cells(
    data: CheckedData, cells: NDArray[np.int64], counts: NDArray[np.int64]
) -> list[Example]:
    """Return the first of some pairs, image times classes plus class, with how many are there."""
    images, classes = data.images, data.classes
    found = []
    for cell, count in zip(cells[:_EXAMPLES].tolist(), counts[:_EXAMPLES].tolist(), strict=True):
        row, label = divmod(cell, len(classes.id))
        name = printable(classes.name[label] or classes.id[label], 40)
        text = f"{count:,} of class {name}"
        found.append(Example("images", row, images.id[row], None, text))
    return found


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something about a data set.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    severity : {"error", "warning", "note"}
    part : {"truth", "predictions"}
    title : str
        What was found.
    count : int
        How many.
    total : int
        Of how many.
    detail : str
        What else is to be said of it; may be empty.
    effect : str
        What it does to the number.
    examples : tuple of Example
        The first few of them.
    """

    kind: str
    severity: Severity
    part: str
    title: str
    count: int
    total: int
    detail: str
    effect: str
    examples: tuple[Example, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values that JSON can hold."""
        return {**vars(self), "examples": [each._asdict() for each in self.examples]}


class Findings:
    """Findings, as they are made.

    Parameters
    ----------
    part : {"truth", "predictions"}
        What they are about.
    """

    def __init__(self, part: Literal["truth", "predictions"]) -> None:
        self.part = part
        self.found: list[Finding] = []

    def add(
        self,
        kind: str,
        count: int,
        total: int,
        examples: Sequence[Example] = (),
        *,
        detail: str = "",
        severity: Severity | None = None,
    ) -> None:
        """Add a finding, unless it is about nothing; without a severity that of its kind."""
        if not count:
            return
        known = KINDS[kind]
        effect = known.effect
        if self.part == "predictions":
            effect = OF_PREDICTIONS.get(kind, effect)
        self.found.append(
            Finding(
                kind, severity or known.severity, self.part, known.title, count, total, detail,
                effect, tuple(examples[:_EXAMPLES]),
            )
        )  # fmt: skip

    def add_objects(
        self,
        kind: str,
        objects: CheckedObjects,
        which: NDArray[np.bool_],
        text: Callable[[int], str],
        *,
        total: int | None = None,
        detail: str = "",
        severity: Severity | None = None,
    ) -> None:
        """Add a finding about some objects, each with what is wrong with it."""
        rows = np.flatnonzero(which)
        examples = [
            Example(
                objects.section,
                row,
                None if objects.id is None else objects.id[row],
                objects.image_id[row],
                text(row),
            )
            for row in rows[:_EXAMPLES].tolist()
        ]
        n = len(objects) if total is None else total
        self.add(kind, len(rows), n, examples, detail=detail, severity=severity)


def shown_id(value: Any) -> str:
    """Return an id as reports show it: texts in quotes."""
    return f'"{printable(value, _WIDTH)}"' if isinstance(value, str) else str(value)
