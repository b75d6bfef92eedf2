"""Pictures of a detector's curves: precision over recall, both over the score, reliability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.detection.protocols import measure_of
from snellen.detection.score_curves import spaced_scores
from snellen.displays import Line, LinesDisplay, Mark, Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.average_precision_result import AveragePrecisionResult
    from snellen.detection.detection_calibration_result import DetectionCalibrationResult
    from snellen.detection.operating_points_result import OperatingPointsResult

__all__ = [
    "SCORES_DRAWN",
    "precision_recall",
    "raw_precision_recall",
    "reliability",
    "score_curves",
]

_NAMED: Final = 3  # classes of the lowest AP that have a colour and a name
_ALL_NAMED: Final = 6  # so few all have
SCORES_DRAWN: Final = 201
"""At how many equally spaced scores curves over the score are read off."""
_UNIT: Final = (0.0, 1.0)


def precision_recall(result: AveragePrecisionResult) -> LinesDisplay | None:
    """Return precision over recall: the mean of classes, and each class.

    None under rules that do not read precision off at recall thresholds, as Pascal VOC's:
    `raw_precision_recall` draws what they measure.
    """
    rules = result.rules
    if result.precision.shape[1] != len(rules.recall_thresholds):
        return None
    grid = np.array(rules.recall_thresholds, np.float64)
    iou = rules.iou_thresholds[0]
    counted = np.flatnonzero(result.n_counted[:, 0] > 0)
    precision = result.precision[:, :, counted, 0, -1]
    of_class = precision[0]
    average = of_class.mean(axis=0)
    names = result.classes.display_names()
    lines = []
    if counted.size:
        lines.append(Line(f"mean of classes, {_at(rules, iou)}", grid, of_class.mean(axis=1)))
        if len(rules.iou_thresholds) > 1:
            low, high = rules.iou_thresholds[0], rules.iou_thresholds[-1]
            lines.append(
                Line(
                    f"mean of classes and of {_at(rules, low)} to {high:g}",
                    grid,
                    precision.mean(axis=(0, 2)),
                )
            )
    order = np.argsort(average, kind="stable")
    n_named = len(order) if len(order) <= _ALL_NAMED else _NAMED
    for rank, k in enumerate(order.tolist()):
        lines.append(Line(names[counted[k]], grid, of_class[:, k], muted=rank >= n_named))
    return LinesDisplay(
        words=Words(
            name="precision_recall",
            title="Precision over recall",
            about="Going right, more of the objects are found, and more of what is reported is "
            "wrong; a better detector's line stays higher for longer.",
            finding=_of_precision_recall(result, counted, average, order),
            protocol=str(rules),
            note=(
                ""
                if n_named == len(order)
                else f"Named are the {n_named} classes of lowest AP; the grey lines are the others."
            ),
        ),
        lines=tuple(lines),
        x_label="recall",
        y_label="precision",
        x_range=_UNIT,
        y_range=_UNIT,
    )


def _of_points(result: OperatingPointsResult) -> str:
    rules = result.protocol
    measure = measure_of(rules["rules"]["similarity"])
    return (
        f"{measure} {rules['iou_threshold']:g}, area {rules['area']}, {rules['rules']['name']}; "
        "raw points"
    )


def _at(rules: Any, threshold: float) -> str:
    return f"{rules.measure} {threshold:g}"


def _of_precision_recall(
    result: AveragePrecisionResult,
    counted: NDArray[np.int64],
    average: NDArray[np.float64],
    order: NDArray[np.int64],
) -> str:
    if not counted.size:
        return "There is no truth that counts, so there is no curve."
    names = result.classes.display_names()
    at = _at(result.rules, result.rules.iou_thresholds[0])
    said = f"At {at} the mean AP of {counted.size:,} classes is {average.mean():.3f}"
    if counted.size == 1:
        return f"At {at} the AP of {names[counted[0]]} is {average[0]:.3f}."
    worst, best = order[0], order[-1]
    return (
        f"{said}, from {average[worst]:.3f} ({names[counted[worst]]}) to {average[best]:.3f} "
        f"({names[counted[best]]})."
    )


def score_curves(result: OperatingPointsResult) -> tuple[LinesDisplay, LinesDisplay]:
    """Return precision, recall and F of all detections over the score, and F of each class.

    They are read off at equally spaced scores and at those that are marked: of millions of
    detections no more is drawn or stored.
    """
    scores = _grid(result)
    tp, fp = _counts(result, scores)
    n_truth = result.n_truth.astype(np.float64)
    beta = float(result.protocol["beta"])
    called = "F1" if beta == 1 else f"F{beta:g}"
    precision, recall, f = _rates(tp.sum(axis=0), fp.sum(axis=0), n_truth.sum(), beta)
    best = result.metrics["threshold_micro"]
    marks: tuple[Mark, ...] = ()
    key = "f1_micro" if beta == 1 else "f_beta_micro"
    if not math.isnan(best):
        marks = (Mark(f"highest {called}: {result.metrics[key]:.3f} from {best:.3g}", best,
                      float(result.metrics[key])),)  # fmt: skip
    rules = _of_points(result)
    note = f"Read off at {SCORES_DRAWN} equally spaced scores and at the best ones."
    whole = LinesDisplay(
        words=Words(
            name="score_curves",
            title=f"Precision, recall and {called} over the score threshold",
            about="What one gets by keeping the detections that score the threshold or more: of "
            "all classes together.",
            finding=_of_scores(result, called, key),
            protocol=rules,
            note=note,
        ),
        lines=(
            Line(called, scores, f),
            Line("precision", scores, precision),
            Line("recall", scores, recall),
        ),
        x_label="score threshold",
        y_label="share",
        y_range=_UNIT,
        marks=marks,
    )
    names = result.classes.display_names()
    _, _, each = _rates(tp, fp, n_truth[:, None], beta)
    best_f = np.nan_to_num(result.best.f)
    with_truth = np.flatnonzero(result.n_truth > 0)
    order = with_truth[np.argsort(best_f[with_truth], kind="stable")]
    n_named = len(order) if len(order) <= _ALL_NAMED else _NAMED
    of_classes = LinesDisplay(
        words=Words(
            name="class_f_over_score",
            title=f"{called} of each class over the score threshold",
            about="Where the tops of the lines lie far apart, one threshold for all classes costs "
            "something: each has its own best.",
            finding=_of_classes(result, called, order, best_f),
            protocol=rules,
            note=note
            if n_named == len(order)
            else f"{note} Named are the {n_named} classes of lowest {called}.",
        ),
        lines=tuple(
            Line(names[k], scores, each[k], muted=rank >= n_named)
            for rank, k in enumerate(order.tolist())
        ),
        x_label="score threshold",
        y_label=called,
        y_range=_UNIT,
    )
    return whole, of_classes


def raw_precision_recall(result: OperatingPointsResult) -> LinesDisplay:
    """Return precision over recall of each class, not raised to the best on the right."""
    scores = _grid(result)[::-1]
    tp, fp = _counts(result, scores)
    beta = float(result.protocol["beta"])
    precision, recall, _ = _rates(tp, fp, result.n_truth.astype(np.float64)[:, None], beta)
    best_f = np.nan_to_num(result.best.f)
    with_truth = np.flatnonzero(result.n_truth > 0)
    order = with_truth[np.argsort(best_f[with_truth], kind="stable")]
    n_named = len(order) if len(order) <= _ALL_NAMED else _NAMED
    names = result.classes.display_names()
    note = f"Read off at {SCORES_DRAWN} equally spaced scores and at the best ones."
    if n_named < len(order):
        note += f" Named are the {n_named} classes of lowest F."
    lines = []
    for rank, k in enumerate(order.tolist()):
        known = ~np.isnan(precision[k])
        lines.append(Line(names[k], recall[k][known], precision[k][known], muted=rank >= n_named))
    return LinesDisplay(
        words=Words(
            name="precision_recall",
            title="Precision over recall",
            about="Going right, more of the objects are found, and more of what is reported is "
            "wrong; a better detector's line stays higher for longer.",
            finding=_of_scores(result, "F1" if beta == 1 else f"F{beta:g}",
                               "f1_micro" if beta == 1 else "f_beta_micro"),
            protocol=_of_points(result),
            note=note,
        ),
        lines=tuple(lines),
        x_label="recall",
        y_label="precision",
        x_range=_UNIT,
        y_range=_UNIT,
    )  # fmt: skip


def _grid(result: OperatingPointsResult) -> NDArray[np.float64]:
    """Return scores, ascending: equally spaced ones, and the best ones."""
    if not result.threshold.size:
        return np.zeros(0)
    low, high = float(result.threshold.min()), float(result.threshold.max())
    spaced = spaced_scores(low, high, SCORES_DRAWN)
    best = np.append(result.best_threshold, result.metrics["threshold_micro"])
    return np.unique(np.concatenate([spaced, best[~np.isnan(best)]]))


def _counts(
    result: OperatingPointsResult, scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return true and false positives of each class that score as much or more, (K, S)."""
    shape = (len(result.classes), len(scores))
    tp, fp = np.zeros(shape), np.zeros(shape)
    for k in range(shape[0]):
        rows = slice(int(result.begin[k]), int(result.begin[k + 1]))
        kept = np.searchsorted(-result.threshold[rows], -scores, side="right")
        tp[k] = np.concatenate([[0], result.tp[rows]])[kept]
        fp[k] = np.concatenate([[0], result.fp[rows]])[kept]
    return tp, fp


