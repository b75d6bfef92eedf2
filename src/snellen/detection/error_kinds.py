"""What is wrong with each detection, as TIDE tells errors apart.

D. Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020; the
rules are those of its package tidecv 1.0.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.detection.pairs import best_pairs, pair_rows, taken_in_turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.candidates import Candidates

__all__ = [
    "CORRECT",
    "ERROR_NAMES",
    "FOUND",
    "MISS",
    "MISSED",
    "Judged",
    "highest_scored",
    "judged",
]

CORRECT: Final = 0
CLS, LOC, BOTH, DUPE, BKG, MISS = range(1, 7)
ERROR_NAMES: Final = ("cls", "loc", "both", "dupe", "bkg", "miss")

# What became of truth: it was found, mending another error would find it, or it was missed.
FOUND, WITHIN_REACH, MISSED = range(3)


class Judged(NamedTuple):
    """What is right or wrong with n detections and m truth objects.

    Attributes
    ----------
    kind : ndarray, shape (n,), uint8
        ``CORRECT``, or the error: 1 + its place in ``ERROR_NAMES``.
    left_out : ndarray, shape (n,), uint8
        1 for an error that lies in a region that does not count: not among the false positives.
    mends : ndarray, shape (n,), uint8
        1 for an error that makes a true positive once it is mended: of all errors of class and
        place about one truth object, that with the highest score.
    mended_label : ndarray, shape (n,), int32
        The class it then has; its own where it makes none.
    truth_state : ndarray, shape (m,), uint8
        0: found; 1: some error, once mended, finds it; 2: missed. Regions are 0.
    """

    kind: NDArray[np.uint8]
    left_out: NDArray[np.uint8]
    mends: NDArray[np.uint8]
    mended_label: NDArray[np.int32]
    truth_state: NDArray[np.uint8]


def highest_scored(
    image: NDArray[np.int32], score: NDArray[np.float64], most: int
) -> NDArray[np.int64]:
    """Return the rows of the `most` best detections of each image, by image and falling score.

    Of equal scores the earlier row comes first, whatever its class.
    """
    order = np.lexsort((-score, image))
    grouped = image[order]
    start = np.flatnonzero(np.append(True, grouped[1:] != grouped[:-1])[: len(grouped)])
    size = np.diff(np.append(start, len(grouped)))
    rank = np.arange(len(grouped)) - np.repeat(start, size)
    return order[rank < most]


def judged(
    pairs: Candidates,
    truth_label: NDArray[np.int32],
    is_region: NDArray[np.bool_],
    pred_label: NDArray[np.int32],
    exempt: NDArray[np.uint8] | None = None,
    *,
    iou_threshold: float,
    background_threshold: float,
) -> Judged:
    """Tell what is wrong with each detection.

    Parameters
    ----------
    pairs : Candidates
        All pairs of an image that reach the background threshold, also of different classes.
        Detections of an image must come by falling score.
    truth_label : ndarray, shape (m,)
    is_region : ndarray, shape (m,)
        Truth that is no object: detections in it that match nothing are left out.
    pred_label : ndarray, shape (n,)
    exempt : ndarray, shape (n,), optional
        Detections that are left out where they match nothing, wherever they lie.
    iou_threshold : float
        The similarity from which a detection matches.
    background_threshold : float
        The similarity up to which it has nothing to do with an object.
    """
    n, m = len(pred_label), len(truth_label)
    row, truth, similarity = pair_rows(pairs.begin), pairs.truth, pairs.similarity
    same = pred_label[row] == truth_label[truth]
    region = is_region[truth]

    near = np.flatnonzero(same & ~region & (similarity >= iou_threshold))
    near = near[np.lexsort((truth[near], -similarity[near], row[near]))]
    got = taken_in_turn(row[near], truth[near], n, m)
    correct = got >= 0
    found = np.zeros(m, np.bool_)
    found[truth[near[got[correct]]]] = True
    left_out = np.zeros(n, np.bool_)
    left_out[row[same & region & (similarity > iou_threshold)]] = True
    if exempt is not None:
        left_out |= exempt.astype(np.bool_)
    left_out &= ~correct

    def best(among: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return each detection's most similar truth among some pairs, and how similar it is."""
        at = np.flatnonzero(among & ~region)
        place = best_pairs(row[at], similarity[at], n)
        has = place >= 0
        which, value = np.full(n, -1, np.int64), np.zeros(n)
        which[has], value[has] = truth[at[place[has]]], similarity[at[place[has]]]
        return which, value

    own, own_value = best(same)
    other, other_value = best(~same)
    _, used_value = best(same & found[truth])
    any_value = np.maximum(own_value, other_value)
    # The first that holds names the error.
    kind = np.select(
        [
            correct,
            (background_threshold <= own_value) & (own_value <= iou_threshold),
            other_value >= iou_threshold,
            used_value >= iou_threshold,
            any_value <= background_threshold,
        ],
        [CORRECT, LOC, CLS, DUPE, BKG],
        BOTH,
    ).astype(np.uint8)
    target = np.where(kind == LOC, own, np.where(kind == CLS, other, -1))
    mends, within_reach = _mending(target, found)
    mended_label = pred_label.astype(np.int32)
    mended_label[mends] = truth_label[target[mends]]
    state = np.where(found, FOUND, np.where(within_reach, WITHIN_REACH, MISSED))
    state[is_region] = FOUND
    return Judged(
        kind,
        left_out.astype(np.uint8),
        mends.astype(np.uint8),
        mended_label,
        state.astype(np.uint8),
    )


def _mending(
    target: NDArray[np.int64], found: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which errors find an object once they are mended, and which objects are found so.

    An object that is found already needs none, another the first error alone.

    Parameters
    ----------
    target : ndarray, shape (n,)
        The object that each detection would find, with another class or place; -1 for none.
    found : ndarray, shape (m,)
        The objects that are found.
    """
    aimed = np.flatnonzero(target >= 0)
    aimed = aimed[~found[target[aimed]]]
    first = np.full(len(found), -1, np.int64)
    first[target[aimed[::-1]]] = aimed[::-1]
    mends = np.zeros(len(target), np.bool_)
    mends[first[first >= 0]] = True
    return mends, first >= 0
