"""Pictures of samples and their errors, of which a result alone has the sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.displays import Bars, HistogramDisplay, Points, PointsDisplay, Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.regression.rows import Rows

__all__ = ["predicted_over_true", "residual_histogram", "residuals"]

_BINS: Final = 40
_MOST: Final = 2_000  # samples that are drawn of one output
_RULE: Final = (
    "Of more samples {most:,} at equal distances in their order are drawn, and the 50 with the "
    "largest errors."
)
_LARGEST: Final = 50
_FEWEST: Final = 3  # samples between which a correlation says something


def predicted_over_true(rows: Rows, output: int, name: str) -> PointsDisplay:
    """Return predicted over true values of one output."""
    truth, pred = rows.truth[:, output], rows.pred[:, output]
    shown, note = _shown(truth, pred)
    correlation = math.nan
    if len(truth) >= _FEWEST and np.ptp(truth) > 0 and np.ptp(pred) > 0:
        correlation = float(np.corrcoef(truth, pred)[0, 1])
    return PointsDisplay(
        words=Words(
            name=f"predicted_over_true_{output}",
            title=f"Predicted over true {name}".rstrip(),
            about="A point is a sample; on the diagonal the prediction is right, above it it is "
            "too high.",
            finding=(
                "There are too few samples to compare."
                if math.isnan(correlation)
                else f"The correlation of predicted and true values is {correlation:.3f} over "
                f"{len(truth):,} samples."
            ),
            protocol=_weighted(rows),
            note=note,
        ),
        points=(Points("samples", truth[shown], pred[shown], _names(rows, shown)),),
        x_label="true",
        y_label="predicted",
        diagonal=True,
    )


def residuals(rows: Rows, output: int, name: str) -> PointsDisplay:
    """Return errors over predicted values of one output."""
    truth, pred = rows.truth[:, output], rows.pred[:, output]
    error = pred - truth
    shown, note = _shown(truth, pred)
    return PointsDisplay(
        words=Words(
            name=f"residuals_{output}",
            title=f"Errors over predicted {name}".rstrip(),
            about="Errors should lie around zero everywhere; a slope or a funnel says that the "
            "model is off, or less sure, for some values.",
            finding=_of_errors(error),
            protocol=f"error = predicted − true; {_weighted(rows)}",
            note=note,
        ),
        points=(Points("samples", pred[shown], error[shown], _names(rows, shown)),),
        x_label="predicted",
        y_label="error",
        level=0.0,
    )


def residual_histogram(rows: Rows, output: int, name: str) -> HistogramDisplay:
    """Return how many samples have which error."""
    error = rows.pred[:, output] - rows.truth[:, output]
    low, high = (float(error.min()), float(error.max())) if len(error) else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _BINS + 1)
    counts, _ = np.histogram(error, edges, weights=rows.weight if rows.is_weighted else None)
    return HistogramDisplay(
        words=Words(
            name=f"residual_histogram_{output}",
            title=f"How large errors are: {name}" if name else "How large errors are",
            about="How many samples have which error; a narrow peak at zero is what one wants.",
            finding=_of_errors(error),
            protocol=f"error = predicted − true; {_BINS} bins of equal width; {_weighted(rows)}",
        ),
        edges=edges,
        counts=(Bars("samples", counts.astype(np.float64)),),
        x_label="error",
        y_label="weight of samples" if rows.is_weighted else "samples",
    )


def _of_errors(error: NDArray[np.float64]) -> str:
    if not len(error):
        return "There are no samples."
    middle = float(np.median(np.abs(error)))
    worst = float(error[np.argmax(np.abs(error))])
    high = float(np.mean(error > 0))
    return (
        f"Half of the errors are smaller than {middle:.4g}; the largest is {worst:.4g}. "
        f"{high:.0%} of predictions are too high."
    )


def _weighted(rows: Rows) -> str:
    return (
        "samples have weights, of which points show nothing"
        if rows.is_weighted
        else "all samples count alike"
    )


def _shown(truth: NDArray[np.float64], pred: NDArray[np.float64]) -> tuple[NDArray[np.int64], str]:
    """Return the samples that are drawn, and the rule where these are not all."""
    n = len(truth)
    if n <= _MOST:
        return np.arange(n), ""
    spaced = np.linspace(0, n - 1, _MOST).round().astype(np.int64)
    largest = np.argsort(-np.abs(pred - truth), kind="stable")[:_LARGEST]
    return np.unique(np.concatenate([spaced, largest])), _RULE.format(most=_MOST)


def _names(rows: Rows, shown: NDArray[np.int64]) -> tuple[str, ...]:
    if rows.sample is None:
        return ()
    return tuple(map(str, rows.sample_ids.ids[rows.sample[shown]].tolist()))
