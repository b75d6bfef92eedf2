"""Objects given as one mapping of arrays for each image, as torchvision models return them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_finite, to_numpy
from snellen.detection.box_layouts import as_xywh
from snellen.errors import IdError, InputError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.box_layouts import BoxLayout
    from snellen.state import Keys

__all__ = [
    "columns_of_images",
    "crowding_by_id",
    "crowding_of_images",
    "field_of",
    "records_of",
    "xywh_of_images",
]


def records_of(records: Any, name: str) -> Sequence[Mapping[str, Any]]:
    """Return what is a sequence of one mapping for each image.

    Raises
    ------
    InputError
        For anything else.
    """
    if isinstance(records, (str, bytes)) or not isinstance(records, Sequence):
        raise InputError(
            f"expected a list with a mapping for each image, got {type(records).__name__}", name
        )
    for i, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise InputError(
                "expected a mapping with boxes, labels … of each image, got "
                f"{type(record).__name__}",
                f"{name}[{i}]",
            )
    return records


def field_of(record: Mapping[str, Any], field: str, i: int) -> Any:
    """Return a field of the i-th image.

    Raises
    ------
    InputError
        Where it has none of that name.
    """
    if field not in record:
        raise InputError(
            f'expected the key "{field}", got {", ".join(map(str, record)) or "none"}', f"image {i}"
        )
    return record[field]


def xywh_of_images(
    records: Sequence[Mapping[str, Any]], box_format: BoxLayout
) -> tuple[NDArray[np.float64], list[int]]:
    """Return the ``boxes`` of all images as left, top, width, height, and how many each image has.

    Raises
    ------
    InputError, ShapeError
        For what are no boxes; the image and the row are named.
    """
    boxes = [
        to_finite(field_of(record, "boxes", i), f"boxes of image {i}", width=4)
        for i, record in enumerate(records)
    ]
    sizes = [len(box) for box in boxes]
    begin = np.append(0, np.cumsum(sizes, dtype=np.int64))

    def place(row: int) -> str:
        image = int(np.searchsorted(begin, row, side="right")) - 1
        return f"boxes of image {image}[{row - int(begin[image])}]"

    return as_xywh(np.concatenate([np.zeros((0, 4)), *boxes]), box_format, place), sizes


def crowding_of_images(records: Sequence[Mapping[str, Any]]) -> NDArray[np.float64] | None:
    """Return the ``crowding`` of each image, NaN where it has none; None where none has.

    Raises
    ------
    InputError
        For what is not one finite number.
    """
    if not any("crowding" in record for record in records):
        return None
    crowding = np.full(len(records), np.nan)
    for i, record in enumerate(records):
        if "crowding" in record:
            number = to_numpy(record["crowding"], f"crowding of image {i}", np.float64)
            if number.size != 1 or not np.isfinite(number).all():
                raise InputError(
                    f"expected one finite number, got {number}", f"crowding of image {i}"
                )
            crowding[i] = number.item()
    return crowding


def crowding_by_id(crowding: Mapping[Any, Any], images: Keys) -> NDArray[np.float64]:
    """Return the crowding of each image, NaN where a mapping of image ids does not say it.

    Raises
    ------
    InputError
        For what is no mapping, or no finite number.
    IdError
        For an image that is not there.
    """
    if not isinstance(crowding, Mapping):
        raise InputError(
            "expected a mapping of image id to how crowded it is, such as {17: 0.35}, got "
            f"{type(crowding).__name__}",
            "crowding",
        )
    ids = list(crowding)
    found = np.full(len(images), np.nan)
    codes = images.codes(ids)
    for image, code in zip(ids, codes.tolist(), strict=True):
        if code < 0:
            raise IdError(
                f"expected image ids that objects or image_ids have, got {image!r}", "crowding"
            )
        place = f"crowding[{image!r}]"
        number = to_numpy(crowding[image], place, np.float64)
        if number.size != 1 or not np.isfinite(number).all():
            raise InputError(f"expected one finite number, got {number}", place)
        found[code] = number.item()
    return found


def columns_of_images(records: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> dict[str, Any]:
    """Return ``label``, ``score``, ``area``, ``crowd`` and ``ignored`` of all images' objects.

    Parameters
    ----------
    records : sequence of mapping
        For each image ``labels``, and where there are any ``scores``, ``area``, ``iscrowd``,
        ``ignored``.
    sizes : sequence of int
        How many objects each image has.

    Raises
    ------
    InputError, ShapeError, IdError
        For a field that some images have and others do not, for other lengths, and for labels that
        are numbers here and texts there.
    """

    def joined(field: str) -> NDArray[Any] | None:
        having = sum(field in record for record in records)
        if not having:
            return None
        parts = [
            to_numpy(field_of(record, field, i), f"{field} of image {i}").reshape(-1)
            for i, record in enumerate(records)
        ]
        for i, (part, size) in enumerate(zip(parts, sizes, strict=True)):
            if len(part) != size:
                raise ShapeError(
                    f"expected {size} values, got {len(part)}", f"{field} of image {i}"
                )
        # An empty list is an array of floats; labels must stay whole numbers.
        filled = [part for part in parts if len(part)]
        # NumPy turns numbers beside texts into texts without a word.
        if len({part.dtype.kind in "US" for part in filled}) > 1:
            raise IdError("expected numbers or texts, got some of both", field)
        return np.concatenate(filled) if filled else np.zeros(0, np.int64)

    label = joined("labels")
    if label is None and records:
        field_of(records[0], "labels", 0)
    return {
        "label": np.zeros(0, np.int64) if label is None else label,
        "score": joined("scores"),
        "area": joined("area"),
        "crowd": joined("iscrowd"),
        "ignored": joined("ignored"),
    }
