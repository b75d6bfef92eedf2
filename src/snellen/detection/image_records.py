"""Objects given as one mapping of arrays for each image, as torchvision models return them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_numpy
from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["columns_of_images", "field_of"]


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


def columns_of_images(
    records: Sequence[Mapping[str, Any]], sizes: Sequence[int]
) -> dict[str, NDArray[Any] | None]:
    """Return ``label``, ``score``, ``area`` and ``crowd`` of all images' objects.

    Parameters
    ----------
    records : sequence of mapping
        For each image ``labels``, and where there are any ``scores``, ``area``, ``iscrowd``.
    sizes : sequence of int
        How many objects each image has.

    Raises
    ------
    InputError, ShapeError
        For a field that some images have and others do not, and for other lengths.
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
        return np.concatenate(filled) if filled else np.zeros(0, np.int64)

    label = joined("labels")
    if label is None and records:
        field_of(records[0], "labels", 0)
    return {
        "label": np.zeros(0, np.int64) if label is None else label,
        "score": joined("scores"),
        "area": joined("area"),
        "crowd": joined("iscrowd"),
    }
