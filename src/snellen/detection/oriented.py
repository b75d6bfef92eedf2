"""Oriented boxes as columns, one row an object."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes

__all__ = ["OrientedBoxes"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class OrientedBoxes:
    """Truth or predicted boxes that are turned, of many images.

    Attributes
    ----------
    boxes : Boxes
        What is known of each object: image, class, area, score …; the boxes themselves are upright
        ones around the turned ones.
    corners : ndarray, shape (n, 4, 2), float64
        The corners x, y in pixels, in order around the box.
    """

    kind: ClassVar[Literal["oriented"]] = "oriented"
    boxes: Boxes
    corners: NDArray[Any]

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: NDArray[Any] | slice) -> OrientedBoxes:
        """Return some rows, by a mask, positions, or a slice; images and classes stay."""
        return OrientedBoxes(self.boxes[rows], self.corners[rows])

    def __repr__(self) -> str:
        return repr(self.boxes).replace("Boxes", "OrientedBoxes", 1)
