"""Masks of objects as COCO's run lengths: one row a mask, whatever its size; no pixels."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np

from snellen import _core
from snellen.arrays import to_numpy
from snellen.errors import InputError, SchemaError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["LabelledMasks", "RleMasks", "mask_pairs", "refuse_other_sizes", "refuse_overlaps"]

_MOST_PIXELS = 2**32 - 1


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class RleMasks:
    """Masks of n objects.

    Made by `of`, `from_coco`, `from_texts`, `from_runs`, `from_arrays` or `from_labels`, which
    check what they are given; the plain constructor checks nothing.

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
            sizes.append(_size_of(mask["size"], place))
            counts = mask["counts"]
            if isinstance(counts, str):
                texts.append(counts.encode())
            elif isinstance(counts, bytes):
                texts.append(counts)
            else:
                lists[row] = _run_list(counts, place)
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
        size : array-like, shape (n, 2)
            Height and width of each.
        name : str
            What errors call it.
        rows : sequence of int, optional
            The number that errors give to each text; its position where not given.

        Raises
        ------
        SchemaError
            For texts that are none, with the row and the position of the character.
        """
        sizes = np.ascontiguousarray(size, np.int32).reshape(-1, 2)
        data = np.frombuffer(b"".join(texts), np.uint8)
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
            For runs that do not sum up to the image.
        """
        masks = cls(
            np.ascontiguousarray(runs, np.uint32),
            np.ascontiguousarray(offset, np.int64),
            np.ascontiguousarray(size, np.int32).reshape(-1, 2),
        )
        fault = _core.check_rle(masks.runs, masks.offset, masks.size)
        if fault is not None:
            message, row, _ = fault
            raise SchemaError(message, f"{name}[{row if rows is None else rows[row]}]")
        return masks

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
        array = _image_stack(mask, name, "masks")
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
        array = _image_stack(labels, name, "label images")
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
                f"expected masks of one size, got {_shown(self.size[0])} and "
                f"{_shown(self.size[row])}",
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

    def without(self, others: RleMasks) -> RleMasks:
        """Return row by row the pixels that the other mask has not; of the same sizes."""
        runs, offset = _core.subtract_rle(
            self.runs, self.offset, self.size, others.runs, others.offset, others.size
        )
        return RleMasks(runs, offset, self.size)


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