def _rates(
    tp: NDArray[np.float64], fp: NDArray[np.float64], n_truth: Any, beta: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = beta * beta
        return (
            tp / (tp + fp),
            tp / n_truth,
            (1 + weight) * tp / ((1 + weight) * tp + weight * (n_truth - tp) + fp),
        )


def _of_scores(result: OperatingPointsResult, called: str, key: str) -> str:
    best = result.metrics["threshold_micro"]
    if math.isnan(best):
        return "No detection is right, so that no threshold is better than another."
    return (
        f"{called} is highest, {result.metrics[key]:.3f}, from score {best:.3g}: precision "
        f"{result.metrics['precision_micro']:.3f}, recall {result.metrics['recall_micro']:.3f}."
    )


def _of_classes(
    result: OperatingPointsResult,
    called: str,
    order: NDArray[np.int64],
    best_f: NDArray[np.float64],
) -> str:
    if not order.size:
        return "There is no truth that counts."
    names, own = result.classes.display_names(), result.best_threshold[order]
    own = own[~np.isnan(own)]
    worst = int(order[0])
    said = f"The lowest best {called} is that of {names[worst]}: {best_f[worst]:.3f}"
    if order.size == 1:
        said = f"The best {called} of {names[worst]} is {best_f[worst]:.3f}"
    if not own.size:
        return f"{said}."
    if own.size == 1:
        return f"{said}, from score {own[0]:.3g}."
    return f"{said}. Best thresholds lie between {own.min():.3g} and {own.max():.3g}."


def reliability(result: DetectionCalibrationResult) -> LinesDisplay:
    """Return precision over score, bin by bin, beside the diagonal of a calibrated detector."""
    table = [row for row in result.reliability() if row["n"]]
    score = np.array([row["mean_score"] for row in table], np.float64)
    precision = np.array([row["precision"] for row in table], np.float64)
    rules = result.protocol
    order = np.argsort(score, kind="stable")
    if table:
        widest = max(table, key=lambda row: abs(row["gap"]))
        how = "too sure" if widest["gap"] > 0 else "not sure enough"
        finding = (
            f"The expected calibration error is {result.metrics['ece']:.3f}. It is farthest off, "
            f"and {how}, where scores are about {widest['mean_score']:.2f}: "
            f"{widest['precision']:.0%} of these are right."
        )
    else:
        finding = "There are no detections."
    return LinesDisplay(
        words=Words(
            name="reliability",
            title="Reliability of scores",
            about="A point on the diagonal means that of detections with score 0.7 seven in ten "
            "are right; below it the detector is too sure of itself.",
            finding=finding,
            protocol=f"{measure_of(rules['rules']['similarity'])} {rules['iou_threshold']:g}, area "
            f"{rules['area']}, {rules['bins']} bins "
            f"of {rules['binning'].replace('-', ' ')}",
        ),
        lines=(Line("detections", score[order], precision[order]),),
        x_label="mean score of the bin",
        y_label="precision",
        x_range=_UNIT,
        y_range=_UNIT,
        diagonal=True,
    )
