"""What a source of data holds, before it is one training's data."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snellen.training.data.parts import Part

__all__ = ["Found"]


@dataclasses.dataclass
class Found:
    """The parts that a source has.

    Attributes
    ----------
    parts : dict of str to Part
        ``"train"``, and ``"validation"`` and ``"test"`` where there are such.
    task : str
        What the targets are for.
    class_names : sequence of str or None
        The names of classes 0, 1, …; None without classes, or without names.
    source : mapping of str to object
        Where all comes from, as plain values.
    notes : list of str
        What people should know: what was left out.
    validation, test : int or float
        What to take of the training part where there is no such part: a number of samples, or a
        share below 1.
    fold_of : mapping of str to str or None
        The fold of each sample of the training and the validation part, where the source says so.
    """

    parts: dict[str, Part]
    task: str
    class_names: Sequence[str] | None
    source: Mapping[str, Any]
    notes: list[str] = dataclasses.field(default_factory=list)
    validation: int | float = 0.1
    test: int | float = 0
    fold_of: Mapping[str, str] | None = None
