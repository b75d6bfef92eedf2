"""Rows of truth and scores: their one order, and curves from rows by plain sorting."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.classification.threshold_curve import ThresholdCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classification.scores import Form

__all__ = [
    "ScoreRows",
    "full_curve",
    "in_canonical_order",
    "members",
    "one_column",
    "weighted_curves",
]


class ScoreRows(NamedTuple):
    """Samples as they were absorbed, row by row: a piece of the ledger of scores.

    Attributes
    ----------
    score : ndarray, shape (n, C), float32 or float64
        Of binary data one column, the score of the positive class; else one for each class.
    code : ndarray, shape (n,), int32, or None
        The position of each sample's class.
    member : ndarray, shape (n, C), uint8, or None
        Multilabel: 1 where the sample has the class.
    weight : ndarray, shape (n,), float64, or None
        How much each counts.
    sample_id : ndarray, shape (n,), int64 or str, or None
        Their ids.
    """

    score: NDArray[Any]
    code: NDArray[np.int32] | None
    member: NDArray[np.uint8] | None
    weight: NDArray[np.float64] | None
    sample_id: NDArray[Any] | None


def members(code: NDArray[np.int32] | None, positive: int) -> NDArray[np.uint8]:
    """Return whether each sample is of the positive class, (n, 1)."""
    assert code is not None
    member: NDArray[np.uint8] = (code == positive).astype(np.uint8)[:, None]
    return member


def one_column(
    rows: ScoreRows, form: Form, positive: int, column: int | None
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the scores of one binary problem and which are positive; None: of all together."""
    score = rows.score
    if form.kind == "binary":
        return score[:, 0], members(rows.code, positive)[:, 0] != 0
    if column is None:
        if rows.member is not None:
            return score.reshape(-1), rows.member.reshape(-1) != 0
        assert rows.code is not None
        flags = rows.code[:, None] == np.arange(score.shape[1])
        return score.reshape(-1), flags.reshape(-1)
    if rows.member is not None:
        return score[:, column], rows.member[:, column] != 0
    assert rows.code is not None
    return score[:, column], rows.code == column


def full_curve(
    score: NDArray[Any],
    positive: NDArray[np.bool_],
    weight: NDArray[np.float64] | None,
    steps: NDArray[Any],
) -> ThresholdCurve:
    """Return what reaches each of the descending thresholds."""
    reached: list[NDArray[Any]] = []
    totals = []
    ascending = steps[::-1].astype(np.float64)
    for chosen in (positive, ~positive):
        values = score[chosen].astype(np.float64)
        if weight is None:
            values.sort()
            below = np.searchsorted(values, ascending)
            reached.append((len(values) - below)[::-1])
            totals.append(len(values))
        else:
            # By score, then weight: the sums don't depend on the order of the rows.
            order = np.lexsort((weight[chosen], values))[::-1]
            sums = np.concatenate([[0.0], weight[chosen][order].cumsum()])
            count = len(values) - np.searchsorted(values[order][::-1], ascending)
            reached.append(sums[count][::-1])
            totals.append(sums[-1].item())
    tp, fp = reached
    fp_above = np.concatenate([np.zeros_like(fp[:1]), fp[:-1]])
    return ThresholdCurve(steps.astype(np.float64), tp, fp, fp_above, totals[0], totals[1])


def weighted_curves(
    rows: ScoreRows, form: Form, positive: int
) -> tuple[list[ThresholdCurve], ThresholdCurve | None, NDArray[Any] | None]:
    """Return what `_exact_curves` does, of rows with weights."""
    assert rows.weight is not None
    weight = rows.weight
    n_columns = rows.score.shape[1]

    def curve(column: int | None) -> ThresholdCurve:
        score, chosen = one_column(rows, form, positive, column)
        each = np.repeat(weight, n_columns) if column is None else weight
        # A positive of weight 0 is no step of the curve.
        steps = np.unique(score[chosen & (each > 0)])[::-1]
        full = full_curve(score, chosen, each, steps)
        above = full_curve(score, chosen, each, np.nextafter(steps, np.inf, dtype=steps.dtype))
        return dataclasses.replace(full, fp_above=above.fp)

    curves = [curve(column) for column in range(n_columns)]
    if form.kind == "binary":
        return curves, None, None
    if form.kind == "multilabel":
        return curves, curve(None), None
    assert rows.code is not None
    return curves, curve(None), _weighted_wins(rows.score, rows.code, weight)


def _weighted_wins(
    score: NDArray[Any], code: NDArray[np.int32], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return twice the weights of pairs that the row's class wins over the column's, (K, K)."""
    n_classes = score.shape[1]
    wins = np.zeros((n_classes, n_classes))
    for j in range(n_classes):
        own = np.flatnonzero(code == j)
        order = own[np.lexsort((weight[own], score[own, j]))]
        sums = np.concatenate([[0.0], weight[order].cumsum()])
        ascending = score[order, j]
        column = score[:, j]
        above = sums[-1] - sums[np.searchsorted(ascending, column, side="right")]
        reached = sums[-1] - sums[np.searchsorted(ascending, column, side="left")]
        # In canonical order again, so that the sums don't depend on that of the rows.
        place = np.lexsort((weight, column, code))
        lost = ((above + reached) * weight)[place]
        wins[j] = np.bincount(code[place], lost, minlength=n_classes)
    return wins


def in_canonical_order(rows: ScoreRows) -> ScoreRows:
    """Return the rows in an order that only their content decides.

    By sample id where there are ids, else by class, weight and scores, as bytes.
    """
    if rows.sample_id is not None:
        order = np.argsort(rows.sample_id)
    else:
        parts = [np.ascontiguousarray(c) for c in (rows.code, rows.member) if c is not None]
        parts += [np.ascontiguousarray(c) for c in (rows.weight,) if c is not None]
        if rows.score.shape[1] == 1 and rows.code is not None:
            # One column: as integers, which sort sooner than bytes.
            bits = rows.score.view(f"u{rows.score.dtype.itemsize}")[:, 0]
            keys = [bits] if rows.weight is None else [rows.weight.view(np.uint64), bits]
            order = np.lexsort((*keys, rows.code))
        else:
            parts.append(rows.score)
            n = len(rows.score)
            width = sum(part.nbytes // n for part in parts)
            joined = np.concatenate([part.view(np.uint8).reshape(n, -1) for part in parts], axis=1)
            order = np.argsort(joined.view(np.dtype((np.void, width)))[:, 0])
    ordered: list[Any] = [None if column is None else column[order] for column in rows]
    return ScoreRows(*ordered)
