"""What the values of label maps are to surface distances: classes, or of no class."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.segmentation.structures import NO_CLASS, Meaning

if TYPE_CHECKING:
    from snellen.classes import Classes
    from snellen.segmentation.array_labels import ArrayLabels

__all__ = ["Meanings", "declared_meanings", "found_meanings"]


class Meanings(NamedTuple):
    """What the values of both sides mean, and a value of predictions that is of no class.

    Where both sides mean the same they are one object.
    """

    truth: Meaning
    pred: Meaning
    nothing: int


def declared_meanings(labels: ArrayLabels, measured: Classes, background: int | None) -> Meanings:
    """Return what values mean where classes are given.

    Parameters
    ----------
    labels : ArrayLabels
        All classes and their values.
    measured : Classes
        The classes that are measured.
    background : int or None
        The class that is not, or a value that is no surprise.
    """
    place = measured.keys.codes(labels.classes.keys.ids)
    place = np.append(np.where(place < 0, NO_CLASS, place), NO_CLASS)  # VOID is -1, the last
    sides: list[dict[int, int]] = []
    for name in ("truth", "pred"):
        encoding = labels.side(name)
        values = encoding.values
        codes = place[encoding.codes_of(values, pred=name == "pred")]
        sides.append(dict(zip(values.tolist(), codes.tolist(), strict=True)))
        if background is not None and background not in labels.classes.keys.ids:
            sides[-1].setdefault(background, NO_CLASS)
    free = [value for value, code in sides[1].items() if code == NO_CLASS]
    if free:
        nothing = free[0]
    else:  # a value next to those that mean something
        last = max(sides[1])
        nothing = last + 1 if last < np.iinfo(np.int64).max else min(sides[1]) - 1
        for side in sides:
            side.setdefault(nothing, NO_CLASS)
    truth = Meaning.of(sides[0])
    return Meanings(truth, truth if sides[0] == sides[1] else Meaning.of(sides[1]), nothing)


def found_meanings(classes: Classes, background: int | None, ignored: tuple[int, ...]) -> Meanings:
    """Return what values mean where those that occur are classes."""
    meaning = {value: code for code, value in enumerate(classes.keys.ids.tolist())}
    for value in (*ignored, *(() if background is None else (background,))):
        meaning[value] = NO_CLASS
    one = Meaning.of(meaning)
    return Meanings(one, one, ignored[0] if ignored else 0)
