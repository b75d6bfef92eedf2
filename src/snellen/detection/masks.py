"""Masks of objects as columns, one row an object."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.rle_masks import RleMasks

__all__ = ["Masks"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Masks:
    """Truth or predicted masks of many images.

    Attributes
    ----------
    boxes : Boxes
        What is known of each object beside its pixels: image, class, area, score …; the boxes
        themselves are those around the masks, or those that came with them.
    rle : RleMasks
        The pixels of each.
    sizes : ndarray, shape (n_images, 2), int64, or None
        Height and width of each image of ``boxes.images``, -1 where not known; None where none is.
        Predictions are checked against them, and their polygons filled.
    """

    kind: ClassVar[Literal["mask"]] = "mask"
    boxes: Boxes
    rle: RleMasks
    sizes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Masks:
        """Return some rows, by a mask, positions, or a slice; images and classes stay."""
        return Masks(self.boxes[rows], self.rle[rows], self.sizes)

    def __repr__(self) -> str:
        return repr(self.boxes).replace("Boxes", "Masks", 1).replace(" boxes", " masks", 1)
