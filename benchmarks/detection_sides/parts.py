"""The parts of an evaluation that are measured within a process, by name."""

from __future__ import annotations

import time
from typing import Any, Final

__all__ = ["CELLS", "EVALUATION", "REPLICATED", "REPLICATES", "STEPS", "first_cell"]

REPLICATES: Final = 1_000

STEPS: Final = "evaluate(), accumulate()"
CELLS: Final = "evalImgs, one cell"
EVALUATION: Final = "one evaluation of columns in memory"
REPLICATED: Final = f"AP of {REPLICATES:,} draws of images"


def first_cell(evaluation: Any) -> float:
    """Return the seconds until a cell that holds something is there, from the middle on."""
    start = time.perf_counter()
    cells = evaluation.evalImgs
    n_cells = len(cells)  # hotcoco has no empty ones
    next(cell for k in range(n_cells // 2, n_cells) if (cell := cells[k]) is not None)
    return time.perf_counter() - start
