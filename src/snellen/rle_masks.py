"""Masks of objects as COCO's run lengths: one row a mask, whatever its size; no pixels."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from snellen import _core
from snellen.errors import InputError, SchemaError, ShapeError
from snellen.mask_forms import (
    image_stack,
    run_list,
    run_offsets,
    size_of,
    size_text,
    sizes_of,
    vertices_of,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["LabelledMasks", "MaskExtents", "RleMasks"]


_FARTHEST = 2e8


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class RleMasks:
    """Masks of n objects.

    Made by `of`, `from_coco`, `from_texts`, `from_runs`, `from_polygons`, `from_vertices`,
    `from_arrays` or `from_labels`, which check what they are given; the plain constructor checks
    nothing.

    Attributes
    ----------
    runs : ndarray, uint32
        Of each mask the numbers of pixels outside, inside, outside … it, column by column from the
        top left; the first may be 0.
    offset : ndarray, shape (n + 1,), int64
        Mask i has the runs ``offset[i]`` to ``offset[i + 1]``, exclusive.
    size : ndarray, shape (n, 2), int32
        Height and width of each mask's image.

    Examples
    --------
    >>> masks = RleMasks.from_arrays([[[0, 1], [0, 1]]])  # the right half of 2 × 2 pixels
    >>> masks.runs.tolist(), masks.areas().tolist(), masks.boxes().tolist()
    ([2, 2], [2], [[1, 0, 1, 2]])
    """

    kind: ClassVar[str] = "masks"
    runs: NDArray[np.uint32]
    offset: NDArray[np.int64]
    size: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.size)

    def __repr__(self) -> str:
        return f"RleMasks({len(self)} masks, {len(self.runs)} runs)"

    def __getitem__(self, rows: NDArray[Any] | slice) -> RleMasks:
        """Return some rows, by a mask, positions, or a slice."""
        if isinstance(rows, slice) and rows.step in (None, 1):
            first, last, _ = rows.indices(len(self))
            offset = self.offset[first : max(first, last) + 1]
            runs = self.runs[offset[0] : offset[-1]]
            return RleMasks(runs, offset - offset[0], self.size[rows])
        wanted = np.ascontiguousarray(np.arange(len(self), dtype=np.int64)[rows])
        return RleMasks(*_core.take_rle(self.runs, self.offset, wanted), self.size[wanted])

    @classmethod
    def joined(cls, parts: Sequence[RleMasks]) -> RleMasks:
        """Return the rows of all parts, one after the other; at least one part."""
        if len(parts) == 1:
            return parts[0]
        lengths = np.concatenate([np.diff(part.offset) for part in parts])
        return cls(
            np.concatenate([part.runs for part in parts]),
            np.append(0, np.cumsum(lengths)),
            np.concatenate([part.size for part in parts]),
        )

    @classmethod
    def of(cls, mask: Any, name: str = "mask") -> RleMasks:
        """Return masks of any form.

        Parameters
        ----------
        mask : RleMasks, sequence of COCO RLE mappings, or array-like of shape (n, H, W)
        name : str
            What errors call it.

        Raises
        ------
        SchemaError, ShapeError, InputError
            For what are no masks.
        """
        if isinstance(mask, cls):
            return mask
        if isinstance(mask, Mapping):
            raise ShapeError(
                "expected a sequence of masks, got a single one: put it in a list", name
            )
        if isinstance(mask, Sequence) and (not len(mask) or isinstance(mask[0], Mapping)):
            return cls.from_coco(mask, name)
        return cls.from_arrays(mask, name)

    @classmethod
    def from_coco(cls, masks: Sequence[Mapping[str, Any]], name: str = "mask") -> RleMasks:
        """Return masks that COCO's files and pycocotools hold as mappings.

        Parameters
        ----------
        masks : sequence of mappings
            Each with ``size`` (height, width) and ``counts``: text, bytes, or a list of runs.
        name : str
            What errors call it.

        Raises
        ------
        SchemaError
            For missing keys, sizes that are none, and runs that do not sum up to the image.
        """
        sizes: list[Any] = []
        texts: list[bytes] = []
        lists: dict[int, Any] = {}
        for row, mask in enumerate(masks):
            place = f"{name}[{row}]"
            if not isinstance(mask, Mapping) or not {"size", "counts"} <= mask.keys():
                raise SchemaError(
                    'expected a mapping with "size" and "counts", got '
                    + (", ".join(map(repr, mask)) if isinstance(mask, Mapping) else repr(mask)),
                    place,
                )
            sizes.append(size_of(mask["size"], place))
            counts = mask["counts"]
            if isinstance(counts, str):
                texts.append(counts.encode())
            elif isinstance(counts, bytes):
                texts.append(counts)
            else:
                lists[row] = run_list(counts, place)
        size = np.array(sizes, np.int32).reshape(-1, 2)
        if not lists:
            return cls.from_texts(texts, size, name)
        of_list = np.zeros(len(sizes), np.bool_)
        of_list[list(lists)] = True
        offset = np.append(0, np.cumsum([len(runs) for runs in lists.values()]))
        listed = cls.from_runs(
            np.concatenate(list(lists.values())), offset, size[of_list], name, list(lists)
        )
        written = cls.from_texts(texts, size[~of_list], name, np.flatnonzero(~of_list).tolist())
        return cls.joined([listed, written])[np.argsort(~of_list, kind="stable").argsort()]

    @classmethod
    def from_texts(
        cls,
        texts: Sequence[bytes],
        size: ArrayLike,
        name: str = "mask",
        rows: Sequence[int] | None = None,
    ) -> RleMasks:
        """Return the masks of COCO's compressed run lengths.

        Parameters
        ----------
        texts : sequence of bytes
        size : array-like of integers, shape (2,) or (n, 2)
            Height and width of the image, of all masks or of each.
        name : str
            What errors call it.
        rows : sequence of int, optional
            The number that errors give to each text; its position where not given.

        Raises
        ------
        SchemaError
            For texts that are none, with the row and the position of the character, and for sizes
            that are none.
        """
        sizes = sizes_of(size, len(texts), name)
        try:
            data = np.frombuffer(b"".join(texts), np.uint8)
        except TypeError as error:
            raise SchemaError(f"expected run lengths as bytes: {error}", name) from error
        offset = np.append(0, np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts))))
        runs, run_offset, fault = _core.decode_rle(data, offset, sizes)
        if fault is not None:
            message, row, position = fault
            place = f"{name}[{row if rows is None else rows[row]}] character {position + 1}"
            raise SchemaError(message, place)
        return cls(runs, run_offset, sizes)

    @classmethod
    def from_runs(
        cls,
        runs: ArrayLike,
        offset: ArrayLike,
        size: ArrayLike,
        name: str = "mask",
        rows: Sequence[int] | None = None,
    ) -> RleMasks:
        """Return masks of joined runs, checked; see the attributes.

        Raises
        ------
        SchemaError
            For runs, offsets and sizes that are no whole numbers or out of their range, and for
            runs that do not sum up to the image.
        """
        whole = run_list(runs, name)
        begin = run_offsets(offset, len(whole), name)
        masks = cls(whole, begin, sizes_of(size, len(begin) - 1, name))
        fault = _core.check_rle(masks.runs, masks.offset, masks.size)
        if fault is not None:
            message, row, _ = fault
            raise SchemaError(message, f"{name}[{row if rows is None else rows[row]}]")
        return masks

    @classmethod
    def from_polygons(
        cls, polygons: Sequence[Sequence[ArrayLike]], size: ArrayLike, name: str = "polygons"
    ) -> RleMasks:
        """Return a mask for each object: the union of its polygons, every pixel as COCO fills it.

        Parameters
        ----------
        polygons : sequence of sequences of array-likes
            Of each object the polygons: x, y, x, y …, or rows of x and y; in pixels, from the top
            left corner of the image.
        size : array-like of integers, shape (2,) or (n, 2)
            Height and width of the image, of all objects or of each.
        name : str
            What errors call them.

        Raises
        ------
        SchemaError
            For an object without polygons, and for a polygon of less than three vertices, of half
            a vertex, or of numbers that are none or beyond ±2 × 10⁸.

        Examples
        --------
        >>> triangle, square = [0, 0, 4, 4, 0, 4], [[2, 0], [4, 0], [4, 2], [2, 2]]
        >>> masks = RleMasks.from_polygons([[triangle, square], [square]], (4, 4))
        >>> masks.to_arrays()[0].astype(int)
        array([[1, 0, 1, 1],
               [1, 1, 1, 1],
               [1, 1, 1, 0],
               [1, 1, 1, 1]])
        >>> masks.areas().tolist()
        [14, 4]
        """
        parts: list[NDArray[np.float64]] = []
        for row, shapes in enumerate(polygons):
            for k, shape in enumerate(shapes):
                parts.append(vertices_of(shape, f"{name}[{row}][{k}]"))
        return cls.from_vertices(
            np.concatenate(parts) if parts else np.zeros((0, 2)),
            np.append(0, np.cumsum([len(part) for part in parts], dtype=np.int64)),
            np.append(0, np.cumsum([len(shapes) for shapes in polygons], dtype=np.int64)),
            size,
            name,
        )

    @classmethod
    def from_vertices(
        cls,
        xy: NDArray[np.float64],
        polygon_begin: NDArray[np.int64],
        begin: NDArray[np.int64],
        size: ArrayLike,
        name: str = "polygons",
    ) -> RleMasks:
        """Return a mask for each object whose polygons are columns already.

        Parameters
        ----------
        xy : ndarray, shape (n_vertices, 2), float64
        polygon_begin : ndarray, shape (n_polygons + 1,), int64
            Polygon k has the vertices ``polygon_begin[k]`` to ``polygon_begin[k + 1]``, exclusive.
        begin : ndarray, shape (n + 1,), int64
            Object i has the polygons ``begin[i]`` to ``begin[i + 1]``, exclusive.
        size, name
            As `from_polygons` takes them.

        Raises
        ------
        SchemaError
            As from `from_polygons`.
        """
        n_polygons = np.diff(begin)
        sizes = sizes_of(size, len(n_polygons), name)
        if (n_polygons == 0).any():
            row = int(np.argmin(n_polygons))
            raise SchemaError("expected at least one polygon, got none", f"{name}[{row}]")
        n_vertices = np.diff(polygon_begin)
        bad = n_vertices < 3
        # Also false for what is no number. Further out than this no image has pixels, and the
        # fifths of a pixel that corners are rounded to have more than 32 bits.
        if len(xy) and not (xy.min() > -_FARTHEST and xy.max() < _FARTHEST):
            near = (np.abs(xy) < _FARTHEST).all(axis=1)
            bad[np.searchsorted(polygon_begin, np.flatnonzero(~near), side="right") - 1] = True
        if bad.any():
            first = int(np.argmax(bad))
            row = int(np.searchsorted(begin, first, side="right")) - 1
            got = f"{n_vertices[first]} vertices" if n_vertices[first] < 3 else "another"
            raise SchemaError(
                "expected a polygon of three or more vertices, of numbers between -2e8 and 2e8, "
                f"got {got}",
                f"{name}[{row}][{first - int(begin[row])}]",
            )
        of_each = np.repeat(sizes, n_polygons, axis=0)
        runs, offset = _core.rle_of_polygons(
            xy.reshape(-1), polygon_begin, of_each.astype(np.int64)
        )
        filled = cls(runs, offset, of_each)
        several = n_polygons > 1
        if not several.any():
            return filled
        # Few objects have more than one; the others stay as they are.
        parts = filled[np.repeat(several, n_polygons)]
        united = parts.merged(np.append(0, np.cumsum(n_polygons[several])))
        return filled[begin[:-1]].replaced(several, united)

    @classmethod
    def from_arrays(cls, mask: Any, name: str = "mask") -> RleMasks:
        """Return masks of pixels.

        Parameters
        ----------
        mask : array-like, shape (n, H, W)
            Flags or whole numbers: anything but 0 is inside.
        name : str
            What errors call it.

        Raises
        ------
        ShapeError, InputError
            For other shapes and kinds of numbers.
        """
        array = image_stack(mask, name, "masks")
        pixels = array.view(np.uint8) if array.dtype.itemsize == 1 else (array != 0).view(np.uint8)
        size = np.tile(np.array(array.shape[1:], np.int32), (len(array), 1))
        return cls(*_core.encode_masks(pixels), size)

    @classmethod
    def from_labels(cls, labels: Any, name: str = "labels") -> LabelledMasks:
        """Return a mask for each value of each label image; 0 is no object.

        Parameters
        ----------
        labels : array-like of integers, shape (n, H, W)
        name : str
            What errors call it.

        Raises
        ------
        ShapeError, InputError
            For other shapes and kinds of numbers.
        """
        array = image_stack(labels, name, "label images")
        if array.dtype == np.bool_:
            array = array.view(np.uint8)
        if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
            raise InputError("expected values below 2^63", name)
        if array.dtype not in (np.uint8, np.uint16, np.int32, np.int64):
            array = array.astype(np.int64)
        begin, value, runs, offset = _core.encode_labels(array)
        image = np.repeat(np.arange(len(array)), np.diff(begin))
        size = np.tile(np.array(array.shape[1:], np.int32), (len(image), 1))
        return LabelledMasks(image, value, cls(runs, offset, size))

    def centres(self) -> None:
        """Return None: a mask has no agreed centre."""

    def areas(self) -> NDArray[np.int64]:
        """Return the number of pixels in each mask, (n,)."""
        return _core.rle_areas(self.runs, self.offset)

    def boxes(self) -> NDArray[np.int32]:
        """Return left, top, width and height of the smallest box around each, (n, 4).

        Zeros for a mask without pixels, as pycocotools has it.
        """
        return _core.rle_boxes(self.runs, self.offset, self.size)

    @functools.cached_property
    def extents(self) -> MaskExtents:
        """What `areas` and `boxes` return, computed once; not to be written to."""
        return MaskExtents(*_core.rle_extents(self.runs, self.offset, self.size))

    def texts(self) -> list[bytes]:
        """Return COCO's compressed run lengths of each mask."""
        data, offset = _core.encode_rle(self.runs, self.offset, self.size)
        whole, bounds = data.tobytes(), offset.tolist()
        return [whole[i:j] for i, j in itertools.pairwise(bounds)]

    def to_coco(self) -> list[dict[str, Any]]:
        """Return the masks as pycocotools takes them: ``size`` and ``counts`` of each."""
        return [
            {"size": size, "counts": text}
            for size, text in zip(self.size.tolist(), self.texts(), strict=True)
        ]

    def to_arrays(self) -> NDArray[np.bool_]:
        """Return the pixels, (n, H, W).

        Raises
        ------
        ShapeError
            For masks of different sizes.
        """
        if not len(self):
            return np.zeros((0, 0, 0), np.bool_)
        ones = np.ones(len(self), np.uint8)
        return self.painted(np.arange(len(self) + 1), ones).view(np.bool_)

    def painted(self, begin: NDArray[np.int64], value: NDArray[Any]) -> NDArray[Any]:
        """Return label images.

        Parameters
        ----------
        begin : ndarray, shape (n_images + 1,), int64
            Image i shows the masks ``begin[i]`` to ``begin[i + 1]``, exclusive; where several lie
            over each other the last is seen.
        value : ndarray, shape (n,), uint8 or uint16
            The value that each mask's pixels get; 0 stands where no mask is.

        Raises
        ------
        ShapeError
            For masks of different sizes, or none.
        """
        height, width = self.one_size()
        painted: NDArray[Any] = _core.paint_rle(
            self.runs, self.offset, self.size, begin, value, height, width
        )
        return painted

    def one_size(self) -> tuple[int, int]:
        """Return height and width that all masks have.

        Raises
        ------
        ShapeError
            Where they differ, or there are no masks.
        """
        if not len(self):
            raise ShapeError("expected masks, there are none: their size is not known", "mask")
        other = (self.size != self.size[0]).any(axis=1)
        if other.any():
            row = int(np.argmax(other))
            raise ShapeError(
                f"expected masks of one size, got {size_text(self.size[0])} and "
                f"{size_text(self.size[row])}",
                f"mask[{row}]",
            )
        height, width = self.size[0].tolist()
        return height, width

    def merged(self, begin: NDArray[np.int64], *, intersect: bool = False) -> RleMasks:
        """Return the union, or the intersection, of groups of masks that follow each other.

        Parameters
        ----------
        begin : ndarray, shape (n_groups + 1,), int64
            Group g has the masks ``begin[g]`` to ``begin[g + 1]``, exclusive; all of one size. A
            group without masks becomes a mask of 0 × 0 pixels.
        intersect : bool
            Whether pixels of all masks of the group are kept, rather than those of any.
        """
        empty = begin[1:] == begin[:-1]
        size = np.zeros((len(empty), 2), np.int32)
        size[~empty] = self.size[begin[:-1][~empty]]
        runs, offset = _core.merge_rle(self.runs, self.offset, self.size, begin, intersect)
        return RleMasks(runs, offset, size)

    def replaced(self, marked: NDArray[np.bool_], others: RleMasks) -> RleMasks:
        """Return the rows, but in the place of those that are marked the others, in their order."""
        if marked.all():
            return others
        runs, offset = _core.replace_rle(
            self.runs, self.offset, others.runs, others.offset, marked.view(np.uint8)
        )
        size = self.size.copy()
        size[marked] = others.size
        return RleMasks(runs, offset, size)

    def without(self, others: RleMasks) -> RleMasks:
        """Return row by row the pixels that the other mask has not; of the same sizes."""
        runs, offset = _core.subtract_rle(
            self.runs, self.offset, self.size, others.runs, others.offset, others.size
        )
        return RleMasks(runs, offset, self.size)


class MaskExtents(NamedTuple):
    """How large masks are.

    Attributes
    ----------
    area : ndarray, shape (n,), int64
        The number of pixels in each.
    box : ndarray, shape (n, 4), int32
        Left, top, width and height of the smallest box around each; zeros for no pixels.
    """

    area: NDArray[np.int64]
    box: NDArray[np.int32]


class LabelledMasks(NamedTuple):
    """The masks of label images.

    Attributes
    ----------
    image : ndarray, shape (n,), int64
        The image of each mask, ascending.
    value : ndarray, shape (n,), int64
        Its value there, ascending within an image.
    masks : RleMasks
    """

    image: NDArray[np.int64]
    value: NDArray[np.int64]
    masks: RleMasks
