"""The order of ids in evaluations and in what is merged from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen.run.id_order import id_keys


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([10, 9, -1], [-1, 9, 10]),
        (["10", "9", "09", "0", "100000000000000000000"], ["0", "09", "9", "10", "1" + "0" * 20]),
        (["10", "9", "a"], ["10", "9", "a"]),
        (["٣", "2"], ["2", "٣"]),
        ([], []),
    ],
)
def test_numbers_are_ordered_as_numbers(ids: list[Any], expected: list[Any]) -> None:
    given = np.array(ids)
    assert given[np.lexsort(id_keys(given))].tolist() == expected


def test_texts_are_ordered_as_the_numbers_that_they_were() -> None:
    numbers = np.random.default_rng(0).permutation(1000)
    assert np.array_equal(np.lexsort(id_keys(numbers)), np.lexsort(id_keys(numbers.astype(str))))
