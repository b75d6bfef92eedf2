"""Folds: each sample is tested on once a round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import InputError
from snellen.splits.assignment import (
    Samples,
    algorithm_of,
    assign,
    check_small_classes,
    samples_of,
)
from snellen.splits.hashing import hash_ranks, refuse_repeated
from snellen.splits.ratios import MAX_PARTS, Ratios
from snellen.splits.split import Folds, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["fold_samples", "k_fold", "leave_one_group_out", "leave_out_groups"]


def k_fold(
    keys: Iterable[Any],
    n_folds: int,
    *,
    labels: Any = None,
    groups: Any = None,
    targets: Any = None,
    bins: int = 10,
    classes: Sequence[str] | None = None,
    repeats: int = 1,
    seed: int = 0,
    strict: bool = False,
) -> Folds:
    """Split samples in folds of equal size, once or repeatedly.

    Parameters
    ----------
    keys, labels, groups, targets, bins, classes, seed
        See `hold_out`.
    n_folds : int
        How many folds, from 2; at most the number of samples, or of groups.
    repeats : int
        How many rounds, each with a seed of its own.
    strict : bool
        Refuse classes with fewer samples than folds.

    Returns
    -------
    Folds

    Raises
    ------
    InputError, ShapeError, ClassError, IdError
        The message says what to do.

    Notes
    -----
    The counts of a class in two folds differ by at most one, where samples have one class and no
    groups. A class with fewer samples than folds is in as many folds as it has samples.

    Examples
    --------
    >>> folds = k_fold(range(10), 5, labels=[0, 1] * 5)
    >>> [(len(train), len(test)) for train, test in folds]
    [(8, 2), (8, 2), (8, 2), (8, 2), (8, 2)]
    """
    samples = samples_of(
        keys, labels=labels, groups=groups, targets=targets, bins=bins, classes=classes
    )
    return fold_samples(samples, n_folds, repeats=repeats, seed=seed, strict=strict)


def fold_samples(
    samples: Samples, n_folds: int, *, repeats: int = 1, seed: int = 0, strict: bool = False
) -> Folds:
    """Split samples that were checked; see `k_fold`."""
    unit, n_units = "samples", len(samples.keys)
    if samples.groups is not None:
        unit, n_units = "groups", len(np.unique(samples.groups.code))
    if not 2 <= n_folds <= min(n_units, MAX_PARTS):
        raise InputError(
            f"expected from 2 folds to as many as there are {unit} ({n_units}), got {n_folds}"
        )
    if repeats < 1:
        raise InputError(f"expected at least 1 round, got {repeats}")
    check_small_classes(samples, n_folds, "fold", strict=strict)
    ratios = Ratios.equal(n_folds)
    names = tuple(f"fold{i + 1}" for i in range(n_folds))
    rounds = []
    for repeat in range(repeats):
        own = seed if repeat == 0 else int(hash_ranks([f"round {repeat + 1}"], seed)[0])
        part = assign(samples, ratios, seed=own, small_rule=False)
        method = {
            "kind": "folds",
            "algorithm": algorithm_of(samples),
            "seed": seed,
            "strict": strict,
            "folds": n_folds,
            "repeats": repeats,
        }
        rounds.append(Split(samples, part, names, ratios, method))
    return Folds(tuple(rounds))


def leave_one_group_out(keys: Iterable[Any], groups: Any, *, labels: Any = None) -> Folds:
    """Return a fold for each group, by the groups' names.

    Parameters
    ----------
    keys, groups, labels
        See `hold_out`; labels only for the tables.

    Returns
    -------
    Folds
        One round; its parts have the groups' names.

    Raises
    ------
    InputError, ShapeError, IdError
        Also for fewer than two groups.

    Examples
    --------
    >>> folds = leave_one_group_out(range(4), ["a", "b", "a", "c"])
    >>> [test.tolist() for _, test in folds]
    [[0, 2], [1], [3]]
    """
    return leave_out_groups(
        samples_of(keys, labels=labels, groups=groups, targets=None, bins=2, classes=None)
    )


def leave_out_groups(samples: Samples) -> Folds:
    """Split samples that were checked; see `leave_one_group_out`."""
    if samples.groups is None:
        raise InputError("expected groups to leave out, got none: name them (--group)")
    if not 2 <= len(samples.groups.names) <= MAX_PARTS:
        raise InputError(
            f"expected 2 to {MAX_PARTS} groups to leave out one by one, got "
            f"{len(samples.groups.names)}"
        )
    refuse_repeated(samples.keys, "keys")
    n = len(samples.keys)
    sizes = np.bincount(samples.groups.code, minlength=len(samples.groups.names))
    ratios = Ratios(tuple(sizes.tolist()), n)
    method = {"kind": "leave-one-group-out", "algorithm": "groups/1"}
    return Folds((Split(samples, samples.groups.code, samples.groups.names, ratios, method),))
