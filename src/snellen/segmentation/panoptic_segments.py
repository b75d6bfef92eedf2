"""The segments of panoptic label maps as columns, one row a segment; the maps are given apart."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_flags, to_numpy
from snellen.classes import Classes
from snellen.errors import ClassError, IdError, InputError, ShapeError, first_few
from snellen.image_ids import ImageBatch
from snellen.state import Keys, id_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["PanopticSegments"]

_END_OF_IDS = 1 << 31  # an id and the image it is in make one number of 64 bits
_CLASS_FIELDS = ("category_id", "label_id")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PanopticSegments:
    """What the segment ids of panoptic label maps mean, of one image or many.

    Made by `from_columns`, `from_images`, or a reader; they check what they are given. The plain
    constructor checks nothing.

    Attributes
    ----------
    image, label : ndarray, shape (n,), int32
        Positions in `images` and `classes`. Segments of an image are in the order in which they
        were listed.
    id : ndarray, shape (n,), int64
        The value of the segment's pixels in the map, below 2^31.
    images : Keys
        The ids of all images, also of those without segments.
    classes : Classes
        Ids and names.
    crowd : ndarray, shape (n,), uint8, or None
        1 for a region of many objects; None where there are none.
    area : ndarray, shape (n,), int64, or None
        Pixels, as annotated; None where that is not known.
    places : sequence of str, or None
        What each image is called in messages, such as its file.
    """

    image: NDArray[np.int32]
    id: NDArray[np.int64]
    label: NDArray[np.int32]
    images: Keys
    classes: Classes
    crowd: NDArray[np.uint8] | None = None
    area: NDArray[np.int64] | None = None
    places: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.image)

    def __repr__(self) -> str:
        return (
            f"PanopticSegments({len(self)} segments, {len(self.images)} images, "
            f"{len(self.classes)} classes)"
        )

    def place(self, image: int, side: str) -> str:
        """Return what messages call an image, given by its position."""
        if self.places is not None:
            return self.places[image]
        return f"{side}, image {self.images.ids[image]}"

    @classmethod
    def from_columns(
        cls,
        *,
        image_id: ArrayLike,
        id: ArrayLike,  # noqa: A002 - the field's name for it
        label: ArrayLike,
        classes: Classes | Mapping[Any, str] | Sequence[str],
        crowd: ArrayLike | None = None,
        area: ArrayLike | None = None,
        image_ids: ArrayLike | None = None,
        places: Sequence[str] | None = None,
    ) -> PanopticSegments:
        """Make segments from columns.

        Parameters
        ----------
        image_id, id, label : array-like, shape (n,)
            Image, segment id (the pixels' value in the map: 0 to 2^31 - 1) and class id of each
            segment.
        classes : Classes, mapping of id to name, or sequence of names
            All classes.
        crowd : array-like, shape (n,), optional
            Non-zero for a region of many objects.
        area : array-like, shape (n,), optional
            Pixels, as annotated.
        image_ids : array-like, optional
            All images that were looked at. Needed where some have no segments.
        places : sequence of str, optional
            What each image of `image_ids` is called in messages.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            For lengths that differ, ids or classes that are not known, areas that are no number of
            pixels.
        """
        image_of, segment = id_array(image_id, "image id"), id_array(id, "segment id")
        label_of = id_array(label, "class id")
        columns: dict[str, Any] = {
            "crowd": None if crowd is None else to_flags(crowd, "crowd"),
            "area": None if area is None else _pixels(area),
        }
        n = len(image_of)
        for name, column in {**columns, "id": segment, "label": label_of}.items():
            if column is not None and len(column) != n:
                raise ShapeError(f"expected {n} values, one a segment, got {len(column)}", name)
        listed = image_of if image_ids is None else id_array(image_ids, "image id")
        images, known = Keys(listed, "image id"), Classes.of(classes)
        image = images.codes(image_of)
        if (image < 0).any():
            raise IdError(
                f"expected image ids of image_ids, got {_others(image_of[image < 0])}", "image_id"
            )
        if places is not None:
            places = [places[k] for k in np.unique(listed, return_index=True)[1].tolist()]
        found = cls(image, segment, known.keys.codes(label_of), images, known, places=places)
        if (found.label < 0).any():
            row = int(np.argmax(found.label < 0))
            raise ClassError(
                f"expected a class of the {len(known)} known ones for segment {segment[row]}, "
                f"got {label_of[row]}",
                found.place(int(image[row]), "label"),
            )
        outside = (segment < 0) | (segment >= _END_OF_IDS) if segment.dtype.kind == "i" else None
        if outside is None or outside.any():
            row = 0 if outside is None else int(np.argmax(outside))
            raise IdError(
                f"expected segment ids from 0 to {_END_OF_IDS - 1}, got {segment[row]}",
                found.place(int(image[row]), "id"),
            )
        return dataclasses.replace(found, **columns)

    @classmethod
    def from_images(
        cls,
        records: Sequence[Sequence[Mapping[str, Any]]],
        *,
        image_id: ArrayLike,
        classes: Classes | Mapping[Any, str] | Sequence[str],
    ) -> PanopticSegments:
        """Make segments from one list of mappings for each image.

        Parameters
        ----------
        records : sequence of sequence of mapping
            Segments of each image with ``id`` and ``category_id``, as the ``segments_info`` of
            COCO, or ``label_id``, as that of Hugging Face; truth may have ``iscrowd`` and
            ``area``.
        image_id : array-like
            The id of each image.
        classes : Classes, mapping of id to name, or sequence of names
            All classes.

        Raises
        ------
        InputError
            As `from_columns`, and for mappings without these keys.
        """
        ids = ImageBatch.of(image_id, len(records)).ids
        rows = [(k, record) for k, listed in enumerate(records) for record in listed]
        for k, record in rows:
            if "id" not in record or not any(field in record for field in _CLASS_FIELDS):
                raise InputError(
                    "expected segments with id and category_id, "
                    f"got {first_few(record) or 'nothing'}",
                    f"image {ids[k]}",
                )
        stated = [record.get("area") for _, record in rows]
        return cls.from_columns(
            image_id=ids[[k for k, _ in rows]],
            id=[record["id"] for _, record in rows],
            label=[next(record[f] for f in _CLASS_FIELDS if f in record) for _, record in rows],
            crowd=np.array([bool(record.get("iscrowd")) for _, record in rows], np.uint8),
            area=None if None in stated else np.array(stated),
            image_ids=ids,
            classes=classes,
        )


def _others(values: NDArray[Any]) -> str:
    others = np.unique(values).tolist()
    return f"{len(others)} others: {first_few(others)}"


def _pixels(value: ArrayLike) -> NDArray[np.int64]:
    area = to_numpy(value, "area", np.float64).reshape(-1)
    wrong = ~((area >= 0) & (area < 2**53) & (area == np.floor(area)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"expected a whole number of pixels, got {area[row]:g}", f"area[{row}]")
    return area.astype(np.int64)
