"""hotcoco: its own ``COCO`` and ``COCOeval``; all processors (its default)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotcoco import COCO, COCOeval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _evaluated(truth: Any, predictions: Any) -> Any:
    evaluation = COCOeval(truth, truth.load_res(predictions), "bbox")
    evaluation.run()
    return evaluation


def from_files(truth: str, predictions: str) -> None:
    """Two files to the twelve printed lines."""
    _evaluated(COCO(truth), predictions)


def numbers(truth: str, predictions: str) -> tuple[Any, Sequence[float]]:
    """Return the precision array and the twelve numbers."""
    evaluation = _evaluated(COCO(truth), predictions)
    return evaluation.eval["precision"], evaluation.stats


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on an (n, 7) array; the truth's ``COCO`` is there already."""
    known = COCO(json.loads(Path(truth).read_text()))
    return lambda: _evaluated(known, rows).stats
