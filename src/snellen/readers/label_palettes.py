"""Whether the indices of palette images are ids, or stand for colours.

Mostly they are ids, and their palette is for looking at. But what makes files smaller turns images
of colours into indices in an order of its own, another one in each file: as ids they would be other
classes. The palettes tell, where classes have colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.errors import ClassError
from snellen.readers.label_sums import added_up
from snellen.segmentation.label_scheme import STRAY, Encoding, colour_value
from snellen.segmentation.stray_values import as_colours

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from snellen.segmentation.label_scheme import LabelScheme

__all__ = ["Meaning", "Stored", "colour_values", "meaning_of_indices"]

_NO_COLOUR: Final = -1
_NEARLY_ALL: Final = 0.9
_GRAY: Final = colour_value(1, 1, 1)  # times i: what index i is in a palette of grays


class Stored(NamedTuple):
    """What the files of a side store.

    Attributes
    ----------
    side : str
        ``"truth"`` or ``"pred"``.
    files : sequence of N paths
    kinds : list of N str
        ``"ids"``, ``"palette"`` or ``"colours"``, as `LabelImage.kind`.
    palettes : list of N bytes
        Red, green, blue, red, …; empty for files without a palette.
    """

    side: str
    files: Sequence[Path]
    kinds: list[str]
    palettes: list[bytes]

    @classmethod
    def of(cls, side: str, files: Sequence[Path], stored: Sequence[tuple[str, bytes]]) -> Stored:
        """Return what N files store, of each its kind and its palette."""
        return cls(side, files, [kind for kind, _ in stored], [palette for _, palette in stored])


class Meaning(NamedTuple):
    """What the palettes of a side tell.

    Attributes
    ----------
    colours : ndarray, shape (P,), int64, or None
        Of each row the value of its colour; None where indices are ids.
    encoding : str or None
        The encoding that palettes speak for, if they do for one.
    note : str
        What was decided and why; empty where it goes without saying.
    """

    colours: NDArray[np.int64] | None
    encoding: str | None
    note: str


_NOTHING: Final = Meaning(None, None, "")


def meaning_of_indices(
    stored: Stored,
    scheme: LabelScheme,
    start: NDArray[np.int64],
    values: NDArray[np.int64],
    counts: NDArray[np.int64],
    *,
    encoding: str | None = None,
) -> Meaning:
    """Return what the indices of a side stand for.

    If an encoding was asked for, that decides. Without, indices are ids

    1. where the classes have no colours that tell them apart;
    2. where the palettes have some id's colour, and at no id the colour of something else;
    3. where the palettes have other colours than the classes.

    Parameters
    ----------
    stored : Stored
        What the N files hold.
    scheme : LabelScheme
        The classes, their ids and colours.
    start, values, counts : ndarray of int64, shapes (N + 1,), (P,), (P,)
        Rows of raw values, as in `ValuePairs`.
    encoding : str, optional
        The encoding that was asked for.

    Raises
    ------
    ClassError
        Where the palettes mostly have the colours of classes, at other indices than their ids, and
        others besides.
    InputError
        For an unknown encoding.
    """
    colours = next((each for each in scheme.encodings if each.is_colour), None)
    if encoding is not None:
        asked = scheme.encoding(encoding)
        colours = asked if asked.is_colour else None
    if colours is None or "palette" not in stored.kinds:
        return _NOTHING
    n_rows = np.diff(start)
    is_index = np.repeat([kind == "palette" for kind in stored.kinds], n_rows)
    through = np.where(is_index, colour_values(stored.palettes, n_rows, values), values)
    if encoding is not None:
        return Meaning(through, encoding, "")
    (index, colour), n = added_up(values[is_index], through[is_index], counts=counts[is_index])
    known = colours.codes_of(colour, pred=True)
    subject = "truth is" if stored.side == "truth" else "predictions are"
    ids = [
        each
        for each in scheme.encodings
        if not each.is_colour and not each.per_instance and stored.side in each.sides
    ]
    mixed = "colours" in stored.kinds  # other files: then these are no ids
    if not mixed:
        fitting = [each for each in ids if _has_its_colours(each, index, known)]
        if len(fitting) == 1 < len(ids):
            name = fitting[0].name
            return Meaning(None, name, f"{subject} {name}: palettes have the colours of its ids")
        if fitting:
            return _NOTHING
    # A palette of grays may have the gray of a class by chance.
    classes = known[(known >= 0) & (colour != index * _GRAY)]
    if (known != STRAY).all() and (mixed or len(classes)):
        where = "" if mixed else ", at other indices than its ids"
        note = f"{subject} colours, through palettes: they have those of {scheme.name}{where}"
        return Meaning(through, colours.name, note)
    strange = is_index & (colours.codes_of(through, pred=True) == STRAY)
    file = np.repeat(np.arange(len(n_rows)), n_rows)
    is_strange = np.bincount(file[strange], minlength=len(n_rows)) > 0
    n_files = stored.kinds.count("palette")
    n_pixels = int(n[known != STRAY].sum())
    if len(set(classes.tolist())) > 1 and (
        n_pixels >= _NEARLY_ALL * int(n.sum()) or 2 * int(is_strange.sum()) <= n_files
    ):
        names = " or ".join(each.name for each in (*ids, colours))
        raise ClassError(
            f"expected palettes of the colours of {scheme.name}, or of others, got its colours at "
            f"other indices than its ids, and {as_colours(colour[known == STRAY][:3])} besides: "
            f"say what {subject}, {names}",
            str(stored.files[int(np.flatnonzero(is_strange)[0])]),
        )
    return _NOTHING


def colour_values(
    palettes: Sequence[bytes], n_rows: NDArray[np.int64], index: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the value of the colour of each index, −1 for indices beyond their palette.

    Parameters
    ----------
    palettes : sequence of N bytes
        As in `Stored`.
    n_rows : ndarray, shape (N,), int
        How many of the indices are of each palette.
    index : ndarray, shape (P,), int

    Examples
    --------
    >>> colour_values([bytes([1, 0, 0, 0, 1, 0])], np.array([3]), np.array([0, 1, 2])).tolist()
    [1, 256, -1]
    """
    # Most often all files have one palette.
    number = {palette: k for k, palette in enumerate(dict.fromkeys(palettes))}
    colours = np.frombuffer(b"".join(number), np.uint8).reshape(-1, 3)
    values = colours.astype(np.int64) @ np.array([1, 256, 65536])
    size = np.array([len(palette) // 3 for palette in number], np.int64)
    begin = np.cumsum(size) - size
    row = np.repeat([number[palette] for palette in palettes], n_rows)
    inside = (index >= 0) & (index < size[row])
    found = np.full(len(index), _NO_COLOUR, np.int64)
    found[inside] = values[begin[row[inside]] + index[inside]]
    return found


def _has_its_colours(
    encoding: Encoding, index: NDArray[np.int64], known: NDArray[np.int32]
) -> bool:
    """Return whether ids of classes have their colours, as far as they have any of the scheme.

    What is void may look like anything: palettes are often filled up with black.
    """
    code = encoding.codes_of(index, pred=True)
    told = (code >= 0) & (known != STRAY)
    return bool(told.any() and (code == known)[told].all())
