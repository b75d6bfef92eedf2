"""Results that come as the rows of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from snellen.compat.pycocotools.documents import no_collection

__all__ = ["results_of_rows"]

_ROWS_BETWEEN_LINES = 1_000_000


def results_of_rows(data: Any) -> list[dict[str, Any]]:
    """Return the results of rows of image, left, top, width, height, score, category.

    Images and categories are cut down to ints; the others stay numbers of the array's kind.
    Progress is printed.

    Raises
    ------
    AssertionError
        For anything but an array of seven columns.
    """
    print("Converting ndarray to lists...")
    if type(data) is not np.ndarray:
        raise AssertionError
    print(data.shape)
    if data.shape[1] != 7:
        raise AssertionError
    n = data.shape[0]
    results = []
    with no_collection():
        for i, row in enumerate(data):
            if i % _ROWS_BETWEEN_LINES == 0:
                print(f"{i}/{n}")
            image, left, top, width, height, score, category = row
            results.append(
                {
                    "image_id": int(image),
                    "bbox": [left, top, width, height],
                    "score": score,
                    "category_id": int(category),
                }
            )
    return results