def mask_pairs(
    truth: RleMasks,
    pred: RleMasks,
    truth_begin: NDArray[np.int64],
    pred_begin: NDArray[np.int64],
    *,
    kind: Literal["iou", "ioa_truth", "ioa_pred"] = "iou",
    frame: ArrayLike | None = None,
    place: str = "",
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return the pairs of masks that share pixels, frame by frame.

    Parameters
    ----------
    truth, pred : RleMasks
    truth_begin, pred_begin : ndarray, shape (n_frames + 1,), int64
        Frame t has the rows ``begin[t]`` to ``begin[t + 1]``, exclusive.
    kind : {"iou", "ioa_truth", "ioa_pred"}
        What the shared pixels are divided by: those of the union, of truth, or of the prediction.
    frame : array-like, shape (n_frames,), optional
        Numbers of frames, for errors.
    place : str
        Where the masks come from, for errors.

    Returns
    -------
    begin : ndarray, shape (n_truth + 1,), int64
        Where the pairs of each truth row begin.
    pred : ndarray, int32
        The other row of each pair, ascending within a truth row.
    similarity : ndarray, float64
        Above 0; every bit as `pycocotools.mask.iou` computes it.

    Raises
    ------
    ShapeError
        For masks of different sizes in a frame.
    """
    refuse_other_sizes(truth, pred, truth_begin, pred_begin, frame=frame, place=place)
    return _core.mask_pairs(
        truth_begin,
        pred_begin,
        truth.runs,
        truth.offset,
        truth.size,
        pred.runs,
        pred.offset,
        pred.size,
        kind,
    )


def refuse_other_sizes(
    truth: RleMasks,
    pred: RleMasks,
    truth_begin: NDArray[np.int64],
    pred_begin: NDArray[np.int64],
    *,
    frame: ArrayLike | None = None,
    place: str = "",
) -> None:
    """Refuse frames whose masks are of different sizes; the arguments are those of `mask_pairs`.

    Raises
    ------
    ShapeError
        Naming the first such frame and both sizes.
    """
    n_frames = len(truth_begin) - 1
    of_truth = np.repeat(np.arange(n_frames), np.diff(truth_begin))
    of_pred = np.repeat(np.arange(n_frames), np.diff(pred_begin))
    # The size that a frame should have: that of its first mask, of truth where it has one.
    wanted = np.zeros((n_frames, 2), np.int32)
    for begin, masks in ((pred_begin, pred), (truth_begin, truth)):
        filled = begin[:-1] < begin[1:]
        wanted[filled] = masks.size[begin[:-1][filled]]
    found: list[tuple[int, str, NDArray[np.int32]]] = []
    for side, of_frame, masks in (("truth", of_truth, truth), ("pred", of_pred, pred)):
        other = (masks.size != wanted[of_frame]).any(axis=1)
        if other.any():
            row = int(np.argmax(other))
            found.append((int(of_frame[row]), side, masks.size[row]))
    if not found:
        return
    at, side, size = min(found, key=lambda each: each[0])
    number = at if frame is None else int(np.asarray(frame)[at])
    first = "truth" if truth_begin[at] < truth_begin[at + 1] else "pred"
    raise ShapeError(
        f"expected masks of one size in frame {number}, got {_shown(wanted[at])} ({first}) and "
        f"{_shown(size)} ({side})",
        place,
    )


def refuse_overlaps(
    masks: RleMasks,
    begin: NDArray[np.int64],
    track: NDArray[np.int64],
    *,
    frame: ArrayLike | None = None,
    region: NDArray[np.uint8] | None = None,
    place: str = "",
) -> None:
    """Refuse frames in which objects share pixels; regions to ignore may share theirs.

    Parameters
    ----------
    masks : RleMasks
        Of one size within a frame.
    begin : ndarray, shape (n_frames + 1,), int64
        Frame t has the rows ``begin[t]`` to ``begin[t + 1]``, exclusive.
    track : ndarray, shape (n,)
        The id of each object.
    frame : array-like, shape (n_frames,), optional
        Numbers of frames, for errors.
    region : ndarray, shape (n,), uint8, optional
        1 for regions to ignore.
    place : str
        Where the masks come from, for errors.

    Raises
    ------
    InputError
        Naming the first such frame, both ids, and in how many frames more there are some.
    """
    found = _core.find_overlaps(masks.runs, masks.offset, masks.size, begin, region)
    if not len(found):
        return
    at, first, second = found[0].tolist()
    number = at if frame is None else int(np.asarray(frame)[at])
    more = f"; so do masks in {len(found) - 1:,} other frames" if len(found) > 1 else ""
    raise InputError(
        f"expected masks that share no pixels, got ids {track[first]} and {track[second]} that do "
        f"in frame {number}{more}: give each pixel to one object",
        place,
    )


def _shown(size: Iterable[int]) -> str:
    return " × ".join(str(int(each)) for each in size)


def _size_of(size: Any, place: str) -> tuple[int, int]:
    try:
        height, width = (int(each) for each in size)
        whole = [height, width] == list(size)
    except (TypeError, ValueError):
        whole = False
    if not whole or height < 0 or width < 0 or max(height, width) >= 2**31:
        raise SchemaError(f"expected a size of height and width, got {size!r}", place)
    return height, width


def _run_list(counts: Any, place: str) -> NDArray[np.uint32]:
    try:
        runs = np.asarray(counts)
    except ValueError:
        runs = np.zeros(0, np.object_)
    if not runs.size and runs.dtype != np.object_:
        return np.zeros(0, np.uint32)
    if runs.ndim != 1 or runs.dtype.kind not in "iu":
        raise SchemaError(
            f"expected run lengths as text or as a list of whole numbers, got {counts!r:.60}", place
        )
    if int(runs.min()) < 0 or int(runs.max()) > _MOST_PIXELS:
        raise SchemaError("expected runs from 0 on, below 2^32", place)
    return runs.astype(np.uint32)


def _image_stack(value: Any, name: str, what: str) -> NDArray[Any]:
    array = to_numpy(value, name)
    if array.ndim != 3:
        raise ShapeError(f"expected {what} (n, height, width), got shape {array.shape}", name)
    if array.dtype.kind not in "biu":
        raise InputError(f"expected flags or whole numbers, got {array.dtype}", name)
    if array.shape[1] * array.shape[2] > _MOST_PIXELS:
        raise InputError("expected images of less than 2^32 pixels", name)
    return array
