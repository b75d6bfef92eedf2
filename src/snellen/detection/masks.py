"""Masks of objects as columns, one row an object."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from snellen.detection.boxes import Boxes
from snellen.detection.image_records import (
    columns_of_images,
    field_of,
    records_of,
    xywh_of_images,
)
from snellen.errors import ShapeError
from snellen.image_ids import ImageBatch
from snellen.mask_forms import size_text
from snellen.rle_masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.classes import Classes
    from snellen.detection.box_layouts import BoxLayout

__all__ = ["Masks"]

_UNKNOWN = -1


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Masks:
    """Truth or predicted masks of many images.

    Made by `from_masks`, `from_images`, or a reader; all of them check what they are given. The
    plain constructor checks nothing.

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

    @classmethod
    def from_masks(
        cls,
        mask: Any,
        *,
        area: ArrayLike | None = None,
        box: ArrayLike | None = None,
        **columns: Any,
    ) -> Masks:
        """Make masks from their pixels or run lengths.

        Parameters
        ----------
        mask : array-like of shape (n, height, width), sequence of mapping, or RleMasks
            Flags or whole numbers, of which all but 0 are inside; or COCO's run lengths, each with
            ``size`` and ``counts``; or `RleMasks`, as those ``RleMasks.from_polygons`` returns. All
            masks of an image are of one size.
        area : array-like, shape (n,), optional
            Square pixels: what decides the size bucket; the number of pixels inside where not
            given.
        box : array-like, shape (n, 4), optional
            Left, top, width, height; where not given, the box around the mask.
        **columns
            Those of `Boxes.from_xywh`: ``image_id``, ``label``, ``score``, ``crowd``, ``id``,
            ``ignored``, ``image_ids``, ``classes``.

        Raises
        ------
        ShapeError, SchemaError, IdError, ClassError, InputError
            For what are no masks, other shapes, lengths that differ, ids or classes that are not
            listed, values that are not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from snellen.detection.masks import Masks
        >>> pixels = np.zeros((1, 4, 6), bool)
        >>> pixels[0, 1:3, 2:5] = True
        >>> masks = Masks.from_masks(pixels, image_id=7, label="cell")
        >>> masks, masks.boxes.xywh, masks.boxes.area
        (Masks(1 truth masks, 1 images, 1 classes), array([[2., 1., 3., 2.]]), array([6.]))
        """
        rle = RleMasks.of(mask)
        if box is None:
            box = rle.boxes()
        boxes = Boxes.from_xywh(box, area=rle.areas() if area is None else area, **columns)
        if len(boxes) != len(rle):
            raise ShapeError(f"expected {len(rle)} boxes, one a mask, got {len(boxes)}", "box")
        return cls(boxes, rle, _sizes_of_images(boxes, rle))

    @classmethod
    def from_images(
        cls,
        records: Sequence[Mapping[str, Any]],
        *,
        image_id: ArrayLike,
        box_format: BoxLayout = "xyxy",
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
    ) -> Masks:
        """Make masks from one mapping of arrays for each image, as torchvision models return.

        Parameters
        ----------
        records : sequence of mapping
            For each image ``masks``, as `from_masks` takes them, and ``labels`` (n,); predictions
            also ``scores`` (n,), truth may have ``area``, ``iscrowd`` and ``ignored`` (n,). Either
            all or none have ``boxes`` (n, 4): those around the masks where none have. Arrays of any
            kind, on any device. Probabilities are no masks: compare them with a threshold.
        image_id : array-like
            The id of each image.
        box_format : {"xyxy", "xywh", "cxcywh"}
            What the numbers of boxes are.
        classes : mapping of id to name, or sequence of names, optional
            All classes.

        Raises
        ------
        ShapeError, SchemaError, IdError, ClassError, InputError
            As `from_masks`, and for fields that some images have and others do not.

        Examples
        --------
        >>> from snellen.detection.masks import Masks
        >>> Masks.from_images(
        ...     [
        ...         {"masks": [[[0, 1], [1, 1]]], "labels": [3]},
        ...         {"masks": [{"size": [2, 2], "counts": "112"}], "labels": [3]},
        ...         {"masks": [], "labels": []},
        ...     ],
        ...     image_id=["a", "b", "c"],
        ... )
        Masks(2 truth masks, 3 images, 1 classes)
        """
        records = records_of(records, "records")
        ids = ImageBatch.of(image_id, len(records)).ids
        parts = [
            _masks_of_image(field_of(record, "masks", i), f"masks of image {i}")
            for i, record in enumerate(records)
        ]
        sizes = [len(part) for part in parts]
        box = None
        if any("boxes" in record for record in records):
            box, n_boxes = xywh_of_images(records, box_format)
            for i, (n, size) in enumerate(zip(n_boxes, sizes, strict=True)):
                if n != size:
                    raise ShapeError(
                        f"expected {size} boxes, one a mask, got {n}", f"boxes of image {i}"
                    )
        return cls.from_masks(
            RleMasks.joined([RleMasks.of([]), *parts]),
            box=box,
            image_id=np.repeat(ids, sizes),
            image_ids=ids,
            classes=classes,
            **columns_of_images(records, sizes),
        )


def _masks_of_image(value: Any, name: str) -> RleMasks:
    # Of no objects arrays may have any shape and any numbers.
    no_objects = tuple(getattr(value, "shape", ()))[:1] == (0,)
    return RleMasks.of([] if no_objects else value, name)


def _sizes_of_images(boxes: Boxes, rle: RleMasks) -> NDArray[np.int64] | None:
    """Return height and width of each image, as its masks have them.

    Raises
    ------
    ShapeError
        For masks of an image that differ in size.
    """
    if not len(rle):
        return None
    sizes = np.full((len(boxes.images), 2), _UNKNOWN, np.int64)
    sizes[boxes.image] = rle.size
    other = (sizes[boxes.image] != rle.size).any(axis=1)
    if other.any():
        row = int(np.argmax(other))
        image = boxes.image[row]
        raise ShapeError(
            f"expected masks of one size in image {boxes.images.ids[image]}, got "
            f"{size_text(rle.size[row])} and {size_text(sizes[image])} (height × width)",
            f"mask[{row}]",
        )
    return sizes
