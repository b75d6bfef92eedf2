"""Outlines of objects as files have them: a polygon each, not filled yet, or its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.detection.box_layouts import to_pixels
from snellen.errors import SchemaError, ShapeError
from snellen.mask_forms import size_text
from snellen.rle_masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Outlines"]

_FEWEST = 3


class Outlines(NamedTuple):
    """A polygon of each object, or its pixels; predictions may have some of less than three points.

    Attributes
    ----------
    xy : ndarray, shape (n_vertices, 2), float64
        In pixels, or as parts of the image's width and height.
    begin : ndarray, shape (n + 1,), int64
        Object i has the vertices ``begin[i]`` to ``begin[i + 1]``, exclusive; none of one whose
        pixels are known.
    pixels : RleMasks or None
        The masks of objects whose pixels are known.
    place : ndarray, shape (n,), int64, or None
        The position of each object's mask in `pixels`, or -1; None where there are none.
    """

    xy: NDArray[np.float64]
    begin: NDArray[np.int64]
    pixels: RleMasks | None = None
    place: NDArray[np.int64] | None = None

    @classmethod
    def none(cls) -> Outlines:
        """Return the outlines of no objects."""
        return cls(np.zeros((0, 2)), np.zeros(1, np.int64))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of vertices of each, (n,)."""
        return np.diff(self.begin)

    def taken(self, rows: NDArray[np.bool_]) -> Outlines:
        """Return those of some objects."""
        lengths = self.lengths
        return Outlines(
            self.xy[np.repeat(rows, lengths)],
            _begins(lengths[rows]),
            self.pixels,
            None if self.place is None else self.place[rows],
        )

    def in_pixels(self, extent: NDArray[np.int64]) -> Outlines:
        """Return outlines that are parts in pixels; `extent` is width and height by object."""
        return self._replace(xy=to_pixels(self.xy, np.repeat(extent, self.lengths, axis=0)))

    def corners(self) -> NDArray[np.float64]:
        """Return least and greatest x and y, (n, 4) as left, top, right, bottom; 0 of no points."""
        corners = np.zeros((len(self.begin) - 1, 4))
        having = self.lengths > 0
        first = self.begin[:-1][having]
        if len(first):
            corners[having, :2] = np.minimum.reduceat(self.xy, first)
            corners[having, 2:] = np.maximum.reduceat(self.xy, first)
        if self.pixels is not None and self.place is not None:
            known = self.place >= 0
            boxes = self.pixels.boxes()[self.place[known]]
            corners[known, :2], corners[known, 2:] = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
        return corners

    def masks(self, size: NDArray[np.int64], place: Callable[[int], str]) -> RleMasks:
        """Return outlines in pixels as masks, every pixel as COCO fills it.

        Parameters
        ----------
        size : ndarray, shape (n, 2)
            Height and width of each object's image.
        place : callable
            Where an object stands, for messages.

        Raises
        ------
        SchemaError
            For vertices too far out, and images of too many pixels.
        ShapeError
            For pixels of an image of another size.
        """
        drawn = self._drawn(size, place)
        if self.pixels is None or self.place is None:
            return drawn
        known = self.place >= 0
        pixels = self.pixels[self.place[known]]
        other = (pixels.size != size[known]).any(axis=1)
        if other.any():
            row = int(np.flatnonzero(known)[np.argmax(other)])
            raise ShapeError(
                f"expected a mask of the size of its image, {size_text(size[row])}, got "
                f"{size_text(pixels.size[np.argmax(other)])} (height × width)",
                place(row),
            )
        return drawn.replaced(known, pixels)

    def _drawn(self, size: NDArray[np.int64], place: Callable[[int], str]) -> RleMasks:
        """Return the polygons as masks; without a pixel where there is none."""
        begin = np.arange(len(self.begin))
        fillable = self.lengths >= _FEWEST
        try:
            if fillable.all():
                return RleMasks.from_vertices(self.xy, self.begin, begin, size, "outline")
            filled = self.taken(fillable)
            begin = np.arange(len(filled.begin))
            drawn = RleMasks.from_vertices(
                filled.xy, filled.begin, begin, size[fillable], "outline"
            )
        except SchemaError as error:
            far = np.repeat(np.arange(len(fillable)), self.lengths)[
                ~(np.abs(self.xy) < _FARTHEST).all(axis=1)
            ]
            raise SchemaError(error.message, place(int(far[0]) if len(far) else 0)) from None
        empty = RleMasks(
            (size[~fillable, 0] * size[~fillable, 1]).astype(np.uint32),
            np.arange(np.count_nonzero(~fillable) + 1),
            size[~fillable].astype(np.int32),
        )
        order = np.empty(len(fillable), np.int64)
        order[fillable] = np.arange(len(drawn))
        order[~fillable] = len(drawn) + np.arange(len(empty))
        return RleMasks.joined([drawn, empty])[order]

    def polygons(self) -> list[list[NDArray[np.float64]]]:
        """Return the polygons of each object: one, or none of less than three points or pixels."""
        return [
            [each] if len(each) >= _FEWEST else [] for each in np.split(self.xy, self.begin[1:-1])
        ][: len(self.begin) - 1]


_FARTHEST = 2e8


def _begins(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.append(0, np.cumsum(lengths, dtype=np.int64))
