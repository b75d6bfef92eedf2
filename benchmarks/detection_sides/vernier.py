"""vernier: its native ``Evaluator`` in strict mode; ``num_threads`` as there are processors.

Its default is one thread, which takes longer on the wall and less of the processors.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernier import _core
from vernier.instance import Bbox, CocoDataset, Evaluator, Keypoints, Segm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_KINDS: dict[str, Any] = {
    "bbox": (Bbox(), _core.evaluate_bbox_grid),
    "segm": (Segm(), _core.evaluate_segm_grid),
    "keypoints": (Keypoints(), functools.partial(_core.evaluate_keypoints_grid, sigmas={})),
}


def _read(truth: str, predictions: str) -> tuple[bytes, bytes]:
    return Path(truth).read_bytes(), Path(predictions).read_bytes()


def _threads() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _printed(summary: Any) -> Any:
    print("\n".join(summary.pretty_lines()))
    return summary


def _summary(truth: Any, predictions: Any, kind: str = "bbox") -> Any:
    evaluator = Evaluator(iou=_KINDS[kind][0], parity_mode="strict")
    return _printed(evaluator.evaluate(truth, predictions, num_threads=_threads()))


def _curves(truth: Any, predictions: bytes, kind: str, caps: list[int]) -> Any:
    """Return what the functions below its ``COCOeval`` give, and the evaluator does not."""
    grid = _KINDS[kind][1](
        truth,
        predictions,
        parity_mode="strict",
        max_dets_per_image=caps[-1],
        use_cats=True,
        num_threads=_threads(),
    )
    return grid.accumulate(caps)


def _of_lvis(truth: str, predictions: str) -> tuple[Any, Any]:
    # The evaluator has no cap of 300 alone.
    known, found = _read(truth, predictions)
    dataset = CocoDataset.from_lvis_json(known)
    curves = _curves(dataset, found, "bbox", [300])
    return curves.precision, _printed(curves.summarize_lvis(dataset, [300]))


def from_files(truth: str, predictions: str, kind: str = "bbox") -> None:
    """Two files to the printed lines."""
    if kind == "lvis":
        _of_lvis(truth, predictions)
    else:
        _summary(*_read(truth, predictions), kind)


def numbers(truth: str, predictions: str, kind: str = "bbox") -> tuple[Any, Sequence[float]]:
    """Return the precision array and the headline numbers."""
    if kind == "lvis":
        precision, summary = _of_lvis(truth, predictions)
        return precision, summary.stats
    files = _read(truth, predictions)
    caps = [20] if kind == "keypoints" else [1, 10, 100]
    return _curves(*files, kind, caps).precision, _summary(*files, kind).stats


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on an (n, 7) array; the truth's ``CocoDataset`` is there already."""
    known = CocoDataset.from_json(Path(truth).read_bytes())

    def work() -> Sequence[float]:
        stats: Sequence[float] = _summary(known, rows).stats
        return stats

    return work
