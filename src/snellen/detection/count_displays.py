"""Pictures of what a detector gets wrong: confusions, kinds of errors, slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.displays import Bars, BarsDisplay, MatrixDisplay, Words

if TYPE_CHECKING:
    from snellen.detection.detection_confusion_result import DetectionConfusionResult
    from snellen.detection.error_types_result import DetectionErrorsResult
    from snellen.detection.slices_result import DetectionSlices

__all__ = ["confusion_matrix", "error_costs", "slice_numbers"]

_KINDS: Final = {
    "cls": "wrong class",
    "loc": "badly placed",
    "both": "wrong class and badly placed",
    "dupe": "found twice",
    "bkg": "background taken for an object",
    "miss": "missed",
}


def confusion_matrix(result: DetectionConfusionResult) -> MatrixDisplay:
    """Return the matrix with its margins, what was missed and what was a false alarm."""
    names = tuple(result.classes.display_names())
    counts = result.matrix.astype(np.float64)
    counts[-1, -1] = np.nan
    data, rules = result.data, result.rules
    n_truth = data["n_pairs"] + data["n_missed"]
    pairs = result.most_confused(1)
    finding = (
        f"Of {n_truth:,} objects {data['n_correct']:,} were found under their class, "
        f"{data['n_pairs'] - data['n_correct']:,} under another, {data['n_missed']:,} were missed; "
        f"there are {data['n_false_alarms']:,} false alarms."
    )
    if pairs:
        one = pairs[0]
        finding += (
            f" Most often confused: of true {one['truth']} {one['share_of_truth']:.0%} were called "
            f"{one['prediction']}."
        )
    return MatrixDisplay(
        words=Words(
            name="confusion_matrix",
            title="What was taken for what",
            about="A row is a true class: its cells say what its objects were called, and how many "
            "were missed; the last row holds detections where nothing is.",
            finding=finding,
            protocol=str(rules),
        ),
        rows=(*names, "false alarm"),
        columns=(*names, "missed"),
        counts=counts,
        margins=True,
    )


def error_costs(result: DetectionErrorsResult, measure: str = "IoU") -> BarsDisplay:
    """Return what each kind of error costs in AP, the dearest first."""
    kinds = sorted(result.kinds, key=lambda kind: -_number(result.metrics[f"dAP_{kind}"]))
    values = np.array([result.metrics[f"dAP_{kind}"] for kind in kinds], np.float64)
    bounds = [result.intervals.get(f"dAP_{kind}") for kind in kinds]
    low = high = None
    if any(bound is not None for bound in bounds):
        low = np.array([np.nan if each is None else each.low for each in bounds])
        high = np.array([np.nan if each is None else each.high for each in bounds])
    dearest = kinds[0]
    finding = (
        "No kind of error costs anything."
        if not _number(values[0]) > 0
        else f"What costs most: {_KINDS[dearest]} ({result.data[f'n_{dearest}']:,} of them). "
        f"Without these AP would be {values[0]:.3f} higher than {result.metrics['AP']:.3f}."
    )
    return BarsDisplay(
        words=Words(
            name="error_costs",
            title="What each kind of error costs",
            about="How much higher AP would be if all errors of one kind were mended and all "
            "others stayed; the numbers need not add up.",
            finding=finding,
            protocol=f"TIDE: {result.rules.in_words(measure)}",
        ),
        categories=tuple(f"{_KINDS[kind]} ({result.data[f'n_{kind}']:,})" for kind in kinds),
        bars=(Bars("AP gained", values, low, high),),
        value_label=f"AP at {measure} {result.rules.iou_threshold:g} gained",
    )


def _number(value: float) -> float:
    return -1.0 if np.isnan(value) else float(value)


def slice_numbers(result: DetectionSlices) -> BarsDisplay:
    """Return the first headline number of each slice."""
    metric = next(iter(result.metrics))
    values = result.values[:, 0]
    known = [k for k in range(1, len(values)) if not np.isnan(values[k])]
    if known:
        worst = min(known, key=lambda k: values[k])
        finding = (
            f"{metric} is lowest in {result.names[worst]}: {values[worst]:.3f}, beside "
            f"{values[0]:.3f} of all."
        )
    else:
        finding = "No slice has truth that counts."
    return BarsDisplay(
        words=Words(
            name=f"slices_of_{result.protocol['unit']}",
            title=f"{metric} by slice of {result.protocol['unit']}",
            about="The same number over parts of the data: a part that is much lower than the "
            "whole is where to look.",
            finding=finding,
            protocol=result.protocol["rules"]["name"],
        ),
        categories=tuple(
            f"{name} ({int(n):,})" for name, n in zip(result.names, result.n_truth, strict=True)
        ),
        bars=(Bars(metric, values),),
        value_label=metric,
        value_range=(0.0, 1.0),
    )
