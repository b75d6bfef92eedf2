"""Boxes as columns, one row an object."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from snellen import _core
from snellen.arrays import to_finite, to_flags, to_numpy
from snellen.classes import Classes
from snellen.detection.image_records import (
    columns_of_images,
    crowding_of_images,
    records_of,
    xywh_of_images,
)
from snellen.errors import ClassError, IdError, InputError, ShapeError, first_few
from snellen.image_ids import ImageBatch
from snellen.state import Keys, id_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.verified_labels import VerifiedLabels

__all__ = ["Boxes", "refuse_unmeasurable"]

_OF_ALL = ("images", "classes", "verified", "groups", "crowding")  # not of single boxes


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Boxes:
    """Truth or predicted boxes of many images.

    Made by `from_xyxy`, `from_xywh`, `from_cxcywh`, `from_images`, or a reader; all of them check
    what they are given. The plain constructor checks nothing.

    Attributes
    ----------
    image, label : ndarray, shape (n,), int32
        Positions in `images` and `classes`.
    xywh : ndarray, shape (n, 4), float64
        Left, top, width, height in pixels.
    area : ndarray, shape (n,), float64, or None
        Square pixels: what decides the size bucket. Truth may have the area of a mask here; None
        stands for width times height.
    images : Keys
        The ids of all images that were looked at, also of those without boxes.
    classes : Classes
        Ids and names.
    score : ndarray, shape (n,), float64, or None
        Confidence; None for truth.
    crowd : ndarray, shape (n,), uint8, or None
        1 for a region of many objects; None where there are none.
    id : ndarray, shape (n,), int64, or None
        Annotation ids; None where they have none.
    ignored : ndarray, shape (n,), uint8, or None
        1 for truth that is neither to be found nor missed, as Pascal VOC's difficult objects and
        LVIS' ignored ones; None where there is none. Protocols say whether they look at it.
    verified : VerifiedLabels or None
        Of truth: the classes that were looked for in each image, where these are not all.
    groups : tuple of str, or None
        The group of each class, as ``"rare"``, in the order of `classes`; some rules have numbers
        of them.
    crowding : ndarray, shape (n_images,), float64, or None
        Of truth: how crowded each image is, in the order of `images`, NaN where that is not known;
        CrowdPose's rules have numbers of such images.
    """

    kind: ClassVar[Literal["box"]] = "box"
    image: NDArray[np.int32]
    label: NDArray[np.int32]
    xywh: NDArray[np.float64]
    area: NDArray[np.float64] | None
    images: Keys
    classes: Classes
    score: NDArray[np.float64] | None = None
    crowd: NDArray[np.uint8] | None = None
    id: NDArray[np.int64] | None = None
    ignored: NDArray[np.uint8] | None = None
    verified: VerifiedLabels | None = None
    groups: tuple[str, ...] | None = None
    crowding: NDArray[np.float64] | None = None

    @property
    def boxes(self) -> Boxes:
        """These boxes: masks, poses and oriented boxes have such columns beside their own."""
        return self

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Boxes:
        """Return some rows, by a mask, positions, or a slice; images and classes stay."""
        taken: dict[str, Any] = {
            field.name: None if column is None else column[rows]
            for field in dataclasses.fields(self)
            if field.name not in _OF_ALL
            for column in (getattr(self, field.name),)
        }
        return dataclasses.replace(self, **taken)

    def __repr__(self) -> str:
        kind = "truth boxes" if self.score is None else "scored boxes"
        return f"Boxes({len(self)} {kind}, {len(self.images)} images, {len(self.classes)} classes)"

    @classmethod
    def from_xywh(
        cls,
        box: ArrayLike,
        *,
        image_id: ArrayLike,
        label: ArrayLike,
        score: ArrayLike | None = None,
        area: ArrayLike | None = None,
        crowd: ArrayLike | None = None,
        id: ArrayLike | None = None,  # noqa: A002 - the field's name for it
        ignored: ArrayLike | None = None,
        image_ids: ArrayLike | None = None,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
    ) -> Boxes:
        """Make boxes from left, top, width, height.

        Parameters
        ----------
        box : array-like, shape (n, 4)
            Boxes in pixels; width and height at least 0.
        image_id, label : array-like, shape (n,), or one value for all
            Image and class of each box: whole numbers or texts.
        score : array-like, shape (n,), optional
            Confidence of each box, for predictions.
        area : array-like, shape (n,), optional
            Square pixels; width times height where not given.
        crowd : array-like, shape (n,), optional
            Non-zero for a region of many objects.
        id : array-like, shape (n,), optional
            Annotation ids: distinct whole numbers.
        ignored : array-like, shape (n,), optional
            Non-zero for truth that is neither to be found nor missed.
        image_ids : array-like, optional
            All images that were looked at. Needed where truth has images without boxes.
        classes : mapping of id to name, or sequence of names, optional
            All classes; those of `label` where not given.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            For lengths that differ, ids or classes that are not listed, values that are not
            finite, negative sizes.
        """
        xywh = to_finite(box, "box", width=4)
        return cls._checked(
            xywh,
            None if area is None else to_finite(area, "area"),
            image_id=image_id,
            label=label,
            score=score,
            crowd=crowd,
            id=id,
            ignored=ignored,
            image_ids=image_ids,
            classes=classes,
        )

    @classmethod
    def from_xyxy(cls, box: ArrayLike, **columns: Any) -> Boxes:
        """Make boxes from left, top, right, bottom; the columns are those of `from_xywh`."""
        corners = to_finite(box, "box", width=4)
        with np.errstate(over="ignore"):  # infinite sizes are refused with the rest
            xywh = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        return cls.from_xywh(xywh, **columns)

    @classmethod
    def from_cxcywh(cls, box: ArrayLike, **columns: Any) -> Boxes:
        """Make boxes from centre, width, height; the columns are those of `from_xywh`."""
        centred = to_finite(box, "box", width=4)
        with np.errstate(over="ignore"):
            xywh = np.concatenate([centred[:, :2] - centred[:, 2:] / 2, centred[:, 2:]], axis=1)
        return cls.from_xywh(xywh, **columns)

    @classmethod
    def from_images(
        cls,
        records: Sequence[Mapping[str, Any]],
        *,
        image_id: ArrayLike,
        box_format: BoxLayout = "xyxy",
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
    ) -> Boxes:
        """Make boxes from one mapping of arrays for each image, as torchvision models return.

        Parameters
        ----------
        records : sequence of mapping
            For each image ``boxes`` (n, 4) and ``labels`` (n,); predictions also ``scores`` (n,),
            truth may have ``area``, ``iscrowd`` and ``ignored`` (n,), and ``crowding``, one number.
            Arrays of any kind, on any device.
        image_id : array-like
            The id of each image.
        box_format : {"xyxy", "xywh", "cxcywh"}
            What the numbers of boxes are: two corners, the corner at left and top and the size, or
            the centre and the size.
        classes : mapping of id to name, or sequence of names, optional
            All classes.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            As `from_xywh`, and for fields that some images have and others do not.
        """
        records = records_of(records, "records")
        ids = ImageBatch.of(image_id, len(records)).ids
        xywh, sizes = xywh_of_images(records, box_format)
        boxes = cls.from_xywh(
            xywh,
            image_id=np.repeat(ids, sizes),
            image_ids=ids,
            classes=classes,
            **columns_of_images(records, sizes),
        )
        listed = crowding_of_images(records)
        if listed is None:
            return boxes
        crowding = np.empty_like(listed)
        crowding[boxes.images.codes(ids)] = listed
        return dataclasses.replace(boxes, crowding=crowding)

    @classmethod
    def _checked(
        cls,
        xywh: NDArray[np.float64],
        area: NDArray[np.float64] | None,
        *,
        image_id: ArrayLike,
        label: ArrayLike,
        score: ArrayLike | None,
        crowd: ArrayLike | None,
        id: ArrayLike | None,  # noqa: A002 - the field's name for it
        ignored: ArrayLike | None,
        image_ids: ArrayLike | None,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None,
    ) -> Boxes:
        n = len(xywh)
        negative = xywh[:, 2:] < 0
        if negative.any():
            row = int(np.argmax(negative.any(axis=1)))
            raise InputError(
                "expected a width and height of at least 0, "
                f"got {xywh[row, 2]:g} and {xywh[row, 3]:g}",
                f"box[{row}]",
            )
        refuse_unmeasurable(xywh, "box")
        if area is not None and len(area) and area.min() < 0:
            raise InputError(
                f"expected areas of at least 0, got {area.min():g}", f"area[{int(area.argmin())}]"
            )
        columns: dict[str, Any] = {
            "score": None if score is None else to_finite(score, "score"),
            "crowd": None if crowd is None else to_flags(crowd, "crowd"),
            "id": None if id is None else _annotation_ids(id),
            "ignored": None if ignored is None else to_flags(ignored, "ignored"),
            "area": area,
        }
        image_of = _one_for_each(image_id, n, "image_id")
        label_of = _one_for_each(label, n, "label")
        for name, column in {**columns, "image_id": image_of, "label": label_of}.items():
            if column is not None and len(column) != n:
                raise ShapeError(f"expected {n} values, one a box, got {len(column)}", name)
        images = Keys(
            image_of if image_ids is None else to_numpy(image_ids, "image_ids"), "image id"
        )
        known = Classes(np.unique(label_of)) if classes is None else Classes.of(classes)
        image = images.codes(image_of)
        if (image < 0).any():
            absent = np.unique(image_of[image < 0]).tolist()
            raise IdError(
                f"expected image ids of image_ids, got {len(absent)} others: {first_few(absent)}",
                "image_id",
            )
        codes = known.keys.codes(label_of)
        if (codes < 0).any():
            absent = np.unique(label_of[codes < 0]).tolist()
            raise ClassError(
                f"expected labels of classes, got {len(absent)} others: {first_few(absent)}",
                "label",
            )
        return cls(image, codes, xywh, images=images, classes=known, **columns)


def refuse_unmeasurable(xywh: NDArray[np.float64], place: str, place_in_row: str = "") -> None:
    """Refuse boxes whose corners or area leave float64's range: their IoU would be no number.

    The place of the first one is ``place[row]place_in_row``.
    """
    row = _core.first_unmeasurable(xywh)
    if row < len(xywh):
        raise InputError(
            f"expected corners and an area within the range of float64, got {xywh[row].tolist()}",
            f"{place}[{row}]{place_in_row}",
        )


def _one_for_each(value: ArrayLike, n: int, name: str) -> NDArray[Any]:
    """Return ids in one axis; a single one stands for all rows."""
    array = to_numpy(value, name)
    if array.ndim == 0:
        return np.full(n, array)
    # NumPy turns [1, "a"] into ["1", "a"] without a word.
    if array.dtype.kind == "U" and isinstance(value, (list, tuple)):
        return id_array(value, name)
    # Empty lists come as floats, and so do labels of some models: whole floats are ids too.
    if array.dtype.kind == "f":
        wide = array.astype(np.float64)
        if ((wide == np.floor(wide)) & (np.abs(wide) < 2**63)).all():
            return wide.astype(np.int64)
    return array


def _annotation_ids(value: ArrayLike) -> NDArray[np.int64]:
    ids = to_numpy(value, "id")
    if ids.size and ids.dtype.kind not in "iu":
        raise IdError(f"expected whole numbers, got {ids.dtype}", "id")
    if ids.dtype == np.uint64 and ids.size and ids.max() >= 2**63:
        raise IdError(f"expected whole numbers below 2^63, got {ids.max()}", "id")
    ids = ids.astype(np.int64).reshape(-1)
    if len(np.unique(ids)) != len(ids):
        values, counts = np.unique(ids, return_counts=True)
        twice = values[counts > 1].tolist()
        raise IdError(
            f"expected distinct annotation ids, got {len(twice)} twice: {first_few(twice)}", "id"
        )
    return ids
