"""What to say of values that an encoding does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import first_few
from snellen.segmentation.label_scheme import STRAY

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from snellen.segmentation.label_scheme import Encoding

    Whole = NDArray[np.int64]

__all__ = ["as_colours", "instance_like", "stray_report"]

_SHOWN: Final = 6
_MANY: Final = 8  # different values: no list of classes is so wrong by chance
_FEW: Final = 0.02  # of all pixels, for each of nearly all: edges, not areas
_NEARLY_ALL: Final = 0.9


def as_colours(values: ArrayLike) -> str:
    """Return raw values as a list of colours.

    Examples
    --------
    >>> as_colours([8405120])
    '(128, 64, 128)'
    """
    wanted: Any = np.asarray(values, np.int64)
    return first_few(f"({v % 256}, {v // 256 % 256}, {v // 65536})" for v in wanted.tolist())


def instance_like(values: Whole, encoding: Encoding) -> Whole:
    """Return the values that are class × N + number in an encoding of instances."""
    if not encoding.per_instance:
        return values[:0]
    ids = values // encoding.per_instance
    return values[(values >= encoding.per_instance) & np.isin(ids, encoding.instance_ids)]


def stray_report(
    values: ArrayLike, counts: ArrayLike, encoding: Encoding, *, otherwise: str = ""
) -> str:
    """Return what is wrong with values, for an error; nothing where the encoding knows them all.

    Parameters
    ----------
    values : array-like of int
        The raw values of a file, or of many; they may come several times.
    counts : array-like of int
        The number of pixels of each.
    encoding : Encoding
        What they were taken as.
    otherwise : str
        What to do where nothing is known of where they come from.

    Returns
    -------
    str
        What was expected, what came with how many pixels, and where it may come from.

    Examples
    --------
    >>> from snellen.segmentation.label_scheme import scheme_of
    >>> stray_report([0, 1, 2], [90, 7, 3], scheme_of(2).encodings[0])
    'expected ids (0 to 1), got 2 (3 pixels): do ids begin at 1? Then see reduce_zero_label'
    """
    every, place = np.unique(np.asarray(values, np.int64), return_inverse=True)
    n = np.zeros(len(every), np.int64)
    np.add.at(n, place, np.asarray(counts, np.int64))
    every, n = every[n > 0], n[n > 0]
    odd = encoding.codes_of(every) == STRAY
    if not odd.any():
        return ""
    # Those of most pixels first: they say most.
    order = np.argsort(-n[odd], kind="stable")
    stray, n_stray = every[odd][order], n[odd][order]
    shown = first_few(
        (
            f"{as_colours([value]) if encoding.is_colour else value} ({_pixels(count)})"
            for value, count in zip(stray.tolist(), n_stray.tolist(), strict=True)
        ),
        _SHOWN,
    )
    more = "" if len(stray) <= _SHOWN else f" ({len(stray)} different ones)"
    remedy = _remedy(every, stray, n_stray, int(n.sum()), encoding) or otherwise
    return (
        f"expected {encoding.name} ({encoding.described()}), got {shown}{more}"
        f"{': ' if remedy else ''}{remedy}"
    )


def _pixels(count: int) -> str:
    return f"{count:,} pixel{'' if count == 1 else 's'}"


def _remedy(every: Whole, stray: Whole, n_stray: Whole, n_all: int, encoding: Encoding) -> str:
    """Return where stray values may come from, and what to do."""
    few_pixels = n_stray <= _FEW * n_all
    # Nearly all: in small images the commonest mixtures of two ids cover more.
    many = len(stray) >= _MANY and bool(few_pixels.mean() >= _NEARLY_ALL)
    if encoding.is_colour:
        if many:
            return (
                "many colours of few pixels each, as of images that were resized with "
                "interpolation, or stored as JPEG: resize with nearest, store as PNG"
            )
        return "add them to a class file, as color or more_colors of a class"
    if set(every.tolist()) <= {0, 255}:
        return (
            "a mask of 0 and 255: give a class file with these ids, such as "
            '{"0": "background", "255": "object"}; ignore_index=255 would leave 255 out'
        )
    high = every[every > 255]
    if len(high) and not (every % 257).any():
        return "all are multiples of 257, as of 8-bit ids scaled to 16 bits: divide by 257"
    if len(high) and not (every % 256).any():
        return "all are multiples of 256, as of 8-bit ids that were read as 16 bits: divide by 256"
    if len(high) and int(stray.min()) >= 1000:
        ids = np.unique(stray // 1000)
        if (encoding.codes_of(ids) != STRAY).all():
            return (
                "they look like instanceIds (1000 × id + number): give labelIds, or say that they "
                "are instanceIds"
            )
    if many:
        return (
            "many values of few pixels each, as of images that were resized with interpolation, or "
            "stored as JPEG: resize with nearest, store as PNG"
        )
    if stray.tolist() == [255]:
        return "255 is often void: leave it out with ignore_index=255"
    classes = encoding.values[encoding.codes >= 0]
    if stray.tolist() == [int(classes[-1]) + 1] and int(classes[0]) == 0:
        return "do ids begin at 1? Then see reduce_zero_label"
    return ""
