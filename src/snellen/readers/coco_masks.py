"""The masks of COCO files: polygons and run lengths."""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.detection.masks import Masks
from snellen.errors import DataWarning
from snellen.mask_forms import size_text
from snellen.readers.coco_rows import ObjectRows, predicted_rows, truth_rows
from snellen.readers.left_out import warn
from snellen.rle_masks import RleMasks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen import _core
    from snellen.detection.boxes import Boxes
    from snellen.detection.poses import Poses

__all__ = ["polygons_of_truth", "predicted_masks", "truth_masks"]

_ABSENT, _EMPTY, _POLYGONS, _RUNS = range(4)
_UNKNOWN: Final = -1
_MOST_PIXELS: Final = 2**32 - 1


class _Shapes(NamedTuple):
    """The shapes of all records; see ``CocoShapes`` in ``json_columns.hpp``."""

    form: NDArray[np.uint8]
    left_out: NDArray[np.uint8]
    xy: NDArray[np.float64]
    polygon_begin: NDArray[np.int64]
    begin: NDArray[np.int64]
    runs: NDArray[np.uint32]
    run_offset: NDArray[np.int64]
    size: NDArray[np.int32]

    def kept(self, rows: ObjectRows) -> _Shapes:
        """Return the shapes of the records that are left."""
        if rows.known is None:
            return self
        runs = RleMasks(self.runs, self.run_offset, self.size)[rows.known]
        n_polygons = np.diff(self.begin)
        of_kept = np.repeat(rows.known, n_polygons)
        n_vertices = np.diff(self.polygon_begin)
        return _Shapes(
            self.form[rows.known],
            self.left_out[rows.known],
            self.xy[np.repeat(of_kept, n_vertices)],
            _begins(n_vertices[of_kept]),
            _begins(n_polygons[rows.known]),
            runs.runs,
            runs.offset,
            runs.size,
        )

    def with_boxes(self, xywh: NDArray[np.float64]) -> _Shapes:
        """Return shapes of which those that are absent are boxes, as polygons."""
        absent = self.form == _ABSENT
        if not absent.any():
            return self
        left, top, width, height = xywh[absent].T
        right, bottom = left + width, top + height
        corners = np.stack([left, top, left, bottom, right, bottom, right, top], axis=1)
        n_polygons = np.diff(self.begin)
        at = self.begin[:-1][absent]
        return self._replace(
            form=np.where(absent, _POLYGONS, self.form).astype(np.uint8),
            xy=np.insert(
                self.xy, np.repeat(self.polygon_begin[at], 4), corners.reshape(-1, 2), axis=0
            ),
            polygon_begin=_begins(np.insert(np.diff(self.polygon_begin), at, 4)),
            begin=_begins(np.where(absent, 1, n_polygons)),
        )


def truth_masks(
    raw: _core.CocoTruth,
    place: str,
    *,
    complete: bool = False,
    drop_unknown: bool = False,
    with_ignored: bool = False,
) -> Masks:
    """Return the masks of an annotation file that was read; see `read_coco_truth`."""
    rows = truth_rows(
        raw, place, complete=complete, drop_unknown=drop_unknown, with_ignored=with_ignored
    )
    listed = np.stack(raw.image_size(), axis=1)
    listed[(listed < 0).any(axis=1)] = _UNKNOWN
    assert rows.image_ids is not None
    sizes = np.empty_like(listed)
    sizes[rows.boxes.images.codes(rows.image_ids)] = listed
    shapes = _Shapes(*raw.shapes()).kept(rows)
    rle = _masks(shapes, rows, sizes, place, f"{place} $.images", complete=complete)
    boxes = _boxed(rows.boxes, rle)
    assert boxes.area is not None
    lacks_area = np.isnan(boxes.area)
    if lacks_area.any():
        warn(f"{lacks_area.sum()} masks have no area: the number of their pixels is used", place)
        area = np.where(lacks_area, rle.extents.area, boxes.area)
        boxes = dataclasses.replace(boxes, area=area)
    return Masks(boxes, rle, sizes)


def polygons_of_truth(
    raw: _core.CocoTruth, place: str, *, drop_unknown: bool = False
) -> list[list[NDArray[np.float64]]]:
    """Return the polygons of each object of `truth_masks`, (n_vertices, 2); none of run lengths."""
    with warnings.catch_warnings():
        # What is left out was said when the masks were read.
        warnings.simplefilter("ignore", DataWarning)
        rows = truth_rows(raw, place, complete=False, drop_unknown=drop_unknown)
    shapes = _Shapes(*raw.shapes()).kept(rows)
    vertices = np.split(shapes.xy, shapes.polygon_begin[1:-1])
    bounds = itertools.pairwise(shapes.begin.tolist())
    return [vertices[first:last] for first, last in bounds]


def predicted_masks(
    raw: _core.CocoResults,
    truth: Boxes | Masks | Poses,
    place: str,
    *,
    complete: bool = False,
    drop_unknown: bool = False,
) -> Masks:
    """Return the masks of a results file that was read; see `read_coco_predictions`."""
    xywh = raw.xywh()
    # The reference looks at the first record.
    of_boxes = complete and len(xywh) > 0 and not np.isnan(xywh[0, 0])
    rows = predicted_rows(
        truth.boxes,
        raw.image_id(),
        raw.category_id(),
        xywh,
        None,
        raw.score(),
        place,
        complete=complete,
        drop_unknown=drop_unknown,
    )
    shapes = _Shapes(*raw.shapes()).kept(rows)
    if of_boxes:
        rows.refuse_without_box()
        shapes = shapes.with_boxes(rows.boxes.xywh)
    sizes = _image_sizes(truth)
    rle = _masks(shapes, rows, sizes, place, "truth", complete=complete)
    boxes = _boxed(rows.boxes, rle)
    if not of_boxes:
        boxes = dataclasses.replace(boxes, area=rle.extents.area.astype(np.float64))
    return Masks(boxes, rle, sizes)


