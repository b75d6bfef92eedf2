"""Parts of given shares: train, validation, test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import IdError, InputError, did_you_mean, first_few
from snellen.splits.assignment import (
    Samples,
    algorithm_of,
    assign,
    check_small_classes,
    samples_of,
)
from snellen.splits.hashing import normalised_keys, refuse_repeated
from snellen.splits.ratios import Ratios, part_names
from snellen.splits.split import Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["hold_out", "hold_out_samples"]


def hold_out(
    keys: Iterable[Any],
    ratios: str | Sequence[float] | Ratios,
    *,
    labels: Any = None,
    groups: Any = None,
    targets: Any = None,
    bins: int = 10,
    classes: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
    strict: bool = False,
    frozen: Mapping[str, str] | None = None,
) -> Split:
    """Split samples in parts of given shares.

    Where a sample goes is decided by the hash of the seed and its key, not by the order of the
    samples, the machine or a random generator: the same samples give the same parts everywhere,
    and a sample more moves few others.

    Parameters
    ----------
    keys : iterable of str, path or int, n of them
        What names the samples, each once; paths relative to the data set.
    ratios : str or sequence of float
        ``"60/20/20"``, ``"0.8/0.2"``, or numbers; they add up to 100 or 1.
    labels : optional
        What to spread evenly. One class for each sample: (n,) whole numbers or texts. Several:
        n lists of classes, one an object; or an (n, K) array of whole numbers, how many objects
        of each class a sample holds (an indicator matrix too). Lists of one length are taken for
        such an array where they hold 0 and 1 alone, and at least two of them (``[1]`` is the
        class 1); where they hold bools; and where they hold a number for each of `classes`.
    groups : array-like of int or str, shape (n,), optional
        Samples of one group go to one part.
    targets : array-like of float, shape (n,), optional
        Numbers to spread evenly, instead of labels.
    bins : int
        How many quantile bins of targets.
    classes : sequence of str, optional
        The names of the columns of an (n, K) array.
    names : sequence of str, optional
        The parts' names. Without: train and test, or train, val and test, or part1, part2, ….
    seed : int
        From 0 to 2**64 - 1.
    strict : bool
        Refuse classes with fewer samples than parts.
    frozen : mapping of str to str, optional
        Keys whose part is fixed. All other samples go to the parts that this does not name, in
        their shares among themselves.

    Returns
    -------
    Split

    Raises
    ------
    InputError, ShapeError, ClassError, IdError
        The message says what to do.

    Notes
    -----
    A class of one sample goes to the first part; of two, to the first and the last; of as many
    samples as parts, or more, at least one goes to each part. Classes are rounded by largest
    remainder, and then so that the parts' sizes are as asked, too.

    Examples
    --------
    >>> split = hold_out([f"{i}.jpg" for i in range(10)], "60/20/20", labels=list("aaaaabbbbb"))
    >>> split
    Split(train=6, val=2, test=2)
    >>> split.class_counts().tolist()
    [[3, 3], [1, 1], [1, 1]]
    """
    samples = samples_of(
        keys, labels=labels, groups=groups, targets=targets, bins=bins, classes=classes
    )
    return hold_out_samples(
        samples, Ratios.of(ratios), names, seed=seed, strict=strict, frozen=frozen
    )


def hold_out_samples(
    samples: Samples,
    ratios: Ratios,
    names: Sequence[str] | None = None,
    *,
    seed: int = 0,
    strict: bool = False,
    frozen: Mapping[str, str] | None = None,
) -> Split:
    """Split samples that were checked; see `hold_out`."""
    parts = part_names(names, len(ratios.weights))
    check_small_classes(samples, len(parts), "part", strict=strict)
    method = {
        "kind": "hold-out",
        "algorithm": algorithm_of(samples),
        "seed": seed,
        "strict": strict,
        "ratios": ratios.text(),
    }
    if frozen:
        part, stay = _beside_frozen(samples, ratios, parts, seed, frozen)
        method["frozen"] = [parts[i] for i in stay]
    else:
        part = assign(samples, ratios, seed=seed, small_rule=True)
    return Split(samples, part, parts, ratios, method)


def _beside_frozen(
    samples: Samples,
    ratios: Ratios,
    parts: tuple[str, ...],
    seed: int,
    frozen: Mapping[str, str],
) -> tuple[NDArray[np.int32], list[int]]:
    """Return the part of each sample where some are fixed, and which parts are closed."""
    for name in frozen.values():
        if name not in parts:
            raise InputError(
                f'expected frozen parts of {", ".join(parts)}, got "{name}".'
                f"{did_you_mean(name, parts)}"
            )
    fixed = dict(zip(normalised_keys(frozen), map(parts.index, frozen.values()), strict=True))
    closed = sorted(set(fixed.values()))
    others = [i for i in range(len(parts)) if i not in closed]
    if not others:
        raise InputError("expected a part that new samples may join, all are frozen")
    refuse_repeated(samples.keys, "keys")
    part = np.array([fixed.get(key, -1) for key in samples.keys], np.int32)
    rest = np.nonzero(part < 0)[0]
    _refuse_frozen_groups(samples, part, rest)
    among = assign(samples.take(rest), ratios.without(closed), seed=seed, small_rule=True)
    part[rest] = np.array(others, np.int32)[among]
    return part, closed


def _refuse_frozen_groups(
    samples: Samples, part: NDArray[np.int32], rest: NDArray[np.int64]
) -> None:
    if samples.groups is None:
        return
    code = samples.groups.code
    closed = np.unique(code[part >= 0])
    torn = rest[np.isin(code[rest], closed)]
    if len(torn):
        raise IdError(
            f"expected new samples of groups that are not frozen, got {len(torn)} of frozen "
            f"ones: {first_few(samples.keys[i] for i in torn)}; they would be on both sides: "
            "leave them out, or split anew"
        )
