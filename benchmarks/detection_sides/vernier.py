"""vernier: its native ``Evaluator`` in strict mode; ``num_threads`` as there are processors.

Its default is one thread, which takes longer on the wall and less of the processors.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernier import _core
from vernier.instance import Bbox, CocoDataset, Evaluator, Keypoints, Segm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What is compared, and the caps where they are not those of the evaluator.
_KINDS: dict[str, tuple[Any, tuple[int, ...] | None]] = {
    "bbox": (Bbox(), None),
    "segm": (Segm(), None),
    "keypoints": (Keypoints(), None),
    "lvis": (Bbox(), (300,)),
}


def _read(truth: str, predictions: str, kind: str) -> tuple[Any, bytes]:
    known = Path(truth).read_bytes()
    if kind == "lvis":
        return CocoDataset.from_lvis_json(known), Path(predictions).read_bytes()
    return known, Path(predictions).read_bytes()


def _threads() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _summary(truth: Any, predictions: Any, kind: str = "bbox") -> Any:
    compared, caps = _KINDS[kind]
    evaluator = Evaluator(iou=compared, parity_mode="strict", max_dets=caps)
    summary = evaluator.evaluate(truth, predictions, num_threads=_threads())
    print("\n".join(summary.pretty_lines()))
    return summary


def from_files(truth: str, predictions: str, kind: str = "bbox") -> None:
    """Two files to the printed lines."""
    _summary(*_read(truth, predictions, kind), kind)


def numbers(truth: str, predictions: str, kind: str = "bbox") -> tuple[Any, Sequence[float]]:
    """Return the precision array and the headline numbers.

    The evaluator gives no curves: these are of the functions below its ``COCOeval``.
    """
    known, found = _read(truth, predictions, kind)
    of_kind: dict[str, Any] = {"bbox": _core.evaluate_bbox_grid, "lvis": _core.evaluate_bbox_grid}
    of_kind["segm"] = _core.evaluate_segm_grid
    of_kind["keypoints"] = _core.evaluate_keypoints_grid
    caps = list(_KINDS[kind][1] or ((20,) if kind == "keypoints" else (1, 10, 100)))
    more = {"sigmas": {}} if kind == "keypoints" else {}
    grid = of_kind[kind](
        known,
        found,
        parity_mode="strict",
        max_dets_per_image=caps[-1],
        use_cats=True,
        num_threads=_threads(),
        **more,
    )
    precision = grid.accumulate(caps).precision
    del grid
    if kind == "lvis":
        precision = precision[..., -1:]
    return precision, _summary(known, found, kind).stats


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on an (n, 7) array; the truth's ``CocoDataset`` is there already."""
    known = CocoDataset.from_json(Path(truth).read_bytes())

    def work() -> Sequence[float]:
        stats: Sequence[float] = _summary(known, rows).stats
        return stats

    return work
