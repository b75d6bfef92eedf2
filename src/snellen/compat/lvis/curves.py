"""From cells to curves, as ``LVISEval.accumulate`` of lvis 0.5.3 makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.compat.pycocotools.cells import stable_order
from snellen.compat.pycocotools.lazy_dict import LazyDict
from snellen.compat.pycocotools.outcomes import are_ascending, curves_of_outcomes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.compat.pycocotools.evaluation import Evaluation

__all__ = ["Curves", "Sizes", "curves_of_cells", "curves_of_evaluation"]


class Sizes(NamedTuple):
    """How many thresholds, recalls, categories, area ranges and images there are."""

    thresholds: int
    recalls: int
    categories: int
    areas: int
    images: int


class Curves(NamedTuple):
    """Precision (T, R, K, A) and recall (T, K, A), -1 where no truth counts; what is behind them.

    ``pointers`` has for each category and area range the ids of detections by rank, and which of
    them are right and wrong at each threshold; nothing where no truth counts.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    pointers: dict[Any, Any]


def curves_of_evaluation(evaluation: Evaluation, recalls: Any, sizes: Sizes) -> Curves | None:
    """Return the curves of an evaluation; None where other cells are read, or odd recalls."""
    rules = evaluation.rules
    if not are_ascending(recalls) or (*sizes[:1], *sizes[2:]) != (
        len(rules.thresholds),
        len(rules.categories),
        len(rules.areas),
        len(rules.images),
    ):
        return None
    # The kernel writes K, A, M, T, R.
    precision, _, recall = curves_of_outcomes(rules, evaluation.outcomes, recalls, [rules.cap])
    return Curves(
        np.ascontiguousarray(precision[:, :, 0].transpose(2, 3, 0, 1)),
        np.ascontiguousarray(recall[:, :, 0].transpose(2, 0, 1)),
        LazyDict.of(
            range(sizes.categories), lambda label: _pointers(evaluation, label), "categories"
        ),
    )


def _pointers(evaluation: Evaluation, label: int) -> dict[int, Any]:
    """Return what is behind the curves of a category."""
    rules, outcomes = evaluation.rules, evaluation.outcomes
    ends = label, label + 1
    first, last = outcomes["truth_label"].searchsorted(ends)
    ignored = outcomes["truth_ignored"][first:last]
    # Of equal scores the earlier image first: both are in the order of images.
    begin, end = outcomes["pred_label"].searchsorted(ends)
    order = stable_order(-outcomes["pred_score"][begin:end])
    words = outcomes["pred_outcome"][begin:end][order]
    rows = evaluation.pred_rows_of(label)
    rows = rows[stable_order(-evaluation.pred["score"][rows])]
    ids = [evaluation.pred.ids[row] for row in rows.tolist()]
    # A cell without detections has an empty list, which NumPy takes for one of float64.
    kind = np.float64 if evaluation.lacks_detections(label) or not ids else np.int64
    places = np.argsort(rules.ascending)
    found: dict[int, Any] = {}
    for area in range(len(rules.areas)):
        found[area] = {}
        if (ignored >> area & 1).all():
            continue
        # In Fortran's order, as what is taken by rank.
        bits = words[:, area].take(places // 16, axis=1) >> (places % 16).astype(np.uint32)
        found[area] = {
            "dt_ids": np.array(ids, kind),
            "tps": (bits & 1).astype(np.bool_, order="C").T,
            "fps": (bits >> 16 & 1).astype(np.bool_, order="C").T,
        }
    return found


def curves_of_cells(cells: Any, recalls: Any, sizes: Sizes) -> Curves:
    """Return the curves of cells (category, area range, image), None where one is empty."""
    shape = sizes.thresholds, sizes.recalls, sizes.categories, sizes.areas
    curves = Curves(
        -np.ones(shape),
        -np.ones((shape[0], *shape[2:])),
        {k: {a: {} for a in range(sizes.areas)} for k in range(sizes.categories)},
    )
    for k in range(sizes.categories):
        for a in range(sizes.areas):
            first = (k * sizes.areas + a) * sizes.images
            read = [cells[first + i] for i in range(sizes.images)]
            read = [cell for cell in read if cell is not None]
            if read:
                _write_curve(read, recalls, sizes.recalls, curves, (k, a))
    return curves


def _write_curve(
    cells: list[dict[str, Any]], recalls: Any, n_recalls: int, curves: Curves, at: tuple[int, int]
) -> None:
    k, a = at
    scores = np.concatenate([cell["dt_scores"] for cell in cells], axis=0)
    ids = np.concatenate([cell["dt_ids"] for cell in cells], axis=0)
    order = stable_order(-scores)
    took = np.concatenate([cell["dt_matches"] for cell in cells], axis=1)[:, order]
    left_out = np.concatenate([cell["dt_ignore"] for cell in cells], axis=1)[:, order]
    n_truth = np.count_nonzero(np.concatenate([cell["gt_ignore"] for cell in cells]) == 0)
    if n_truth == 0:
        return
    counts = np.logical_not(left_out)
    right = np.logical_and(took, counts)
    wrong = np.logical_and(np.logical_not(took), counts)
    curves.pointers[k][a] = {"dt_ids": ids[order], "tps": right, "fps": wrong}
    n_right = np.cumsum(right, axis=1).astype(float)
    n_wrong = np.cumsum(wrong, axis=1).astype(float)
    for t in range(len(n_right)):
        recall = n_right[t] / n_truth
        precision = n_right[t] / (n_wrong[t] + n_right[t] + np.spacing(1))
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        curves.recall[t, k, a] = recall[-1] if len(recall) else 0
        first = np.searchsorted(recall, recalls, side="left")
        # From the first recall that is not reached on, all are 0.
        beyond = np.flatnonzero(first >= len(recall))
        n = beyond[0] if len(beyond) else n_recalls
        curves.precision[t, :, k, a] = 0
        curves.precision[t, :n, k, a] = precision[first[:n]]
