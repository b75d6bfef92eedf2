"""Images in another size, byte for byte those of Pillow."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")

from snellen.benchmark.image_resize import Filter, resized  # noqa: E402
from snellen.errors import InputError, ShapeError  # noqa: E402

FILTERS = get_args(Filter)


def of_pillow(image: np.ndarray, height: int, width: int, name: str) -> np.ndarray:
    grey = image.shape[2] == 1
    picture = Image.fromarray(image[:, :, 0] if grey else image)
    found = np.asarray(picture.resize((width, height), getattr(Image.Resampling, name.upper())))
    return found.reshape(height, width, image.shape[2])


def drawn(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draw an image: noise, or a few flat colours, whose edges make filters overshoot."""
    image = random.integers(0, 256, (height, width, random.choice([1, 3])), np.uint8)
    if random.random() < 0.5:
        image = image // 128 * 255
    return image


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("seed", range(40))
def test_any_size_to_any_size(name: str, seed: int) -> None:
    random = np.random.default_rng([seed, FILTERS.index(name)])
    for _ in range(10):
        height, width, new_height, new_width = (int(n) for n in random.integers(1, 150, 4))
        image = drawn(random, height, width)
        expected = of_pillow(image, new_height, new_width, name)
        assert np.array_equal(resized(image, new_height, new_width, name), expected)


@pytest.mark.parametrize("name", FILTERS)
def test_one_side_stays_or_both_do(name: str) -> None:
    image = drawn(np.random.default_rng(0), 40, 30)
    for size in ((40, 30), (40, 11), (40, 77), (13, 30), (99, 30)):
        assert np.array_equal(resized(image, *size, name), of_pillow(image, *size, name))


@pytest.mark.parametrize("name", FILTERS)
def test_which_side_is_first(name: str) -> None:
    # Around where Pillow changes its mind: twice as many rows lost as columns.
    random = np.random.default_rng(1)
    for lost in range(-3, 12):
        for rows in (2 * lost - 1, 2 * lost, 2 * lost + 1):
            image = drawn(random, 60, 40)
            size = 60 - rows, 40 - lost
            assert np.array_equal(resized(image, *size, name), of_pillow(image, *size, name))


@pytest.mark.parametrize("name", FILTERS)
def test_a_window_is_what_a_crop_leaves(name: str) -> None:
    random = np.random.default_rng(2)
    for height, width in ((375, 500), (500, 200), (90, 61)):
        image = drawn(random, height, width)
        whole = of_pillow(image, 96, 128, name)
        found = resized(image, 96, 128, name, window=(8, 24, 80, 80))
        assert np.array_equal(found, whole[8:88, 24:104])


def test_large_steps() -> None:
    random = np.random.default_rng(3)
    for name in FILTERS:
        image = drawn(random, 1500, 7)
        assert np.array_equal(resized(image, 3, 900, name), of_pillow(image, 3, 900, name))


def test_what_is_refused() -> None:
    image = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(ShapeError, match=r"got float64 \(4, 5, 3\)"):
        resized(image.astype(float), 2, 2)
    with pytest.raises(ShapeError, match=r"got uint8 \(4, 5\)"):
        resized(image[:, :, 0], 2, 2)
    with pytest.raises(InputError, match=r"expected sizes from 1, got \(4, 5\) to \(0, 2\)"):
        resized(image, 0, 2)
    with pytest.raises(InputError, match=r"expected sizes from 1, got \(0, 5\)"):
        resized(image[:0], 2, 2)
    for window in ((0, 0, 3, 2), (1, 0, 2, 2), (0, -1, 2, 2)):
        with pytest.raises(InputError, match="expected a window"):
            resized(image, 2, 2, window=window)
