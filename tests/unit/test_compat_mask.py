"""pycocotools' mask API by hand, and what it does not survive itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import set_threads
from snellen.compat.pycocotools import mask
from snellen.errors import SnellenError

# Column by column: 1 1 0 | 0 1 1 | 0 0 0 | 0 0 1, so runs of 0 2 2 2 5 1.
PIXELS = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 1]], np.uint8, order="F")
MASK = {"size": [3, 4], "counts": b"02203O"}
FULL = {"size": [3, 4], "counts": b"0<"}
SHORT = {"size": [3, 4], "counts": b"12"}
EMPTY = {"size": [3, 4], "counts": b""}
TRIANGLE = [0.0, 0, 3, 0, 3, 3]


def test_by_hand() -> None:
    assert mask.encode(PIXELS) == MASK
    assert mask.encode(np.stack([PIXELS, PIXELS * 0 + 1], axis=2)[:, :, :].copy("F")) == [
        MASK,
        FULL,
    ]
    decoded = mask.decode(MASK)
    assert decoded.dtype == np.uint8
    assert decoded.flags.f_contiguous
    assert np.array_equal(decoded, PIXELS)
    assert mask.decode([MASK, FULL]).shape == (3, 4, 2)
    area = mask.area(MASK)
    assert (area, area.dtype) == (5, np.uint32)
    assert mask.area([MASK, FULL]).tolist() == [5, 12]
    assert mask.toBbox(MASK).tolist() == [0, 0, 4, 3]
    assert mask.merge([MASK, FULL]) == FULL
    assert mask.merge([MASK, FULL], intersect=True) == MASK
    assert mask.iou([MASK], [FULL, FULL], [0, 1]).tolist() == [[5 / 12, 1]]
    assert mask.iou([[0, 0, 2, 2]], [[1, 0, 2, 2]], [False]).tolist() == [[2 / 6]]
    assert mask.frPyObjects({"size": [3, 4], "counts": [0, 2, 2, 2, 5, 1]}, 3, 4) == MASK
    # Columns 1 and 2 of rows 1 and 2.
    (square,) = mask.frPyObjects([[1, 1, 1, 3, 3, 3, 3, 1]], 4, 5)
    assert square == {"size": [4, 5], "counts": b"52207"}
    assert mask.frPyObjects(np.array([[1.0, 1, 2, 2]]), 4, 5) == [square]


def test_texts_and_bytes_are_alike() -> None:
    text = {"size": (3, 4), "counts": "02203O"}
    assert mask.area([text, MASK]).tolist() == [5, 5]
    assert mask.merge([text, text]) == MASK


def test_runs_of_0_end_masks() -> None:
    cut = mask.frPyObjects({"size": [3, 4], "counts": [1, 0, 11]}, 3, 4)
    assert mask.merge([cut, cut]) == {"size": [3, 4], "counts": b"1"}
    assert mask.merge([cut]) == cut


@pytest.mark.parametrize("how", [mask.merge, lambda both: mask.iou(both[:1], both[1:], [0])])
def test_masks_that_end_before_others(how: Any) -> None:
    with pytest.raises(ValueError, match="expected masks whose runs have the same sum"):
        how([SHORT, FULL])


def test_masks_without_runs() -> None:
    assert mask.merge([EMPTY, EMPTY]) == {"size": [3, 4], "counts": b"0"}
    with pytest.raises(ValueError, match="expected masks whose runs have the same sum"):
        mask.merge([EMPTY, FULL])
    assert mask.iou([EMPTY], [FULL], [0]).tolist() == [[0]]
    assert not mask.decode(EMPTY).any()


def test_what_no_run_tells_of_is_0() -> None:
    assert mask.decode(SHORT).ravel(order="F").tolist() == [0, 1, 1, *[0] * 9]
    assert mask.decode([]).shape == (0, 0, 0)
    assert mask.toBbox({"size": [0, 4], "counts": b"12"}).tolist() == [0, 0, 0, 0]
    # Cut off: 31 − 16 · 32 outside.
    assert mask.area({"size": [3, 4], "counts": b"12o"}) == 2


def test_runs_beyond_the_image() -> None:
    with pytest.raises(ValueError, match="Invalid RLE mask representation"):
        mask.decode({"size": [3, 4], "counts": b"0="})
    with pytest.raises(MemoryError):
        mask.decode({"size": [2**40, 2**40], "counts": b"12"})
    with pytest.raises(OverflowError):
        mask.area({"size": [2**63, 1], "counts": b"12"})


def refusal(call: Any, masks: Any) -> str:
    try:
        call(masks)
    except ValueError as error:
        return str(error)
    return ""


def test_any_bytes() -> None:
    random = np.random.default_rng(0)
    refusals = []
    for _ in range(2000):
        lengths = random.integers(0, 12, 2).tolist()
        found = [{"size": [3, 4], "counts": random.bytes(length)} for length in lengths]
        assert mask.area(found).shape == (2,)
        assert mask.toBbox(found).shape == (2, 4)
        calls = (mask.decode, mask.merge, lambda both: mask.iou(both, both, [0, 0]))
        refusals += [refusal(call, found) for call in calls]
    kinds = {each[:20] for each in refusals}
    assert kinds == {"", "Invalid RLE mask rep", "expected masks whose"}


def test_vertices_beyond_the_grid() -> None:
    with pytest.raises(SnellenError, match=r"expected vertices .* got others - at polygon 1"):
        mask.frPyObjects([TRIANGLE, [math.nan, *TRIANGLE[1:]]], 3, 4)
    with pytest.raises(SnellenError, match=r"expected vertices .* got others - at polygon 0"):
        mask.frPyObjects([[3e8, 0, -3e8, 0, 3, 3]], 3, 4)
    # An edge of 10⁹ steps, of which four columns are looked at.
    (wide,) = mask.frPyObjects([[-1e8, -1e8, 1e8, -1e8, 1e8, 1e8, -1e8, 1e8]], 3, 4)
    assert wide == FULL


def test_arrays_that_are_no_boxes() -> None:
    boxes = np.array([[0.0, 0, 2, 2], [1, 1, 3, 2.5]])
    for other in (boxes[::-1], boxes[:, :3].copy(), boxes[:, :0], boxes[:, ::-1]):
        with pytest.raises(SnellenError, match=r"expected boxes \(n, 4\) .* - at bb"):
            mask.frPyObjects(other, 3, 4)
    assert mask.frPyObjects(boxes[:0], 3, 4) == []


def test_threads() -> None:
    random = np.random.default_rng(0)
    stack = np.asfortranarray(random.random((30, 40, 90)) < 0.3)
    polygons = [list(random.normal(20, 10, 30)) for _ in range(90)]
    results = []
    for threads in (1, 4):
        set_threads(threads)
        try:
            masks = mask.encode(stack)
            results.append(
                (
                    masks,
                    mask.decode(masks).tobytes(),
                    mask.iou(masks, masks, [0, 1] * 45).tobytes(),
                    mask.frPyObjects(polygons, 30, 40),
                )
            )
        finally:
            set_threads(None)
    assert results[0] == results[1]
