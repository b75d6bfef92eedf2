"""Which encoding pixels are written in: from file names, from their kind, from their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.errors import ClassError, first_few
from snellen.segmentation.label_scheme import STRAY
from snellen.segmentation.stray_values import as_colours, instance_like

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from snellen.segmentation.label_scheme import Encoding, LabelScheme
    from snellen.segmentation.value_pairs import ValuePairs

__all__ = ["doubt", "recognise"]

_CLEARLY: Final = 2
"""How many times as many pixels have to agree before agreement decides."""

_FAR_FEWER: Final = 1.5
"""How many times as many values make that what fits the fewer is hardly of the more."""


def recognise(
    scheme: LabelScheme,
    values: ArrayLike,
    counts: ArrayLike,
    kind: str,
    names: Iterable[str] = (),
    *,
    side: str = "truth",
    truth: Encoding | None = None,
    pairs: ValuePairs | None = None,
) -> tuple[Encoding, str]:
    """Return the encoding that the pixels of one side are written in, and why it is this one.

    1. Colours are of the encoding of colours.
    2. Where all files' names hold one of an encoding's hints, and it knows all values, it is this.
    3. Where one encoding alone knows all values, it is this.
    4. Where several do: predictions are of the one by which clearly more pixels agree with truth,
       if `pairs` can tell; else it is the one with far fewer values (labels of 0 to 18 alone are
       hardly labelIds), else the encoding of truth, else the first.
    5. Where none does, it is the one that knows most pixels; `stray_report` names the others.

    Parameters
    ----------
    scheme : LabelScheme
        The encodings in question.
    values : array-like of int
        The different raw values of all files of this side.
    counts : array-like of int
        The number of pixels of each.
    kind : str
        ``"ids"``, ``"palette"`` or ``"colours"``, as `LabelImage.kind`.
    names : iterable of str
        The files' names.
    side : str
        ``"truth"`` or ``"pred"``.
    truth : Encoding, optional
        For predictions, that of truth.
    pairs : ValuePairs, optional
        For predictions, how often pairs of raw values occur.

    Returns
    -------
    (Encoding, str)
        The note is empty where there was no choice.

    Raises
    ------
    ClassError
        For colours without a table of colours, instanceIds that no name announces, and values that
        speak for two encodings.
    """
    values = np.asarray(values, np.int64)
    counts = np.asarray(counts, np.int64)
    values, counts = values[counts > 0], counts[counts > 0]
    subject = "truth is" if side == "truth" else "predictions are"
    if kind == "colours":
        return _of_colours(scheme, values, counts, subject)
    known = [each for each in scheme.encodings if not each.is_colour and side in each.sides]
    hinted = _hinted(known, names)
    ways = [each for each in known if not each.per_instance or each is hinted]
    _refuse_instances(known, ways, values, subject)
    stray = {each.name: _n_stray(each, values, counts) for each in ways}
    fitting = [each for each in ways if not stray[each.name]]
    if hinted is not None and hinted in fitting:
        return hinted, f"{subject} {hinted.name}: so their files are named"
    though = f", though files are named as {hinted.name}" if hinted is not None else ""
    if len(ways) == 1:
        return ways[0], ""
    highest = int(values.max(initial=0))
    if not fitting:
        best = min(ways, key=lambda each: (stray[each.name], each is not truth))
        return best, f"{subject} {best.name}: it knows most pixels, not all{though}"
    if len(fitting) == 1:
        _refuse_one_more(fitting[0], ways, values, subject)
        return fitting[0], f"{subject} {fitting[0].name}: values up to {highest}{though}"
    if truth is not None and pairs is not None:
        agreeing = [_agreeing(truth, each, pairs) for each in fitting]
        first, second = sorted(agreeing, reverse=True)[:2]
        if first > _CLEARLY * second:
            best = fitting[agreeing.index(first)]
            total = max(int(np.asarray(pairs.count).sum()), 1)
            return best, (
                f"{subject} {best.name}: {first / total:.1%} of the pixels agree with truth so, at "
                f"most {second / total:.1%} else"
            )
    # Those of predictions alone are there because they are usual there (`with_zero_void`).
    usual = [each for each in fitting if each.sides == ("pred",)] or fitting
    fewest = min(len(each.values) for each in usual)
    usual = [each for each in usual if len(each.values) < _FAR_FEWER * fewest]
    best = truth if truth is not None and truth in usual else usual[0]
    others = [each for each in fitting if each is not best]
    far_fewer = all(len(each.values) >= _FAR_FEWER * len(best.values) for each in others)
    if far_fewer and best.sides != ("pred",):
        why = f" ({best.described()}), which are fewest"
    else:
        why = ", as truth is" if best is truth else ""
    return best, (
        f"{subject} taken as {best.name}{why}: values up to {highest} could be "
        f"{' or '.join(each.name for each in others)} too; if so, say what {subject}"
    )


def doubt(truth: Encoding, pred: Encoding, pairs: ValuePairs) -> str:
    """Return what speaks for predictions that are one step off, or nothing.

    That is so where fewer than half of the pixels agree, and more than twice as many would if each
    predicted class were the next one, or the one before: the sign of void or background that is a
    class on one side only.
    """
    n = np.asarray(pairs.count, np.int64)
    wanted = truth.codes_of(pairs.truth)
    found = pred.codes_of(pairs.pred, pred=True)
    counted = (wanted >= 0) & (found >= 0)
    total = int(n[wanted >= 0].sum())
    agree, one_less, one_more = (
        int(n[counted & (wanted == found + step)].sum()) for step in (0, -1, 1)
    )
    best = max(one_less, one_more)
    if not total or 2 * agree >= total or best <= _CLEARLY * agree:
        return ""
    step = "before" if best == one_less else "after"
    return (
        f"{agree / total:.1%} of the pixels agree, but {best / total:.1%} would if each predicted "
        f"class were the one {step} it: is void or background a class in one and not in the other? "
        "See reduce_zero_label"
    )


def _of_colours(
    scheme: LabelScheme, values: NDArray[np.int64], counts: NDArray[np.int64], subject: str
) -> tuple[Encoding, str]:
    colours = next((each for each in scheme.encodings if each.is_colour), None)
    gray = bool((values % 256 * 65793 == values).all()) if len(values) else False
    if colours is not None and not (gray and _n_stray(colours, values, counts)):
        return colours, f"{subject} colours: by the table of {scheme.name}"
    if gray:
        raise ClassError(
            f"expected one channel of ids of {scheme.name}, got three equal ones (such as "
            f"{as_colours(values[-1:])}): store ids as a gray image"
        )
    table = "has no table of colours" if scheme.colours is None else "has colours of two classes"
    raise ClassError(
        f"expected ids, got colours (such as {as_colours(values[:3])}), and {scheme.name} {table}: "
        "store ids in one channel, or give a class file in which each class has its color"
    )


def _hinted(known: list[Encoding], names: Iterable[str]) -> Encoding | None:
    shown = [name.lower() for name in names]
    if not shown:
        return None
    for each in known:
        for hint in each.hints:
            if all(hint.lower() in name for name in shown):
                return each
    return None


def _refuse_instances(
    known: list[Encoding], ways: list[Encoding], values: NDArray[np.int64], subject: str
) -> None:
    for each in known:
        odd = instance_like(values, each)
        if len(odd) and each not in ways:
            raise ClassError(
                f"expected values of {' or '.join(way.name for way in ways)}, got "
                f"{first_few(odd.tolist(), 3)}: {subject} probably {each.name} "
                f"({each.per_instance} × id + number); give labelIds, or say that they are "
                f"{each.name}"
            )


def _refuse_one_more(
    chosen: Encoding, ways: list[Encoding], values: NDArray[np.int64], subject: str
) -> None:
    """Refuse what may be the next encoding, or a network with one class more than this one has."""
    highest = int(chosen.values[chosen.codes >= 0][-1])
    for each in ways:
        last = int(each.values[each.codes >= 0][-1])
        stray = values[each.codes_of(values) == STRAY].tolist()
        if last + 1 < highest and stray == [last + 1]:
            raise ClassError(
                f"expected values that tell {each.name} from {chosen.name}, got {stray[0]} as the "
                f"only one that {each.name} ({each.described()}) lack: say what {subject}, or give "
                f"ignore_index={stray[0]}"
            )


def _n_stray(encoding: Encoding, values: NDArray[np.int64], counts: NDArray[np.int64]) -> int:
    return int(counts[encoding.codes_of(values) == STRAY].sum())


def _agreeing(truth: Encoding, pred: Encoding, pairs: ValuePairs) -> int:
    wanted = truth.codes_of(pairs.truth)
    same = (wanted >= 0) & (wanted == pred.codes_of(pairs.pred, pred=True))
    return int(np.asarray(pairs.count, np.int64)[same].sum())
