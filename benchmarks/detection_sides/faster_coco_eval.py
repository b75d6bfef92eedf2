"""faster-coco-eval: ``COCOeval_faster`` with its defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faster_coco_eval import COCO, COCOeval_faster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _evaluated(truth: Any, predictions: Any, kind: str = "bbox") -> Any:
    found = truth.loadRes(predictions)
    is_lvis = kind == "lvis"
    evaluation = COCOeval_faster(
        truth, found, "bbox" if is_lvis else kind, lvis_style=is_lvis, print_function=print
    )
    if is_lvis:
        evaluation.params.maxDets = [300]
    evaluation.run()
    return evaluation


def from_files(truth: str, predictions: str, kind: str = "bbox") -> None:
    """Two files to the printed lines."""
    _evaluated(COCO(truth), predictions, kind)


def numbers(truth: str, predictions: str, kind: str = "bbox") -> tuple[Any, Sequence[float]]:
    """Return the precision array and the headline numbers."""
    evaluation = _evaluated(COCO(truth), predictions, kind)
    if kind == "lvis":
        names = ("AP_all", "AP_50", "AP_75", "AP_small", "AP_medium", "AP_large")
        names += ("APr", "APc", "APf", "AR_all", "AR_small", "AR_medium", "AR_large")
        named = evaluation.stats_as_dict
        return evaluation.eval["precision"], [named[name] for name in names]
    return evaluation.eval["precision"], evaluation.stats[: 10 if kind == "keypoints" else 12]


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on an (n, 7) array; the truth's ``COCO`` is there already."""
    known = COCO(truth)

    def work() -> Sequence[float]:
        stats: Sequence[float] = _evaluated(known, rows).stats[:12]
        return stats

    return work
