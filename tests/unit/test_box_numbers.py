"""Numbers of boxes in every layout: read again, they are the same boxes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from snellen.detection.box_layouts import as_xywh
from snellen.writers.box_numbers import box_numbers, number_texts, part_numbers

Layout = Literal["xyxy", "xywh", "cxcywh"]
LAYOUTS: tuple[Layout, ...] = ("xyxy", "xywh", "cxcywh")


def read(values: np.ndarray, layout: Layout, size: np.ndarray | None) -> np.ndarray:
    """Return boxes as the readers make them of numbers."""
    xywh = as_xywh(values, layout, str)
    if size is None:
        return xywh
    scale = size[:, ::-1]
    return xywh * np.concatenate([scale, scale], axis=1)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("relative", [False, True])
def test_what_was_read_from_such_numbers_is_read_again(layout: Layout, relative: bool) -> None:
    """Every box that numbers of the layout can give is given by those that are found for it."""
    rng = np.random.default_rng(3)
    n = 20_000
    size = rng.integers(1, 5000, (n, 2)) if relative else None
    first = rng.random((n, 2)) if relative else rng.random((n, 2)) * 3000 - 100
    second = rng.random((n, 2)) * (1 if relative else 800)
    values = np.concatenate([first, first + second if layout == "xyxy" else second], axis=1)
    for digits in (2, 6, 17):
        rounded = values.round(digits)
        boxes = read(rounded, layout, size)
        numbers = box_numbers(boxes, layout, size)
        np.testing.assert_array_equal(numbers.back, boxes)
        np.testing.assert_array_equal(read(numbers.values, layout, size), boxes)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_cannot_be_the_same_is_next_to_it(layout: Layout) -> None:
    rng = np.random.default_rng(4)
    boxes = rng.random((5000, 4)) * 700
    size = rng.integers(1, 2000, (5000, 2))
    for scale in (None, size):
        numbers = box_numbers(boxes, layout, scale)
        np.testing.assert_array_equal(read(numbers.values, layout, scale), numbers.back)
        np.testing.assert_allclose(numbers.back, boxes, rtol=0, atol=1e-11)
    exact = box_numbers(boxes, layout).back == boxes
    assert exact.all() if layout == "xywh" else not exact.all()


def test_whole_and_dyadic_boxes_are_exact() -> None:
    rng = np.random.default_rng(5)
    boxes = rng.integers(0, 2000, (5000, 4)) / 8
    size = np.tile([256, 512], (5000, 1))
    for layout in LAYOUTS:
        for scale in (None, size):
            np.testing.assert_array_equal(box_numbers(boxes, layout, scale).back, boxes)


def test_no_size_becomes_negative() -> None:
    boxes = np.array([[1e9 + 0.3, 5, 0, 1e-9], [-0.0, 0.1, 0, 0], [-7.3, 1e-9, 0.1, 5e-9]])
    for layout in LAYOUTS:
        numbers = box_numbers(boxes, layout)
        assert (read(numbers.values, layout, None)[:, 2:] >= 0).all()


def test_texts() -> None:
    numbers = np.array([0.1, 1e22, -0.0, 5e-324, 1 / 3, 123456789.0])
    texts = number_texts(numbers)
    assert texts == ["0.1", "1e+22", "-0", "5e-324", "0.3333333333333333", "123456789"]
    assert np.array(list(map(float, texts))).tobytes() == numbers.tobytes()


def test_parts() -> None:
    rng = np.random.default_rng(6)
    extent = rng.integers(1, 5000, (20_000, 1)).astype(np.float64)
    pixels = rng.random((20_000, 3)) * extent
    read = part_numbers(pixels, extent).back
    np.testing.assert_allclose(read, pixels, rtol=1e-15)
    again = part_numbers(read, extent)
    np.testing.assert_array_equal(again.back, read)
    np.testing.assert_array_equal(again.values * extent, read)


def test_no_boxes() -> None:
    for layout in LAYOUTS:
        assert box_numbers(np.zeros((0, 4)), layout).values.shape == (0, 4)
