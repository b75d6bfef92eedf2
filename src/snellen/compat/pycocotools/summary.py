"""The twelve numbers of boxes and masks, the ten of keypoints, and their lines."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["summarised"]

# Is it precision; IoU threshold; area range; cap: the position of one, or a number in brackets.
_Line = tuple[bool, Any, str, Any]

_DETECTION: list[_Line] = [
    (True, None, "all", [100]),
    (True, 0.5, "all", 2),
    (True, 0.75, "all", 2),
    *[(True, None, label, 2) for label in ("small", "medium", "large")],
    *[(False, None, "all", position) for position in (0, 1, 2)],
    *[(False, None, label, 2) for label in ("small", "medium", "large")],
]
_KEYPOINTS: list[_Line] = [
    (precision, threshold, label, [20])
    for precision in (True, False)
    for threshold, label in (
        (None, "all"),
        (0.5, "all"),
        (0.75, "all"),
        (None, "medium"),
        (None, "large"),
    )
]


def summarised(evaluated: Any, parameters: Any, iou_type: str) -> Any:
    """Print a line for each number and return them all.

    Raises
    ------
    IndexError
        Where there are less than three caps for boxes and masks.
    """
    lines = _KEYPOINTS if iou_type == "keypoints" else _DETECTION
    stats = np.zeros(len(lines))
    for i, (precision, threshold, label, cap) in enumerate(lines):
        number = parameters.maxDets[cap] if isinstance(cap, int) else cap[0]
        stats[i] = _line(evaluated, parameters, precision, threshold, label, number)
    return stats


def _line(
    evaluated: Any, parameters: Any, precision: bool, threshold: Any, label: str, cap: Any
) -> Any:
    title, short = ("Average Precision", "(AP)") if precision else ("Average Recall", "(AR)")
    thresholds = parameters.iouThrs
    shown = (
        f"{thresholds[0]:0.2f}:{thresholds[-1]:0.2f}" if threshold is None else f"{threshold:0.2f}"
    )
    areas = [i for i, each in enumerate(parameters.areaRngLbl) if each == label]
    caps = [i for i, each in enumerate(parameters.maxDets) if each == cap]
    values = evaluated["precision"] if precision else evaluated["recall"]
    if threshold is not None:
        values = values[np.where(threshold == thresholds)[0]]
    values = values[..., areas, caps]
    defined = values[values > -1]
    mean = -1 if len(defined) == 0 else np.mean(defined)
    print(
        f" {title:<18} {short} @[ IoU={shown:<9} | area={label:>6s} | maxDets={cap:>3d} ] "
        f"= {mean:0.3f}"
    )
    return mean
