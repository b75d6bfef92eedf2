"""faster-coco-eval: ``COCOeval_faster`` with its defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faster_coco_eval import COCO, COCOeval_faster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _evaluated(truth: Any, predictions: Any) -> Any:
    found = truth.loadRes(predictions)
    evaluation = COCOeval_faster(truth, found, "bbox", print_function=print)
    evaluation.run()
    return evaluation


def from_files(truth: str, predictions: str) -> None:
    """Two files to the twelve printed lines."""
    _evaluated(COCO(truth), predictions)


def numbers(truth: str, predictions: str) -> tuple[Any, Sequence[float]]:
    """Return the precision array and the twelve numbers."""
    evaluation = _evaluated(COCO(truth), predictions)
    return evaluation.eval["precision"], evaluation.stats[:12]


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on an (n, 7) array; the truth's ``COCO`` is there already."""
    known = COCO(truth)

    def work() -> Sequence[float]:
        stats: Sequence[float] = _evaluated(known, rows).stats[:12]
        return stats

    return work
