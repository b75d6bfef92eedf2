"""hotcoco: its own ``COCO`` and ``COCOeval``; all processors (its default)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotcoco import COCO, COCOeval, LVISEval, LVISResults

from detection_sides.parts import CELLS, STEPS, first_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _evaluated(truth: Any, predictions: Any, kind: str = "bbox") -> Any:
    if kind == "lvis":
        evaluation = LVISEval(truth, LVISResults(truth, predictions), "bbox")
    else:
        evaluation = COCOeval(truth, truth.load_res(predictions), kind)
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
    known = COCO(json.loads(Path(truth).read_text()))
    return lambda: _evaluated(known, rows).stats


def phases(truth: str, predictions: str) -> dict[str, float]:
    """Return the seconds of each part."""
    known = COCO(truth)
    evaluation = COCOeval(known, known.load_res(predictions), "bbox")
    start = time.perf_counter()
    evaluation.evaluate()
    evaluation.accumulate()
    seconds = {STEPS: time.perf_counter() - start}
    return {**seconds, CELLS: first_cell(evaluation)}
