"""The tools beside each other, one short file a tool.

Each file has a function for each task that the tool can do: it takes the task's arrays by name and
returns the work, a function without arguments. What is not the work (making a tensor of an array,
say) is done before; what only serves to compare (a checksum of masks, say), after it, by the
function that the work returns. All work in memory is done on one thread. From files to a result
`from_files` is a whole program, whose last argument is where its numbers go.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Numbers = Mapping[str, float]

__all__ = ["N_CLASSES", "VOID", "mask_numbers", "matrix_numbers", "pair_numbers"]

# Before a tool is imported that would start as many threads as there are processors.
os.environ["OMP_NUM_THREADS"] = "1"

N_CLASSES: Final = 19
VOID: Final = 255


def matrix_numbers(matrix: Any) -> Numbers:
    """Return what is compared of a confusion matrix.

    Parameters
    ----------
    matrix : ndarray, shape (19, 19) or larger
        Rows are classes of truth, columns those of predictions; what is beyond are pixels of no
        class.
    """
    known = np.asarray(matrix, np.int64)[:N_CLASSES]
    correct = known.diagonal()
    union = known.sum(1) + known[:, :N_CLASSES].sum(0) - correct
    return {
        "pixels": float(known.sum()),
        "mIoU": float((correct[union > 0] / union[union > 0]).mean()),
        "pixel_accuracy": float(correct.sum() / known.sum()),
        "checksum": _checksum(known[:, :N_CLASSES]),
    }


def pair_numbers(images: Iterable[tuple[Any, Any, Any]]) -> Numbers:
    """Return what is compared of pairs: of each image ids of truth, of predictions, and pixels."""
    found = [np.stack(columns).astype(np.int64) for columns in images]
    return {
        "pairs": float(sum(rows.shape[1] for rows in found)),
        "pixels": float(sum(rows[2].sum() for rows in found)),
        "checksum": _checksum(np.concatenate(found, axis=1)),
    }


def mask_numbers(labels: Iterable[Any]) -> Numbers:
    """Return what is compared of masks: maps with the class where one has a pixel, else VOID."""
    found = np.stack(list(labels))
    return {
        "pixels": float(found.size),
        "in_masks": float((found != VOID).sum()),
        "checksum": _checksum(found),
    }


def _checksum(array: Any) -> float:
    return float(zlib.crc32(np.ascontiguousarray(array).tobytes()))
