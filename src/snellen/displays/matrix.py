"""A matrix of counts: what was taken for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snellen.displays.display import Display

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MatrixDisplay"]


@dataclass(eq=False, repr=False, kw_only=True)
class MatrixDisplay(Display):
    """A confusion matrix: counts as they are, or as shares of rows or columns.

    Attributes
    ----------
    rows, columns : tuple of str
        The names of classes; with margins the last row is ``"false alarm"`` and the last column
        ``"missed"``.
    counts : ndarray, shape (R, C), float64
        How many; NaN where there can be none (the corner of the margins).
    row_label, column_label : str
        What rows and columns are.
    margins : bool
        Whether there are margins of what has no counterpart.
    normalise : {"", "rows", "columns"}
        What `plot` and `figure` draw: counts, or shares.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.float64]
    row_label: str = "true"
    column_label: str = "predicted"
    margins: bool = False
    normalise: str = ""
