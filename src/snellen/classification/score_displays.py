"""Pictures of scores: ROC, precision over recall, reliability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.displays import Line, LinesDisplay, Mark, Words
from snellen.displays.thinning import LINE_RULE, MOST_ON_A_LINE, of_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classification.calibration import CalibrationErrorResult
    from snellen.classification.curves_result import ThresholdCurvesResult
    from snellen.classification.threshold_curve import ThresholdCurve

__all__ = ["precision_recall", "reliability", "roc"]

_UNIT: Final = (0.0, 1.0)
_NAMED: Final = 3  # classes of the lowest area that have a colour and a name
_ALL_NAMED: Final = 6  # so few all have
_MOST: Final = 40  # lines of classes


class _Class(NamedTuple):
    """A class's curve, its name and the area under it."""

    name: str
    curve: ThresholdCurve
    area: float


def _lowest(result: ThresholdCurvesResult, areas: NDArray[np.float64]) -> tuple[list[_Class], str]:
    """Return the classes of lowest area, at most so many as are drawn, and what to say of it."""
    if result.form is None or not len(result.class_auc):
        return [], ""
    if result.form.kind == "binary":
        record = result.per_class()[0]
        return [_Class(record["class"], result.curve(), float(areas[0]))], ""
    ids = result.form.classes.keys.ids.tolist()
    names = result.form.classes.display_names()
    known = np.flatnonzero(~np.isnan(areas))
    order = known[np.argsort(areas[known], kind="stable")]
    note = ""
    if len(order) > _MOST:
        note = f"The {_MOST} of {len(order):,} classes with the lowest area."
    if len(order) > _ALL_NAMED:
        note = f"{note} Named are the {_NAMED} of lowest area.".lstrip()
    return [
        _Class(names[k], result.curve(ids[k]), float(areas[k])) for k in order[:_MOST].tolist()
    ], note


def _line(name: str, x: Any, y: Any, *, muted: bool) -> Line:
    places = of_line(x, y)
    return Line(name, x[places], y[places], muted=muted)


def _thinned(classes: list[_Class], note: str) -> str:
    if any(2 * len(each.curve) + 2 > MOST_ON_A_LINE for each in classes):
        return f"{note} {LINE_RULE.partition('; ')[0]}.".lstrip()
    return note


def roc(result: ThresholdCurvesResult) -> LinesDisplay:
    """Return the ROC curves."""
    classes, note = _lowest(result, result.class_auc)
    n_named = len(classes) if len(classes) <= _ALL_NAMED else _NAMED
    lines = []
    for rank, each in enumerate(classes):
        x, y = each.curve.roc()
        lines.append(_line(f"{each.name}: AUC {each.area:.3f}", x, y, muted=rank >= n_named))
    marks: tuple[Mark, ...] = ()
    if len(classes) == 1 and not math.isnan(classes[0].area):
        best = classes[0].curve.youden()
        if not math.isnan(best.value):
            at = classes[0].curve
            row = int(np.searchsorted(-at.threshold, -best.threshold))
            marks = (
                Mark(
                    f"highest J: {best.value:.3f} from {best.threshold:.3g}",
                    float(at.false_positive_rate[row]),
                    float(at.recall[row]),
                ),
            )
    return LinesDisplay(
        words=Words(
            name="roc",
            title="ROC curve",
            about="Of the positives, the share that is found, over the share of the negatives that "
            "are taken for positive; guessing lies on the diagonal.",
            finding=_of_areas(classes, "The area under the curve"),
            protocol=_rules(result),
            note=_thinned(classes, note),
        ),
        lines=tuple(lines),
        x_label="false positive rate",
        y_label="true positive rate (recall)",
        x_range=_UNIT,
        y_range=_UNIT,
        marks=marks,
        diagonal=True,
    )


def precision_recall(result: ThresholdCurvesResult) -> LinesDisplay:
    """Return precision over recall."""
    classes, note = _lowest(result, result.class_ap)
    n_named = len(classes) if len(classes) <= _ALL_NAMED else _NAMED
    lines = [
        _line(
            f"{each.name}: AP {each.area:.3f}",
            np.asarray(each.curve.recall, np.float64),
            np.asarray(each.curve.precision, np.float64),
            muted=rank >= n_named,
        )
        for rank, each in enumerate(classes)
    ]
    marks: tuple[Mark, ...] = ()
    if len(classes) == 1 and len(classes[0].curve):
        best = classes[0].curve.best_f()
        if not math.isnan(best.value):
            marks = (
                Mark(
                    f"highest F1: {best.value:.3f} from {best.threshold:.3g}",
                    float(best.recall),
                    float(best.precision),
                ),
            )
    return LinesDisplay(
        words=Words(
            name="precision_recall",
            title="Precision over recall",
            about="Going right, more of the positives are found, and more of what is called "
            "positive is wrong.",
            finding=_of_areas(classes, "Average precision"),
            protocol=_rules(result),
            note=_thinned(classes, note),
        ),
        lines=tuple(lines),
        x_label="recall",
        y_label="precision",
        x_range=_UNIT,
        y_range=_UNIT,
        marks=marks,
    )


def _rules(result: ThresholdCurvesResult) -> str:
    bins = result.protocol["bins"]
    each = "" if result.form is None or result.form.kind == "binary" else "each class against all "
    return f"{each}{'others, ' if each else ''}" + (
        "exact: a point for each score" if bins is None else f"{bins:,} thresholds"
    )


def _of_areas(classes: list[_Class], what: str) -> str:
    if not classes:
        return "There are no samples."
    if len(classes) == 1:
        return f"{what} of {classes[0].name} is {classes[0].area:.3f}."
    worst, best = classes[0], classes[-1]
    return (
        f"{what} is lowest for {worst.name}: {worst.area:.3f}; of the classes drawn it is highest "
        f"for {best.name}: {best.area:.3f}."
    )


def reliability(result: CalibrationErrorResult) -> LinesDisplay:
    """Return accuracy over confidence, bin by bin, beside the diagonal of a calibrated model."""
    table = [row for row in result.reliability() if row["n"]]
    if table:
        widest = max(table, key=lambda row: abs(row["gap"]))
        how = "too sure" if widest["gap"] > 0 else "not sure enough"
        ece = result.metrics.get("ece", math.nan)
        finding = (
            f"The expected calibration error is {ece:.3f}. It is farthest off, and {how}, where "
            f"confidence is about {widest['mean_confidence']:.2f}: {widest['accuracy']:.0%} of "
            "these are right."
        )
    else:
        finding = "There are no samples."
    return LinesDisplay(
        words=Words(
            name="reliability",
            title="Reliability of confidence",
            about="A point on the diagonal means that of samples with confidence 0.7 seven in ten "
            "are right; below it the model is too sure of itself.",
            finding=finding,
            protocol=f"{len(result.n)} bins of equal width, (low, high]",
        ),
        lines=(
            Line(
                "samples",
                np.array([row["mean_confidence"] for row in table], np.float64),
                np.array([row["accuracy"] for row in table], np.float64),
            ),
        ),
        x_label="mean confidence of the bin",
        y_label="accuracy",
        x_range=_UNIT,
        y_range=_UNIT,
        diagonal=True,
    )
