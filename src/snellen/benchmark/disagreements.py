"""Where networks disagree: images that say most of them, and classes they differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.measured_model import MeasuredModel

__all__ = ["ClassSpread", "Disagreements", "class_spreads", "disagreements", "joint_predictions"]


class Disagreements(NamedTuple):
    """Positions of images, the most interesting first.

    Attributes
    ----------
    wrong_together : list of int
        All networks give the same class, and it is not that of the image; the surest first. Their
        labels are worth a look.
    divided : list of int
        The networks give different classes; the most divided first.
    best, second : str
        The two networks of the best top-1 accuracy; ``""`` where there are no two.
    only_best, only_second : list of int
        Images that just one of these two has right; the surest first.
    """

    wrong_together: list[int]
    divided: list[int]
    best: str
    second: str
    only_best: list[int]
    only_second: list[int]


class ClassSpread(NamedTuple):
    """A class, and how well each network knows it.

    Attributes
    ----------
    class_name : str
        The class.
    n : int
        Its images.
    recall, f1 : tuple of float
        Of each network, in their order; NaN where it is undefined.
    spread : float
        The highest F1 less the lowest.
    """

    class_name: str
    n: int
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    spread: float


def joint_predictions(models: Sequence[MeasuredModel]) -> tuple[list[str], NDArray[np.int64]]:
    """Return classes that hold those of all networks, and predictions as positions in them (M, N).

    Those of the images come first, in their order; two classes beyond them are the same where their
    names are.
    """
    names = list(models[0].classes[: models[0].n_classes])
    n_known = len(names)
    place: dict[str, int] = {}
    rows = []
    for model in models:
        moved = list(range(n_known))
        for name in model.classes[n_known:]:
            if name not in place:
                place[name] = len(names)
                names.append(name)
            moved.append(place[name])
        rows.append(np.array(moved, np.int64)[model.predicted])
    return names, np.stack(rows)


def disagreements(
    models: Sequence[MeasuredModel], truth: NDArray[np.int64], most: int = 100
) -> Disagreements:
    """Return the images on which networks disagree, at most so many of each kind.

    Parameters
    ----------
    models : sequence of MeasuredModel
        One or more.
    truth : ndarray of int, shape (N,)
        Positions of the images' classes.
    most : int
        Of each kind.
    """
    _, predicted = joint_predictions(models)
    sure = np.stack(
        [np.zeros(len(truth)) if m.confidence is None else m.confidence for m in models]
    )
    together = (predicted == predicted[0]).all(axis=0)
    wrong = np.flatnonzero(together & (predicted[0] != truth))
    # How many pairs of networks agree on an image: few where they are divided.
    n_models = len(models)
    agreeing = np.zeros(len(truth), np.int64)
    for a in range(n_models):
        for b in range(a):
            agreeing += predicted[a] == predicted[b]
    divided = np.flatnonzero(~together)
    n_right = (predicted == truth).sum(axis=0)
    order = np.lexsort((divided, n_right[divided], agreeing[divided]))
    ranked = sorted(range(n_models), key=lambda k: -models[k].top1)
    best = second = ""
    only_best: list[int] = []
    only_second: list[int] = []
    if n_models > 1:
        a, b = ranked[:2]
        best, second = models[a].name, models[b].name
        both = sure[a] + sure[b]
        right_a, right_b = predicted[a] == truth, predicted[b] == truth
        only_best = _surest(np.flatnonzero(right_a & ~right_b), both, most)
        only_second = _surest(np.flatnonzero(right_b & ~right_a), both, most)
    return Disagreements(
        wrong_together=_surest(wrong, sure.mean(axis=0), most),
        divided=divided[order][:most].tolist(),
        best=best,
        second=second,
        only_best=only_best,
        only_second=only_second,
    )


def _surest(rows: NDArray[np.int64], sure: NDArray[np.float64], most: int) -> list[int]:
    order = np.lexsort((rows, -sure[rows]))[:most]
    return [int(row) for row in rows[order]]


def class_spreads(models: Sequence[MeasuredModel]) -> list[ClassSpread]:
    """Return every class of the images with its recall and F1 of each network.

    Classes in which networks differ most come first; of equal ones, as all are of one network,
    that of the lowest F1.
    """
    recall = np.stack([model.class_values("recall") for model in models])
    f1 = np.stack([model.class_values("f1") for model in models])
    defined = ~np.isnan(f1)
    highest = np.where(defined, f1, -np.inf).max(axis=0)
    lowest = np.where(defined, f1, np.inf).min(axis=0)
    spread = np.where(defined.any(axis=0), highest - lowest, np.nan)
    support = models[0].confusion.support
    order = np.lexsort(
        (
            np.arange(len(spread)),
            -support[: len(spread)],
            lowest,
            np.where(np.isnan(spread), np.inf, -spread),
        )
    )
    return [
        ClassSpread(
            models[0].classes[k],
            int(support[k]),
            tuple(recall[:, k].tolist()),
            tuple(f1[:, k].tolist()),
            float(spread[k]),
        )
        for k in order.tolist()
    ]
