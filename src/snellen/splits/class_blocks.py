"""One class a sample, no groups: each class, in the order of its hashes, in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from snellen.splits.hashing import hash_ranks
from snellen.splits.rounding import class_quotas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.splits.ratios import Ratios

__all__ = ["by_blocks", "ties_by_hash"]

ALGORITHM = "hash-blocks/1"


def by_blocks(
    names: Sequence[str],
    code: NDArray[np.int32],
    ratios: Ratios,
    *,
    seed: int,
    small_rule: bool,
) -> NDArray[np.int32]:
    """Return the part of each sample.

    Within a class the samples with the lowest hashes go to the first part, as many as its quota,
    the next ones to the second, and so on. A sample more moves each boundary by at most one.

    Parameters
    ----------
    names : sequence of str
        The classes, K of them.
    code : ndarray of int32, shape (n,)
        The class of each sample; samples in the order of their hashes.
    ratios : Ratios
        The parts' shares.
    seed : int
        Decides ties between equal remainders.
    small_rule : bool
        See `class_quotas`.

    Returns
    -------
    ndarray of int32, shape (n,)
    """
    n = np.bincount(code, minlength=len(names)).astype(np.int64)
    # Only classes that are there, in the order of their hashes: ties between classes go by it.
    present = np.nonzero(n)[0]
    if not len(present):
        return np.zeros(0, np.int32)
    rank = hash_ranks([names[k] for k in present.tolist()], seed)
    present = present[np.argsort(rank, kind="stable")]
    place = np.empty(len(names), np.int32)
    place[present] = np.arange(len(present), dtype=np.int32)

    n_parts = len(ratios.weights)
    tie = ties_by_hash([names[k] for k in present.tolist()], n_parts, seed)
    counts = class_quotas(n[present], ratios, tie, small_rule=small_rule, level=True)
    part = np.empty(len(code), np.int32)
    part[np.argsort(place[code], kind="stable")] = np.repeat(
        np.tile(np.arange(n_parts, dtype=np.int32), len(present)), counts.ravel()
    )
    return part


def ties_by_hash(names: Sequence[str], n_parts: int, seed: int) -> NDArray[np.int64]:
    """Return numbers from 1 to P within each class, by the hash of class and part, (K, P)."""
    texts = [f"{name}\0{part}" for name in names for part in range(n_parts)]
    rank = hash_ranks(texts, seed).reshape(len(names), n_parts)
    order = np.argsort(rank, axis=1, kind="stable")
    tie = np.empty_like(order)
    np.put_along_axis(tie, order, np.arange(1, n_parts + 1)[None], axis=1)
    return tie
