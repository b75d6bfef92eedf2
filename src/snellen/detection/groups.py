"""Groups of objects by Open Images' rules: predictions that lie in one, and what it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.candidates import Candidates

__all__ = ["Absorbed", "absorbed_by_groups"]

_BITS = 16  # of a word of outcomes, for hits, and as many for misses


class Absorbed(NamedTuple):
    """What becomes of predictions beside groups.

    Attributes
    ----------
    outcome : ndarray, shape (n, area ranges, words), uint32
        As it was given, but for those that lie in a group.
    group : ndarray, shape (n, T), int32
        The group that each was put down to, at each threshold in the first area range; −1 for none.
    """

    outcome: NDArray[np.uint32]
    group: NDArray[np.int32]


def absorbed_by_groups(
    outcome: NDArray[np.uint32],
    score: NDArray[np.float64],
    pairs: Candidates,
    iou_thresholds: tuple[float, ...],
    weight: int,
) -> Absorbed:
    """Return what becomes of predictions beside groups.

    A prediction that is false, and lies in a group to the threshold, is left out; the one of
    highest score of a group (of equal ones the first) is true where groups count.

    Parameters
    ----------
    outcome : ndarray, shape (n, area ranges, words), uint32
        What matching made of each prediction with single objects; see `Matched`.
    score : ndarray, shape (n,)
        Their scores.
    pairs : Candidates
        For each of them the groups of its image and class in which it lies: shared area by its own
        area.
    iou_thresholds : tuple of float
        The thresholds.
    weight : {0, 1}
        What a group counts.

    References
    ----------
    TensorFlow Object Detection API, per_image_evaluation.py: the group in which a prediction lies
    most is looked at alone, of equal ones the first.
    """
    found: NDArray[np.uint32] = outcome.copy()
    group_of = np.full((len(outcome), len(iou_thresholds)), -1, np.int32)
    counts = np.diff(pairs.begin)
    rows = np.flatnonzero(counts)
    if not len(rows):
        return Absorbed(found, group_of)
    # Sorted by row, then by how much is shared, then by group: the first of each row.
    row_of = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((pairs.truth, -pairs.similarity, row_of))
    first = order[pairs.begin[:-1][rows]]
    group, share = pairs.truth[first], pairs.similarity[first]
    for t, threshold in enumerate(iou_thresholds):
        word, bit = divmod(t, _BITS)
        miss = np.uint32(1 << (bit + _BITS))
        for a in range(outcome.shape[1]):
            false = found[rows, a, word] & miss != 0
            inside = np.flatnonzero(false & (share >= threshold))
            found[rows[inside], a, word] &= ~miss
            if a == 0:
                group_of[rows[inside], t] = group[inside]
            if weight and len(inside):
                by_group = inside[np.lexsort((rows[inside], -score[rows[inside]], group[inside]))]
                is_best = np.append(True, np.diff(group[by_group]) != 0)
                found[rows[by_group[is_best]], a, word] |= np.uint32(1 << bit)
    return Absorbed(found, group_of)
