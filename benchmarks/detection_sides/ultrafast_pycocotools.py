"""ultrafast-pycocotools: its own ``COCO`` and ``COCOeval``; all processors (its default)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ultrafast_pycocotools import COCO, COCOeval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _evaluated(truth: Any, predictions: Any, kind: str = "bbox") -> Any:
    is_lvis = kind == "lvis"
    evaluation = COCOeval(
        truth, truth.loadRes(predictions), "bbox" if is_lvis else kind, lvis_style=is_lvis
    )
    evaluation.run()
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
    # From the file it keeps columns; from a dict it would keep the dict.
    known = COCO(truth)
    return lambda: _evaluated(known, rows).stats
