"""The thirteen numbers, and their lines."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["lines_of", "mean_of", "numbers_of"]


def numbers_of(mean: Any, max_dets: Any) -> Any:
    """Yield names and numbers; each is made when it is asked for.

    Parameters
    ----------
    mean : callable
        Gives a mean, as `LVISEval._summarize` does.
    max_dets : int
        In the names of recalls.
    """
    yield "AP", mean("ap")
    yield "AP50", mean("ap", iou_thr=0.50)
    yield "AP75", mean("ap", iou_thr=0.75)
    for label in ("small", "medium", "large"):
        yield f"AP{label[0]}", mean("ap", area_rng=label)
    for position, group in enumerate("rcf"):
        yield f"AP{group}", mean("ap", freq_group_idx=position)
    yield f"AR@{max_dets}", mean("ar")
    for label in ("small", "medium", "large"):
        yield f"AR{label[0]}@{max_dets}", mean("ar", area_rng=label)


def mean_of(values: Any) -> Any:
    """Return the mean of what is defined, -1 where nothing is."""
    defined = values[values > -1]
    return -1 if len(defined) == 0 else np.mean(defined)


def lines_of(results: Any, parameters: Any) -> Any:
    """Yield the line of each number; its name says of what it is."""
    for name, value in results.items():
        title, short = ("Average Precision", "(AP)") if "AP" in name else ("Average Recall", "(AR)")
        part = name[2] if len(name) > 2 else ""
        if part.isdigit():
            iou = f"{float(name[2:]) / 100:0.2f}"
        else:
            iou = f"{parameters.iou_thrs[0]:0.2f}:{parameters.iou_thrs[-1]:0.2f}"
        group = part if part and part in "rcf" else "all"
        area = part if part and part in "sml" else "all"
        yield (
            f" {title:<18} {short} @[ IoU={iou:<9} | area={area:>6s} | "
            f"maxDets={parameters.max_dets:>3d} catIds={group:>3s}] = {value:0.3f}"
        )
