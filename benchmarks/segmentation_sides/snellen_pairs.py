"""Snellen, the counting alone: what the rows of `Segmentation` are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segmentation_sides import matrix_numbers
from snellen import set_threads
from snellen.segmentation.value_pairs import count_value_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

set_threads(1)


def counting(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Pairs of values of each image, with how many pixels have them."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Any:
        pairs = count_value_pairs(truth, pred)

        def numbers() -> Any:
            matrix = np.zeros((256, 256), np.int64)
            np.add.at(matrix, (pairs.truth, pairs.pred), pairs.count)
            return matrix_numbers(matrix)

        return numbers

    return work
