"""What the pixel values of both sides mean, decided from all of them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.errors import ClassError, DataWarning, SnellenError
from snellen.readers.label_sums import added_up
from snellen.segmentation.label_scheme import STRAY, VOID
from snellen.segmentation.recognition import doubt
from snellen.segmentation.stray_values import stray_report
from snellen.segmentation.value_pairs import ValuePairs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from snellen.readers.label_counts import CountedLabels
    from snellen.readers.label_pairs import LabelPairs
    from snellen.segmentation.label_scheme import Encoding, LabelScheme

__all__ = ["Encodings", "encodings_of"]

_LAST_RESORT: Final = 'add them to the classes, or take them as void with unknown="ignore"'
_MASK: Final = [0, 255]
_MASK_OF_VOID: Final = (
    "expected ids of classes, got 0 and 255 alone, and 255 is void: of masks give a class file "
    'with these ids, such as {"0": "background", "255": "object"}; if 255 is void, say '
    "ignore_index=255"
)


class Encodings(NamedTuple):
    """What pixel values mean.

    Attributes
    ----------
    truth, pred : Encoding
        Of either side.
    notes : tuple of str
        What was chosen and why, and what speaks against it; a line each.
    """

    truth: Encoding
    pred: Encoding
    notes: tuple[str, ...]


def encodings_of(
    counted: CountedLabels,
    files: LabelPairs,
    scheme: LabelScheme,
    *,
    truth: str | None = None,
    pred: str | None = None,
    unknown: str = "error",
    void_said: bool = False,
) -> Encodings:
    """Return the encodings of both sides, and check every value against them.

    Parameters
    ----------
    counted : CountedLabels
        What `count_label_files` found in the files.
    files : LabelPairs
        The files.
    scheme : LabelScheme
        The classes, and the encodings they are found in.
    truth, pred : str, optional
        The names of encodings; without, they are those that palettes speak for, or recognised.
    unknown : {"error", "ignore"}
        Whether values that are none are an error, or void with a warning.

    void_said : bool
        Whether the user said what is void: without, a side of nothing but 0 and a void 255 is taken
        for a mask, of which all objects would be left out.

    Raises
    ------
    ClassError
        For values that mean nothing: how many pixels have them, and the first file. For masks of 0
        and 255 where 255 is void.
    InputError, SchemaError
        Where an encoding can't be recognised, or there is none of that name.

    Warns
    -----
    DataWarning
        With ``unknown="ignore"``, which values of how many pixels mean nothing.
    """
    # Of all images together: all that follows looks at some hundred rows.
    (truth_values, pred_values), n = added_up(
        counted.pairs.truth, counted.pairs.pred, counts=counted.pairs.count
    )
    pairs = ValuePairs(np.array([0, len(n)]), truth_values, pred_values, n)
    notes = list(counted.notes)
    found: list[Encoding] = []
    for side, asked, values, kind, paths in (
        ("truth", truth or counted.truth_encoding, pairs.truth, counted.truth_kind, files.truth),
        ("predictions", pred or counted.pred_encoding, pairs.pred, counted.pred_kind, files.pred),
    ):
        (distinct,), counts = added_up(values, counts=n)
        if asked is not None:
            encoding = scheme.encoding(asked)
            if encoding.is_colour != (kind == "colours"):
                raise ClassError(
                    f"expected {'colours' if encoding.is_colour else 'ids'} (encoding {asked}), "
                    f"got {kind}: name another encoding, or leave it to be recognised",
                    f"{side}, such as {paths[0]}",
                )
        else:
            try:
                encoding, note = scheme.recognise(
                    distinct,
                    counts,
                    kind,
                    [path.name for path in paths],
                    side="pred" if found else "truth",
                    truth=found[0] if found else None,
                    pairs=pairs if found else None,
                )
            except SnellenError as error:
                raise error.within(f"{side}, such as {paths[0]}") from error
            if note:
                notes.append(note)
        codes = encoding.codes_of(distinct, pred=bool(found))
        if not void_said and distinct.tolist() == _MASK and codes.tolist()[1] == VOID:
            raise ClassError(_MASK_OF_VOID, f"{side}, such as {paths[0]}")
        stray = codes == STRAY
        if stray.any():
            otherwise = _LAST_RESORT if unknown == "error" else ""
            report = stray_report(distinct, counts, encoding, otherwise=otherwise)
            every = counted.pairs.pred if found else counted.pairs.truth
            first = _first_file(counted.pairs.start, every, distinct[stray], paths)
            if unknown == "error":
                raise ClassError(report, f"{side}, first in {first}")
            fate = "misses, as no class" if found else "void"
            warnings.warn(
                f"{side}: {report}; taken as {fate}; first in {first}", DataWarning, stacklevel=2
            )
        found.append(encoding)
    one_off = doubt(found[0], found[1], pairs)
    if one_off:
        notes.append(one_off)
    return Encodings(found[0], found[1], tuple(notes))


def _first_file(
    start: NDArray[np.int64],
    values: NDArray[np.int64],
    stray: NDArray[np.int64],
    paths: Sequence[Path],
) -> Path:
    row = int(np.flatnonzero(np.isin(values, stray))[0])
    return paths[int(np.searchsorted(start, row, side="right")) - 1]
