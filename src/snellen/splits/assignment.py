"""Samples to parts: the one place that chooses how."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import ClassError, DataWarning, InputError, first_few
from snellen.splits import balancing, class_blocks
from snellen.splits.balancing import Units, balanced
from snellen.splits.class_blocks import by_blocks
from snellen.splits.continuous import strata_of_targets
from snellen.splits.groups import Groups
from snellen.splits.hashing import hash_order, hash_ranks, normalised_keys, refuse_repeated
from snellen.splits.strata import Strata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from snellen.splits.ratios import Ratios

__all__ = ["Samples", "algorithm_of", "assign", "check_small_classes", "samples_of"]


class Samples(NamedTuple):
    """What is to be split.

    Attributes
    ----------
    keys : list of str
        The normalised keys, n of them, each once, in the given order.
    strata : Strata or None
        What is to be spread evenly.
    groups : Groups or None
        What is to stay together.
    """

    keys: list[str]
    strata: Strata | None
    groups: Groups | None

    def take(self, rows: NDArray[np.int64]) -> Samples:
        """Return some of the samples, rows ascending."""
        strata, groups = self.strata, self.groups
        return Samples(
            [self.keys[i] for i in rows.tolist()],
            None if strata is None else strata.take(rows, len(self.keys)),
            None if groups is None else groups._replace(code=groups.code[rows]),
        )


def samples_of(
    keys: Iterable[Any],
    *,
    labels: Any,
    groups: Any,
    targets: Any,
    bins: int,
    classes: Sequence[str] | None,
) -> Samples:
    """Return checked samples; see `snellen.splits.hold_out`."""
    if labels is not None and targets is not None:
        raise InputError("expected labels or targets to stratify by, got both")
    normal = normalised_keys(keys)
    n = len(normal)
    strata = None
    if labels is not None:
        strata = Strata.of_labels(labels, n, classes)
    elif targets is not None:
        strata = strata_of_targets(targets, n, bins)
    return Samples(normal, strata, None if groups is None else Groups.of(groups, n))


def assign(samples: Samples, ratios: Ratios, *, seed: int, small_rule: bool) -> NDArray[np.int32]:
    """Return the part of each sample, shape (n,), decided by keys, classes, groups and seed.

    Raises
    ------
    IdError
        Where a key comes twice.
    """
    keys, strata, groups = samples
    if groups is not None:
        refuse_repeated(keys, "keys")
        return _of_groups(samples, groups, ratios, seed, small_rule)
    order = hash_order(keys, rank := hash_ranks(keys, seed), "keys")
    part = np.empty(len(keys), np.int32)
    if strata is None or strata.single:
        names = ("",) if strata is None else strata.names
        code = np.zeros(len(keys), np.int32) if strata is None else strata.code
        part[order] = by_blocks(names, code[order], ratios, seed=seed, small_rule=small_rule)
    else:
        place = np.empty(len(keys), np.int64)
        place[order] = np.arange(len(keys))
        units = Units(rank[order], np.ones(len(keys), np.int64))
        held = strata._replace(row=place[strata.row])
        part[order] = balanced(units, held, ratios, seed=seed, small_rule=small_rule)
    return part


def _of_groups(
    samples: Samples, groups: Groups, ratios: Ratios, seed: int, small_rule: bool
) -> NDArray[np.int32]:
    size = np.bincount(groups.code, minlength=len(groups.names)).astype(np.int64)
    present = np.nonzero(size)[0]
    names = [groups.names[g] for g in present]
    rank = hash_ranks(names, seed)
    order = hash_order(names, rank, "groups")
    place = np.empty(len(groups.names), np.int64)
    place[present[order]] = np.arange(len(order))
    units = Units(rank[order], size[present[order]])
    strata = samples.strata
    held = None
    if strata is not None:
        held = strata._replace(row=place[groups.code[strata.row]])
    part: NDArray[np.int32] = balanced(units, held, ratios, seed=seed, small_rule=small_rule)[
        place[groups.code]
    ]
    return part


def algorithm_of(samples: Samples) -> str:
    """Return the name of the rule by which `assign` goes; another rule gets another name."""
    single = samples.strata is None or samples.strata.single
    return class_blocks.ALGORITHM if samples.groups is None and single else balancing.ALGORITHM


def check_small_classes(samples: Samples, n_parts: int, what: str, *, strict: bool) -> None:
    """Warn of classes that cannot be in every part.

    Raises
    ------
    ClassError
        Instead, where `strict`.
    """
    if samples.strata is None:
        return
    totals, unit = samples.strata.totals(), "samples"
    if samples.groups is not None:
        n_classes = max(1, len(samples.strata.names))
        pair = np.sort(
            samples.groups.code[samples.strata.row] * np.int64(n_classes) + samples.strata.code
        )
        first = np.concatenate((pair[:1] >= 0, pair[1:] != pair[:-1]))
        totals = np.bincount(pair[first] % n_classes, minlength=n_classes).astype(np.int64)
        unit = "groups"
    small = np.nonzero((totals > 0) & (totals < n_parts))[0]
    if not len(small):
        return
    shown = first_few(f"{samples.strata.names[k]} ({totals[k]})" for k in small)
    message = (
        f"{len(small)} of {int((totals > 0).sum())} classes have fewer {unit} than there are "
        f"{what}s ({n_parts}): {shown}"
    )
    if strict:
        raise ClassError(f"{message}; merge or drop them, or go without strict (--strict)")
    warnings.warn(f"{message}: they are missing from some {what}s", DataWarning, stacklevel=3)