def _image_sizes(truth: Boxes | Masks | Poses) -> NDArray[np.int64]:
    """Return height and width of truth's images, as far as they are known."""
    if isinstance(truth, Masks) and truth.sizes is not None:
        return truth.sizes
    sizes = np.full((len(truth.boxes.images), 2), _UNKNOWN, np.int64)
    if isinstance(truth, Masks):
        sizes[truth.boxes.image] = truth.rle.size
    return sizes


def _boxed(boxes: Boxes, rle: RleMasks) -> Boxes:
    """Return boxes of which those that are absent are those around the masks."""
    absent = np.isnan(boxes.xywh[:, :1])
    if not absent.any():
        return boxes
    return dataclasses.replace(boxes, xywh=np.where(absent, rle.extents.box, boxes.xywh))


def _masks(
    shapes: _Shapes,
    rows: ObjectRows,
    sizes: NDArray[np.int64],
    place: str,
    sized_by: str,
    *,
    complete: bool,
) -> RleMasks:
    """Return the masks of shapes, each in the image of its row."""
    of_polygons = shapes.form == _POLYGONS
    _refuse_lacking(shapes, rows, of_polygons, complete=complete)
    image_size = sizes[rows.boxes.image]
    known = image_size[:, 0] != _UNKNOWN
    _refuse_without_image(rows, of_polygons, image_size, known, sized_by)
    written = RleMasks(shapes.runs, shapes.run_offset, shapes.size)
    if not complete:
        # To the reference they match nothing, whatever they show.
        _refuse_other_sizes(shapes, rows, image_size, known & ~of_polygons)
    n_left_out = np.count_nonzero(shapes.left_out)
    if n_left_out:
        warn(f"polygons of less than three vertices left out, of {n_left_out} masks", place)
    if not of_polygons.any():
        return written
    begin = _begins(np.diff(shapes.begin)[of_polygons])
    filled = RleMasks.from_vertices(
        shapes.xy, shapes.polygon_begin, begin, image_size[of_polygons], f"{place} segmentation"
    )
    return written.replaced(of_polygons, filled)


def _refuse_lacking(
    shapes: _Shapes, rows: ObjectRows, of_polygons: NDArray[np.bool_], *, complete: bool
) -> None:
    """Refuse rows without a shape, or of less than a polygon."""
    rows.refuse_first(
        shapes.form == _ABSENT, 'expected the key "segmentation" in every record, {n} lack it'
    )
    rows.refuse_first(
        shapes.form == _EMPTY,
        "expected polygons or run lengths, got an empty list, in {n} records",
        ".segmentation",
    )
    rows.refuse_first(
        of_polygons & (np.diff(shapes.begin) == 0),
        "expected a polygon of at least 6 numbers (three vertices), got less, in {n} records",
        ".segmentation",
    )
    if complete:
        rows.refuse_first(
            shapes.left_out == 3,
            "expected a first polygon of at least 6 numbers (three vertices), which the reference "
            "wants of it (protocol coco does without), got less, in {n} records",
            ".segmentation",
        )


def _refuse_without_image(
    rows: ObjectRows,
    of_polygons: NDArray[np.bool_],
    image_size: NDArray[np.int64],
    known: NDArray[np.bool_],
    sized_by: str,
) -> None:
    """Refuse polygons in images of no known size, or of one that they cannot be filled in."""
    unsized = of_polygons & ~known
    if unsized.any():
        row = int(np.argmax(unsized))
        image = rows.boxes.images.ids[rows.boxes.image[row]]
        rows.refuse_first(
            unsized,
            f'expected "height" and "width" of image {image} in {sized_by}, which polygons need, '
            "they are missing",
            ".segmentation",
        )
    n_pixels = image_size[:, 0] * image_size[:, 1]
    unfit = of_polygons & ((n_pixels == 0) | (n_pixels > _MOST_PIXELS))
    if unfit.any():
        row = int(np.argmax(unfit))
        rows.refuse_first(
            unfit,
            "expected polygons in an image of 1 to 2^32 - 1 pixels, got one of "
            f"{size_text(image_size[row])} (height × width)",
            ".segmentation",
        )


def _refuse_other_sizes(
    shapes: _Shapes,
    rows: ObjectRows,
    image_size: NDArray[np.int64],
    looked_at: NDArray[np.bool_],
) -> None:
    # Column by column: to join flags row by row takes several times as long.
    height, width = (shapes.size[:, k] != image_size[:, k] for k in range(2))
    other = looked_at & (height | width)
    if other.any():
        row = int(np.argmax(other))
        image = rows.boxes.images.ids[rows.boxes.image[row]]
        rows.refuse_first(
            other,
            f"expected a mask of the size of image {image}, {size_text(image_size[row])} (height × "
            f"width), got {size_text(shapes.size[row])}",
            ".segmentation.size",
        )


def _begins(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.append(0, np.cumsum(lengths, dtype=np.int64))
