"""lvis-api: the reference of LVIS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lvis import LVIS, LVISEval, LVISResults

if TYPE_CHECKING:
    from collections.abc import Sequence

# NumPy 1.24 has dropped the name, and lvis 0.5.3 calls it.
vars(np).setdefault("float", float)


def _evaluated(truth: str, predictions: str) -> Any:
    known = LVIS(truth)
    evaluation = LVISEval(known, LVISResults(known, predictions), "bbox")
    evaluation.run()
    evaluation.print_results()
    return evaluation


def from_files(truth: str, predictions: str, kind: str) -> None:
    """Two files to the printed lines."""
    assert kind == "lvis"
    _evaluated(truth, predictions)


def numbers(truth: str, predictions: str, kind: str) -> tuple[Any, Sequence[float]]:
    """Return the precision array, with an axis of the one cap, and the headline numbers."""
    assert kind == "lvis"
    evaluation = _evaluated(truth, predictions)
    precision = np.ascontiguousarray(evaluation.eval["precision"][..., np.newaxis])
    return precision, list(evaluation.get_results().values())
