"""Keypoints of objects as columns, one row an object."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes

__all__ = ["Poses"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Poses:
    """Truth or predicted keypoints of many images.

    Attributes
    ----------
    boxes : Boxes
        What is known of each object beside its keypoints: image, class, area, score …
    keypoints : ndarray, shape (n, K, 3), float64
        Of each keypoint x, y in pixels, and visibility: 0 for one that is not labelled (of
        predictions it is not read).
    """

    kind: ClassVar[Literal["keypoints"]] = "keypoints"
    boxes: Boxes
    keypoints: NDArray[Any]

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Poses:
        """Return some rows, by a mask, positions, or a slice; images and classes stay."""
        return Poses(self.boxes[rows], self.keypoints[rows])

    def __repr__(self) -> str:
        return repr(self.boxes).replace("Boxes", "Poses", 1).replace(" boxes", " poses", 1)
