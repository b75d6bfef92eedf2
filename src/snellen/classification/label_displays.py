"""Pictures of predicted labels: what was called what, and how well each class was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.displays import Bars, BarsDisplay, MatrixDisplay, Words

if TYPE_CHECKING:
    from snellen.classification.confusion_matrix_result import ConfusionMatrixResult
    from snellen.classification.multilabel_confusion import MultilabelConfusionResult

__all__ = ["class_rates", "confusion_matrix"]

_MOST: Final = 40  # classes whose bars are drawn


def confusion_matrix(result: ConfusionMatrixResult) -> MatrixDisplay:
    """Return the confusion matrix."""
    names = tuple(result.classes.display_names())
    counts = result.matrix.astype(np.float64)
    total = counts.sum()
    pairs = result.most_confused(1)
    if not total:
        finding = "There are no samples."
    else:
        finding = f"{np.trace(counts) / total:.1%} of {total:,.6g} samples are right."
        if pairs:
            one = pairs[0]
            finding += (
                f" Most often confused: of true {one['truth']} {one['share_of_truth']:.0%} were "
                f"called {one['prediction']}."
            )
        else:
            finding += " No two classes are confused."
    return MatrixDisplay(
        words=Words(
            name="confusion_matrix",
            title="What was called what",
            about="A row is a true class, a column what its samples were called: what is right "
            "stands on the diagonal.",
            finding=finding,
            protocol=_weighted(result.cells.weight is not None),
        ),
        rows=names,
        columns=names,
        counts=counts,
    )


def _weighted(is_weighted: bool) -> str:
    return "sums of the samples' weights" if is_weighted else "counts of samples"


def class_rates(
    result: ConfusionMatrixResult | MultilabelConfusionResult, name: str = "f1"
) -> BarsDisplay:
    """Return precision, recall and F1 of each class, those of the lowest F1 first."""
    records = result.per_class()
    shown = ("precision", "recall", name)
    known = [record for record in records if not np.isnan(record[name])]
    known.sort(key=lambda record: record[name])
    kept = known[:_MOST]
    if known:
        worst, best = known[0], known[-1]
        finding = (
            f"F1 goes from {worst[name]:.3f} ({worst['class']}) to {best[name]:.3f} "
            f"({best['class']})."
        )
    else:
        finding = "No class has samples."
    note = f"The {_MOST} of {len(known):,} classes with the lowest F1." if known[_MOST:] else ""
    return BarsDisplay(
        words=Words(
            name="class_rates",
            title="Precision, recall and F1 of each class",
            about="Precision: of what is called so, how much is; recall: of what is so, how much "
            "is found; F1: their harmonic mean.",
            finding=finding,
            protocol="each class against all others",
            note=note,
        ),
        categories=tuple(record["class"] for record in kept),
        bars=tuple(
            Bars("F1" if key == name else key, _column(kept, key)) for key in reversed(shown)
        ),
        value_label="share",
        value_range=(0.0, 1.0),
    )


def _column(records: list[dict[str, Any]], key: str) -> Any:
    return np.array([record[key] for record in records], np.float64)
