"""pycocotools: the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _evaluated(truth: Any, predictions: Any, kind: str = "bbox") -> Any:
    evaluation = COCOeval(truth, truth.loadRes(predictions), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def from_files(truth: str, predictions: str, kind: str = "bbox") -> None:
    """Two files to the printed lines."""
    _evaluated(COCO(truth), predictions, kind)


def numbers(truth: str, predictions: str, kind: str = "bbox") -> tuple[Any, Sequence[float]]:
    """Return the precision array and the headline numbers."""
    evaluation = _evaluated(COCO(truth), predictions, kind)
    return evaluation.eval["precision"], evaluation.stats


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on an (n, 7) array; the truth's ``COCO`` is there already."""
    known = COCO(truth)
    return lambda: _evaluated(known, rows).stats
