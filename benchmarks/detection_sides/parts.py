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
    """Return the seconds until a cell that holds something is there."""
    n_images = len(evaluation.params.imgIds)
    n_areas = len(evaluation.params.areaRng)
    start = time.perf_counter()
    cells = evaluation.evalImgs
    # The last class, all sizes, of the images in turn.
    first = (len(evaluation.params.catIds) - 1) * n_areas * n_images
    for cell in range(first, first + n_images):
        if cells[cell] is not None:
            return time.perf_counter() - start
    return time.perf_counter() - start
