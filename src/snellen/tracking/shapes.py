"""What an object looks like in a frame: a box, a point, a box in space, or a mask; as columns."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from snellen.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from typing_extensions import Self

__all__ = ["Boxes2D", "Boxes3D", "Points", "Shapes"]


class Shapes(Protocol):
    """The shapes of n objects, of one kind.

    Attributes
    ----------
    kind : str
        ``"boxes"``, ``"points"``, ``"boxes in space"``, ``"masks"``.
    """

    kind: ClassVar[str]

    def __len__(self) -> int: ...

    def __getitem__(self, rows: NDArray[Any] | slice) -> Self:
        """Return some rows, by a mask, positions, or a slice."""
        ...

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all parts, one after the other; at least one part."""
        ...

    def centres(self) -> NDArray[np.float64] | None:
        """Return the centre of each, (n, d); None where they have none."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class Boxes2D:
    """Boxes in an image.

    Attributes
    ----------
    xyxy : ndarray, shape (n, 4), float64
        Left, top, right, bottom in pixels.
    """

    kind: ClassVar[str] = "boxes"
    xyxy: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Boxes2D:
        """Return some rows."""
        return Boxes2D(self.xyxy[rows])

    @classmethod
    def joined(cls, parts: Sequence[Boxes2D]) -> Boxes2D:
        """Return the rows of all parts."""
        return cls(np.concatenate([part.xyxy for part in parts]))

    def centres(self) -> NDArray[np.float64]:
        """Return the middle of each box, (n, 2), in pixels."""
        return (self.xyxy[:, :2] + self.xyxy[:, 2:]) / 2


@dataclasses.dataclass(frozen=True, eq=False)
class Points:
    """Points in a plane or in space.

    Attributes
    ----------
    xyz : ndarray, shape (n, 2) or (n, 3), float64
        Coordinates, in any unit: pixels, metres, millimetres.
    """

    kind: ClassVar[str] = "points"
    xyz: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.xyz)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Points:
        """Return some rows."""
        return Points(self.xyz[rows])

    @classmethod
    def joined(cls, parts: Sequence[Points]) -> Points:
        """Return the rows of all parts.

        Raises
        ------
        ShapeError
            For points of two and of three coordinates.
        """
        widths = {part.xyz.shape[1] for part in parts if len(part)}
        if len(widths) > 1:
            raise ShapeError("expected points of as many coordinates, got some of 2 and some of 3")
        filled = [part.xyz for part in parts if len(part)]
        return cls(np.concatenate(filled)) if filled else parts[0]

    def centres(self) -> NDArray[np.float64]:
        """Return the points themselves."""
        return self.xyz


@dataclasses.dataclass(frozen=True, eq=False)
class Boxes3D:
    """Boxes in space that stand upright, turned about the vertical axis.

    Attributes
    ----------
    rows : ndarray, shape (n, 7), float64
        Centre x, y, z; length, width, height; yaw: the angle in radians from the x axis to the
        length, about z, which points up.
    """

    kind: ClassVar[str] = "boxes in space"
    rows: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Boxes3D:
        """Return some rows."""
        return Boxes3D(self.rows[rows])

    @classmethod
    def joined(cls, parts: Sequence[Boxes3D]) -> Boxes3D:
        """Return the rows of all parts."""
        return cls(np.concatenate([part.rows for part in parts]))

    def centres(self) -> NDArray[np.float64]:
        """Return the centre of each box, (n, 3)."""
        return self.rows[:, :3]
